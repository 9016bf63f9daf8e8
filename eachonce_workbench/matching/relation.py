"""Relations: sets of rows over numbered columns, and the operations on them that matching needs.

The rows of one relation may have different columns: what a row doesn't speak of is open. Columns stand in ascending
order. No operation changes what it is given; what comes of it may be the same object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Set

Columns = tuple[int, ...]
Row = tuple[int, ...]
Relation = Mapping[Columns, Set[Row]]

ANYTHING: Relation = {(): {()}}
"""The relation with one row, which speaks of nothing."""

_NONE: Set[Row] = frozenset()


class TooManyRowsError(Exception):
    """A relation would have more rows than it may."""


def project(relation: Relation, columns: Collection[int]) -> Relation:
    """The rows as far as they speak of `columns`."""
    if all(column in columns for given in relation for column in given):
        return relation
    projected: dict[Columns, set[Row]] = defaultdict(set)
    for given, rows in relation.items():
        kept = tuple(column for column in given if column in columns)
        projected[kept].update(map(_picker(given, kept), rows))
    return dict(projected)


def join(left: Relation, right: Relation, *, most_rows: int) -> Relation:
    """Every row of `left` together with every one of `right` that doesn't contradict it.

    Raises TooManyRowsError.
    """
    joined: dict[Columns, set[Row]] = defaultdict(set)
    for columns, rows in left.items():
        for others, other_rows in right.items():
            if columns == others:
                joined[columns] |= rows & other_rows
                continue
            both = tuple(sorted({*columns, *others}))
            known = joined[both]
            for row in _together(columns, rows, others, other_rows):
                known.add(row)
                if len(known) > most_rows:
                    raise TooManyRowsError
    return {columns: rows for columns, rows in joined.items() if rows}


def union(left: Relation, right: Relation) -> Relation:
    """The rows of both."""
    if not left or not right:
        return left or right
    return {columns: left.get(columns, _NONE) | right.get(columns, _NONE) for columns in {**left, **right}}


def without(left: Relation, right: Relation) -> Relation:
    """The rows of `left` that contradict every row of `right`."""
    if not right:
        return left
    left_over: dict[Columns, Set[Row]] = {}
    for columns, rows in left.items():
        kept = rows
        for others, other_rows in right.items():
            shared = tuple(column for column in others if column in columns)
            taken = set(map(_picker(others, shared), other_rows))
            pick = _picker(columns, shared)
            kept = {row for row in kept if pick(row) not in taken}
        if kept:
            left_over[columns] = kept
    return left_over


def _together(columns: Columns, rows: Set[Row], others: Columns, other_rows: Set[Row]) -> Iterator[Row]:
    shared = tuple(column for column in others if column in columns)
    of_row, of_other = _picker(columns, shared), _picker(others, shared)
    fitting: dict[Row, list[Row]] = defaultdict(list)
    for other in other_rows:
        fitting[of_other(other)].append(other)
    merge = _picker((*columns, *others), tuple(sorted({*columns, *others})))
    for row in rows:
        for other in fitting.get(of_row(row), ()):
            yield merge(row + other)


def _picker(given: Columns, wanted: Columns) -> Callable[[Row], Row]:
    places = [given.index(column) for column in wanted]
    return lambda row: tuple([row[place] for place in places])
