"""A group: which plans one transaction may hold, and which operations say the same as those of several works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from eachonce import Work
from eachonce.aws import Codec
from eachonce.group import Group
from eachonce.journal import Mark, done_row
from eachonce.plan import MAX_BYTES, MAX_OPERATIONS, Plan, plan
from eachonce.work import Item
from msgspec.structs import replace

from tests.parcels import Arrived

NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)
P, Q = {"parcel": "p"}, {"parcel": "q"}
Fill = Callable[[Work], object]


def mark(event: str, content: str = "c") -> Mark:
    return Mark("post", "post", event, content * 24)


def planned(fill: Fill, event: str, *, found: Item | None = None, content: str = "c") -> Plan:
    """Return the plan of a work that `fill` filled for an event; whatever it reads is `found`."""
    work, by = Work(lambda address: found), mark(event, content)
    fill(work)
    row = done_row(by, at=NOON, result=work.result)
    return plan(work, by, row, fence=None, table=lambda name: f"post-{name}", encode=Codec().encode)


def grouped(*fills: Fill, found: Item | None = None) -> tuple[Group, list[bool]]:
    """Return a group, and which of the works it took, each another event's."""
    group = Group()
    return group, [group.add(planned(fill, f"e-{place}", found=found)) for place, fill in enumerate(fills, start=1)]


def operations(group: Group) -> Plan:
    return group.operations(Codec().encode)


def of(group: Group, table: str) -> dict[str, Any]:
    """Return the request of the only operation on a table."""
    (operation,) = [one for one in operations(group) if one.address.table == table]
    return operation.request


def weigh(grams: Any = 100, key: Item = P, **more: Any) -> Fill:
    return lambda work: work.add("Weights", key, grams=grams, **more)


def publish(work: Work) -> None:
    work.publish(Arrived(parcel="p"))


def see(at: Any, key: Item = P, **attributes: Any) -> Fill:
    def fill(work: Work) -> None:
        work.put("Places", key, newer_than="at", at=at, **attributes)
        publish(work)

    return fill


def look(work: Work) -> None:
    """Read, and say so: what was read is checked."""
    work.read("Weights", P)
    publish(work)


def read_and_weigh(work: Work) -> None:
    work.read("Weights", P)
    work.add("Weights", P, grams=1)


def hand_in(work: Work) -> None:
    work.create("Parcels", P)
    publish(work)


def test_works_with_nothing_in_common_stand_side_by_side() -> None:
    """Each with its journal row."""
    group, taken = grouped(weigh(key=P), weigh(key=Q))

    assert taken == [True, True]
    assert [one.address.table for one in operations(group)] == ["Journal", "Weights", "Journal", "Weights"]


@pytest.mark.parametrize(
    ("one", "other", "sum_of_both"),
    [
        (100, 50, "150"),
        (100, -100, "0"),
        (Decimal("0.1"), Decimal("0.2"), "0.3"),
        (10**37, 1, "10000000000000000000000000000000000001"),
    ],
)
def test_adds_to_one_item_are_one(one: Any, other: Any, sum_of_both: str) -> None:
    """To the last digit; it is the last event's, and so a revision that the item never had."""
    group, taken = grouped(weigh(one), weigh(other))

    request = of(group, "Weights")
    assert taken == [True, True]
    values = request["ExpressionAttributeValues"].values()
    assert sorted(map(str, values)) == sorted(map(str, [{"N": sum_of_both}, {"S": str(mark("e-2"))}]))
    assert request["UpdateExpression"].startswith("SET ")
    assert "ConditionExpression" not in request


def test_a_sum_is_written_where_its_parts_were() -> None:
    """The same item of the same table."""
    group, _ = grouped(weigh(), weigh())

    request = of(group, "Weights")
    assert (request["TableName"], request["Key"]) == ("post-Weights", {"parcel": {"S": "p"}})


def test_adds_of_several_attributes_are_one() -> None:
    """An attribute that only one of them names is its own."""
    group, _ = grouped(weigh(1), weigh(2, letters=5), weigh(4))

    request = of(group, "Weights")
    named = request["ExpressionAttributeNames"]
    added = request["UpdateExpression"].partition("ADD ")[2].split(", ")
    amounts = {named[one.split()[0]]: request["ExpressionAttributeValues"][one.split()[1]] for one in added}
    assert amounts == {"grams": {"N": "7"}, "letters": {"N": "5"}}


@pytest.mark.parametrize("swapped", [True, False])
def test_what_only_one_of_them_adds_is_summed_with_nothing(swapped: bool) -> None:
    """In decimals as in whole numbers."""
    fills = weigh(Decimal("0.5"), letters=2), weigh(Decimal("0.25"), parcels=3)

    group, _ = grouped(*(reversed(fills) if swapped else fills))

    values = [value["N"] for value in of(group, "Weights")["ExpressionAttributeValues"].values() if "N" in value]
    assert sorted(values) == ["0.75", "2", "3"]


@pytest.mark.parametrize(
    ("one", "other", "holds"),
    [
        (10**37, Decimal("0.01"), False),
        (10**38 - 2, 1, True),
        (10**38 - 1, 1, False),
        (2 - 10**38, -1, True),
        (1 - 10**38, -1, False),
    ],
)
def test_a_sum_that_no_number_holds_is_none(one: Any, other: Any, holds: bool) -> None:
    """DynamoDB's numbers have 38 digits: nothing is rounded here."""
    _, taken = grouped(weigh(one), weigh(other))

    assert taken == [True, holds]


@pytest.mark.parametrize(("named", "holds"), [(49, True), (50, False)])
def test_a_sum_of_more_than_100_attributes_is_none(named: int, holds: bool) -> None:
    """It would be an expression that DynamoDB doesn't take."""
    one, other = ({f"{letter}{n}": 1 for n in range(named)} for letter in "ab")

    _, taken = grouped(weigh(**one, c=1), weigh(**other))

    assert taken == [True, holds]


def test_equal_checks_are_one() -> None:
    """Many may read what nobody writes."""
    group, taken = grouped(look, look, found={"written_by": "someone"})

    assert taken == [True, True]
    assert of(group, "Weights")["ConditionExpression"]


def test_what_was_read_at_two_times_is_not_one() -> None:
    """One of them is too late already."""
    group = Group()

    assert group.add(planned(look, "e-1", found={"written_by": "someone"}))
    assert not group.add(planned(look, "e-2", found={"written_by": "another"}))


@pytest.mark.parametrize(
    "fills",
    [
        (look, weigh()),
        (weigh(), look),
        (weigh(), read_and_weigh),
        (read_and_weigh, weigh()),
        (read_and_weigh, read_and_weigh),
        (look, read_and_weigh),
        (hand_in, hand_in),
    ],
    ids=["read, add", "add, read", "add, changed", "changed, add", "changed twice", "read, changed", "created twice"],
)
def test_works_that_meet_in_an_item_are_apart(fills: tuple[Fill, Fill]) -> None:
    """The second must see what the first has done."""
    group, taken = grouped(*fills)

    assert taken == [True, False]
    assert len(group) == 1


def test_what_is_not_taken_leaves_nothing() -> None:
    """Not even those of its operations that meet nobody."""

    def hand_in_and_weigh(work: Work) -> None:
        work.add("Weights", Q, grams=1)
        hand_in(work)

    group, _ = grouped(hand_in, hand_in_and_weigh)

    assert [one.address.table for one in operations(group)] == ["Journal", "Parcels"]


def test_copies_of_an_event_are_apart() -> None:
    """The second is to find the first one's row."""
    group = Group()

    assert group.add(planned(weigh(), "e-1"))
    assert not group.add(planned(weigh(), "e-1"))


@pytest.mark.parametrize("in_turn", [True, False])
@pytest.mark.parametrize(
    ("old", "new"), [(1, 2), (1, Decimal("1.5")), ("a", "b"), (b"a", bytearray(b"b")), ("é", "😀")]
)
def test_of_puts_by_the_same_attribute_the_newest_stands_for_all(old: Any, new: Any, in_turn: bool) -> None:
    """In whatever order they come."""
    fills = see(old, place="Leeds"), see(new, place="York")

    group, taken = grouped(*(fills if in_turn else reversed(fills)))

    assert taken == [True, True]
    assert {"S": "York"} in of(group, "Places")["ExpressionAttributeValues"].values()


def test_equal_values_are_ordered_by_mark() -> None:
    """As DynamoDB orders them."""
    group, _ = grouped(see(1, place="Leeds"), see(1, place="York"))

    assert {"S": "York"} in of(group, "Places")["ExpressionAttributeValues"].values()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (see(1, place="Leeds", by="Ada"), see(2, place="York")),
        (see(1), see("2")),
        (see("1"), see(b"2")),
        (see(1), see(b"2")),
        (see(1, seen=2), lambda work: work.put("Places", P, newer_than="seen", at=2, seen=3)),
    ],
    ids=["sets less", "number, text", "text, bytes", "number, bytes", "another attribute"],
)
@pytest.mark.parametrize("in_turn", [True, False])
def test_a_newer_put_that_leaves_something_of_the_older_is_apart(one: Fill, other: Fill, in_turn: bool) -> None:
    """Or one of which nobody knows whether it is newer."""
    _, taken = grouped(*((one, other) if in_turn else (other, one)))

    assert taken == [True, False]


@pytest.mark.parametrize("in_turn", [True, False])
def test_a_put_that_sets_more_may_be_the_newer(in_turn: bool) -> None:
    """Nothing of the older one is left then; a removed attribute is set, too."""
    fills = see(1, place=None), see(2, place=None, by="Ada")

    _, taken = grouped(*(fills if in_turn else reversed(fills)))

    assert taken == [True, True]


def test_an_id_with_two_contents_is_apart() -> None:
    """Which of them is the event is for the journal to tell."""

    def see_only(at: int) -> Fill:
        return lambda work: work.put("Places", P, newer_than="at", at=at)

    group = Group()

    assert group.add(planned(see_only(1), "e-1", content="c"))
    assert not group.add(planned(see_only(2), "e-1", content="d"))


def test_a_lone_put_that_met_a_newer_one_is_told() -> None:
    """It is stale; one with a journal row of its own is done, as it would be alone."""

    def see_only(at: int) -> Fill:
        return lambda work: work.put("Places", P, newer_than="at", at=at)

    older, newer, journaled = planned(see_only(1), "e-1"), planned(see_only(2), "e-2"), planned(see(0), "e-3")
    group = Group()
    assert all(group.add(one) for one in (older, newer, journaled))

    assert [group.overtook(one) for one in (older, newer, journaled)] == [True, False, False]


@pytest.mark.parametrize("shared", [weigh(), see(1), look], ids=["add", "put", "check"])
def test_an_operation_tells_whose_it_is(shared: Fill) -> None:
    """All who share it are guilty of its refusal."""
    group, _ = grouped(shared, weigh(key=Q), shared)

    wanted = {one.address.key: group.wanted_by(one) for one in operations(group) if one.address.table != "Journal"}
    assert wanted == {(("parcel", "p"),): (0, 2), (("parcel", "q"),): (1,)}


def test_a_transaction_holds_so_many_operations() -> None:
    """What is shared counts once."""
    group, taken = grouped(*[weigh() for _ in range(MAX_OPERATIONS - 2)])
    both = planned(weigh(key=Q), "another")

    assert all(taken)
    assert group.holds(planned(weigh(), "last"))
    assert not group.holds(both)
    assert group.add(planned(weigh(), "last"))
    assert len(operations(group)) == MAX_OPERATIONS
    assert not group.holds(planned(weigh(), "another"))


def test_a_transaction_holds_so_many_bytes() -> None:
    """About: DynamoDB has the last word, and then each goes alone."""

    def large(work: Work) -> None:
        work.put("Places", {"parcel": str(id(work))}, newer_than="at", at=1, text="x" * 390_000)
        publish(work)

    group, _ = grouped(*[large for _ in range(MAX_BYTES // 400_000)])

    assert not group.holds(planned(large, "another"))
    assert group.holds(planned(weigh(), "small"))


def test_a_transaction_holds_all_of_its_bytes() -> None:
    """As a plan by itself does."""
    group, _ = grouped(weigh())
    (first,) = [one.size_bytes for one in operations(group) if one.size_bytes]
    journal, *rest = planned(weigh(key=Q), "another")

    assert group.holds((replace(journal, size_bytes=MAX_BYTES - first), *rest))
    assert not group.holds((replace(journal, size_bytes=MAX_BYTES - first + 1), *rest))


def test_a_plan_that_fills_a_transaction_finds_room_in_an_empty_one() -> None:
    """Whatever its size: it was checked before."""

    def fill(work: Work) -> None:
        for n in range(MAX_OPERATIONS - 1):
            work.add("Weights", {"parcel": str(n)}, grams=1)

    assert Group().holds(planned(fill, "e-1"))
