"""The cheapest plan that is safe: which operations a work becomes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from eachonce import Work, WorkError, WorkTooLargeError
from eachonce.aws import Codec
from eachonce.journal import Mark, done_row
from eachonce.plan import (
    MAX_BYTES,
    MAX_EXPRESSION_BYTES,
    MAX_ITEM_BYTES,
    MAX_OPERATIONS,
    Guard,
    Operation,
    Plan,
    plan,
)
from eachonce.work import Address, Item

from tests.parcels import Arrived

MARK = Mark("post", "post", "e-1", "f" * 24)
NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)
P = {"parcel": "p"}


def planned(
    fill: Callable[[Work], object], *, fence: str | None = None, found: Item | None = None, row: Item | None = None
) -> Plan:
    """Return the plan of a work that `fill` filled; whatever it reads is `found`."""
    work = Work(lambda address: found)
    fill(work)
    row = done_row(MARK, at=NOON, result=work.result) if row is None else row
    return plan(work, MARK, row, fence=fence, table=lambda name: f"post-{name}", encode=Codec().encode)


def outline(operations: Plan) -> list[tuple[str, str, Guard]]:
    return [(operation.verb, operation.request["TableName"], operation.guard) for operation in operations]


def read_and_put(work: Work) -> None:
    work.read("Places", P)
    work.put("Places", P, place="Leeds")


def read_and_create(work: Work) -> None:
    work.read("Places", P)
    work.create("Places", P)


def read_and_put_newer(work: Work) -> None:
    work.read("Places", P)
    work.put("Places", P, newer_than="at", at=1)


def read_another_and_create(work: Work) -> None:
    work.read("Places", P)
    work.create("Parcels", P)


def create_two(work: Work) -> None:
    work.create("Parcels", P)
    work.create("Parcels", {"parcel": "q"})


def create_and_publish(work: Work) -> None:
    work.create("Parcels", P)
    work.publish(Arrived(parcel="p"))


def answer(work: Work) -> None:
    work.result = {"parcel": "p"}


JOURNAL = ("Put", "post-Journal", Guard.JOURNAL)


@pytest.mark.parametrize("fill", [lambda work: None, lambda work: work.read("Places", P)], ids=["nothing", "a read"])
def test_no_effect_needs_no_plan(fill: Callable[[Work], object]) -> None:
    """What leaves no trace can be done again as often as one likes."""
    assert planned(fill) == ()


@pytest.mark.parametrize(
    ("fill", "write"),
    [
        (lambda work: work.create("Parcels", P, sender="Ada"), ("Put", "post-Parcels", Guard.CREATE)),
        (lambda work: work.put("Places", P, newer_than="at", at=1), ("Update", "post-Places", Guard.NEWER)),
    ],
    ids=["create", "newer"],
)
def test_one_guarded_write_is_its_own_journal(fill: Callable[[Work], object], write: tuple[str, str, Guard]) -> None:
    """The item carries the event's mark, so one write unit is enough."""
    assert outline(planned(fill)) == [write]


@pytest.mark.parametrize("fill", [lambda work: work.publish(Arrived(parcel="p")), answer], ids=["publish", "result"])
def test_only_events_or_a_result_are_one_row(fill: Callable[[Work], object]) -> None:
    """The events are inside."""
    assert outline(planned(fill)) == [JOURNAL]


@pytest.mark.parametrize(
    ("fill", "rest"),
    [
        (lambda work: work.add("Weights", P, grams=1), [("Update", "post-Weights", Guard.NONE)]),
        (create_two, [("Put", "post-Parcels", Guard.CREATE)] * 2),
        (create_and_publish, [("Put", "post-Parcels", Guard.CREATE)]),
        (read_and_put, [("Update", "post-Places", Guard.REVISION)]),
        (read_and_create, [("Put", "post-Places", Guard.REVISION)]),
        (read_and_put_newer, [("Update", "post-Places", Guard.REVISION)]),
        (
            read_another_and_create,
            [("Put", "post-Parcels", Guard.CREATE), ("ConditionCheck", "post-Places", Guard.REVISION)],
        ),
    ],
    ids=["add", "two creates", "create and publish", "read and put", "read and create", "read and newer", "a check"],
)
def test_anything_else_is_one_transaction_with_the_journal_first(
    fill: Callable[[Work], object], rest: list[tuple[str, str, Guard]]
) -> None:
    """State, mark and events commit together."""
    assert outline(planned(fill)) == [JOURNAL, *rest]


def test_a_claimed_event_always_ends_in_the_journal() -> None:
    """Even with nothing else to do: its row says STARTED, and must not stay so."""
    assert outline(planned(lambda work: None, fence="f-1")) == [JOURNAL]


def test_a_claimed_create_is_journaled() -> None:
    """A create alone would need no journal, but a claim does."""
    operations = planned(lambda work: work.create("Parcels", P), fence="f-1")

    assert outline(operations) == [JOURNAL, ("Put", "post-Parcels", Guard.CREATE)]


def test_the_journal_is_written_unless_it_says_done() -> None:
    """A row that says something else is no obstacle."""
    (journal,) = planned(lambda work: work.publish(Arrived(parcel="p")))

    assert journal.request["ConditionExpression"] == "attribute_not_exists(pk) OR #state <> :done"
    assert journal.request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


def test_the_journals_condition_has_no_value_that_it_does_not_use() -> None:
    """DynamoDB refuses a request with one."""
    (journal,) = planned(lambda work: work.publish(Arrived(parcel="p")))

    assert journal.request["ExpressionAttributeValues"] == {":done": {"S": "DONE"}}


def test_an_operation_says_of_what_item_it_is() -> None:
    """What DynamoDB refuses is told by it."""
    operations = planned(lambda work: work.add("Weights", P, grams=1))

    addresses = [operation.address for operation in operations]
    assert addresses == [Address.of("Journal", {"pk": MARK.pk}), Address.of("Weights", P)]


def test_a_claim_is_part_of_the_journals_condition() -> None:
    """Who lost it can't commit."""
    (journal,) = planned(lambda work: None, fence="f-1")

    assert journal.request["ConditionExpression"] == "#state <> :done AND fence = :fence"
    assert journal.request["ExpressionAttributeValues"][":fence"] == {"S": "f-1"}


def only_write(operations: Plan) -> Operation:
    return next(operation for operation in operations if operation.guard is not Guard.JOURNAL)


def test_every_write_leaves_its_mark() -> None:
    """It is the item's revision for whoever reads it next."""
    write = only_write(planned(lambda work: work.add("Weights", P, grams=1)))

    assert write.request["UpdateExpression"] == "SET #n1 = :v1 ADD #n0 :v0"
    assert write.request["ExpressionAttributeNames"] == {"#n0": "grams", "#n1": "written_by"}
    assert write.request["ExpressionAttributeValues"] == {":v0": {"N": "1"}, ":v1": {"S": str(MARK)}}
    assert "ConditionExpression" not in write.request


def test_a_create_puts_the_whole_item_where_there_is_none() -> None:
    """With its key and its marks, and nothing is changed that is there."""
    (write,) = planned(lambda work: work.create("Parcels", P, sender="Ada", stamps=2))

    assert write.request == {
        "TableName": "post-Parcels",
        "Item": {
            "parcel": {"S": "p"},
            "sender": {"S": "Ada"},
            "stamps": {"N": "2"},
            "created_by": {"S": str(MARK)},
            "written_by": {"S": str(MARK)},
        },
        "ConditionExpression": "(attribute_not_exists(#n0))",
        "ExpressionAttributeNames": {"#n0": "parcel"},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def test_a_create_of_what_was_read_is_checked_too() -> None:
    """The item is still not there, or still is: the one ends in a race that is lost, the other in a rejection."""
    write = only_write(planned(read_and_create, found={"parcel": "p", "written_by": "r"}))

    assert write.request["ConditionExpression"] == "(attribute_not_exists(#n0)) AND (#n1 = :v0)"
    assert write.request["ExpressionAttributeValues"] == {":v0": {"S": "r"}}
    assert write.expected == "r"


def test_none_removes_an_attribute() -> None:
    """DynamoDB has a null type, which nobody means."""
    write = only_write(planned(lambda work: work.put("Places", P, newer_than="at", at=1, place=None)))

    assert write.request["UpdateExpression"] == "SET #n0 = :v0, #n2 = :v1, #n3 = :v5 REMOVE #n1"
    assert write.request["ExpressionAttributeNames"]["#n1"] == "place"


def test_none_is_left_out_of_what_is_created() -> None:
    """There is nothing to remove."""
    (write,) = planned(lambda work: work.create("Parcels", P, sender=None))

    assert "sender" not in write.request["Item"]


def many(count: int) -> dict[str, int]:
    return {f"a{number}": 1 for number in range(count)}


def test_what_is_created_may_have_any_number_of_attributes() -> None:
    """An item's size is its only limit: it is no expression."""
    (write,) = planned(lambda work: work.create("Parcels", P, **many(5000)))

    assert len(write.request["Item"]) == 5003
    assert len(write.request["ConditionExpression"]) < 100


def read_and_put_many(count: int) -> Callable[[Work], None]:
    def fill(work: Work) -> None:
        work.read("Places", P)
        work.put("Places", P, **many(count))

    return fill


@pytest.mark.parametrize(
    ("fill", "most"),
    [
        (lambda count: lambda work: work.add("Places", P, **many(count)), 330),
        (lambda count: lambda work: work.put("Places", P, newer_than="a0", **many(count)), 285),
        (read_and_put_many, 286),
    ],
    ids=["add", "newer", "put"],
)
def test_what_changes_an_item_is_an_expression_of_4_kilobytes(
    fill: Callable[[int], Callable[[Work], None]], most: int
) -> None:
    """As many attributes as fit, and what doesn't is told before DynamoDB would, with what to do."""
    write = planned(fill(most))[-1]
    assert len(write.request["UpdateExpression"]) <= MAX_EXPRESSION_BYTES

    with pytest.raises(WorkTooLargeError, match=r"Places: .* attributes .* and DynamoDB takes 4,096: .* map"):
        planned(fill(most + 1))


def test_an_expression_may_have_all_of_its_4_kilobytes() -> None:
    """DynamoDB takes 4,096 bytes, and refuses 4,097."""
    removed: Item = {f"r{number}": None for number in range(114)}

    write = planned(lambda work: work.put("Places", P, newer_than="a0", **many(232), **removed))[-1]

    assert len(write.request["UpdateExpression"]) == MAX_EXPRESSION_BYTES


def test_works_of_one_shape_have_one_text() -> None:
    """DynamoDB and the local cloud parse an expression once."""
    one, other = (
        planned(lambda work, parcel=parcel: work.add("Weights", {"parcel": parcel}, grams=7))[1] for parcel in "ab"
    )

    assert one.request["UpdateExpression"] == other.request["UpdateExpression"]
    assert one.request["ExpressionAttributeNames"] == other.request["ExpressionAttributeNames"]


@pytest.mark.parametrize(
    ("found", "condition", "expected"),
    [
        (None, "(attribute_not_exists(#n2))", None),
        ({"parcel": "p"}, "(attribute_not_exists(#n1))", ""),
        ({"parcel": "p", "written_by": "r"}, "(#n1 = :v2)", "r"),
    ],
    ids=["absent", "foreign", "ours"],
)
def test_what_was_read_is_checked(found: Item | None, condition: str, expected: str | None) -> None:
    """Absent, never written by the layer, or at a revision."""
    write = only_write(planned(read_and_put, found=found))

    assert write.request["ConditionExpression"] == condition
    assert write.expected == expected


def test_a_read_that_is_not_written_is_checked_all_the_same() -> None:
    """Its own operation, on its own item."""
    operations = planned(read_another_and_create, found={"parcel": "p", "written_by": "r"})

    assert (operations[-1].address, operations[-1].expected) == (Address.of("Places", P), "r")
    assert operations[-1].request["ConditionExpression"] == "#n0 = :v0"
    assert operations[-1].request["ExpressionAttributeValues"] == {":v0": {"S": "r"}}


def add_to(items: int) -> Callable[[Work], None]:
    def fill(work: Work) -> None:
        for number in range(items):
            work.add("Weights", {"parcel": str(number)}, grams=1)

    return fill


def test_a_transaction_holds_100_items() -> None:
    """The journal's row is one of them."""
    assert len(planned(add_to(MAX_OPERATIONS - 1))) == 100


def test_more_than_100_items_are_refused() -> None:
    """Before DynamoDB does, and in words that say what to do."""
    with pytest.raises(WorkTooLargeError, match=r"101 items .* 100: split the event"):
        planned(add_to(MAX_OPERATIONS))


def test_what_is_read_counts_too() -> None:
    """A check is an operation of the transaction."""

    def fill(work: Work) -> None:
        work.read("Places", P)
        add_to(MAX_OPERATIONS - 1)(work)

    with pytest.raises(WorkTooLargeError, match="101 items"):
        planned(fill)


def test_an_item_that_is_read_and_written_counts_once() -> None:
    """It is one operation."""

    def fill(work: Work) -> None:
        work.read("Weights", {"parcel": "0"})
        add_to(MAX_OPERATIONS - 1)(work)

    assert len(planned(fill)) == 100


@pytest.mark.parametrize(
    "attributes",
    [
        {"note": "x" * MAX_ITEM_BYTES},
        {"note": "é" * (MAX_ITEM_BYTES // 2)},
        {"note": b"x" * MAX_ITEM_BYTES},
        {"notes": ["x" * MAX_ITEM_BYTES]},
        {"notes": {"x" * MAX_ITEM_BYTES: 1}},
        {"x" * MAX_ITEM_BYTES: 1},
        {"note": "\ud800" * MAX_ITEM_BYTES},
        {f"{number:040}": 1 for number in range(10_000)},
    ],
    ids=["text", "wide text", "bytes", "list", "inner name", "name", "half characters", "names"],
)
def test_an_item_holds_400_kilobytes(attributes: Item) -> None:
    """Whatever it is made of."""
    with pytest.raises(WorkTooLargeError, match="split the event"):
        planned(lambda work: work.create("Parcels", P, **attributes))


def row_of(size_bytes: int) -> Item:
    """Return a journal row of so many bytes, its names included."""
    return {"pk": "x" * (size_bytes - len("pk"))}


def test_an_item_may_have_all_of_its_400_kilobytes() -> None:
    """DynamoDB takes 409,600 bytes, names and values."""
    assert len(planned(answer, row=row_of(MAX_ITEM_BYTES))) == 1

    with pytest.raises(WorkTooLargeError, match="409,601 bytes"):
        planned(answer, row=row_of(MAX_ITEM_BYTES + 1))


@pytest.mark.parametrize("value", [7, Decimal("0.7"), True, None])
def test_a_number_counts_for_a_byte_at_least(value: Any) -> None:
    """It may have more, which DynamoDB counts; what has less than all is its to judge."""
    row = row_of(MAX_ITEM_BYTES - len("n") - 1)

    assert len(planned(answer, row=row | {"n": value})) == 1


def test_the_journals_row_is_an_item_too() -> None:
    """It holds the published events."""
    row = done_row(MARK, at=NOON) | {"outbox": b"x" * MAX_ITEM_BYTES}

    with pytest.raises(WorkTooLargeError, match="an item has"):
        planned(lambda work: work.publish(Arrived(parcel="p")), row=row)


def test_a_transaction_holds_4_megabytes() -> None:
    """All its items together."""

    def fill(work: Work) -> None:
        for number in range(12):
            work.create("Parcels", {"parcel": str(number)}, note="x" * 380_000)

    with pytest.raises(WorkTooLargeError, match="a transaction holds 4,194,304"):
        planned(fill)


def test_a_transaction_may_have_all_of_its_4_megabytes() -> None:
    """The journal's row among them."""

    def fill(work: Work) -> None:
        for number in range(10):
            work.add("Weights", {"parcel": str(number)}, **{"x" * (MAX_ITEM_BYTES - 1): 1})

    left = MAX_BYTES - 10 * MAX_ITEM_BYTES
    assert len(planned(fill, row=row_of(left))) == 11

    with pytest.raises(WorkTooLargeError, match="the work has 4,194,305 bytes"):
        planned(fill, row=row_of(left + 1))


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [34, 5_000])
@pytest.mark.parametrize(
    "fill",
    [
        lambda work, value: work.create("Parcels", P, note=value),
        lambda work, value: work.put("Parcels", P, newer_than="at", at=1, note=value),
        lambda work, value: work.add("Parcels", P, grams=value),
    ],
    ids=["create", "put", "add"],
)
def test_a_value_nests_32_levels(fill: Callable[[Work, Any], object], levels: int) -> None:
    """More is DynamoDB's to refuse, and beyond a thousand Python's."""
    with pytest.raises(WorkError, match="32 levels"):
        planned(lambda work: fill(work, nested(levels)))


def test_a_value_that_nests_less_is_planned() -> None:
    """AWS doesn't say whether the attribute itself is one of the levels: the last one is DynamoDB's to judge."""
    (write,) = planned(lambda work: work.create("Parcels", P, note=nested(33)))

    assert "note" in write.request["Item"]
