"""The write units of a request are what AWS's rules say."""

from __future__ import annotations

import pytest

from bench.write_units import Written, write_units, writes_of


def units(*sizes: tuple[int, int], transacted: bool = False) -> int:
    written = [Written(bytes_before=before, bytes_after=after) for before, after in sizes]
    return write_units(written, transacted=transacted)


@pytest.mark.parametrize(
    ("size", "expected"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (10 * 1024, 10), (400 * 1024, 400)]
)
def test_a_unit_is_a_kilobyte_that_has_begun(size: int, expected: int) -> None:
    """At least one: an item that isn't there costs it, too."""
    assert units((0, size)) == expected


@pytest.mark.parametrize(("before", "after"), [(3000, 10), (10, 3000), (3000, 3000)])
def test_the_larger_of_what_was_and_what_is_counts(before: int, after: int) -> None:
    """An item that shrinks, or is deleted, costs what it was."""
    assert units((before, after)) == 3


def test_items_are_rounded_one_by_one() -> None:
    """Two items of half a kilobyte cost two units."""
    assert units((0, 512), (0, 512)) == 2


def test_a_transaction_costs_twice_as_much() -> None:
    """Each of its items is written twice, those that are only checked among them."""
    assert units((0, 100), (2000, 2000), transacted=True) == 2 * (1 + 2)


def test_what_writes_nothing_costs_nothing() -> None:
    """A read, for one."""
    assert list(writes_of("GetItem", {"TableName": "t", "Key": {}})) == []
    assert units() == 0


def test_every_item_of_a_request_is_found() -> None:
    """Whichever operation it is of."""
    put, delete = {"TableName": "t", "Item": {}}, {"TableName": "t", "Key": {}}
    transaction = {"TransactItems": [{"Put": put}, {"ConditionCheck": delete}, {"Delete": delete}]}
    batch = {"RequestItems": {"t": [{"PutRequest": {"Item": {}}}, {"DeleteRequest": {"Key": {}}}]}}

    assert list(writes_of("PutItem", put)) == [("Put", put)]
    assert [kind for kind, _ in writes_of("TransactWriteItems", transaction)] == ["Put", "ConditionCheck", "Delete"]
    assert list(writes_of("BatchWriteItem", batch)) == [("Put", put), ("Delete", delete)]
