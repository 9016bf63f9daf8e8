"""The page on other writers: what a work does on items that others wrote, and while they write."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eachonce import LostRaceError, Reject, Work, WorkError
from eachonce.outcome import Verdict

from tests.office import Fill, Office
from tests.store import Store

P = {"parcel": "p"}


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def weigh(work: Work) -> None:
    work.add("Weights", P, grams=100)


def create(work: Work) -> None:
    work.create("Parcels", P, sender="Ada")


def see(at: object) -> Fill:
    return lambda work: work.put("Places", P, newer_than="at", at=at, place="Leeds")


def read_and_put(work: Work) -> None:
    found = work.read("Places", P) or {}
    work.put("Places", P, seen=int(found.get("seen", 0)) + 1)


def while_others(write: Callable[[], None]) -> Fill:
    """A read, then what others do, then the put that rests on the read."""

    def fill(work: Work) -> None:
        read_and_put(work)
        write()

    return fill


def test_an_addition_goes_on_top_of_what_others_wrote(office: Office, store: Store) -> None:
    """Marks or none."""
    store.put("Weights", **P, grams=7)

    assert office.commit(weigh).verdict is Verdict.DONE

    assert store.item("Weights", **P)["grams"] == 107  # type: ignore[index]


def test_an_addition_to_what_is_no_number_rejects_the_event(office: Office, store: Store) -> None:
    """With DynamoDB's reason: no try will mend it."""
    store.put("Weights", **P, grams="heavy")

    with pytest.raises(WorkError):
        office.commit(weigh)


@pytest.mark.parametrize(
    ("theirs", "verdict", "place"),
    [
        ({}, Verdict.DONE, "Leeds"),
        ({"at": 1}, Verdict.DONE, "Leeds"),
        ({"at": 2}, Verdict.STALE, "York"),
        ({"at": 3}, Verdict.STALE, "York"),
    ],
    ids=["no attribute", "smaller", "equal", "larger"],
)
def test_a_newer_value_is_told_by_the_attribute_alone(
    office: Office, store: Store, theirs: dict[str, object], verdict: Verdict, place: str
) -> None:
    """An item of others has no mark to break a tie with."""
    store.put("Places", **P, **theirs, place="York")

    assert office.commit(see(2)).verdict is verdict

    assert store.item("Places", **P)["place"] == place  # type: ignore[index]


def test_an_item_of_others_can_not_be_created(office: Office, store: Store) -> None:
    """It exists already, whoever made it."""
    store.put("Parcels", **P)

    with pytest.raises(Reject, match="exists already"):
        office.commit(create)


def test_an_item_of_others_is_read_and_changed(office: Office, store: Store) -> None:
    """From then on it has marks."""
    store.put("Places", **P, seen=4)

    assert office.commit(read_and_put).verdict is Verdict.DONE

    found = store.item("Places", **P)
    assert found is not None
    assert found["seen"] == 5
    assert "written_by" in found


def test_a_change_without_a_mark_is_not_noticed_between_read_and_commit(office: Office, store: Store) -> None:
    """The page says no: their 9 is lost."""
    store.put("Places", **P, seen=4)

    office.commit(while_others(lambda: store.put("Places", **P, seen=9)))

    assert store.item("Places", **P)["seen"] == 5  # type: ignore[index]


def test_a_change_with_a_mark_of_their_own_is_noticed(office: Office, store: Store) -> None:
    """The page says yes: the handler runs again."""
    store.put("Places", **P, seen=4)

    with pytest.raises(LostRaceError):
        office.commit(while_others(lambda: store.put("Places", **P, seen=9, written_by="back-office#1")))

    assert store.item("Places", **P)["seen"] == 9  # type: ignore[index]


def test_a_deletion_is_noticed_where_the_item_had_a_mark(office: Office, store: Store) -> None:
    """One without looks like what is there no more."""
    office.commit(read_and_put, event="e-1")
    with pytest.raises(LostRaceError):
        office.commit(while_others(lambda: store.delete("Places", **P)), event="e-2")

    store.put("Places", **P, seen=4)
    assert office.commit(while_others(lambda: store.delete("Places", **P)), event="e-3").verdict is Verdict.DONE


@pytest.mark.parametrize("fill", [create, see(2)], ids=["create", "newer"])
def test_a_late_copy_makes_again_what_others_deleted(office: Office, store: Store, fill: Fill) -> None:
    """The page says no: a single guarded write has no row in the journal."""
    office.commit(fill)
    for table in ("Parcels", "Places"):
        store.delete(table, **P)

    assert office.commit(fill).verdict is Verdict.DONE


def test_a_value_that_others_turn_back_lets_an_old_copy_in(office: Office, store: Store) -> None:
    """Unless the event's own mark is still there."""
    office.commit(see(2))
    ours = store.item("Places", **P)
    assert ours is not None

    store.put("Places", **{**ours, "at": 1, "place": "York"})
    assert office.commit(see(2)).verdict is Verdict.DUPLICATE
    store.put("Places", **P, at=1, place="York")
    assert office.commit(see(2)).verdict is Verdict.DONE
