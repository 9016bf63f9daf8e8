"""The check: what of a template breaks a rule without a reason.

A reason stands beside the resource that a person would mend, in the template itself:

    Metadata:
      Accepted:
        wildcard-resource: X-Ray's actions name no resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Finding, Rule
from eachonce_workbench.hardening.rules import RULES
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.statement import mapping

ACCEPTED = "Accepted"

# A reason says more than "ok" or "needed".
_SHORTEST_REASON = 12


def check(declared: Sequence[Declared], rules: Sequence[Rule] = RULES, *, root: Path | None = None) -> list[Finding]:
    """Return the breaches that nobody has given a reason for, and reasons that are none, by their lines.

    `root` is what folders of code are relative to; without it no code is looked at.
    """
    resources = Resources(declared, root=root)
    found = {
        _finding(rule, breach, root)
        for rule in rules
        for breach in rule.breaches(resources)
        if rule.id not in _accepted(breach.by)
    }
    found.update(_empty_reasons(declared, {rule.id for rule in rules}))
    return sorted(found, key=lambda each: (str(each.file or ""), each.line, each.rule, each.what, each.resource))


def _finding(rule: Rule, breach: Breach, root: Path | None) -> Finding:
    # Code that is written in the template has no file of its own: it is mended where the function is.
    file = breach.file if root is not None and breach.file and breach.file.is_relative_to(root) else None
    return Finding(
        rule=rule.id,
        resource=breach.by.source,
        line=breach.by.made_at if file is None or breach.line is None else breach.line,
        what=breach.what,
        reason=rule.reason,
        mend=rule.mend,
        link=rule.link,
        file=file,
    )


def _accepted(resource: Declared) -> Mapping[str, Any]:
    return mapping(resource.metadata.get(ACCEPTED))


def _empty_reasons(declared: Sequence[Declared], ids: set[str]) -> Iterator[Finding]:
    for each in declared:
        for rule, reason in _accepted(each).items():
            if rule not in ids:
                yield _about_reasons(each, f"there is no rule {rule}")
            elif not isinstance(reason, str) or len(reason.strip()) < _SHORTEST_REASON:
                yield _about_reasons(each, f"{rule} is accepted without a reason")


def _about_reasons(by: Declared, what: str) -> Finding:
    return Finding(
        rule="acceptance",
        resource=by.source,
        line=by.line,
        what=what,
        reason="what is accepted for no reason is accepted for good",
        mend=f"say in a sentence why, under Metadata, {ACCEPTED}",
    )
