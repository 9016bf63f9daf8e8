"""Work: what a handler wants, as a value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from eachonce import Work, WorkError
from eachonce.work import Add, Address, Create, Put

from tests.parcels import Arrived

P = {"parcel": "p"}


def work_on(**items: dict[str, Any]) -> Work:
    """Return a work whose reads find these items, by the parcel's name."""
    return Work(lambda address: items.get(dict(address.key)["parcel"]))


def nothing_to_read(address: Address) -> None:
    raise AssertionError(f"{address} was read")


def test_nothing_is_read_before_it_is_asked_for() -> None:
    """Writes and events need no read."""
    work = Work(nothing_to_read)

    work.create("Parcels", P, sender="Ada")
    work.add("Weights", P, grams=1)
    work.put("Places", P, newer_than="at", at=1)
    work.publish(Arrived(parcel="p"))

    assert work.reads == {}


def test_a_read_returns_the_item_without_what_the_layer_keeps_on_it() -> None:
    """The revision is the layer's business."""
    work = work_on(p={"parcel": "p", "grams": Decimal(5), "written_by": "post#e-0#f", "created_by": "post#e-0#f"})

    assert work.read("Weights", P) == {"parcel": "p", "grams": Decimal(5)}
    assert work.reads == {Address.of("Weights", P): "post#e-0#f"}


def test_a_read_tells_an_item_that_is_not_there_from_one_that_others_wrote() -> None:
    """None: no item. An empty revision: an item that the layer never wrote."""
    work = work_on(p={"parcel": "p"})

    assert work.read("Weights", {"parcel": "q"}) is None
    assert work.read("Weights", P) == {"parcel": "p"}
    assert list(work.reads.values()) == [None, ""]


def test_the_first_read_of_an_item_is_the_one_that_is_checked() -> None:
    """A second read may see a later state, and then what the first one said no longer holds."""
    revisions = iter(["first", "second"])
    work = Work(lambda address: {"parcel": "p", "written_by": next(revisions)})

    work.read("Weights", P)
    work.read("Weights", P)

    assert list(work.reads.values()) == ["first"]


def test_an_item_is_not_read_after_it_was_written() -> None:
    """The write happens at the end: the read would not see it."""
    work = work_on()
    work.create("Parcels", P)

    with pytest.raises(WorkError, match="read after it was written"):
        work.read("Parcels", P)


@pytest.mark.parametrize(
    "second",
    [
        lambda work: work.create("Parcels", P),
        lambda work: work.put("Parcels", P, newer_than="at", at=2),
        lambda work: work.add("Parcels", P, grams=1),
    ],
)
@pytest.mark.parametrize(
    "first",
    [
        lambda work: work.create("Parcels", P),
        lambda work: work.put("Parcels", P, newer_than="at", at=1),
    ],
)
def test_an_item_is_written_once(first: Callable[[Work], None], second: Callable[[Work], None]) -> None:
    """DynamoDB takes one operation an item in a transaction."""
    work = work_on()
    first(work)

    with pytest.raises(WorkError, match="written twice"):
        second(work)


def test_an_item_that_grew_is_not_written_otherwise() -> None:
    """An addition and an assignment would depend on their order."""
    work = work_on()
    work.add("Weights", P, grams=1)

    with pytest.raises(WorkError, match="written twice"):
        work.put("Weights", P, newer_than="at", at=1)


def test_amounts_of_one_item_sum_up() -> None:
    """An order with the same thing on two lines counts both."""
    work = work_on()

    work.add("Weights", P, grams=2, parcels=1)
    work.add("Weights", P, grams=Decimal("0.5"), letters=1)
    work.add("Weights", {"parcel": "q"}, grams=7)

    assert work.writes == {
        Address.of("Weights", P): Add({"grams": Decimal("2.5"), "parcels": 1, "letters": 1}),
        Address.of("Weights", {"parcel": "q"}): Add({"grams": 7}),
    }


def test_writes_are_kept_as_they_were_asked_for() -> None:
    """One value a kind of write."""
    work = work_on()

    work.create("Parcels", P, sender="Ada")
    work.put("Places", P, newer_than="at", at=1, place=None)

    assert list(work.writes.values()) == [Create({"sender": "Ada"}), Put({"at": 1, "place": None}, "at")]


def test_a_blind_put_is_refused() -> None:
    """Its result would depend on the order of arrival."""
    with pytest.raises(WorkError, match="blindly"):
        work_on().put("Places", P, place="Leeds")


def test_what_was_read_may_be_put() -> None:
    """The commit checks that it is still as it was read."""
    work = work_on()
    work.read("Places", P)

    work.put("Places", P, place="Leeds")

    assert work.writes == {Address.of("Places", P): Put({"place": "Leeds"}, None)}


@pytest.mark.parametrize("attributes", [{}, {"at": None}])
def test_the_attribute_that_decides_must_be_there(attributes: dict[str, Any]) -> None:
    """Without it nobody could tell which write is the last."""
    with pytest.raises(WorkError, match="newer_than at"):
        work_on().put("Places", P, newer_than="at", place="Leeds", **attributes)


@pytest.mark.parametrize("at", [True, {"S": "1"}, ["1"], {1, 2}, 1.5])
def test_the_last_writer_wins_only_by_what_dynamodb_orders(at: object) -> None:
    """Told where it is said: DynamoDB would refuse the condition, and the event would come again for nothing."""
    with pytest.raises(WorkError, match=rf"newer_than at, a {type(at).__name__}: only texts, numbers and bytes grow"):
        work_on().put("Places", P, newer_than="at", at=at)


@pytest.mark.parametrize("at", ["2026-01-02", 1, Decimal("1.5"), b"\x01"])
def test_texts_numbers_and_bytes_say_who_is_the_last_writer(at: object) -> None:
    """They are what DynamoDB orders."""
    work = work_on()

    work.put("Places", P, newer_than="at", at=at)

    assert len(work.writes) == 1


@pytest.mark.parametrize("attribute", ["written_by", "created_by"])
@pytest.mark.parametrize(
    "write",
    [
        lambda work, attribute: work.create("Parcels", P, **{attribute: "me"}),
        lambda work, attribute: work.put("Parcels", P, newer_than="at", at=1, **{attribute: "me"}),
        lambda work, attribute: work.add("Parcels", P, **{attribute: 1}),
        lambda work, attribute: work.put(
            "Parcels", P, newer_than=attribute.removesuffix("_by"), **{attribute.removesuffix("_by"): 1}
        ),
    ],
)
def test_the_layers_own_attributes_are_not_for_handlers(write: Callable[[Work, str], None], attribute: str) -> None:
    """Neither by name, nor as the note of who wrote the attribute that decides."""
    with pytest.raises(WorkError, match=attribute):
        write(work_on(), attribute)


@pytest.mark.parametrize(
    "write",
    [
        lambda work: work.create("Parcels", P, parcel="p"),
        lambda work: work.put("Parcels", P, newer_than="parcel", parcel="p"),
        lambda work: work.add("Parcels", P, parcel=1),
    ],
    ids=["create", "put", "add"],
)
def test_a_part_of_the_key_is_no_attribute(write: Callable[[Work], None]) -> None:
    """One of the two would be lost."""
    with pytest.raises(WorkError, match="parcel is a part of the key"):
        write(work_on())


@pytest.mark.parametrize(
    "misuse",
    [
        lambda work, key: work.put("Parcels", key, place="Leeds"),
        lambda work, key: work.put("Parcels", key, newer_than="at", place="Leeds"),
        lambda work, key: work.create("Parcels", key, written_by="me"),
        lambda work, key: (work.create("Parcels", key), work.create("Parcels", key)),
        lambda work, key: (work.create("Parcels", key), work.read("Parcels", key)),
        lambda work, key: work.read("Parcels", key | {"parcel": "a secret" * 1000}),
    ],
    ids=["blindly", "no attribute", "reserved", "twice", "read late", "long"],
)
def test_what_is_wrong_with_a_work_is_told_without_values(misuse: Callable[[Work, dict[str, Any]], object]) -> None:
    """Many may read a reason."""
    with pytest.raises(WorkError) as raised:
        misuse(work_on(), {"parcel": "a secret"})

    assert "Parcels" in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("key", [{}, {"a": 1, "b": 2, "c": 3}])
def test_a_key_has_one_or_two_attributes(key: dict[str, Any]) -> None:
    """As DynamoDB's keys do."""
    with pytest.raises(WorkError, match="one or two"):
        work_on().add("Weights", key, grams=1)


def test_a_key_is_the_same_in_any_order() -> None:
    """Its attributes have names."""
    assert Address.of("Sales", {"day": "d", "country": "c"}) == Address.of("Sales", {"country": "c", "day": "d"})


def test_an_address_reads_well() -> None:
    """It stands in the witnesses of a proof, which people read."""
    assert str(Address.of("Sales", {"day": "d"})) == "Sales {'day': 'd'}"


@pytest.mark.parametrize(
    "misuse",
    [
        lambda work, key: (work.create("Sales", key), work.read("Sales", key)),
        lambda work, key: (work.create("Sales", key), work.create("Sales", key)),
        lambda work, key: work.put("Sales", key, units=1),
        lambda work, key: work.put("Sales", key, newer_than="at", units=1),
        lambda work, key: work.create("Sales", key, written_by="me"),
    ],
)
def test_an_error_has_no_value_of_a_key(misuse: Any) -> None:
    """It is a reason then, and the key may be an event's."""
    with pytest.raises(WorkError) as raised:
        misuse(Work(lambda _: None), {"card": "4111"})

    assert "Sales by card" in str(raised.value)
    assert "4111" not in str(raised.value)


def test_published_events_keep_their_order() -> None:
    """Their place is part of their id."""
    work = work_on()

    work.publish(Arrived(parcel="a"))
    work.publish(Arrived(parcel="b"))

    assert work.published == [Arrived(parcel="a"), Arrived(parcel="b")]
