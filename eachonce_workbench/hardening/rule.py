"""A rule: what is looked for in a template, why, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.template.declared import Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A resource that breaks a rule, and by what."""

    by: Declared
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that no resource does without a written reason.

    - `id`: its name in `Metadata: {Accepted: {...}}`
    - `reason`: what somebody could do where it is broken
    - `mend`: what to write instead
    - `breaches`: pure; looks at what a template declares, and at nothing else
    """

    id: str
    reason: str
    mend: str
    breaches: Callable[[Resources], Iterator[Breach]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A breach that nobody has accepted, with the resource to mend by its line in the template."""

    rule: str
    resource: str
    line: int
    what: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return f"{self.line}: {self.resource}: {self.rule}: {self.what}: {self.mend}"
