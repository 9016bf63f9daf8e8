"""What each rule of an event's bus made of it, and why those that did not choose it did not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.matching.mismatch import Mismatch, mismatch
from eachonce_workbench.template.topology import Rule, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStory:
    """A rule, where it leads, and whether it chose the event; if not, `said` or `mismatch` is why."""

    name: str
    leads_to: tuple[str, ...]
    chose: bool
    said: str = ""
    mismatch: Mismatch | None = None


def rules_of(topology: Topology, bus: str, chosen: Collection[str], event: Mapping[str, Any] | None) -> list[RuleStory]:
    """Return the rules of a bus: first those that chose the event, whose names are `chosen`, then the nearest.

    `event` is the bus's, as `read_json` gives it; None where it isn't kept.
    """
    told = [_told(rule, event, chose=rule.name in chosen) for rule in topology.rules if rule.bus_name == bus]
    return sorted(told, key=_nearness)


def _nearness(rule: RuleStory) -> tuple[bool, int, str]:
    misfits = 1_000 if rule.mismatch is None else len(rule.mismatch.misfits)
    return (not rule.chose, 0 if rule.chose else misfits, rule.name)


def _told(rule: Rule, event: Mapping[str, Any] | None, *, chose: bool) -> RuleStory:
    leads_to = tuple(target.arn.rpartition(":")[2] for target in rule.targets)
    told = RuleStory(name=rule.name, leads_to=leads_to, chose=chose)
    if chose:
        return told
    why = None if event is None or rule.pattern is None else mismatch(rule.pattern, event)
    return RuleStory(name=rule.name, leads_to=leads_to, chose=False, said=_said(rule, event, why), mismatch=why)


def _said(rule: Rule, event: Mapping[str, Any] | None, why: Mismatch | None) -> str:
    if not rule.enabled:
        wants = "its pattern wants the event" if why is None and rule.pattern is not None else "besides, as follows"
        return f"It is disabled; {wants}." if event is not None else "It is disabled."
    if rule.pattern is None:
        return "It has no pattern, and follows a schedule alone."
    if event is None:
        return "What the event held is not kept any more, so it can't be compared."
    if why is None:
        return "As it is now, it wants the event: it has changed since, or the event was replayed to other rules alone."
    return why.together or ""
