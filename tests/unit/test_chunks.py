"""Cutting into calls that keep AWS's limits."""

from __future__ import annotations

from itertools import pairwise

from eachonce.chunks import chunks
from hypothesis import given
from hypothesis import strategies as st


def cut(sizes: list[int], *, max_items: int, max_bytes: int) -> list[list[int]]:
    return list(chunks(sizes, size_bytes=lambda size: size, max_items=max_items, max_bytes=max_bytes))


@given(st.lists(st.integers(0, 30)), st.integers(1, 5), st.integers(1, 50))
def test_every_chunk_keeps_both_limits_and_nothing_is_lost(sizes: list[int], max_items: int, max_bytes: int) -> None:
    """Order stays, no chunk is empty, and only what is too large by itself goes over the bytes, alone."""
    cuts = cut(sizes, max_items=max_items, max_bytes=max_bytes)

    assert [size for chunk in cuts for size in chunk] == sizes
    assert all(0 < len(chunk) <= max_items for chunk in cuts)
    assert all(sum(chunk) <= max_bytes or len(chunk) == 1 for chunk in cuts)


@given(st.lists(st.integers(0, 30)), st.integers(1, 5), st.integers(1, 50))
def test_chunks_are_as_few_as_their_order_allows(sizes: list[int], max_items: int, max_bytes: int) -> None:
    """No chunk had room for the item that begins the next one."""
    cuts = cut(sizes, max_items=max_items, max_bytes=max_bytes)

    for chunk, following in pairwise(cuts):
        assert len(chunk) == max_items or sum(chunk) + following[0] > max_bytes
