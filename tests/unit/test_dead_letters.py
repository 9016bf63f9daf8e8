"""Dead letters are found, told apart by their reasons, redriven and dropped, and none is ever lost."""

from __future__ import annotations

import itertools
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
import time_machine
from eachonce.former import former_fingerprint
from eachonce.journal import State
from eachonce.listener import unwrap

from eachonce_workbench.operations.dead_letter import DeadLetter, Selection
from eachonce_workbench.operations.dead_letters import Reading, look
from eachonce_workbench.operations.journal import Sought, Standing
from eachonce_workbench.operations.redrive import Redrive, Tally, archive, drop
from tests.deployed import LETTERS, ORDERED, PARCELS, Deployed, Killed, body_of

MALFORMED = '{"not": "an event"'


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        yield clock


@pytest.fixture
def deployed(clock: time_machine.Traveller) -> Deployed:
    return Deployed()


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    """What interrupts the main thread, and comes back once that knows of it."""
    known = threading.Event()

    def interrupt(*_: object) -> None:
        known.set()
        raise KeyboardInterrupt

    def press() -> None:
        main = threading.main_thread()
        if threading.current_thread() is main:
            raise KeyboardInterrupt
        signal.pthread_kill(main.ident or 0, signal.SIGINT)
        known.wait()

    before = signal.signal(signal.SIGINT, interrupt)
    yield press
    signal.signal(signal.SIGINT, before)


def message(body: str, **notes: str) -> dict[str, object]:
    return {
        "MessageId": "m-1",
        "Body": body,
        "Attributes": {"SentTimestamp": "1767323045678"},
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in notes.items()},
    }


# What a letter says


def test_a_letter_says_what_its_function_noted() -> None:
    """And who its event is, by the body."""
    noted = message(
        body_of("e-1", causationid="e-0"),
        reason="the address is unknown",
        error="KeyError",
        attempts="10",
        first_seen="2026-01-01T00:00:00+00:00",
        code_version="7",
    )

    letter = DeadLetter.of("letters", noted)

    assert letter.as_dict() == {
        "consumer": "letters",
        "event_id": "e-1",
        "source": "post",
        "message_id": "m-1",
        "type": "LetterPosted",
        "reason": "the address is unknown",
        "error": "KeyError",
        "attempts": 10,
        "first_seen": "2026-01-01T00:00:00+00:00",
        "sent_at": "2026-01-02T03:04:05.678+00:00",
        "code_version": "7",
    }
    assert letter.cause_id == "e-0"


def test_a_letter_of_the_bus_says_why_it_was_not_delivered() -> None:
    """In EventBridge's words."""
    letter = DeadLetter.of("letters", message(body_of("e-1"), ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="denied"))

    assert letter.reason == "the bus could not deliver it: NO_PERMISSIONS: denied"


def test_a_letter_that_sqs_moved_says_so() -> None:
    """SQS notes nothing, so nobody knows more."""
    assert DeadLetter.of("letters", message(body_of("e-1"))).reason.startswith("received too often")


@pytest.mark.parametrize("body", [MALFORMED, "", "[]", "[" * 10_000, '{"detail": {"id": 1}}'])
def test_a_letter_without_an_event_is_one_all_the_same(body: str) -> None:
    """It is known by its message's id, and by the event's id if somebody noted one."""
    letter = DeadLetter.of("letters", message(body, event_id="e-9"))

    assert (letter.event_type, letter.cause_id, letter.body) == (None, None, body)
    assert letter.called("m-1")
    assert letter.called("e-9")


def test_a_plain_events_letter_has_the_type_that_its_function_noted() -> None:
    """Its body doesn't say it in CloudEvents' words; what a body says itself counts more."""
    plain = DeadLetter.of("letters", message('{"parcel": 7}', event_id="parcel.posted|7", event_type="parcel.posted"))
    own = DeadLetter.of("letters", message(body_of("e-1"), event_type="parcel.posted"))

    assert (plain.event_id, plain.event_type, own.event_type) == ("parcel.posted|7", "parcel.posted", "LetterPosted")
    assert plain in Selection(event_type="parcel.posted")


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (Selection(), True),
        (Selection(reason="ADDRESS"), True),
        (Selection(reason="street"), False),
        (Selection(event_type="LetterPosted"), True),
        (Selection(event_type="Letter"), False),
        (Selection(some_id="e-1"), True),
        (Selection(some_id="m-1"), True),
        (Selection(some_id="e-2"), False),
        (Selection(reason="address", event_type="ParcelPosted"), False),
    ],
)
def test_a_letter_is_meant_where_everything_fits(selection: Selection, meant: bool) -> None:
    """A part of the reason will do; a type and an id must be whole."""
    letter = DeadLetter.of("letters", message(body_of("e-1"), reason="the address is unknown"))

    assert (letter in selection) is meant


# Looking


def test_every_letter_is_found_once(deployed: Deployed) -> None:
    """In all queues, oldest first, however many receives it takes."""
    for number in range(23):
        deployed.bury(body_of(f"e-{number}"))
    deployed.bury(body_of("e-p", event_type="ParcelPosted"), queues=PARCELS)

    found = deployed.look()

    assert Counter(letter.event_id for letter in found.letters) == Counter([f"e-{n}" for n in range(23)] + ["e-p"])
    assert found.out_of_sight == 0
    assert {letter.body for letter in found.letters} == {""}


def test_a_look_ends_where_it_is_told_to(deployed: Deployed) -> None:
    """What it did not come to counts as out of sight, and is there for the next who looks."""
    for number in range(25):
        deployed.bury(body_of(f"e-{number}"))

    some = look(deployed.sqs, [LETTERS], Selection(), most=10)

    assert (len(some.letters), some.out_of_sight) == (10, 15)
    assert len(deployed.look().letters) == 25


def test_how_a_letters_event_stands_is_told(deployed: Deployed) -> None:
    """Whether it was done since, and whether a redrive was in vain; another event under its id tells nothing."""
    bodies = {name: body_of(name) for name in ("none", "done", "other", "again", "under-way")}
    deployed.put_done("letters", bodies["done"])
    deployed.put_done("letters", body_of("other", to="Bo"))
    deployed.put_row("letters", "again", state=State.REJECTED, redriven_at="2026-01-02")
    deployed.put_row("letters", "under-way", state=State.TRIED, redriven_at="2026-01-02")

    told = {name: deployed.journal.standing(letter_of(body)) for name, body in bodies.items()}

    assert told == {
        "none": Standing(),
        "done": Standing(done=True),
        "other": Standing(),
        "again": Standing(redriven_at="2026-01-02", failed_again=True),
        "under-way": Standing(redriven_at="2026-01-02"),
    }


def letter_of(body: str) -> Sought:
    event = DeadLetter.of("letters", message(body)).event
    assert event is not None
    return event


def test_looking_leaves_everything_as_it_is(deployed: Deployed) -> None:
    """All letters are visible again at once, to the next who looks."""
    for number in range(12):
        deployed.bury(body_of(f"e-{number}"))

    assert len(deployed.look().letters) == len(deployed.look().letters) == 12


def test_a_letter_that_another_reader_holds_is_counted(deployed: Deployed) -> None:
    """It can't be seen, but it isn't passed over in silence."""
    for number in range(3):
        deployed.bury(body_of(f"e-{number}"))
    deployed.sqs.receive_message(QueueUrl=LETTERS.dead_letters_url, MaxNumberOfMessages=2)

    found = deployed.look()

    assert (len(found.letters), found.out_of_sight) == (1, 2)


def test_letters_behind_others_of_their_group_are_counted(deployed: Deployed) -> None:
    """A FIFO queue shows the first ten of a group."""
    for number in range(12):
        deployed.bury(body_of(f"e-{number}"), queues=ORDERED, group="ada")

    found = deployed.look([ORDERED])

    assert [letter.event_id for letter in found.letters] == [f"e-{number}" for number in range(10)]
    assert found.out_of_sight == 2


def test_a_reading_of_many_hides_them_for_as_long_as_it_takes(
    deployed: Deployed, clock: time_machine.Traveller
) -> None:
    """Half a minute, and a second for every ten: a slow reader sees none of them twice."""
    for number in range(100):
        deployed.bury(body_of(f"e-{number}"))
    deployed.before_call = lambda: clock.shift(3)
    deployed.kill_after(30)

    with Reading(deployed.sqs, LETTERS) as reading:
        assert [len(letters) for letters in reading] == [10] * 10
        assert deployed.waiting(LETTERS.dead_letters_url) == []


def test_a_reading_ends_when_nothing_new_comes(deployed: Deployed, clock: time_machine.Traveller) -> None:
    """Even if all that has been read is visible again whenever it asks."""
    for number in range(10):
        deployed.bury(body_of(f"e-{number}"))
    deployed.before_call = lambda: clock.shift(3600)
    deployed.kill_after(20)

    with Reading(deployed.sqs, LETTERS) as reading:
        assert [len(letters) for letters in reading] == [10]


# Redriving


def test_a_redriven_event_keeps_its_id_and_body(deployed: Deployed) -> None:
    """It leaves the dead-letter queue for its consumer's own, without the notes on why it was here."""
    body = body_of("e-1")
    deployed.bury(body, reason="the address is unknown")

    tally = deployed.redrive()

    (sent,) = deployed.waiting(LETTERS.url)
    assert sent["Body"] == body
    assert "MessageAttributes" not in sent
    assert deployed.bodies(LETTERS.dead_letters_url) == Counter()
    assert (tally.moved, tally.done_since, tally.left) == (1, 0, 0)


def test_a_redriven_event_counts_afresh(deployed: Deployed) -> None:
    """It has neither failed nor been started, as far as the limits go; its errors are kept."""
    errors = [{"at": "2026-01-01T00:00:00+00:00", "error": "KeyError", "reason": "the handler failed"}]
    deployed.put_row(
        "letters",
        "e-1",
        state=State.REJECTED,
        attempts=10,
        begun={"1-f", "2-f"},
        errors=errors,
        reason="it failed 10 times",
    )
    deployed.bury(body_of("e-1"))

    deployed.redrive()

    row = deployed.row("letters", "e-1")
    assert row == {
        "pk": "letters##post#e-1",
        "state": State.TRIED,
        "attempts": 0,
        "errors": errors,
        "reason": "it failed 10 times",
        "redriven_at": "2026-01-02T03:04:05+00:00",
    }


def test_what_has_been_done_since_is_only_deleted(deployed: Deployed) -> None:
    """By this consumer: what another one did is its own affair."""
    deployed.put_done("letters", body_of("e-1"))
    deployed.put_done("parcels", body_of("e-2"))
    row = deployed.row("letters", "e-1")
    deployed.bury(body_of("e-1"))
    deployed.bury(body_of("e-2"))

    tally = deployed.redrive()

    assert deployed.bodies(LETTERS.url) == Counter([body_of("e-2")])
    assert deployed.bodies(LETTERS.dead_letters_url) == Counter()
    assert deployed.row("letters", "e-1") == row
    assert (tally.moved, tally.done_since) == (1, 1)


ANOTHER_IS_DONE = {
    "another's content under its id": lambda deployed: deployed.put_done("letters", body_of("e-1", to="Bob")),
    "another's tenant": lambda deployed: deployed.put_done("letters", body_of("e-1", tenant="t")),
    "a row without content": lambda deployed: deployed.put_row("letters", "e-1", state=State.DONE),
    "a row from before sources counted": lambda deployed: deployed.put_former_row(
        "letters", "e-1", state=State.DONE, fingerprint=former_fingerprint(unwrap(body_of("e-1")))
    ),
}


@pytest.mark.parametrize("another", ANOTHER_IS_DONE)
def test_what_is_not_provably_the_same_event_is_kept(deployed: Deployed, another: str) -> None:
    """Deleted it would be lost, and sent it would only come back: it lies where it lay, and the reason is told."""
    ANOTHER_IS_DONE[another](deployed)
    deployed.bury(body_of("e-1"))

    foreseen = Redrive(deployed.sqs, deployed.journal).foresee(deployed.look().letters, lambda _: None)
    tally = deployed.redrive()

    assert deployed.bodies(LETTERS.url) == Counter()
    assert deployed.bodies(LETTERS.dead_letters_url) == Counter([body_of("e-1")])
    assert (tally.moved, tally.done_since, tally.left) == (0, 0, 1)
    assert tally == foreseen
    (reason,) = tally.kept
    assert "is done" in reason or "was done" in reason


ANOTHER_IS_ELSEWHERE = {
    "of another source": lambda deployed: deployed.put_row("letters", "e-1", source="bank", state=State.DONE),
    "of another content, before sources counted": lambda deployed: deployed.put_former_row(
        "letters", "e-1", state=State.DONE, fingerprint="f" * 24
    ),
    "not done": lambda deployed: deployed.put_former_row("letters", "e-1", state=State.REJECTED, fingerprint="f" * 24),
}


@pytest.mark.parametrize("another", ANOTHER_IS_ELSEWHERE)
def test_another_event_holds_up_nobody(deployed: Deployed, another: str) -> None:
    """An id that another source has used, too, is no reason to keep a letter."""
    ANOTHER_IS_ELSEWHERE[another](deployed)
    deployed.bury(body_of("e-1"))

    assert deployed.redrive().moved == 1
    assert deployed.bodies(LETTERS.url) == Counter([body_of("e-1")])


def test_two_letters_under_one_id_have_each_its_own_fate(deployed: Deployed) -> None:
    """One of them is done, the other is not: it is not lost for its namesake's sake."""
    deployed.put_done("letters", body_of("e-1"))
    deployed.bury(body_of("e-1"))
    deployed.bury(body_of("e-1", to="Bob"))

    tally = deployed.redrive()

    assert (tally.moved, tally.done_since, tally.kept.total()) == (0, 1, 1)
    assert deployed.bodies(LETTERS.dead_letters_url) == Counter([body_of("e-1", to="Bob")])


def test_a_dry_run_tells_and_changes_nothing(deployed: Deployed) -> None:
    """How many have been done since."""
    deployed.put_done("letters", body_of("e-1"))
    deployed.put_row("letters", "e-2", state=State.REJECTED, attempts=10)
    for event_id in ("e-1", "e-2", "e-3"):
        deployed.bury(body_of(event_id))
    deployed.bury(MALFORMED)

    seen: list[int] = []
    tally = Redrive(deployed.sqs, deployed.journal).foresee(deployed.look().letters, seen.append)

    assert (tally.done_since, tally.moved, tally.left) == (1, 3, 0)
    assert sum(seen) == 4
    assert len(deployed.look().letters) == 4
    assert deployed.bodies(LETTERS.url) == Counter()
    assert deployed.row("letters", "e-2") == {"pk": "letters##post#e-2", "state": State.REJECTED, "attempts": 10}


def test_a_dry_run_moves_nothing_of_a_queue_that_several_share(deployed: Deployed) -> None:
    """It foresees what a redrive does: whose the letters are nobody knows."""
    deployed.bury(body_of("e-1"))
    shared = replace(LETTERS, consumer="letters+parcels", url=None)
    letters = deployed.look([shared]).letters
    seen: list[int] = []

    foreseen = Redrive(deployed.sqs, deployed.journal).foresee(letters, seen.append, shared=[shared.consumer])
    tally = deployed.redrive(shared)

    assert foreseen == tally
    assert (foreseen.moved, foreseen.left, sum(seen)) == (0, 1, 1)


def test_a_letter_without_an_event_is_redriven_as_it_is(deployed: Deployed) -> None:
    """Its consumer may have learnt to read it."""
    deployed.bury(MALFORMED)

    assert deployed.redrive().moved == 1
    assert deployed.bodies(LETTERS.url) == Counter([MALFORMED])


def test_a_claim_that_lasts_is_left_alone(deployed: Deployed, clock: time_machine.Traveller) -> None:
    """Someone is at the event right now: the copy waits for the claim's end like any other."""
    lease_until = 1_767_323_045_000 + 60_000
    deployed.put_row("letters", "e-1", state=State.STARTED, begun={"1-f"}, fence="1-f", lease_until=lease_until)
    deployed.bury(body_of("e-1"))

    assert deployed.redrive().moved == 1

    row = deployed.row("letters", "e-1")
    assert row is not None
    assert (row["state"], row["begun"]) == (State.STARTED, {"1-f"})


def test_a_claim_that_has_ended_counts_afresh(deployed: Deployed) -> None:
    """Who held it may still end the event: the fence stays."""
    deployed.put_row("letters", "e-1", state=State.STARTED, begun={"1-f"}, fence="1-f", lease_until=1)
    deployed.bury(body_of("e-1"))

    deployed.redrive()

    row = deployed.row("letters", "e-1")
    assert row is not None
    assert (row["state"], row.get("begun"), row["fence"]) == (State.TRIED, None, "1-f")


def test_only_what_is_meant_is_redriven(deployed: Deployed) -> None:
    """The others lie where they lay, and are visible at once."""
    deployed.bury(body_of("e-1"), reason="the address is unknown")
    deployed.bury(body_of("e-2"), reason="the stamp is missing")

    deployed.redrive(reason="stamp")

    assert deployed.bodies(LETTERS.url) == Counter([body_of("e-2")])
    assert deployed.bodies(LETTERS.dead_letters_url) == Counter([body_of("e-1")])


def test_what_fails_again_meanwhile_is_not_redriven_for_ever(deployed: Deployed) -> None:
    """A letter that comes to lie here after the choice was made waits for the next redrive."""
    deployed.bury(body_of("e-1"))
    chosen = {letter.message_id for letter in deployed.look([LETTERS]).letters}
    deployed.bury(body_of("e-2"))
    tally = Tally(chosen=len(chosen))

    rounds = list(Redrive(deployed.sqs, deployed.journal)(LETTERS, chosen, tally))

    assert rounds == [1]
    assert deployed.bodies(LETTERS.dead_letters_url) == Counter([body_of("e-2")])


@pytest.mark.parametrize("call", range(1, 8))
@pytest.mark.parametrize("what", ["redrive", "archive", "drop"])
def test_an_interrupt_leaves_no_letter_uncounted(
    deployed: Deployed, ctrl_c: Callable[[], None], what: str, call: int
) -> None:
    """After whatever call Ctrl-C comes, what is gone has been counted, and what is left lies there, if out of sight."""
    deployed.bury(body_of("e-1"))
    chosen = {letter.message_id for letter in deployed.look([LETTERS]).letters}
    tally = Tally(chosen=len(chosen))
    kept: list[DeadLetter] = []
    calls = itertools.count(1)
    deployed.after_call = lambda: ctrl_c() if next(calls) == call else None

    with suppress(KeyboardInterrupt):
        if what == "redrive":
            list(Redrive(deployed.sqs, deployed.journal)(LETTERS, chosen, tally))
        elif what == "archive":
            list(archive(deployed.sqs, LETTERS, chosen, tally, keep=kept.extend))
        else:
            list(drop(deployed.sqs, LETTERS, chosen, tally))
    deployed.after_call = lambda: None

    assert len(kept) >= (tally.moved if what == "archive" else 0)
    with Reading(deployed.sqs, LETTERS) as reading:
        assert tally.left == reading.out_of_sight


def test_a_letter_that_is_not_seen_again_is_left(deployed: Deployed) -> None:
    """Another reader has it by now: it is neither redriven nor lost."""
    deployed.bury(body_of("e-1"))
    chosen = {letter.message_id for letter in deployed.look([LETTERS]).letters}
    deployed.waiting(LETTERS.dead_letters_url)
    tally = Tally(chosen=len(chosen))

    assert list(Redrive(deployed.sqs, deployed.journal)(LETTERS, chosen, tally)) == []
    assert tally.left == 1


def test_a_letter_that_is_not_taken_is_left(deployed: Deployed) -> None:
    """One that its queue refuses stays a dead letter, and holds nobody up."""
    settings = {"MaximumMessageSize": "1024"}
    deployed.sqs.set_queue_attributes(QueueUrl=LETTERS.url, Attributes=settings)
    large = body_of("e-1", subject="x" * 2048)
    deployed.bury(large)
    deployed.bury(body_of("e-2"))

    tally = deployed.redrive()

    assert (tally.moved, tally.left) == (1, 1)
    assert deployed.bodies(LETTERS.dead_letters_url) == Counter([large])


def test_a_fifo_queue_gets_the_same_group_and_no_copy(deployed: Deployed, clock: time_machine.Traveller) -> None:
    """A second try within SQS's five minutes sends nothing."""
    deployed.bury(body_of("e-1"), queues=ORDERED, group="ada")
    deployed.kill_after(8)  # four to look; then all but the deletion
    with pytest.raises(Killed):
        deployed.redrive(ORDERED)
    deployed.revive()
    clock.shift(120)

    deployed.redrive(ORDERED)

    (sent,) = deployed.waiting(ORDERED.url)
    assert sent["Attributes"]["MessageGroupId"] == "ada"
    assert deployed.bodies(ORDERED.dead_letters_url) == Counter()


def test_a_redrive_killed_at_any_point_loses_nothing(clock: time_machine.Traveller) -> None:
    """After each of its calls: the same command again goes on, and at most sends a copy of what was sent before.

    What was killed leaves its letters hidden for a while.
    """
    bodies = [body_of(f"e-{number}") for number in range(12)] + [MALFORMED]
    for calls in itertools.count(1):
        deployed = Deployed()
        deployed.put_done("letters", body_of("e-done"))
        for number in range(12):
            deployed.put_row("letters", f"e-{number}", state=State.REJECTED, attempts=10)
        for body in [*bodies, body_of("e-done")]:
            deployed.bury(body)
        deployed.kill_after(calls)
        try:
            deployed.redrive()
            break
        except Killed:
            deployed.revive()
        clock.shift(120)

        deployed.redrive()

        sent = deployed.bodies(LETTERS.url)
        assert set(sent) == set(bodies), f"killed after {calls} calls"
        assert max(sent.values()) <= 2, f"killed after {calls} calls"
        assert deployed.bodies(LETTERS.dead_letters_url) == Counter(), f"killed after {calls} calls"
        rows = [deployed.row("letters", f"e-{number}") for number in range(12)]
        assert [(row["state"], row["attempts"]) for row in rows if row] == [(State.TRIED, 0)] * 12
    assert calls > 20  # it was killed within every step


# Dropping


def test_dropped_letters_are_gone_for_good(deployed: Deployed) -> None:
    """They alone, and the journal keeps what it knows."""
    deployed.put_row("letters", "e-1", state=State.REJECTED, reason="the address is unknown")
    deployed.bury(body_of("e-1"), reason="the address is unknown")
    deployed.bury(body_of("e-2"), reason="the stamp is missing")

    tally = deployed.drop(reason="address")

    assert (tally.moved, tally.left) == (1, 0)
    assert deployed.bodies(LETTERS.url) == Counter()
    assert deployed.bodies(LETTERS.dead_letters_url) == Counter([body_of("e-2")])
    row = deployed.row("letters", "e-1")
    assert row is not None
    assert row["state"] == State.REJECTED
