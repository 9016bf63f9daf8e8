"""Refusals: who tried what, each said once however often it was tried."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from eachonce_workbench.cloud.confinement.words import is_refused

if TYPE_CHECKING:
    from eachonce_workbench.cloud.history import Happening


class Refusals:
    """Keeps what was tried and refused, and what doesn't confine; may be subscribed to a History."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}

    def __call__(self, happening: Happening) -> None:
        """Note a happening, if it is one."""
        if happening.kind != "refused":
            return
        told = happening.fields["what"]
        if is_refused(told):
            self.note(happening.fields["function"], [told])
        else:  # of the confinement itself, which is the same for all
            self.say(told)

    def note(self, who: str, told: Iterable[str]) -> None:
        """Note what was told of somebody, as far as it was refused."""
        self._lines |= {f"{who} {what}: refused": None for what in told if is_refused(what)}

    def say(self, line: str) -> None:
        """Note something that is nobody's attempt."""
        self._lines[line] = None

    def lines(self) -> tuple[str, ...]:
        """Return each line once, in the order of the first time."""
        return tuple(self._lines)
