"""Footprints: which rows a step read and wrote, and so which steps may change places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from eachonce.work import Address


@dataclass(slots=True)
class Footprint:
    """The rows that a step read and wrote; a condition that did not hold has read its row."""

    reads: set[Address] = field(default_factory=set)
    writes: set[Address] = field(default_factory=set)

    def note(self, *, reads: Iterable[Address] = (), writes: Iterable[Address] = ()) -> None:
        """Add rows to those that the step touched."""
        self.reads.update(reads)
        self.writes.update(writes)

    def shared_with(self, other: Footprint) -> set[Address]:
        """Return the rows that both touched and at least one of them wrote: with none, the steps may change places."""
        return (self.writes & (other.reads | other.writes)) | (other.writes & self.reads)
