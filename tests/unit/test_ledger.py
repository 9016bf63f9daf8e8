"""The ledger: what the journal is told beside commits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from eachonce import AwsError, Reject, Retry, Work, WorkError
from eachonce.journal import RETENTION, State
from eachonce.ledger import Begun, require_deaths_below, story_of
from eachonce.outcome import Outcome, Verdict

from tests import faults as wire
from tests.faults import Faults
from tests.office import HALF_A_MINUTE, MILLISECOND, NOON, Office, mark
from tests.store import Store

REJECTED = Outcome(verdict=Verdict.REJECT, reason="no parcels on Sundays")


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def answer(work: Work) -> None:
    work.result = {"parcel": "p"}


def begin_all(office: Office, *events: str) -> dict[str, Begun]:
    return office.ledger.begin_all([(mark(event), "Weighed") for event in events], lease=HALF_A_MINUTE)


def reject(office: Office, outcome: Outcome = REJECTED) -> None:
    office.ledger.rejected(mark(), outcome, event_type="Weighed")


# Beginnings


def test_an_event_is_claimed_before_its_effect(office: Office) -> None:
    """The row says who, and until when, and what for."""
    begun = office.begun(lease=HALF_A_MINUTE)

    assert office.row() == {
        "pk": "post##post#e-1",
        "state": State.STARTED,
        "fingerprint": "c" * 24,
        "type": "Weighed",
        "first_seen": NOON.isoformat(),
        "expires_at": int((NOON + RETENTION).timestamp()),
        "begun": {begun.fence},
        "fence": begun.fence,
        "lease_until": int((NOON + HALF_A_MINUTE).timestamp() * 1000),
    }
    assert begun.starts == 1


def test_a_claim_is_held_until_its_lease_ends(office: Office) -> None:
    """No two workers have the effect at once; to wait for the other is no failure."""
    office.begun()
    office.now = NOON + HALF_A_MINUTE

    with pytest.raises(Retry, match="another worker") as raised:
        office.begin()

    assert raised.value.counted is False


def test_a_claim_whose_lease_has_ended_is_free(office: Office) -> None:
    """Its worker is gone: an invocation can't outlive its lease. That it began is not forgotten."""
    first = office.begun()
    office.now = NOON + HALF_A_MINUTE + MILLISECOND

    second = office.begun()

    assert (second.starts, office.row()["fence"]) == (2, second.fence)
    assert second.fence != first.fence


def test_a_beginning_without_a_claim_takes_over_at_once(office: Office) -> None:
    """Whoever began before it has lost the event, since its message came again."""
    first = office.begun(claim=False)

    second = office.begun(claim=False)

    assert (second.starts, office.row()["begun"]) == (2, {first.fence, second.fence})
    with pytest.raises(Retry):
        office.commit(answer, fence=first.fence)


def test_when_an_event_was_first_seen_is_noted_once(office: Office) -> None:
    """Its story begins there."""
    office.begun(claim=False)
    office.now += timedelta(hours=1)
    office.begun(claim=False)

    assert office.row()["first_seen"] == NOON.isoformat()


@pytest.mark.parametrize("claim", [False, True])
def test_what_is_done_does_not_begin_again(office: Office, claim: bool) -> None:
    """The answer is the first one's."""
    office.commit(answer, fence=office.begun().fence)

    assert office.begin(claim=claim) == Outcome(verdict=Verdict.DUPLICATE, result={"parcel": "p"})


def test_a_beginning_under_a_used_id_is_rejected(office: Office) -> None:
    """Before any effect."""
    office.commit(answer, content="c")

    with pytest.raises(Reject, match="used before"):
        office.begin(content="d")


@pytest.mark.parametrize("claim", [False, True])
def test_a_beginning_whose_answer_was_lost_is_ours_and_counts_once(office: Office, faults: Faults, claim: bool) -> None:
    """The row has our own fence: trying again is no quarrel with ourselves, and no second death."""
    faults.next("UpdateItem", wire.refused_after("InternalServerError"))

    begun = office.begun(claim=claim)

    assert faults.calls == ["UpdateItem", "UpdateItem"]
    assert (begun.starts, office.row()["begun"]) == (1, {begun.fence})
    assert office.row()["fence"] == begun.fence


def test_a_beginning_brings_the_story_along(office: Office) -> None:
    """Without another call."""
    office.fail(reason="the scales are broken")

    story = office.begun().story

    assert (story["attempts"], story["errors"][0]["reason"]) == (1, "the scales are broken")


def test_several_events_begin_in_one_call(office: Office, faults: Faults) -> None:
    """Each with a row of its own; none of them is accused."""
    begun = begin_all(office, "e-1", "e-2", "e-3")

    assert faults.calls == ["TransactWriteItems"]
    assert begun.keys() == {"post##post#e-1", "post##post#e-2", "post##post#e-3"}
    for event in ("e-1", "e-2", "e-3"):
        row = office.row(event)
        assert (row["state"], row["fence"], "begun" in row) == (State.STARTED, begun[row["pk"]].fence, False)
        assert (row["type"], begun[row["pk"]].starts, begun[row["pk"]].story) == ("Weighed", 0, {})


@pytest.mark.parametrize("events", [("e-1",), ("e-1", "e-2")], ids=["one", "two"])
def test_several_events_begin_without_a_claim(office: Office, events: tuple[str, ...]) -> None:
    """Whoever began them before has lost them, since their messages came again."""
    begin_all(office, *events)

    begun = begin_all(office, *events)

    assert {office.row(event)["fence"] for event in events} == {one.fence for one in begun.values()} != set()


def test_a_beginning_that_dynamodb_can_never_take_is_told_with_its_table(office: Office, faults: Faults) -> None:
    """It is the event's, and no other table's."""
    faults.next("TransactWriteItems", wire.canceled("None", "ValidationError"))

    with pytest.raises(WorkError, match="refuses the work at Journal"):
        begin_all(office, "e-1", "e-2")


def test_one_event_begins_without_a_transaction(office: Office, faults: Faults) -> None:
    """Half the price."""
    assert begin_all(office, "e-1").keys() == {"post##post#e-1"}
    assert faults.calls == ["UpdateItem"]


def test_when_one_can_not_begin_none_has(office: Office) -> None:
    """One of them was done meanwhile: each is to begin by itself."""
    office.commit(answer, event="e-2")

    assert begin_all(office, "e-1", "e-2") == {}
    assert office.store.journal("post", "e-1") is None


@pytest.mark.parametrize("events", [("e-1",), ("e-1", "e-2")], ids=["one", "two"])
def test_beginnings_whose_answer_was_lost_are_ours_and_count_once(
    office: Office, faults: Faults, events: tuple[str, ...]
) -> None:
    """DynamoDB's own errors may come after the deed."""
    faults.next("UpdateItem" if len(events) == 1 else "TransactWriteItems", wire.refused_after("InternalServerError"))

    begun = begin_all(office, *events)

    assert begun.keys() == {f"post##post#{event}" for event in events}
    assert ["begun" in office.row(event) for event in events] == [False] * len(events)


# Failures


def test_a_failure_is_counted_and_told(office: Office) -> None:
    """How often, what, when, and since when."""
    row = office.fail("m-1/1", reason="the scales are broken")

    assert row == office.row()
    assert (row["state"], row["attempts"], row["type"]) == (State.TRIED, 1, "Weighed")
    assert row["errors"] == [{"at": NOON.isoformat(), "error": "ValueError", "reason": "the scales are broken"}]
    assert row["first_seen"] == NOON.isoformat()


def test_failures_add_up(office: Office) -> None:
    """The newest is the last."""
    office.fail("m-1/1", reason="first")
    office.now += timedelta(minutes=1)

    row = office.fail("m-1/2", reason="second")

    assert (row["attempts"], [error["reason"] for error in row["errors"]]) == (2, ["first", "second"])
    assert row["first_seen"] == NOON.isoformat()


def test_one_delivery_fails_once(office: Office) -> None:
    """However often it is told."""
    office.fail("m-1/1")

    row = office.fail("m-1/1")

    assert (row["attempts"], len(row["errors"])) == (1, 1)


def test_a_failure_that_is_told_again_after_the_next_one_counts_once(office: Office) -> None:
    """A request may still be on its way when its worker is dead and another one works on the event."""
    office.fail("m-1/1")
    office.fail("m-1/2")

    row = office.fail("m-1/1")

    assert (row["attempts"], len(row["errors"])) == (2, 2)


def test_a_failure_whose_answer_was_lost_counts_once(office: Office, faults: Faults) -> None:
    """The same try finds its own word."""
    faults.next("UpdateItem", wire.refused_after("InternalServerError"))

    assert office.fail("m-1/1")["attempts"] == 1
    assert office.row()["attempts"] == 1


def test_the_failure_of_what_was_begun_ends_the_beginning(office: Office) -> None:
    """It ended with a word: it is free at once, and no death."""
    begun = office.begun()

    office.fail(begun=begun)

    row = office.row()
    assert (row["state"], row["attempts"]) == (State.TRIED, 1)
    assert row.keys().isdisjoint({"begun", "fence", "lease_until"})
    assert office.begun().starts == 1


def test_a_begun_failure_whose_answer_was_lost_counts_once(office: Office, faults: Faults) -> None:
    """In both counts."""
    begun = office.begun()
    faults.next("UpdateItem", wire.refused_after("InternalServerError"))

    row = office.fail(begun=begun)

    assert (row["attempts"], "begun" in row) == (1, False)


def test_a_worker_that_was_replaced_can_not_fail(office: Office) -> None:
    """The row is another's by now, and its word counts."""
    zombie = office.begun(claim=False)
    heir = office.begun(claim=False)

    row = office.fail(begun=zombie)

    assert "attempts" not in row
    assert (office.row()["state"], office.row()["fence"]) == (State.STARTED, heir.fence)


def test_what_is_done_can_not_fail(office: Office) -> None:
    """A copy's failure comes too late to matter."""
    office.commit(answer)

    office.fail()

    assert office.row()["state"] == State.DONE
    assert "attempts" not in office.row()


def test_the_last_ten_errors_are_kept(office: Office) -> None:
    """The count goes on."""
    for number in range(1, 14):
        office.fail(f"m-1/{number}", reason=str(number))

    row = office.row()
    assert row["attempts"] == 13
    assert [error["reason"] for error in row["errors"]] == [str(number) for number in range(4, 14)]


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        (wire.never_sent, 1),
        (wire.answer_lost, 1),
        (wire.refused("AccessDeniedException"), 1),
        (wire.refused("ThrottlingException"), 5),
    ],
    ids=["never sent", "answer lost", "refused", "busy for long"],
)
def test_errors_that_can_not_be_forgotten_do_not_cost_the_count(
    office: Office, faults: Faults, fault: wire.Fault, times: int
) -> None:
    """The failure is told already; the next one forgets them all."""
    for number in range(1, 11):
        office.fail(f"m-1/{number}")
    faults.next("UpdateItem", lambda request, send: send())
    faults.next("UpdateItem", fault, times=times)

    assert office.fail("m-1/11")["attempts"] == 11

    office.fail("m-1/12")
    assert len(office.row()["errors"]) == 10


def test_a_reason_is_made_fit_for_a_row(office: Office) -> None:
    """A row is no place for a novel, and DynamoDB takes no half characters."""
    row = office.fail(reason="a\ud800b" + "x" * 500_000)

    reason = row["errors"][0]["reason"]
    assert reason.startswith("a?bxxx")
    assert len(reason) == 1024


def test_what_ends_without_words_has_an_empty_reason(office: Office) -> None:
    """Who reads the row finds the text that is always there."""
    failed = office.fail(reason="")
    reject(office, Outcome(verdict=Verdict.REJECT))

    assert (failed["errors"][0]["reason"], office.row()["reason"]) == ("", "")


# Endings with a word


def test_what_is_released_is_free_at_once(office: Office) -> None:
    """After a failure nobody waits for the lease's end, and nobody has died."""
    office.ledger.release(mark(), office.begun())

    row = office.row()
    assert row["state"] == State.TRIED
    assert row.keys().isdisjoint({"begun", "fence", "lease_until"})
    assert office.begun().starts == 1


def test_only_its_holder_can_release_a_claim(office: Office) -> None:
    """A zombie can't free another worker's."""
    zombie = office.begun()
    office.now += 2 * HALF_A_MINUTE
    heir = office.begun()

    office.ledger.release(mark(), zombie)

    assert (office.row()["state"], office.row()["fence"]) == (State.STARTED, heir.fence)


@pytest.mark.parametrize("word", ["release", "fail"])
def test_who_was_replaced_and_ends_with_a_word_has_not_died(office: Office, faults: Faults, word: str) -> None:
    """However many take an event from each other while all are alive, it is no death; nor if that is told twice."""
    replaced = office.begun(claim=False)
    heir = office.begun(claim=False)
    faults.next("UpdateItem", wire.refused_after("InternalServerError"))

    for _ in range(2):
        say(office, word, replaced)

    assert (office.row()["state"], office.row()["begun"]) == (State.STARTED, {heir.fence})


def test_what_is_done_can_not_be_released(office: Office) -> None:
    """A commit whose answer was lost looks like a failure to its worker."""
    begun = office.begun()
    office.commit(answer, fence=begun.fence)

    office.ledger.release(mark(), begun)

    assert office.row()["state"] == State.DONE


def test_a_release_whose_answer_was_lost_counts_once(office: Office, faults: Faults) -> None:
    """It is released already."""
    begun = office.begun()
    faults.next("UpdateItem", wire.refused_after("InternalServerError"))

    office.ledger.release(mark(), begun)

    assert (office.row()["state"], "begun" in office.row()) == (State.TRIED, False)


def test_doubt_stays_with_the_event(office: Office) -> None:
    """Until it is done, and after."""
    begun = office.begun()

    office.ledger.doubt(mark())
    office.ledger.release(mark(), begun)

    assert office.row()["uncertain"] is True
    assert office.begun().story["uncertain"] is True


def test_nobody_doubts_what_never_began(office: Office, store: Store) -> None:
    """No row comes of it."""
    office.ledger.doubt(mark())

    assert store.items("Journal") == []


# Rejections


def test_a_rejection_is_told_with_its_reason(office: Office) -> None:
    """Where nothing was known of the event, too."""
    reject(office)

    assert office.row() == {
        "pk": "post##post#e-1",
        "state": State.REJECTED,
        "fingerprint": "c" * 24,
        "type": "Weighed",
        "first_seen": NOON.isoformat(),
        "rejected_at": NOON.isoformat(),
        "reason": "no parcels on Sundays",
        "expires_at": int((NOON + RETENTION).timestamp()),
    }


def test_a_rejection_keeps_the_story(office: Office) -> None:
    """Someone will want to know what happened before; nobody holds it any more."""
    office.fail()
    office.begun()

    reject(office)

    row = office.row()
    assert (row["state"], row["attempts"], len(row["errors"])) == (State.REJECTED, 1, 1)
    assert row.keys().isdisjoint({"fence", "lease_until"})


def test_what_is_done_is_never_rejected(office: Office) -> None:
    """A copy may be; the event is done."""
    office.commit(answer)

    reject(office)

    assert office.row()["state"] == State.DONE
    assert "reason" not in office.row()


def test_what_was_rejected_may_begin_again(office: Office) -> None:
    """A person sent it back."""
    office.fail()
    reject(office)

    begun = office.begun()

    assert office.row()["state"] == State.STARTED
    assert office.commit(answer, fence=begun.fence, story=begun.story).verdict is Verdict.DONE
    assert office.row().keys().isdisjoint({"reason", "rejected_at"})


@pytest.mark.parametrize("fault", [wire.refused_after("InternalServerError"), wire.refused("ThrottlingException")])
@pytest.mark.parametrize("word", ["reject", "doubt", "release"])
def test_a_word_may_be_said_twice(office: Office, faults: Faults, word: str, fault: wire.Fault) -> None:
    """And says the same."""
    begun = office.begun()
    faults.next("UpdateItem", fault)

    say(office, word, begun)
    before = office.row()
    say(office, word, begun)

    assert office.row() == before


@pytest.mark.parametrize("word", ["reject", "doubt", "release"])
def test_a_word_that_can_not_be_said_is_an_error(office: Office, faults: Faults, word: str) -> None:
    """Whoever says it knows what that means."""
    begun = office.begun()
    faults.next("UpdateItem", wire.never_sent)

    with pytest.raises(AwsError):
        say(office, word, begun)


def say(office: Office, word: str, begun: Begun) -> None:
    words = {
        "reject": lambda: reject(office),
        "doubt": lambda: office.ledger.doubt(mark()),
        "release": lambda: office.ledger.release(mark(), begun),
        "fail": lambda: office.fail(begun=begun),
    }
    words[word]()


# Rows


def test_rows_are_read_by_key(office: Office, faults: Faults) -> None:
    """Each once, however often it is asked for; what isn't known isn't there."""
    office.fail(event="e-1")
    office.commit(answer, event="e-2")
    faults.calls.clear()

    rows = office.ledger.rows([mark(event) for event in ("e-1", "e-2", "e-3", "e-1")])

    assert {pk: row["state"] for pk, row in rows.items()} == {
        "post##post#e-1": State.TRIED,
        "post##post#e-2": State.DONE,
    }
    assert faults.calls == ["BatchGetItem"]


def test_no_rows_need_no_call(office: Office, faults: Faults) -> None:
    """Nothing to ask."""
    assert office.ledger.rows([]) == {}
    assert faults.calls == []


def test_a_story_is_what_outlives_the_tries() -> None:
    """Not their state, nor who holds the row."""
    row = {
        "pk": "post##post#e-1",
        "state": State.TRIED,
        "fence": "1-f",
        "begun": {"1-f"},
        "attempts": 3,
        "uncertain": True,
    }

    assert story_of(row) == {"attempts": 3, "uncertain": True}
    assert story_of(None) == {}


STARTED: dict[str, Any] = {
    "state": State.STARTED,
    "begun": {f"{int((NOON - HALF_A_MINUTE * ago).timestamp() * 1000)}-f" for ago in range(3)},
}


def test_a_handler_may_die_a_bounded_number_of_times() -> None:
    """Then the event is rejected, with that reason."""
    with pytest.raises(Reject, match="ended without a word 3 times"):
        require_deaths_below(3, STARTED, now=NOON)


@pytest.mark.parametrize(
    ("most", "row"),
    [(4, STARTED), (3, STARTED | {"state": State.TRIED}), (3, STARTED | {"state": State.REJECTED}), (3, {})],
    ids=["fewer deaths", "the last one spoke", "sent back by a person", "nothing known"],
)
def test_what_has_not_died_so_often_may_begin(most: int, row: dict[str, Any]) -> None:
    """Only a start that never ended is a death."""
    require_deaths_below(most, row, now=NOON)


def test_while_a_lease_lasts_nobody_is_dead() -> None:
    """Its holder may be at work: to reject the event now would be to reject what may be done a moment later."""
    require_deaths_below(3, STARTED, now=NOON - MILLISECOND)
