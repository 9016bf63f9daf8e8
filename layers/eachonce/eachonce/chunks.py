"""Cutting what is to be sent into calls that keep AWS's limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterable[T], *, size_bytes: Callable[[T], int], max_items: int, max_bytes: int) -> Iterator[list[T]]:
    """Yield the items in order, in lists of at most `max_items` and `max_bytes`; an item too large for any is alone.

    >>> list(chunks("abc", size_bytes=lambda letter: 2, max_items=10, max_bytes=5))
    [['a', 'b'], ['c']]
    """
    chunk: list[T] = []
    total_bytes = 0
    for item in items:
        item_bytes = size_bytes(item)
        if chunk and (len(chunk) == max_items or total_bytes + item_bytes > max_bytes):
            yield chunk
            chunk, total_bytes = [], 0
        chunk.append(item)
        total_bytes += item_bytes
    if chunk:
        yield chunk
