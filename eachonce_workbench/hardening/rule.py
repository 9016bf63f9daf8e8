"""A rule: what is looked for in a template, why, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.template.declared import Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A resource that breaks a rule, and by what; `file` and `line` are of its code where that is to be mended."""

    by: Declared
    what: str
    file: Path | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that no resource does without a written reason.

    - `id`: its name in `Metadata: {Accepted: {...}}`
    - `number`: what linters that want numbers call it; a number is never given again
    - `reason`: what may come of it where it is broken
    - `mend`: what to write instead
    - `link`: AWS's page on it
    - `breaches`: looks at what a template declares, the functions' code included, and at nothing else
    """

    id: str
    number: int
    reason: str
    mend: str
    link: str
    breaches: Callable[[Resources], Iterator[Breach]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A breach that nobody has accepted, with the line to mend: of the template, or of the code in `file`."""

    rule: str
    resource: str
    line: int
    what: str
    reason: str
    mend: str
    link: str = ""
    file: Path | None = None

    def __str__(self) -> str:
        return f"{self.line}: {self.resource}: {self.rule}: {self.what}: {self.mend}"
