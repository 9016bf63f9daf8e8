"""The watch: what must hold at every moment of a simulation, and at its end."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import msgspec
from eachonce.journal import State, read_key, unpack_outbox

from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.cloud.store.tables.streams import Entry
from eachonce_workbench.simulator.poison import is_poison
from eachonce_workbench.simulator.trial import Observer

# A run that goes wrong goes wrong often, and nobody reads more.
_MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold: its name, and what was seen."""

    invariant: str
    seen: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.seen}"


class Watch:
    """Watches one simulation; subscribe it to a History, and call `journaled` after each write of the journal.

    `from_outside` are the ids of events that no commit is the cause of, `poisonous` of those that nobody can handle.
    """

    def __init__(self, observer: Observer) -> None:
        """`observer` is shown each innocent event that is published."""
        self._observer = observer
        self.violations: list[Violation] = []
        self.committed: dict[str, str] = {}
        self.published: Counter[str] = Counter()
        self.delivered: dict[str, set[str]] = defaultdict(set)
        self.failures: Counter[tuple[str, str]] = Counter()
        self.from_outside: set[str] = set()
        self.poisonous: set[str] = set()
        self.settled: dict[str, set[str]] = defaultdict(set)
        self._ids: dict[str, str] = {}
        self._overcounted: set[str] = set()

    def __call__(self, happening: Happening) -> None:
        """Look at what happened."""
        match happening.kind:
            case "published":
                self._published(happening.fields["event"])
            case "delivered":
                event_id = self._ids.get(happening.fields["event_id"])
                if event_id is not None:  # else it is no event of a bus
                    self.delivered[event_id].add(happening.fields["target_arn"])
            case "dead-lettered":
                self.violated("nothing is received for ever", f"{happening.fields['body'][:300]}")
            case "undelivered":
                self.violated("nothing is given up on its way", f"{happening.fields}")

    def violated(self, invariant: str, seen: str) -> None:
        """Note a violation."""
        if len(self.violations) < _MOST_TOLD:
            self.violations.append(Violation(invariant, seen))

    def failed(self, consumer: str, fingerprint: str) -> None:
        """Note that a consumer's handler fails on an event."""
        self.failures[consumer, fingerprint] += 1

    def journaled(self, entry: Entry) -> None:
        """Look at a write of the journal."""
        row = _plain(entry.new)
        if row is None or is_poison(row["pk"]) or "fingerprint" not in row:  # a breaker's row is no event's
            return
        old = _plain(entry.old) or {}
        pk = row["pk"]
        if old.get("state") == State.DONE and row.get("done_at") != old["done_at"]:
            self.violated("no effect twice", f"{pk} was committed at {old['done_at']} and at {row.get('done_at')}")
        counted, made = int(row.get("attempts", 0)), self.failures[read_key(pk)[0], row["fingerprint"]]
        if counted > made and pk not in self._overcounted:
            self._overcounted.add(pk)
            self.violated("no attempt that the handler didn't fail", f"{pk} has {counted} attempts of {made} failures")
        consumer, _, event_id = read_key(pk)
        if row.get("state") in (State.DONE, State.REJECTED):
            self.settled[event_id].add(consumer)
        for event in unpack_outbox(_bytes(row["outbox"])) if "outbox" in row else ():
            self.committed[_Id.of(event)] = pk

    def unpublished(self) -> list[str]:
        """Return the ids of committed events that were never published."""
        return [event_id for event_id in self.committed if not self.published[event_id]]

    def unsettled(self) -> list[str]:
        """Return the ids of events that came to more queues than consumers have a final row of in the journal.

        A single guarded write needs none: whether these took effect, the journal can't say.
        """
        innocent = self.delivered.keys() - self.poisonous
        return sorted(each for each in innocent if len(self.settled[each]) < len(self.delivered[each]))

    def _noted(self, event: dict[str, Any]) -> str:
        detail = event["detail"]
        event_id = self._ids[event["id"]] = str(detail.get("id"))
        self.published[event_id] += 1
        if "type" in detail and not is_poison(event_id):
            self._observer(detail)
        return event_id

    def _published(self, event: dict[str, Any]) -> None:
        event_id = self._noted(event)
        if event_id not in self.committed and event_id not in self.from_outside:
            self.violated("every published event's cause is committed", f"nothing that published {event_id} is")


class Unwatched(Watch):
    """Looks only at what any consumer must keep, whoever wrote it."""

    def __call__(self, happening: Happening) -> None:
        """Look at where events go, and at nothing else."""
        match happening.kind:
            case "published":
                self._noted(happening.fields["event"])
            case "delivered":
                super().__call__(happening)


class _Id(msgspec.Struct):
    id: str

    @staticmethod
    def of(event: msgspec.Raw) -> str:
        return msgspec.json.decode(event, type=_Id).id


_WATCHED = ("pk", "state", "done_at", "attempts", "fingerprint", "outbox")


def _plain(item: Any) -> dict[str, str] | None:
    if item is None:
        return None
    return {name: item.attrs[name].value for name in _WATCHED if name in item.attrs}


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else base64.b64decode(value)
