"""The circuit: what all workers have agreed on of a breaker, under calls that fail, come twice, or come late."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from eachonce import Breaker
from eachonce import circuits as circuits_module
from eachonce.circuit import Circuit
from eachonce.circuits import Circuits
from eachonce.outcome import Outcome, Verdict
from eachonce.report import Report

from tests import faults as wire
from tests.faults import Fault, Faults
from tests.printed import Printed
from tests.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)
MAIL = Breaker("mail", failures=2, open_for=30)
KEY = "post###breaker/mail"

WELL = Outcome(verdict=Verdict.DONE)
FAILED = Outcome(verdict=Verdict.RETRY, cause=TimeoutError(), counted=True)
UNTOLD = Outcome(verdict=Verdict.DUPLICATE)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def worker(store: Store) -> Callable[..., Circuit]:
    """Make a worker, as far as one breaker goes."""

    def make(breaker: Breaker = MAIL, tenant: str | None = None) -> Circuit:
        return Circuits("post", store.aws, store.settings, Report("post")).of(breaker, tenant)

    return make


Make = Callable[..., Circuit]


def admits(circuit: Circuit, delivery: str = "m-1") -> bool:
    return circuit.admit(delivery, LEASE) is None


def opened(circuit: Circuit) -> Circuit:
    """Let a worker see what opens it."""
    admits(circuit)
    for _ in range(2):
        circuit.saw("m-0", FAILED)
    return circuit


def row(store: Store) -> dict[str, Any]:
    found = store.item("Journal", pk=KEY)
    assert found is not None
    return found


def test_it_is_closed_at_first(worker: Make, faults: Faults) -> None:
    """By one read, which is good for a few seconds; and nothing is written of what goes well."""
    circuit = worker()

    for number in range(50):
        assert admits(circuit, f"m-{number}")
        circuit.saw(f"m-{number}", WELL)

    assert faults.calls == ["BatchGetItem"]


def test_its_state_is_read_anew_after_a_few_seconds(
    worker: Make, faults: Faults, clock: time_machine.Traveller
) -> None:
    """Five: that much longer a worker goes on that has seen nothing itself, however often it asks meanwhile."""
    one, other = worker(), worker()
    admits(other)
    opened(one)

    clock.shift(4)
    assert admits(other)
    clock.shift(1)

    assert not admits(other)
    assert faults.calls.count("BatchGetItem") == 3


def test_what_a_worker_has_counted_outlasts_its_next_look(worker: Make, clock: time_machine.Traveller) -> None:
    """Still closed, it goes on counting."""
    circuit = worker()
    admits(circuit)
    circuit.saw("m-1", FAILED)
    clock.shift(6)

    assert admits(circuit)
    circuit.saw("m-2", FAILED)

    assert not admits(circuit)


def test_who_has_seen_enough_opens_it_for_all(worker: Make, store: Store, printed: Printed) -> None:
    """And says so once; a row of the journal's table has it, with an end."""
    opened(worker())

    assert not admits(worker())
    (line,) = printed.logs()
    assert (line["level"], line["message"]) == ("WARNING", "the breaker mail is open")
    assert row(store)["state"] == "OPEN"
    assert row(store)["failure_count"] == 2
    assert row(store)["expires_at"] == int((NOW + timedelta(hours=1, seconds=30)).timestamp())
    assert "outbox" not in row(store)


def test_while_it_is_opened_nobody_opens_it_again(worker: Make, faults: Faults, printed: Printed) -> None:
    """Though it isn't open for all yet: another thread's failures belong to it."""
    circuit = worker()
    others = threading.Thread(target=lambda: [circuit.saw(f"m-{number}", FAILED) for number in (2, 3)])

    def fail_beside() -> None:
        others.start()
        others.join(1)

    faults.next("PutItem", wire.meanwhile(fail_beside))
    opened(circuit)
    others.join()

    assert [line["message"] for line in printed.logs()] == ["the breaker mail is open"]
    assert faults.calls.count("PutItem") == 1


def test_what_was_let_in_before_is_held_back_when_it_opens(worker: Make, clock: time_machine.Traveller) -> None:
    """The rest of a batch needs it as much."""
    circuit = worker()
    assert admits(circuit, "m-1")
    clock.shift(2)
    assert circuit.hold("m-1") is None

    opened(circuit)

    assert circuit.hold("m-1") is not None


def test_what_it_holds_back_is_wanted_when_it_is_time_to_try(worker: Make, clock: time_machine.Traveller) -> None:
    """Not before, and at the same moment whoever asks."""
    circuit = opened(worker())
    clock.shift(10)

    assert circuit.admit("m-1", LEASE) == timedelta(seconds=20)
    assert circuit.hold("m-2") == timedelta(seconds=20)
    assert worker().admit("m-3", LEASE) == timedelta(seconds=20)


def test_what_was_let_in_before_is_wanted_at_once_when_its_time_is_over(
    worker: Make, clock: time_machine.Traveller
) -> None:
    """It may be the one that is tried."""
    circuit = opened(worker())
    clock.shift(31)

    assert circuit.hold("m-1") == timedelta()


def test_while_one_is_tried_the_others_are_wanted_after_as_long_as_it_is_open(
    worker: Make, clock: time_machine.Traveller
) -> None:
    """Not when the lease of the try is over: that is for the worst case."""
    one, other = opened(worker()), worker()
    clock.shift(30)
    admits(one, "m-1")

    assert one.admit("m-2", LEASE) == timedelta(seconds=30)
    assert other.admit("m-3", LEASE) == timedelta(seconds=30)


def test_when_it_is_time_one_event_is_tried_over_all_workers(worker: Make, clock: time_machine.Traveller) -> None:
    """By whoever is elected; everybody else waits for what becomes of it."""
    one, other = opened(worker()), worker()
    clock.shift(30)

    assert [admits(one, "m-1"), admits(one, "m-2"), admits(other, "m-3")] == [True, False, False]
    assert (one.tries("m-1"), one.tries("m-2")) == (True, False)
    assert one.hold("m-1") is None
    assert one.hold("m-2") is not None


def test_who_has_not_heard_of_the_election_is_not_elected(
    worker: Make, clock: time_machine.Traveller, faults: Faults
) -> None:
    """By its own state it might be; having lost, it asks no more for a few seconds."""
    one, other = opened(worker()), worker()
    clock.shift(26)
    admits(other)
    clock.shift(4)
    assert admits(one, "m-1")

    assert not any(admits(other, f"m-{number}") for number in range(10))

    assert faults.calls.count("PutItem") == 3  # one opened it, and one tried, and the other would have


def test_who_has_not_heard_of_a_try_that_failed_is_not_elected(worker: Make, clock: time_machine.Traveller) -> None:
    """What it knows is of the time before: it is open anew."""
    one, other = opened(worker()), worker()
    clock.shift(28)
    admits(other)
    clock.shift(2)
    admits(one, "m-1")
    one.saw("m-1", FAILED)

    assert not admits(other, "m-2")


def test_an_event_that_is_done_closes_it_for_all(
    worker: Make, store: Store, faults: Faults, clock: time_machine.Traveller, printed: Printed
) -> None:
    """After a few seconds at the most, by one read that is good for as long again."""
    one, other = opened(worker()), worker()
    clock.shift(30)
    admits(one, "m-1")
    assert not admits(other)

    one.saw("m-1", WELL)

    assert admits(one, "m-2")
    clock.shift(5)
    faults.calls.clear()
    assert admits(other, "m-3")
    clock.shift(2)
    assert admits(other, "m-4")
    assert faults.calls == ["BatchGetItem"]
    assert [line["message"] for line in printed.logs()] == ["the breaker mail is open", "the breaker mail is closed"]
    assert row(store)["state"] == "CLOSED"


def test_closed_again_it_begins_to_count_anew(worker: Make, clock: time_machine.Traveller) -> None:
    """Also where another worker has closed it."""
    one, other = worker(), worker()
    admits(other)
    other.saw("m-9", FAILED)
    opened(one)
    clock.shift(30)
    assert not (admits(one, "m-1") and admits(other, "m-2"))
    one.saw("m-1", WELL)
    clock.shift(5)

    assert admits(other, "m-3")
    other.saw("m-3", FAILED)

    assert admits(other, "m-4")


def test_an_event_that_fails_keeps_it_open_for_as_long_again(worker: Make, clock: time_machine.Traveller) -> None:
    """From then on."""
    one, other = opened(worker()), worker()
    clock.shift(30)
    admits(one, "m-1")
    one.saw("m-1", FAILED)

    clock.shift(29)
    assert not admits(one, "m-2")
    assert not admits(other, "m-2")
    clock.shift(1)
    assert admits(one, "m-2")


@pytest.mark.parametrize("where", ["there", "elsewhere"])
def test_a_try_that_tells_nothing_is_given_back(worker: Make, clock: time_machine.Traveller, where: str) -> None:
    """A copy, say: the next event may be tried at once, wherever it comes."""
    one, other = opened(worker()), worker()
    clock.shift(30)
    admits(one, "m-1")
    one.saw("m-1", UNTOLD)

    one.end()

    assert admits(one if where == "there" else other, "m-2")


def test_a_try_that_never_ends_holds_it_up_for_as_long_as_its_invocation_may_last(
    worker: Make, clock: time_machine.Traveller
) -> None:
    """Its worker was killed: nobody waits for it after that, and nobody begins before."""
    one, other = opened(worker()), worker()
    clock.shift(30)
    admits(one, "m-1")

    clock.shift(LEASE.total_seconds() - 1)
    assert not admits(other, "m-2")
    clock.shift(1)
    assert admits(other, "m-2")


def test_what_others_see_meanwhile_changes_nothing(
    worker: Make, store: Store, faults: Faults, clock: time_machine.Traveller
) -> None:
    """Handlers that had begun before it opened end in their own time, well or not; nothing is written of it."""
    one = opened(worker())
    before = row(store)
    faults.calls.clear()
    clock.shift(7)

    for outcome in (FAILED, FAILED, FAILED, WELL):
        one.saw("m-7", outcome)

    assert faults.calls == []
    assert row(store) == before


def test_a_tenants_breaker_is_its_own(worker: Make) -> None:
    """And one without a tenant is one more."""
    breaker = Breaker("mail", failures=2, by="tenant")
    opened(worker(breaker, "one"))

    assert not admits(worker(breaker, "one"))
    assert admits(worker(breaker, "other"))
    assert admits(worker(breaker))


def test_breakers_are_remembered_up_to_a_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that nobody has asked for longest is forgotten, with all that is kept for it, and counts anew."""
    monkeypatch.setattr(circuits_module, "MAX_CIRCUITS", 2)
    kept = Circuits("post", store.aws, store.settings, Report("post"))
    breaker = Breaker("mail", failures=2, by="tenant")
    one, two = kept.of(breaker, "one"), kept.of(breaker, "two")

    assert kept.of(breaker, "one") is one
    three = kept.of(breaker, "three")

    assert (kept.of(breaker, "three"), kept.of(breaker, "one")) == (three, one)
    assert len(kept._store._settings) == 2
    assert kept.of(breaker, "two") is not two


def test_a_try_of_a_breaker_that_was_forgotten_meanwhile_changes_nothing(
    store: Store, printed: Printed, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody here is the one that tries any more; nor is anything said."""
    monkeypatch.setattr(circuits_module, "MAX_CIRCUITS", 1)
    kept = Circuits("post", store.aws, store.settings, Report("post"))
    circuit = opened(kept.of(MAIL, None))
    clock.shift(30)
    assert admits(circuit, "m-1")
    before = row(store)
    printed.lines()
    kept.of(Breaker("scales"), None)

    kept.of(MAIL, None)._ended(well=True)

    assert row(store) == before
    assert printed.logs() == []


def test_a_breaker_of_all_asks_for_no_tenant(worker: Make) -> None:
    """They share it."""
    opened(worker(MAIL, "one"))

    assert not admits(worker(MAIL, "other"))


@pytest.mark.parametrize("tenant", ["t" * 3000, "a#b/c", "é" * 600, ""])
def test_a_tenant_of_any_name_has_a_breaker(worker: Make, store: Store, tenant: str) -> None:
    """Where a key can't hold it, its digest does; all under the consumer's own prefix, which its rights are for."""
    opened(worker(Breaker("mail", failures=2, by="tenant"), tenant))

    (found,) = store.items("Journal")
    assert found["pk"].startswith("post###breaker/")
    assert len(found["pk"].encode()) <= 1024


# ---------------------------------------------------------------- what can go wrong with each call

# By what is said of it.
NEVER: dict[Fault, str] = {
    wire.never_sent: "ConnectionClosedError",
    wire.refused("InternalServerError", status=500): "InternalServerError",
    wire.refused("AccessDeniedException"): "AccessDeniedException",
}


@pytest.mark.parametrize(
    ("fault", "code"), [*NEVER.items(), (wire.refused("ResourceNotFoundException"), "ResourceNotFoundException")]
)
def test_a_state_that_can_not_be_read_counts_as_closed(
    worker: Make, faults: Faults, printed: Printed, fault: Fault, code: str, clock: time_machine.Traveller
) -> None:
    """The breaker is no outage of its own; it is said once, and asked again after a few seconds."""
    opened(worker())
    printed.lines()
    other = worker()
    faults.next("BatchGetItem", fault, times=2)

    assert admits(other)
    assert admits(other)
    clock.shift(5)
    assert admits(other)
    clock.shift(5)
    assert not admits(other)

    (line,) = printed.logs()
    assert line["message"] == "a breaker's state can't be read or written: it holds nothing back"
    assert line["error"] == code


@pytest.mark.usefixtures("no_naps")
def test_a_state_that_a_busy_table_does_not_tell_counts_as_closed(
    worker: Make, faults: Faults, printed: Printed
) -> None:
    """However often it is asked for."""
    opened(worker())
    printed.lines()
    held_back = {"Responses": {}, "UnprocessedKeys": {"Journal": {"Keys": [{"pk": {"S": KEY}}]}}}
    faults.next("BatchGetItem", lambda *call: wire.edited(*call, lambda _: held_back), times=5)

    assert admits(worker())

    (line,) = printed.logs()
    assert line["error"] == "Retry"


@pytest.mark.parametrize(("fault", "code"), NEVER.items())
def test_where_it_can_not_be_opened_nobody_is_held_back(
    worker: Make, faults: Faults, printed: Printed, fault: Fault, code: str
) -> None:
    """It is tried again when as much has failed again."""
    circuit = worker()
    faults.next("PutItem", fault)

    opened(circuit)
    assert admits(circuit)
    said = [(line["message"], line["error"]) for line in printed.logs()]
    assert said == [("a breaker's state can't be read or written: it holds nothing back", code)]

    opened(circuit)
    assert not admits(circuit)


def test_an_opening_whose_answer_was_lost_is_read_by_and_by(
    worker: Make, faults: Faults, clock: time_machine.Traveller
) -> None:
    """Who wrote it goes on for a few seconds."""
    circuit = worker()
    faults.next("PutItem", wire.answer_lost)
    opened(circuit)

    clock.shift(5)

    assert not admits(circuit)


def test_an_opening_that_comes_late_opens_nothing_that_another_has_opened(
    worker: Make, store: Store, clock: time_machine.Traveller
) -> None:
    """Else it would end the other's try, or begin its time anew."""
    one, late = opened(worker()), worker()
    before = row(store)
    clock.shift(3)
    opened(late)
    assert row(store) == before

    clock.shift(30)
    assert admits(one, "m-1")
    trying = row(store)
    late._write(lambda: late._store.save_open(KEY, 2, int(NOW.timestamp())))
    assert row(store) == trying


def test_an_opening_that_comes_late_over_a_closed_one_costs_a_try(worker: Make, clock: time_machine.Traveller) -> None:
    """Its time is over by then."""
    one, late = opened(worker()), worker()
    clock.shift(30)
    admits(one, "m-1")
    one.saw("m-1", WELL)
    clock.shift(60)

    late._write(lambda: late._store.save_open(KEY, 2, int(NOW.timestamp())))

    assert [admits(one, "m-2"), admits(one, "m-3")] == [True, False]
    one.saw("m-2", WELL)
    assert admits(one, "m-3")


def test_an_election_that_comes_late_is_over_with_its_lease(worker: Make, clock: time_machine.Traveller) -> None:
    """Its worker is gone, and nothing was changed meanwhile."""
    one, late = opened(worker()), worker()
    clock.shift(30)
    late.admit("m-9", timedelta(seconds=1))
    clock.shift(29)
    assert not admits(one, "m-1")

    clock.shift(1)

    assert admits(one, "m-1")


@pytest.mark.parametrize("fault", NEVER)
def test_where_nobody_can_be_elected_it_stays_open(
    worker: Make, faults: Faults, clock: time_machine.Traveller, fault: Fault
) -> None:
    """For a few seconds, and then it is tried again."""
    circuit = opened(worker())
    clock.shift(30)
    faults.next("PutItem", fault)

    assert not admits(circuit)
    clock.shift(5)
    assert admits(circuit)


def test_an_election_whose_answer_was_lost_is_over_with_its_lease(
    worker: Make, faults: Faults, clock: time_machine.Traveller
) -> None:
    """Nobody tries meanwhile, and then somebody does."""
    circuit = opened(worker())
    clock.shift(30)
    faults.next("PutItem", wire.answer_lost)

    assert not admits(circuit)
    clock.shift(LEASE.total_seconds() - 1)
    assert not admits(circuit)
    clock.shift(1)
    assert admits(circuit)


@pytest.mark.parametrize("outcome", [WELL, FAILED, UNTOLD])
@pytest.mark.parametrize("fault", [*NEVER, wire.answer_lost])
def test_an_end_that_can_not_be_told_is_over_with_its_lease(
    worker: Make, faults: Faults, clock: time_machine.Traveller, outcome: Outcome, fault: Fault
) -> None:
    """At the latest; and the event has had its outcome all the same."""
    one, other = opened(worker()), worker()
    clock.shift(30)
    admits(one, "m-1")
    faults.next("UpdateItem", fault)
    one.saw("m-1", outcome)
    one.end()

    clock.shift(LEASE.total_seconds())

    assert admits(other, "m-2")


@pytest.mark.parametrize("outcome", [WELL, FAILED, UNTOLD])
def test_who_has_been_taken_for_dead_changes_nothing_any_more(
    worker: Make, store: Store, clock: time_machine.Traveller, printed: Printed, outcome: Outcome
) -> None:
    """Its word comes after another has begun to try: that one's counts, for the late one's own events, too."""
    late, other = opened(worker()), worker()
    clock.shift(30)
    admits(late, "m-1")
    clock.shift(LEASE.total_seconds())
    admits(other, "m-2")
    trying = row(store)
    printed.lines()

    late.saw("m-1", outcome)
    late.end()

    assert row(store) == trying
    assert not admits(late, "m-3")
    assert printed.logs() == []


def test_a_try_of_long_ago_is_not_the_same_workers_next(
    worker: Make, store: Store, clock: time_machine.Traveller
) -> None:
    """Each has a name of its own, so a request of the first one that comes late is known for one."""
    circuit = opened(worker())
    clock.shift(30)
    admits(circuit, "m-1")
    first = row(store)["half_open_owner"]
    circuit.saw("m-1", FAILED)
    clock.shift(30)
    admits(circuit, "m-2")

    assert row(store)["half_open_owner"] != first


def test_what_nobody_can_close_is_forgotten_after_an_hour(
    worker: Make, store: Store, clock: time_machine.Traveller
) -> None:
    """Whether DynamoDB has deleted the row by then or not; and it can be opened again."""
    opened(worker())
    clock.shift(3630)
    circuit = worker()

    assert admits(circuit, "m-1")
    assert admits(circuit, "m-2")
    opened(circuit)

    assert not admits(worker())


def test_a_breaker_that_is_open_for_hours_is_not_forgotten(worker: Make, clock: time_machine.Traveller) -> None:
    """Its row lasts as long, and an hour more."""
    breaker = Breaker("mail", failures=2, open_for=timedelta(hours=6))
    opened(worker(breaker))
    clock.shift(5 * 3600)

    assert not admits(worker(breaker))
