"""The committer: a work takes effect once, whatever AWS answers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from eachonce import AwsError, LostRaceError, Reject, Retry, Work, WorkError
from eachonce.aws import Codec
from eachonce.event import decode
from eachonce.journal import State, unpack_outbox
from eachonce.outcome import Outcome, Verdict

from tests import faults as wire
from tests.faults import Faults
from tests.office import HALF_A_MINUTE, Fill, Office, mark
from tests.parcels import Arrived
from tests.store import Store

P = {"parcel": "p"}


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def create(work: Work) -> None:
    work.create("Parcels", P, sender="Ada")


def weigh(work: Work) -> None:
    work.add("Weights", P, grams=100)


def publish(work: Work) -> None:
    work.publish(Arrived(parcel="p"))


def answer(work: Work) -> None:
    work.result = {"parcel": "p"}


def see(at: int, place: str = "Leeds") -> Fill:
    return lambda work: work.put("Places", P, newer_than="at", at=at, place=place)


def both(*fills: Fill) -> Fill:
    def fill(work: Work) -> None:
        for one in fills:
            one(work)

    return fill


PLANS = {
    "create": create,
    "newer": see(1),
    "events": publish,
    "result": answer,
    "transaction": weigh,
    "everything": both(create, weigh, see(1), publish, answer),
}


@pytest.mark.parametrize("plan", PLANS)
def test_a_second_commit_is_a_duplicate(office: Office, store: Store, plan: str) -> None:
    """Whatever the plan, and nothing changes."""
    first = office.commit(PLANS[plan])
    before = {table: store.items(table) for table in ("Parcels", "Places", "Weights", "Journal")}

    second = office.commit(PLANS[plan])

    assert (first.verdict, second.verdict) == (Verdict.DONE, Verdict.DUPLICATE)
    assert before == {table: store.items(table) for table in before}


@pytest.mark.parametrize("plan", PLANS)
def test_the_same_id_with_other_content_is_rejected(office: Office, store: Store, plan: str) -> None:
    """It is no copy, and to apply it would hide a publisher's mistake."""
    office.commit(PLANS[plan], content="c")
    before = {table: store.items(table) for table in ("Parcels", "Places", "Weights", "Journal")}

    with pytest.raises(Reject, match="used before with different content"):
        office.commit(PLANS[plan], content="d")

    assert before == {table: store.items(table) for table in before}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("fault", [wire.answer_lost, wire.connection_closed_after])
def test_an_answer_that_never_came_is_found_by_the_next_try(
    office: Office, store: Store, faults: Faults, plan: str, fault: wire.Fault
) -> None:
    """The commit happened; trying again finds its own mark, and changes nothing."""
    faults.next(_operation(plan), fault)
    with pytest.raises(AwsError):
        office.commit(PLANS[plan])
    before = {table: store.items(table) for table in ("Parcels", "Places", "Weights", "Journal")}

    again = office.commit(PLANS[plan])

    assert again.verdict is Verdict.DUPLICATE
    assert before == {table: store.items(table) for table in before}
    assert any(before.values())


@pytest.mark.parametrize("plan", PLANS)
def test_a_call_that_was_never_sent_left_nothing(office: Office, store: Store, faults: Faults, plan: str) -> None:
    """The next try is the first."""
    faults.next(_operation(plan), wire.never_sent)
    with pytest.raises(AwsError):
        office.commit(PLANS[plan])
    assert not any(store.items(table) for table in ("Parcels", "Places", "Weights", "Journal"))

    assert office.commit(PLANS[plan]).verdict is Verdict.DONE


@pytest.mark.parametrize("plan", PLANS)
def test_an_error_after_the_commit_is_found_by_the_same_try(office: Office, faults: Faults, plan: str) -> None:
    """DynamoDB's own errors may come after the deed: the layer asks again at once, and finds its mark."""
    faults.next(_operation(plan), wire.refused_after("InternalServerError"))

    assert office.commit(PLANS[plan]).verdict is Verdict.DUPLICATE


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(
    "code",
    [
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
    ],
)
def test_a_busy_table_is_asked_again(office: Office, faults: Faults, plan: str, code: str) -> None:
    """After a nap that doubles, so that a short jam costs no delivery."""
    faults.next(_operation(plan), wire.refused(code), times=4)

    assert office.commit(PLANS[plan]).verdict is Verdict.DONE
    assert office.naps == [0.02, 0.04, 0.08, 0.16]


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_conflict_with_another_transaction_is_tried_again(office: Office, faults: Faults, code: str) -> None:
    """The other one is over within milliseconds."""
    faults.next("TransactWriteItems", wire.canceled("None", code))

    assert office.commit(weigh).verdict is Verdict.DONE
    assert office.naps == [0.02]


def test_a_table_that_stays_busy_sends_the_event_back(office: Office, store: Store, faults: Faults) -> None:
    """Five tries, and then the queue waits instead of the function."""
    faults.next("TransactWriteItems", wire.canceled("TransactionConflict", "None"), times=5)

    with pytest.raises(Retry, match="busy: TransactionConflict"):
        office.commit(weigh)

    assert len(office.naps) == 4
    assert store.items("Weights") == []


def test_an_error_that_is_not_dynamodbs_to_solve_is_not_the_works(office: Office, faults: Faults) -> None:
    """A table that isn't there, a right that is missing: an operator's affair, and the event waits."""
    faults.next(_operation("create"), wire.refused("AccessDeniedException"))

    with pytest.raises(AwsError, match="AccessDeniedException"):
        office.commit(create)


def test_an_item_that_another_event_created_is_a_reason_to_reject(office: Office, store: Store) -> None:
    """There is one creation."""
    office.commit(create, event="e-1")

    with pytest.raises(Reject, match="Parcels: the item exists already"):
        office.commit(create, event="e-2")

    assert store.item("Parcels", **P)["created_by"] == str(mark("e-1"))


def test_an_item_that_others_made_exists_too(office: Office, store: Store) -> None:
    """The layer needn't have written it."""
    store.put("Parcels", parcel="p")

    with pytest.raises(Reject, match="exists already"):
        office.commit(create)


def test_an_existing_item_rejects_the_whole_work(office: Office, store: Store) -> None:
    """Nothing of it happens: no other write, no event, no mark."""
    office.commit(create, event="e-1")

    with pytest.raises(Reject, match="exists already"):
        office.commit(both(create, weigh, publish), event="e-2")

    assert store.items("Weights") == []
    assert store.items("Journal") == []


def test_a_created_item_stays_created_when_others_change_it(office: Office) -> None:
    """A duplicate of its creation is known by who created it, not by who wrote it last."""
    office.commit(create, event="e-1")
    office.commit(lambda work: work.add("Parcels", P, stamps=1), event="e-2")

    assert office.commit(create, event="e-1").verdict is Verdict.DUPLICATE


def test_the_journal_is_asked_before_an_event_is_accused(office: Office, faults: Faults) -> None:
    """DynamoDB needn't list every condition that failed: an event that is done must not be rejected by its own item.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    fill = both(lambda work: work.create("Parcels", P), answer)
    office.commit(fill)
    faults.next("TransactWriteItems", wire.canceled("None", "ConditionalCheckFailed"))

    again = office.commit(fill)

    assert again == Outcome(verdict=Verdict.DUPLICATE, result={"parcel": "p"})


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (2, 1, 3)])
def test_the_newest_wins_in_any_order(office: Office, store: Store, order: tuple[int, ...]) -> None:
    """What comes late and is older changes nothing, and is no failure."""
    for at in order:
        office.commit(see(at, f"place {at}"), event=f"e-{at}")

    place = store.item("Places", **P)
    assert (place["at"], place["place"]) == (3, "place 3")


def test_what_is_older_is_stale(office: Office) -> None:
    """Done with, and told apart from a duplicate."""
    office.commit(see(2), event="e-2")

    outcome = office.commit(see(1), event="e-1")

    assert outcome.verdict is Verdict.STALE
    assert "newer" in str(outcome.reason)
    assert outcome.final


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_tie_is_decided_the_same_way_in_any_order(office: Office, store: Store, order: tuple[str, ...]) -> None:
    """Equal values are ordered by event."""
    for event in order:
        office.commit(see(1, f"seen by {event}"), event=event)

    assert store.item("Places", **P)["place"] == "seen by b"


@pytest.mark.parametrize("late", [5, 1, 0])
def test_a_reused_id_is_no_news(office: Office, store: Store, late: int) -> None:
    """Newer, as old, or older: while the first content is the last writer, the second is rejected."""
    office.commit(see(1, "first"), content="c")

    with pytest.raises(Reject, match="used before"):
        office.commit(see(late, "second"), content="d")

    assert store.item("Places", **P)["place"] == "first"


def test_an_id_that_begins_like_another_is_not_that_other(office: Office, store: Store) -> None:
    """`a` and `a#b` are two events."""
    office.commit(see(1), event="a#b")

    assert office.commit(see(2, "York"), event="a").verdict is Verdict.DONE
    assert store.item("Places", **P)["place"] == "York"


def test_what_is_older_does_not_stop_the_rest_of_its_work(office: Office, store: Store) -> None:
    """The late write is left out; the others and the mark are committed."""
    office.commit(see(2, "newer"), event="e-2")

    outcome = office.commit(both(weigh, see(1, "older"), publish), event="e-1")

    assert outcome.verdict is Verdict.DONE
    assert store.item("Places", **P)["place"] == "newer"
    assert store.item("Weights", **P)["grams"] == 100
    assert len(unpack_outbox(store.journal("post")["outbox"])) == 1
    assert office.commit(both(weigh, see(1, "older"), publish), event="e-1").verdict is Verdict.DUPLICATE


def test_a_work_whose_every_write_is_too_late_still_publishes(office: Office, store: Store) -> None:
    """What is left is the journal's row alone."""
    office.commit(see(2), event="e-2")

    outcome = office.commit(both(see(1), publish), event="e-1")

    assert outcome.verdict is Verdict.DONE
    assert store.journal("post")["state"] == State.DONE


def read_and_add(work: Work) -> None:
    """Read-modify-write: twice what is there."""
    known = work.read("Weights", P)
    work.put("Weights", P, grams=100 if known is None else 2 * known["grams"])


def heavier(committer_of: Office, *, event: str) -> Callable[[], object]:
    return lambda: committer_of.commit(weigh, event=event)


def test_a_read_that_no_longer_holds_is_a_lost_race(office: Office, store: Store, faults: Faults) -> None:
    """Another commit came between the read and the write: nothing happens, and the handler is to run again."""
    faults.next("TransactWriteItems", wire.meanwhile(heavier(office, event="e-2")))

    with pytest.raises(LostRaceError, match="Weights"):
        office.commit(read_and_add, event="e-1")

    assert store.item("Weights", **P)["grams"] == 100
    assert store.journal("post", "e-1") is None


def test_a_read_item_that_changed_is_a_lost_race(office: Office, store: Store, faults: Faults) -> None:
    """The same for an item that was there already."""
    office.commit(weigh, event="e-0")
    faults.next("TransactWriteItems", wire.meanwhile(heavier(office, event="e-2")))

    with pytest.raises(LostRaceError):
        office.commit(read_and_add, event="e-1")

    assert store.item("Weights", **P)["grams"] == 200


def test_an_item_that_was_only_read_is_checked_too(office: Office, store: Store, faults: Faults) -> None:
    """Reads and writes of one work are serializable."""

    def create_if_light(work: Work) -> None:
        if work.read("Weights", P) is None:
            work.create("Parcels", P)

    faults.next("TransactWriteItems", wire.meanwhile(heavier(office, event="e-2")))

    with pytest.raises(LostRaceError):
        office.commit(create_if_light, event="e-1")

    assert store.items("Parcels") == []


def test_an_item_that_was_only_read_and_is_gone_is_a_lost_race(office: Office, store: Store, faults: Faults) -> None:
    """The event is not to blame for what somebody else deleted."""

    def create_if_heavy(work: Work) -> None:
        if work.read("Weights", P) is not None:
            work.create("Parcels", P)

    office.commit(weigh, event="e-0")
    faults.next("TransactWriteItems", wire.meanwhile(lambda: store.delete("Weights", **P)))

    with pytest.raises(LostRaceError, match="Weights"):
        office.commit(create_if_heavy, event="e-1")

    assert store.items("Parcels") == []


def test_what_others_wrote_can_be_read_and_written(office: Office, store: Store) -> None:
    """An item without a revision becomes one with it."""
    store.put("Weights", parcel="p", grams=Decimal("2.5"))

    outcome = office.commit(read_and_add)

    assert outcome.verdict is Verdict.DONE
    assert store.item("Weights", **P) == {"parcel": "p", "grams": 5, "written_by": str(mark())}


def test_creating_what_was_read_is_a_reason_to_reject(office: Office, store: Store) -> None:
    """The item is as it was read: no race was lost, and running again would end the same."""

    def read_and_create(work: Work) -> None:
        work.read("Parcels", P)
        work.create("Parcels", P)

    store.put("Parcels", parcel="p")

    with pytest.raises(Reject, match="exists already"):
        office.commit(read_and_create)


def read_and_see(at: int) -> Fill:
    return both(lambda work: work.read("Places", P), see(at))


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "foreign"])
def test_reading_before_a_late_write_is_no_race(office: Office, store: Store, ours: bool) -> None:
    """The item is as it was read, and newer: running again would end the same."""
    if ours:
        office.commit(see(5), event="e-5")
    else:
        store.put("Places", parcel="p", at=5)

    outcome = office.commit(both(read_and_see(1), weigh), event="e-1")

    assert outcome.verdict is Verdict.DONE
    assert store.item("Places", **P)["at"] == 5
    assert store.item("Weights", **P)["grams"] == 100


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "foreign"])
def test_an_item_that_appeared_after_it_was_read_is_a_lost_race(
    office: Office, store: Store, faults: Faults, ours: bool
) -> None:
    """Even when it is newer than what was to be written: the handler saw that there was none."""

    def appear() -> None:
        if ours:
            office.commit(see(5), event="e-5")
        else:
            store.put("Places", parcel="p", at=5)

    faults.next("TransactWriteItems", wire.meanwhile(appear))

    with pytest.raises(LostRaceError):
        office.commit(read_and_see(1), event="e-1")


def test_a_late_write_is_left_out_and_its_read_is_checked_still(office: Office, store: Store, faults: Faults) -> None:
    """Another commit may come between finding that it is late and committing the rest."""
    office.commit(see(5), event="e-5")
    faults.next("TransactWriteItems", lambda request, send: send())
    faults.next("TransactWriteItems", wire.meanwhile(lambda: office.commit(see(6), event="e-6")))

    with pytest.raises(LostRaceError):
        office.commit(both(read_and_see(1), weigh), event="e-1")

    assert store.items("Weights") == []


def test_a_work_without_effect_needs_no_call(office: Office, faults: Faults) -> None:
    """Nothing to write, nothing to ask."""
    outcome = office.commit(lambda work: None)

    assert outcome.verdict is Verdict.DONE
    assert faults.calls == []


@pytest.mark.parametrize("plan", PLANS)
def test_the_happy_path_is_one_call(office: Office, faults: Faults, plan: str) -> None:
    """One write, or one transaction, and nothing is read."""
    office.commit(PLANS[plan])

    assert faults.calls == [_operation(plan)]


@pytest.mark.parametrize("plan", ["create", "newer", "events", "result"])
def test_a_duplicate_costs_one_failed_write(office: Office, faults: Faults, plan: str) -> None:
    """The refusal brings the row along."""
    office.commit(PLANS[plan])
    faults.calls.clear()

    office.commit(PLANS[plan])

    assert faults.calls == [_operation(plan)]


def test_published_events_are_in_the_row_that_marks_the_commit(office: Office, store: Store) -> None:
    """No dual write: both or none."""
    office.commit(both(weigh, publish, publish))

    row = store.journal("post")
    assert row["state"] == State.DONE
    assert [decode(event).id for event in unpack_outbox(row["outbox"])] == ["e-1-0", "e-1-1"]


@pytest.mark.parametrize("plan", ["result", "everything"])
def test_a_result_is_returned_to_every_copy(office: Office, plan: str) -> None:
    """The second caller gets the first one's answer: the journal speaks before the items that it marked."""
    first, second = office.commit(PLANS[plan]), office.commit(PLANS[plan])

    assert (first.result, second.result) == ({"parcel": "p"}, {"parcel": "p"})


def test_a_copy_that_commits_meanwhile_is_no_lost_race(office: Office, faults: Faults) -> None:
    """Two workers with the same event read the same: what changed the item is the event itself."""
    faults.next("TransactWriteItems", wire.meanwhile(lambda: office.commit(read_and_add)))

    assert office.commit(read_and_add).verdict is Verdict.DUPLICATE


def test_money_adds_up_exactly(office: Office, store: Store) -> None:
    """Ten times ten pence are a pound."""
    for number in range(10):
        office.commit(lambda work: work.add("Weights", P, pounds=Decimal("0.10")), event=f"e-{number}")

    assert store.item("Weights", **P)["pounds"] == Decimal("1.00")


@pytest.mark.parametrize("alone", [True, False], ids=["in one write", "in a transaction"])
def test_what_dynamodb_can_not_do_is_the_works_fault(office: Office, store: Store, alone: bool) -> None:
    """A key that isn't one, a number added to a text: no try will do it, and the reason says so."""
    store.put("Weights", parcel="p", grams="heavy")

    with pytest.raises(WorkError, match="DynamoDB refuses the work"):
        office.commit((lambda work: work.create("Parcels", {"wrong": "key"})) if alone else weigh)


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), Decimal("Infinity"), Decimal("1." + "1" * 38), 1j], ids=repr)
@pytest.mark.parametrize(
    "fill",
    [
        lambda work, value: work.add("Weights", P, grams=value),
        lambda work, value: work.create("Parcels", P, grams=value),
        lambda work, value: work.create("Parcels", {"parcel": value}),
        lambda work, value: work.read("Parcels", {"parcel": value}),
    ],
    ids=["amount", "attribute", "key", "read"],
)
def test_what_dynamodb_has_no_form_for_is_the_works_fault(
    office: Office, faults: Faults, fill: Callable[[Work, Any], object], value: Any
) -> None:
    """Floats would round, and numbers over 38 digits don't fit: found before any call, and said without the value."""
    with pytest.raises(WorkError, match="DynamoDB has no form") as raised:
        office.commit(lambda work: fill(work, value))

    assert faults.calls == []
    assert str(value) not in str(raised.value)


def test_a_refused_item_is_named(office: Office, faults: Faults) -> None:
    """A transaction says which of its items it minds; a conflict beside it is not the reason."""
    faults.next("TransactWriteItems", wire.canceled("TransactionConflict", "None", "ItemCollectionSizeLimitExceeded"))

    with pytest.raises(WorkError, match="at Parcels: ItemCollectionSizeLimitExceeded of a test"):
        office.commit(both(weigh, create))


def test_a_worker_that_lost_its_claim_can_not_commit(office: Office, store: Store) -> None:
    """A zombie wakes up and finds the door shut."""
    zombie = office.begun()
    office.now += 2 * HALF_A_MINUTE
    heir = office.begun()

    with pytest.raises(Retry, match="another worker") as raised:
        office.commit(weigh, fence=zombie.fence)

    assert raised.value.counted is False
    assert store.items("Weights") == []
    assert office.row()["fence"] == heir.fence
    assert office.commit(weigh, fence=heir.fence).verdict is Verdict.DONE


def test_a_worker_that_lost_its_claim_to_one_that_is_done_has_a_duplicate(office: Office) -> None:
    """The effect is there; nobody needs this worker any more."""
    zombie = office.begun()
    office.now += 2 * HALF_A_MINUTE
    office.commit(weigh, fence=office.begun().fence)

    assert office.commit(weigh, fence=zombie.fence).verdict is Verdict.DUPLICATE


def test_a_claim_that_nobody_made_can_not_be_committed(office: Office, store: Store) -> None:
    """No row, no fence."""
    with pytest.raises(Retry):
        office.commit(weigh, fence="f-1")

    assert store.items("Weights") == []


@pytest.mark.parametrize("fenced", [False, True])
def test_a_released_claim_can_be_committed_by_nobody_but_a_new_one(office: Office, fenced: bool) -> None:
    """Without a fence there is nothing to lose; with the old one the row is still its holder's."""
    released = office.begun()
    office.ledger.release(mark(), released)
    office.begun()

    if fenced:
        with pytest.raises(Retry):
            office.commit(weigh, fence=released.fence)
    else:
        assert office.commit(weigh).verdict is Verdict.DONE


def test_a_done_row_keeps_the_story_of_its_tries(office: Office) -> None:
    """And what the commit says of itself is not for the story to change."""
    story = {"attempts": 2, "errors": [{"error": "ValueError"}], "uncertain": True, "state": State.TRIED}

    office.commit(answer, story=story)

    row = office.row()
    assert (row["state"], row["attempts"], row["uncertain"]) == (State.DONE, 2, True)
    assert row["errors"] == [{"error": "ValueError"}]


def test_a_late_write_with_a_story_leaves_it_in_the_row(office: Office) -> None:
    """What is left of the plan is the row."""
    office.commit(see(2), event="e-2")

    office.commit(both(see(1), publish), event="e-1", story={"attempts": 2})

    assert office.row()["attempts"] == 2


def test_values_keep_their_types() -> None:
    """What goes in comes out."""
    codec = Codec()
    item: dict[str, Any] = {"a": "x", "b": Decimal("1.5"), "c": b"x", "d": [Decimal(1), None], "e": {"f": True}}

    assert codec.item({name: codec.encode(value) for name, value in item.items()}) == item


def _operation(plan: str) -> str:
    single = {"create": "PutItem", "newer": "UpdateItem", "events": "PutItem", "result": "PutItem"}
    return single.get(plan, "TransactWriteItems")
