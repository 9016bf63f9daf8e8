"""Effects outside the commit: claimed first, so that no two workers have them at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from eachonce import Consumer, Event, Reject, Retry, Wait, Work
from eachonce.journal import State

from tests import faults as wire
from tests.faults import Faults
from tests.parcels import Weighed, heaviest, weigh, weighed
from tests.printed import Printed
from tests.records import Context, batch, record, returned
from tests.store import Store

NOON = dt.datetime(2010, 12, 1, 12, tzinfo=dt.UTC)
MESSAGE = record(weighed(), message_id="m-1")

Make = Callable[..., Consumer]


class Mailbox:
    """The world outside: letters by key."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.during: Callable[[], object] = lambda: None

    def send(self, event: Event[Weighed], work: Work) -> None:
        self.letters.append(work.idempotency_key)
        during, self.during = self.during, lambda: None
        during()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def post(make_consumer: Make, mailbox: Mailbox) -> Consumer:
    return make_consumer((Weighed, mailbox.send), external=True)


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def test_the_effect_happens_once(post: Consumer, mailbox: Mailbox, context: Context, printed: Printed) -> None:
    """Copies in the batch, copies later: one letter."""
    post(batch(MESSAGE, MESSAGE), context)
    post(batch(MESSAGE), context)

    assert mailbox.letters == ["post##post#e-1"]
    assert printed.counts() == {"Done": 1, "Duplicate": 2}


def test_the_claim_is_made_before_the_effect(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, clock: Any
) -> None:
    """And lasts until the invocation must have ended, with a margin for clocks that differ."""
    rows: list[Any] = []
    mailbox.during = lambda: rows.append(store.journal("post"))

    make_consumer((Weighed, mailbox.send), external=True)(batch(MESSAGE), context)

    assert (rows[0]["type"], rows[0]["state"]) == ("Weighed", State.STARTED)
    assert rows[0]["lease_until"] == int((NOON.timestamp() + 30 + 5) * 1000)
    assert store.journal("post")["state"] == State.DONE


def test_while_one_works_another_waits(
    post: Consumer, make_consumer: Make, mailbox: Mailbox, context: Context, clock: Any
) -> None:
    """The same event at two workers: the second one's message comes again."""
    other = make_consumer((Weighed, mailbox.send), external=True)
    responses: list[Any] = []
    mailbox.during = lambda: responses.append(other(batch(MESSAGE), context))

    assert returned(post(batch(MESSAGE), context)) == []
    assert [returned(response) for response in responses] == [["m-1"]]
    assert mailbox.letters == ["post##post#e-1"]


def test_after_a_workers_death_the_next_one_waits_for_its_lease(
    post: Consumer, mailbox: Mailbox, context: Context, clock: Any
) -> None:
    """Then it takes over, with the same key for the receiver."""

    def die() -> None:
        raise KeyboardInterrupt  # as sudden as a process ends in a test

    mailbox.during = die
    with pytest.raises(KeyboardInterrupt):
        post(batch(MESSAGE), context)

    assert returned(post(batch(MESSAGE), context)) == ["m-1"]
    clock.shift(35.001)
    assert returned(post(batch(MESSAGE), context)) == []
    assert mailbox.letters == ["post##post#e-1", "post##post#e-1"]


def test_a_worker_that_sleeps_too_long_can_not_commit(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, clock: Any
) -> None:
    """It wakes up after another one has taken over and finished: its own work is in vain."""

    def send_and_weigh(event: Event[Weighed], work: Work) -> None:
        mailbox.send(event, work)
        weigh(event, work)

    one, other = (make_consumer((Weighed, send_and_weigh), external=True) for _ in range(2))

    def sleep_through_the_lease() -> None:
        clock.shift(36)
        other(batch(MESSAGE), context)

    mailbox.during = sleep_through_the_lease

    assert returned(one(batch(MESSAGE), context)) == []
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_a_worker_that_wakes_during_anothers_turn_can_not_commit(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, clock: Any
) -> None:
    """Its message comes again, and by then the other is done."""

    def send_and_weigh(event: Event[Weighed], work: Work) -> None:
        mailbox.send(event, work)
        weigh(event, work)

    one, other = (make_consumer((Weighed, send_and_weigh), external=True) for _ in range(2))

    def stay_in_the_middle() -> None:
        raise KeyboardInterrupt

    def sleep_through_the_lease() -> None:
        clock.shift(36)
        mailbox.during = stay_in_the_middle
        with pytest.raises(KeyboardInterrupt):
            other(batch(MESSAGE), context)

    mailbox.during = sleep_through_the_lease

    assert returned(one(batch(MESSAGE), context)) == ["m-1"]
    assert store.items("Weights") == []
    assert store.journal("post")["state"] == State.STARTED


@pytest.mark.parametrize("error", [ValueError("out of stamps"), Retry("closed"), Reject("no address")])
def test_after_a_failure_the_claim_is_free_at_once(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, error: Exception, clock: Any
) -> None:
    """Nobody waits for a lease whose holder is known to have stopped."""

    def fail(event: Event[Weighed], work: Work) -> None:
        raise error

    make_consumer((Weighed, fail), external=True)(batch(MESSAGE), context)
    row = store.journal("post")
    assert row["state"] == (State.REJECTED if isinstance(error, Reject) else State.TRIED)
    assert row.keys().isdisjoint({"fence", "lease_until"})

    assert returned(make_consumer((Weighed, mailbox.send), external=True)(batch(MESSAGE), context)) == []
    assert mailbox.letters == ["post##post#e-1"]


def test_a_claim_that_can_not_be_given_back_ends_with_its_lease(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, faults: Faults, clock: Any
) -> None:
    """The event is tried again all the same, only later."""

    def fail(event: Event[Weighed], work: Work) -> None:
        raise ValueError

    faults.next("UpdateItem", lambda request, send: send())
    faults.next("UpdateItem", wire.never_sent)
    assert returned(make_consumer((Weighed, fail), external=True)(batch(MESSAGE), context)) == ["m-1"]
    post = make_consumer((Weighed, mailbox.send), external=True)

    assert returned(post(batch(MESSAGE), context)) == ["m-1"]
    clock.shift(36)
    assert returned(post(batch(MESSAGE), context)) == []


@pytest.mark.parametrize("fault", [wire.answer_lost, wire.connection_closed_after])
def test_a_claim_whose_answer_was_lost_is_not_an_effect(
    post: Consumer, mailbox: Mailbox, context: Context, faults: Faults, fault: wire.Fault, clock: Any
) -> None:
    """The worker doesn't know that it may, so it does not; after the lease another one does."""
    faults.next("UpdateItem", fault)

    assert returned(post(batch(MESSAGE), context)) == ["m-1"]
    assert mailbox.letters == []
    assert returned(post(batch(MESSAGE), context)) == ["m-1"]
    clock.shift(36)
    assert returned(post(batch(MESSAGE), context)) == []
    assert mailbox.letters == ["post##post#e-1"]


def test_a_commit_whose_answer_was_lost_is_no_second_effect(
    post: Consumer, mailbox: Mailbox, store: Store, context: Context, faults: Faults
) -> None:
    """The row says DONE: giving the claim back finds it so, and the next delivery is a duplicate."""
    faults.next("PutItem", wire.answer_lost)

    assert returned(post(batch(MESSAGE), context)) == ["m-1"]
    assert store.journal("post")["state"] == State.DONE
    assert returned(post(batch(MESSAGE), context)) == []
    assert mailbox.letters == ["post##post#e-1"]


def test_the_key_is_the_same_for_every_try(post: Consumer, mailbox: Mailbox, context: Context, faults: Faults) -> None:
    """A commit that failed after the effect repeats it: the receiver knows the key."""
    faults.next("PutItem", wire.never_sent)

    post(batch(MESSAGE), context)
    post(batch(MESSAGE), context)

    assert mailbox.letters == ["post##post#e-1", "post##post#e-1"]


def test_an_effect_is_not_run_again_for_a_lost_race(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, faults: Faults, printed: Printed
) -> None:
    """Running the handler again would have the effect again: its message comes again instead, and says why."""

    def send_and_compare(event: Event[Weighed], work: Work) -> None:
        mailbox.send(event, work)
        heaviest(event, work)

    rival = make_consumer((Weighed, heaviest), name="rival")
    faults.next(
        "TransactWriteItems", wire.meanwhile(lambda: rival(batch(record(weighed(event_id="e-9", grams=9))), context))
    )

    response = make_consumer((Weighed, send_and_compare), external=True)(batch(MESSAGE), context)

    assert returned(response) == ["m-1"]
    assert mailbox.letters == ["post##post#e-1"]
    assert store.journal("post")["state"] == State.TRIED
    assert "attempts" not in store.journal("post")  # nobody failed
    (line,) = [line for line in printed.logs() if line["service"] == "post"]
    assert "its effect can't be run again" in line["reason"]


def test_an_id_with_other_content_has_no_effect(
    post: Consumer, mailbox: Mailbox, store: Store, context: Context
) -> None:
    """It is rejected before the handler runs."""
    post(batch(MESSAGE), context)
    post(batch(record(weighed(grams=5))), context)

    assert mailbox.letters == ["post##post#e-1"]
    assert len(store.dead_letters()) == 1


def again(times: int = 2) -> dict[str, Any]:
    return batch(record(weighed(), message_id="m-1", receive_count=times))


def die() -> None:
    raise KeyboardInterrupt  # as sudden as a process ends in a test


@pytest.fixture
def died(make_consumer: Make, mailbox: Mailbox, context: Context, clock: Any) -> None:
    """A worker died after its letter was sent and before it could tell; its claim has ended."""
    mailbox.during = die
    with pytest.raises(KeyboardInterrupt):
        make_consumer((Weighed, mailbox.send), external=True)(batch(MESSAGE), context)
    clock.shift(36)


@pytest.mark.parametrize("times", [1, 2], ids=["its row was not read", "its row was read"])
@pytest.mark.usefixtures("died")
def test_an_uncertain_effect_is_run_again_with_its_key(
    post: Consumer, mailbox: Mailbox, store: Store, context: Context, times: int
) -> None:
    """And the journal says that there may have been two."""
    assert returned(post(again(times), context)) == []

    assert mailbox.letters == ["post##post#e-1", "post##post#e-1"]
    row = store.journal("post")
    assert (row["state"], row["uncertain"]) == (State.DONE, True)


@pytest.mark.parametrize("times", [1, 2], ids=["its row was not read", "its row was read"])
@pytest.mark.usefixtures("died")
def test_an_uncertain_effect_may_be_left_to_a_person(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, times: int
) -> None:
    """Where a second one would be worse than none."""
    post = make_consumer((Weighed, mailbox.send), external=True, uncertain="reject")

    assert returned(post(again(times), context)) == []

    assert mailbox.letters == ["post##post#e-1"]
    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"] == "its effect is uncertain: an earlier try ended without a word"
    row = store.journal("post")
    assert (row["state"], row["uncertain"]) == (State.REJECTED, True)


@pytest.mark.usefixtures("died")
def test_an_uncertain_effect_is_not_run_again_while_its_dead_letter_waits(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, faults: Faults
) -> None:
    """The next delivery comes to the same end."""
    post = make_consumer((Weighed, mailbox.send), external=True, uncertain="reject")
    faults.next("SendMessageBatch", wire.never_sent)

    assert returned(post(again(2), context)) == ["m-1"]
    assert returned(post(again(3), context)) == []

    assert mailbox.letters == ["post##post#e-1"]
    assert len(store.dead_letters()) == 1


@pytest.mark.parametrize("error", [ValueError("out of stamps"), Retry("closed"), Wait("stamps", up_to=dt.timedelta(1))])
def test_an_effect_that_failed_with_a_word_is_not_uncertain(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, error: Exception
) -> None:
    """The handler knows what it did."""

    def fail(event: Event[Weighed], work: Work) -> None:
        raise error

    first = record(weighed(), message_id="m-1", first_received=dt.datetime.now(dt.UTC))
    make_consumer((Weighed, fail), external=True)(batch(first), context)
    post = make_consumer((Weighed, mailbox.send), external=True, uncertain="reject")

    assert returned(post(again(), context)) == []
    assert mailbox.letters == ["post##post#e-1"]
    assert "uncertain" not in store.journal("post")


def test_failures_of_an_effect_are_counted(make_consumer: Make, store: Store, context: Context) -> None:
    """And end in a rejection, as any."""

    def fail(event: Event[Weighed], work: Work) -> None:
        raise ValueError("out of stamps")

    post = make_consumer((Weighed, fail), external=True, max_attempts=2)

    assert [returned(post(again(times), context)) for times in (1, 2)] == [["m-1"], []]
    (dead,) = store.dead_letters()
    assert dead["notes"]["attempts"] == "2"


def test_a_claim_is_not_called_dead_while_it_lasts(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, clock: Any
) -> None:
    """A copy that comes while the last allowed try is at work waits for its end."""
    one, other = (make_consumer((Weighed, mailbox.send), external=True, max_starts=2) for _ in range(2))
    mailbox.during = die
    with pytest.raises(KeyboardInterrupt):
        one(again(1), context)
    clock.shift(36)
    responses: list[Any] = []
    mailbox.during = lambda: responses.append(other(again(3), context))

    assert returned(one(again(2), context)) == []
    assert [returned(response) for response in responses] == [["m-1"]]
    assert store.dead_letters() == []
    assert store.journal("post")["state"] == State.DONE


def test_an_effect_that_kills_its_worker_is_rejected_in_the_end(
    make_consumer: Make, mailbox: Mailbox, store: Store, context: Context, clock: Any
) -> None:
    """After as many deaths as are allowed."""
    post = make_consumer((Weighed, mailbox.send), external=True, max_starts=2)
    for times in (1, 2):
        mailbox.during = die
        with pytest.raises(KeyboardInterrupt):
            post(again(times), context)
        clock.shift(36)

    assert returned(post(again(3), context)) == []
    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"].startswith("its handler ended without a word 2 times")
    assert mailbox.letters == ["post##post#e-1"] * 2


def test_too_late_no_claim_is_made(post: Consumer, mailbox: Mailbox, store: Store) -> None:
    """Nothing begins within the reserve."""
    assert returned(post(batch(MESSAGE), Context(remaining_ms=1_000))) == ["m-1"]

    assert mailbox.letters == []
    assert store.items("Journal") == []


def test_an_effect_that_took_long_is_told_all_the_same(
    make_consumer: Make, mailbox: Mailbox, store: Store, clock: Any
) -> None:
    """It has happened: not to commit it would be to have it again."""
    late = iter([30_000, 30_000, 30_000])

    class Clockwork(Context):
        def get_remaining_time_in_millis(self) -> int:
            return next(late, 1)

    make_consumer((Weighed, mailbox.send), external=True)(batch(MESSAGE), Clockwork())

    assert store.journal("post")["state"] == State.DONE


FAULTS = {
    "answer lost": wire.answer_lost,
    "connection closed after": wire.connection_closed_after,
    "never sent": wire.never_sent,
    "throttled": wire.refused("ThrottlingException"),
    "internal error after": wire.refused_after("InternalServerError"),
    "refused": wire.refused("AccessDeniedException"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", range(6))
@pytest.mark.usefixtures("died")
def test_a_fault_at_any_call_never_sends_an_uncertain_letter_again(
    make_consumer: Make,
    mailbox: Mailbox,
    store: Store,
    context: Context,
    faults: Faults,
    place: int,
    fault: str,
    clock: Any,
    no_naps: None,
) -> None:
    """Read, begin, doubt, release, bury, tell: wherever it breaks, the event is in the dead-letter queue in the end."""
    calls = ["BatchGetItem", "UpdateItem", "UpdateItem", "UpdateItem", "SendMessageBatch", "UpdateItem"]
    for call in calls[:place]:
        if call == calls[place]:
            faults.next(call, lambda request, send: send())
    faults.next(calls[place], FAULTS[fault])
    post = make_consumer((Weighed, mailbox.send), external=True, uncertain="reject", max_starts=9)

    times = 2
    while returned(post(again(times), context)):
        times += 1
        clock.shift(36)

    assert times < 5
    assert mailbox.letters == ["post##post#e-1"]
    assert {dead["notes"]["event_id"] for dead in store.dead_letters()} == {"e-1"}
