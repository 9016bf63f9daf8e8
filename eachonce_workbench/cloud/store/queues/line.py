"""A line of things that wait, from whose front, or from anywhere in it, one is taken at the same cost."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

_COMPACT_FROM = 64


class Line(Generic[T]):
    """First in, first out; taking another than the first lets the first wait in its place."""

    def __init__(self) -> None:
        self._things: list[T | None] = []
        self._front = 0

    def __len__(self) -> int:
        return len(self._things) - self._front

    @property
    def first(self) -> T:
        """The thing at the front; there must be one."""
        return self._things[self._front]  # type: ignore[return-value]

    def append(self, thing: T) -> None:
        """Join at the end."""
        self._things.append(thing)

    def take(self, place: int = 0) -> T:
        """Remove the thing at a place, counted from the front.

        Raises `IndexError` when nobody is there.
        """
        if not 0 <= place < len(self):
            raise IndexError(place)
        at = self._front + place
        taken = self._things[at]
        self._things[at] = self._things[self._front]
        self._things[self._front] = None
        self._front += 1
        if self._front >= _COMPACT_FROM and self._front * 2 >= len(self._things):
            del self._things[: self._front]  # each thing is moved at most once for each that was taken
            self._front = 0
        return taken  # type: ignore[return-value]
