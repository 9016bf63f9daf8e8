"""Progress: what a run tells while it is under way."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from eachonce_workbench.template.topology import Topology


class Progress:
    """What a run tells while it is under way; this one tells nobody."""

    def __enter__(self) -> Self:
        """Begin to tell."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell no more."""

    def started(self, topology: Topology) -> None:
        """The local cloud is there."""

    def about(self, what: str) -> None:
        """What follows is about this."""

    def sent(self, done: int, total: int) -> None:
        """So many of the inputs have been sent, and answered."""

    def tried(self, done: int, total: int) -> None:
        """So many of the runs that are to be made are over."""

    def settling(self) -> None:
        """All inputs are sent, and events are still on their way."""

    def failing(self, lines: Sequence[str]) -> None:
        """So far functions have failed in these ways, the most frequent first; called again and again."""
