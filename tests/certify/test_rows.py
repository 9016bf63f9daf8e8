"""The rows of the examination: tables of any name, whose state is put back, and who touched what."""

from __future__ import annotations

from typing import Any

import pytest
from eachonce.work import Address

from eachonce_workbench.certify.footprint import Footprint
from eachonce_workbench.certify.rows import Rows
from eachonce_workbench.cloud.store.protocol import AwsError

HERE = {"day": {"S": "monday"}, "place": {"S": "here"}}


@pytest.fixture
def rows() -> Rows:
    return Rows({"Journal": ("pk",)})


def put(rows: Rows, table: str, item: dict[str, Any], footprint: Footprint, **more: Any) -> None:
    rows.answer("PutItem", {"TableName": table, "Item": item, **more}, footprint)


def test_a_table_is_made_when_a_request_names_it(rows: Rows) -> None:
    """The request's key is the table's."""
    rows.answer("GetItem", {"TableName": "Sales", "Key": HERE}, Footprint())
    put(rows, "Sales", {**HERE, "units": {"N": "3"}}, Footprint())
    put(rows, "Journal", {"outbox": {"B": "W10="}, "pk": {"S": "c#e"}}, Footprint())

    assert dict(rows.all()) == {
        Address.of("Journal", {"pk": "c#e"}): {"pk": "c#e", "outbox": b"[]"},
        Address.of("Sales", {"day": "monday", "place": "here"}): {"day": "monday", "place": "here", "units": 3},
    }


def test_a_table_that_is_first_put_into_has_the_key_that_was_learnt(rows: Rows) -> None:
    """A put has the key among the item's other attributes; what was said before counts more."""
    rows.learn([Address.of("Sales", {"day": "monday", "place": "here"}), Address.of("Journal", {"units": "3"})])
    put(rows, "Sales", {"units": {"N": "3"}, **HERE}, Footprint())
    put(rows, "Journal", {"units": {"S": "3"}, "pk": {"S": "c#e"}}, Footprint())

    assert [str(address) for address, _ in rows.all()] == [
        "Journal {'pk': 'c#e'}",
        "Sales {'day': 'monday', 'place': 'here'}",
    ]


def test_the_state_can_be_kept_and_put_back(rows: Rows) -> None:
    """What was written since is gone, and what was there is there again."""
    put(rows, "Journal", {"pk": {"S": "a"}}, Footprint())
    rows.answer("GetItem", {"TableName": "Sales", "Key": HERE}, Footprint())
    put(rows, "Sales", {**HERE, "units": {"N": "3"}}, Footprint())
    kept = rows.keep()

    rows.answer("DeleteItem", {"TableName": "Sales", "Key": HERE}, Footprint())
    put(rows, "Journal", {"pk": {"S": "b"}}, Footprint())
    rows.put_back(kept)
    assert [str(address) for address, _ in rows.all()] == [
        "Journal {'pk': 'a'}",
        "Sales {'day': 'monday', 'place': 'here'}",
    ]

    rows.put_back({})
    assert list(rows.all()) == []


def test_a_condition_that_does_not_hold_has_read_its_row(rows: Rows) -> None:
    """The row decided what happened, so nobody who writes it may change places with it."""
    absent = {"ConditionExpression": "attribute_not_exists(pk)"}
    first, second = Footprint(), Footprint()

    put(rows, "Journal", {"pk": {"S": "a"}}, first, **absent)
    with pytest.raises(AwsError, match="conditional"):
        put(rows, "Journal", {"pk": {"S": "a"}}, second, **absent)

    row = Address.of("Journal", {"pk": "a"})
    assert (first.reads, first.writes) == (set(), {row})
    assert (second.reads, second.writes) == ({row}, set())
    assert first.shared_with(second) == second.shared_with(first) == {row}


def test_batches_touch_each_of_their_rows(rows: Rows) -> None:
    """A handler's own client may write and read many at once."""
    written, read = Footprint(), Footprint()
    entries = [{"PutRequest": {"Item": {"pk": {"S": name}}}} for name in "ab"]
    keys = {"Journal": {"Keys": [{"pk": {"S": name}} for name in "abc"]}}

    rows.answer("BatchWriteItem", {"RequestItems": {"Journal": entries}}, written)
    answer = rows.answer("BatchGetItem", {"RequestItems": keys}, read)

    assert [item["pk"]["S"] for item in answer["Responses"]["Journal"]] == ["a", "b"]
    assert len(written.writes) == 2
    assert len(read.reads) == 3
    assert len(read.shared_with(written)) == 2


def test_two_who_only_read_a_row_share_nothing(rows: Rows) -> None:
    """Which of them comes first makes no difference."""
    one, other = Footprint(), Footprint()
    for footprint in (one, other):
        rows.answer("GetItem", {"TableName": "Sales", "Key": HERE, "ProjectionExpression": "units"}, footprint)

    assert one.reads == other.reads != set()
    assert one.shared_with(other) == set()


def test_what_is_not_answered_here_is_an_error_of_awss(rows: Rows) -> None:
    """A handler that asks for it fails, and is known to have asked."""
    with pytest.raises(AwsError, match="Scan as it was asked is not answered here"):
        rows.answer("Scan", {"TableName": "Sales"}, Footprint())
