"""Triage: which deliveries are harmless, and which may kill the process."""

from __future__ import annotations

from typing import Any

import pytest
from eachonce.execution import Execution
from eachonce.handler import Handlers
from eachonce.journal import Mark, State
from eachonce.listener import listen
from eachonce.triage import Triage, triage

from tests import faults as wire
from tests.faults import Faults
from tests.office import HALF_A_MINUTE, Office
from tests.parcels import Registered, Weighed, register, registered, weigh, weighed
from tests.records import FIFO_ARN, batch, record
from tests.store import Store

Record = dict[str, Any]

pytestmark = pytest.mark.usefixtures("no_naps")


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


@pytest.fixture
def handlers() -> Handlers:
    handlers = Handlers()
    handlers.on(Weighed)(weigh)
    handlers.on(Registered, external=True)(register)
    return handlers


@pytest.fixture
def execution(store: Store) -> Execution:
    return Execution("post", store.aws, store.settings)


@pytest.fixture
def sort(handlers: Handlers, execution: Execution) -> Any:
    def sort(*records: Record, ordered: bool = False) -> Triage:
        return triage(listen(batch(*records)), handlers, execution, lease=HALF_A_MINUTE, ordered=ordered)

    return sort


def new(event_id: str = "e-1", **options: Any) -> Record:
    return again(event_id, times=1, **options)


def again(event_id: str = "e-1", *, times: int = 2, subject: str | None = None, **options: Any) -> Record:
    """Return a record of an event that is received for the so-many-eth time."""
    body = weighed(event_id=event_id) | ({} if subject is None else {"subject": subject})
    return record(body, message_id=event_id.replace("e", "m"), receive_count=times, **options)


def harmless(sorted_out: Triage) -> list[str]:
    return [delivery.message_id for delivery in sorted_out.harmless]


def suspects(sorted_out: Triage) -> list[list[str]]:
    return [[delivery.message_id for delivery in lane] for lane in sorted_out.suspects]


def die(office: Office, event: str, times: int = 1) -> None:
    """Begin an event so often, without an end."""
    for _ in range(times):
        office.begun(event=event, claim=False)


def test_what_comes_for_the_first_time_costs_nothing(sort: Any, faults: Faults) -> None:
    """No call, whatever it is."""
    sorted_out = sort(new("e-1"), new("e-2"), record("not JSON"))

    assert faults.calls == []
    assert len(sorted_out.harmless) == 3
    assert (sorted_out.suspects, sorted_out.rows, sorted_out.begun) == ((), {}, {})


def test_what_can_not_be_handled_costs_nothing_either(sort: Any, faults: Faults) -> None:
    """Neither what holds no event, nor a type without a handler, nor data that nobody can read."""
    unreadable = again("e-1")
    unreadable["body"] = unreadable["body"].replace('"p"', "1e99999999999999999999")
    unheard = again("e-2")
    unheard["body"] = unheard["body"].replace("Weighed", "Unheard")

    sorted_out = sort(unreadable, unheard, record("not JSON", receive_count=2))

    assert faults.calls == []
    assert len(sorted_out.harmless) == 3


def test_what_can_not_be_read_hides_nothing_behind_it(sort: Any, office: Office) -> None:
    """Its neighbours are marked, and suspected, as if it weren't there."""
    unreadable = again("e-1")
    unreadable["body"] = unreadable["body"].replace('"p"', "1e99999999999999999999")
    die(office, "e-2")

    sorted_out = sort(unreadable, again("e-2"), again("e-3"))

    assert (harmless(sorted_out), suspects(sorted_out)) == (["m-1", "m-3"], [["m-2"]])
    assert sorted_out.begun.keys() == {"post##post#e-3"}


def test_what_comes_again_without_a_word_is_marked_and_handled_as_usual(
    sort: Any, office: Office, faults: Faults
) -> None:
    """The first step: one read and one write for the whole batch."""
    sorted_out = sort(again("e-1"), new("e-2"), again("e-3"))

    assert faults.calls == ["BatchGetItem", "TransactWriteItems"]
    assert (harmless(sorted_out), suspects(sorted_out)) == (["m-1", "m-2", "m-3"], [])
    assert sorted_out.begun.keys() == {"post##post#e-1", "post##post#e-3"}
    assert [office.row(event)["state"] for event in ("e-1", "e-3")] == [State.STARTED] * 2
    assert office.store.journal("post", "e-2") is None


def test_what_has_a_mark_already_is_a_suspect(sort: Any, office: Office, faults: Faults) -> None:
    """The second step: it began, and nobody heard of it again. Its next beginning is its own to tell."""
    die(office, "e-1")
    faults.calls.clear()

    sorted_out = sort(again("e-1", times=3), new("e-2"))

    assert faults.calls == ["BatchGetItem"]
    assert (harmless(sorted_out), suspects(sorted_out)) == (["m-2"], [["m-1"]])
    assert sorted_out.rows["post##post#e-1"]["fence"] == office.row("e-1")["fence"]


def test_who_died_least_comes_first(sort: Any, office: Office) -> None:
    """It is the likeliest to be innocent."""
    for event, times in (("e-1", 3), ("e-2", 1), ("e-3", 2)):
        die(office, event, times)

    assert suspects(sort(again("e-1"), again("e-2"), again("e-3"))) == [["m-2"], ["m-3"], ["m-1"]]


def test_a_failure_is_a_word(sort: Any, office: Office) -> None:
    """What failed is no suspect: it is marked, like what nobody knows."""
    begun = office.begun(event="e-1")
    office.fail(event="e-1", begun=begun)

    sorted_out = sort(again("e-1"))

    assert suspects(sorted_out) == []
    assert sorted_out.begun["post##post#e-1"].fence == office.row("e-1")["fence"]
    assert sorted_out.rows["post##post#e-1"]["attempts"] == 1


def test_what_is_done_is_not_marked(sort: Any, office: Office, faults: Faults) -> None:
    """Its row says all."""
    office.commit(lambda work: work.publish(Registered(parcel="p")), event="e-1")
    faults.calls.clear()

    sorted_out = sort(again("e-1"))

    assert faults.calls == ["BatchGetItem"]
    assert harmless(sorted_out) == ["m-1"]
    assert sorted_out.rows["post##post#e-1"]["state"] == State.DONE


def test_an_effect_outside_the_commit_makes_its_own_mark(sort: Any, faults: Faults) -> None:
    """A claim, just before it."""
    sorted_out = sort(record(registered(event_id="e-1"), receive_count=2))

    assert faults.calls == ["BatchGetItem"]
    assert (len(sorted_out.harmless), sorted_out.begun) == (1, {})


@pytest.mark.parametrize("source", ["post", "rail"])
def test_a_type_may_be_two_sources(execution: Execution, source: str) -> None:
    """Each with a handler of its own: what one does outside the commit is not what the other does."""
    handlers = Handlers()
    handlers.on(Weighed, external=True, source="rail")(weigh)
    handlers.on(Weighed, source="post")(weigh)
    came = record(weighed(event_id="e-1") | {"source": source}, receive_count=2)

    sorted_out = triage(listen(batch(came)), handlers, execution, lease=HALF_A_MINUTE, ordered=False)

    assert list(sorted_out.begun) == (["post##post#e-1"] if source == "post" else [])


def test_a_claim_that_never_ended_is_a_suspect(sort: Any, office: Office) -> None:
    """Whether or not its lease has."""
    office.begun(event="e-1")

    assert suspects(sort(record(registered(event_id="e-1"), message_id="m-1", receive_count=2))) == [["m-1"]]


def test_copies_share_a_mark(sort: Any, office: Office, faults: Faults) -> None:
    """DynamoDB takes an item once in a call."""
    copy = again("e-1") | {"messageId": "m-9"}

    sorted_out = sort(again("e-1"), copy)

    assert faults.calls == ["BatchGetItem", "UpdateItem"]
    assert harmless(sorted_out) == ["m-1", "m-9"]
    assert office.row("e-1")["state"] == State.STARTED


def test_a_hundred_share_a_call(sort: Any, faults: Faults) -> None:
    """As many as DynamoDB takes."""
    sorted_out = sort(*[again(f"e-{number}") for number in range(101)])

    assert faults.calls == ["BatchGetItem"] * 2 + ["TransactWriteItems", "UpdateItem"]
    assert len(sorted_out.begun) == 101


@pytest.mark.parametrize(
    "fault",
    [
        wire.never_sent,
        wire.answer_lost,
        wire.refused("ThrottlingException"),
        wire.refused("AccessDeniedException"),
    ],
    ids=["down", "lost", "throttled", "refused"],
)
def test_a_journal_that_can_not_be_read_defers_what_comes_again(
    sort: Any, store: Store, faults: Faults, fault: wire.Fault
) -> None:
    """What comes for the first time needs none of it."""
    faults.next("BatchGetItem", fault)

    sorted_out = sort(again("e-1"), new("e-2"), record("not JSON", receive_count=2))

    assert sorted_out.unread.keys() == {"m-1"}
    assert len(sorted_out.harmless) == 3
    assert store.items("Journal") == []


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        (wire.never_sent, 1),
        (wire.answer_lost, 1),
        (wire.canceled("TransactionConflict", "None"), 5),
        (wire.refused("ThrottlingException"), 5),
        (wire.refused("ValidationException"), 1),
    ],
    ids=["down", "lost", "conflict", "throttled", "invalid"],
)
def test_a_mark_that_can_not_be_made_defers_what_comes_again(
    sort: Any, faults: Faults, fault: wire.Fault, times: int
) -> None:
    """Without it nobody would know whom to suspect."""
    faults.next("TransactWriteItems", fault, times=times)

    assert sort(again("e-1"), again("e-2"), new("e-3")).unread.keys() == {"m-1", "m-2"}


@pytest.mark.parametrize("fault", [None, wire.never_sent], ids=["marked", "not marked"])
def test_rows_of_before_are_asked_for_once(sort: Any, office: Office, faults: Faults, fault: wire.Fault | None) -> None:
    """Whatever becomes of the batch, nobody asks again for each of its events."""
    die(office, "e-1")
    if fault is not None:
        faults.next("UpdateItem", fault)

    sorted_out = sort(again("e-1"), again("e-2"), new("e-3"))

    assert bool(sorted_out.unread) == (fault is not None)
    assert sorted_out.former == {}


@pytest.mark.parametrize("fault", [wire.canceled("TransactionConflict", "None"), wire.refused("ThrottlingException")])
def test_a_short_jam_is_waited_out(sort: Any, faults: Faults, fault: wire.Fault) -> None:
    """It costs no delivery."""
    faults.next("TransactWriteItems", fault)

    assert sort(again("e-1"), again("e-2")).begun.keys() == {"post##post#e-1", "post##post#e-2"}


def test_when_one_can_not_be_marked_each_makes_its_own_mark(sort: Any, office: Office, faults: Faults) -> None:
    """Alone, one after the other: what was done between the read and the mark must not hide the others.

    One of them had failed before, which leaves a start of 0 behind.
    """
    office.fail(event="e-2", begun=office.begun(event="e-2"))
    done = wire.meanwhile(lambda: office.commit(lambda work: work.publish(Registered(parcel="p")), event="e-1"))
    faults.next("TransactWriteItems", done)

    sorted_out = sort(again("e-1"), again("e-2"), new("e-3"))

    assert (harmless(sorted_out), suspects(sorted_out)) == (["m-3"], [["m-1"], ["m-2"]])
    assert sorted_out.begun == {}


@pytest.mark.parametrize("fifo", [False, True], ids=["ordered", "a group"])
def test_where_order_counts_a_suspect_keeps_its_place(sort: Any, office: Office, fifo: bool) -> None:
    """What comes after it in its lane waits with it; what comes before it does not."""
    die(office, "e-2")
    options: Record = {"subject": "a"} if not fifo else {"group": "g", "arn": FIFO_ARN}
    other: Record = {"subject": "b"} if not fifo else {"group": "h", "arn": FIFO_ARN}

    sorted_out = sort(
        new("e-1", **options),
        again("e-2", **options),
        new("e-3", **options),
        new("e-4", **other),
        ordered=not fifo,
    )

    assert (harmless(sorted_out), suspects(sorted_out)) == (["m-1", "m-4"], [["m-2", "m-3"]])


def test_where_order_does_not_count_only_suspects_wait(sort: Any, office: Office) -> None:
    """Their neighbours of the same subject go ahead."""
    die(office, "e-1")

    sorted_out = sort(again("e-1", subject="a"), new("e-2", subject="a"))

    assert (harmless(sorted_out), suspects(sorted_out)) == (["m-2"], [["m-1"]])


def test_marks_are_one_consumers_own(sort: Any, office: Office) -> None:
    """What killed another is no suspect here."""
    office.ledger.begin(Mark("bank", "post", "e-1", "c" * 24), event_type="Weighed", lease=HALF_A_MINUTE, claim=False)

    assert suspects(sort(again("e-1"))) == []
