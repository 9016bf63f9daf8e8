"""What a handler needs and can't have: a consumer's events while a breaker is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from eachonce import Breaker, Consumer, Event, Rate, Reject, Retry, Wait, Work
from eachonce.journal import State

from tests import faults as wire
from tests.faults import Faults
from tests.parcels import Registered, Weighed, register, registered, weigh, weighed
from tests.printed import Printed
from tests.records import Context, batch, in_order, record, returned
from tests.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MAIL = Breaker("mail", failures=2, open_for=30)
KEY = "post###breaker/mail"


class Mail:
    """A handler's mail server, which is up or down; and who asked."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked: list[str] = []

    def __call__(self, event: Event[Weighed], work: Work) -> None:
        self.asked.append(event.id)
        if self.error is not None:
            raise self.error
        weigh(event, work)

    def down(self) -> Mail:
        self.error = TimeoutError("the mail server")
        return self


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def mail() -> Mail:
    return Mail()


Make = Callable[..., Consumer]


@pytest.fixture
def make(store: Store, mail: Mail) -> Make:
    """Make a worker whose events of freight need mail; parcels need nothing."""

    def make(needs: Breaker | None = MAIL, *, external: bool = False, **options: Any) -> Consumer:
        consumer = Consumer("post", aws=store.aws, settings=store.settings, **options)
        consumer.on(Weighed, needs=needs, external=external)(mail)
        consumer.on(Registered)(register)
        return consumer

    return make


def freight(number: int, *, times: int = 1, since: datetime = NOW, **attributes: Any) -> dict[str, Any]:
    body = weighed(f"p-{number}", event_id=f"e-{number}") | attributes
    return record(body, message_id=f"m-{number}", receive_count=times, first_received=since)


def several(*numbers: int, **options: Any) -> dict[str, Any]:
    return batch(*[freight(number, **options) for number in numbers])


def events(store: Store) -> dict[str, dict[str, Any]]:
    """The journal's rows of events, by their ids."""
    return {row["pk"].rpartition("#")[2]: row for row in store.items("Journal") if row["pk"] != KEY}


def opened(make: Make, mail: Mail, **options: Any) -> Consumer:
    """Make a worker that has opened the breaker, by two events."""
    post = make(concurrency=1, **options)
    mail.down()
    post(several(98, 99), Context())
    mail.asked.clear()
    return post


@pytest.mark.usefixtures("queue")
def test_while_it_is_open_nothing_is_handled_and_nothing_noted(
    make: Make, mail: Mail, store: Store, faults: Faults, context: Context
) -> None:
    """However often it comes: no call but the one that says when it comes again, no attempt, no mark."""
    post = opened(make, mail)
    before = events(store)
    faults.calls.clear()

    response = post(batch(*[freight(number, times=number) for number in (1, 2, 3)]), context)

    assert returned(response) == ["m-1", "m-2", "m-3"]
    assert mail.asked == []
    assert faults.calls == ["ChangeMessageVisibilityBatch"]
    assert all(30 <= pause <= 45 for pause in faults.pauses)
    assert events(store) == before


@pytest.mark.usefixtures("queue")
def test_what_is_old_waits_longer(make: Make, mail: Mail, faults: Faults, context: Context) -> None:
    """An eighth of its age, so that a day of it doesn't bury anything."""
    post = opened(make, mail)

    post(batch(freight(1, times=9, since=NOW - timedelta(hours=1))), context)

    (pause,) = faults.pauses
    assert 450 <= pause <= 675


def test_it_is_open_for_all_workers(make: Make, mail: Mail, context: Context) -> None:
    """One read tells the others."""
    opened(make, mail)

    assert returned(make()(several(1, 2), context)) == ["m-1", "m-2"]
    assert mail.asked == []


def test_it_is_open_for_one_tenant_where_each_has_its_own(make: Make, mail: Mail, context: Context) -> None:
    """The others' events are tried as ever."""
    post = make(Breaker("mail", failures=2, open_for=30, by="tenant"), concurrency=1)
    mail.down()
    post(several(98, 99, tenant="loud"), context)
    mail.error = None

    response = post(batch(freight(1, tenant="loud"), freight(2, tenant="quiet")), context)

    assert returned(response) == ["m-1"]


def test_what_needs_something_else_goes_on(make: Make, mail: Mail, store: Store, context: Context) -> None:
    """Beside it in the same batch."""
    post = opened(make, mail)

    response = post(batch(freight(1), record(registered(event_id="e-2"), message_id="m-2")), context)

    assert returned(response) == ["m-1"]
    assert store.items("Parcels")


@pytest.mark.parametrize(("ordered", "waiting"), [(True, ["m-1", "m-2"]), (False, ["m-1"])])
def test_what_comes_after_it_of_its_subject_waits_where_that_is_ordered(
    make: Make, mail: Mail, context: Context, ordered: bool, waiting: list[str]
) -> None:
    """Though it needs nothing itself."""
    post = opened(make, mail, ordered=ordered)
    after = record(registered(event_id="e-2") | {"subject": "p"}, message_id="m-2")

    assert returned(post(batch(freight(1, subject="p"), after), context)) == waiting


def test_what_another_source_sends_goes_on(store: Store, mail: Mail, context: Context) -> None:
    """Where its own handler needs nothing."""
    post = Consumer("post", aws=store.aws, settings=store.settings, concurrency=1)
    post.on(Weighed, type="Weighed", source="post", needs=MAIL)(mail.down())
    post.on(Weighed, type="Weighed", source="bank")(weigh)
    post(several(98, 99), context)

    response = post(batch(freight(1), freight(2, source="bank")), context)

    assert returned(response) == ["m-1"]


def test_it_says_so_without_a_warning(make: Make, mail: Mail, context: Context, printed: Printed) -> None:
    """By the breaker's name, and a metric of its own; that it opened was one."""
    post = opened(make, mail)
    opening = [line for line in printed.logs() if line["message"] == "the breaker mail is open"]
    assert [line["level"] for line in opening] == ["WARNING"]

    post(several(1), context)

    line, metrics = printed.lines()
    assert (line["message"], line["level"], line["reason"]) == ("retry", "INFO", "mail is unavailable")
    assert metrics["Unavailable"] == [1]
    assert "Retried" not in metrics


@pytest.mark.usefixtures("queue")
def test_what_was_to_begin_as_it_opened_is_taken_back(
    make: Make, mail: Mail, store: Store, faults: Faults, context: Context, printed: Printed
) -> None:
    """Of four, two fail, as any event may; the others were marked, since they came again, and never began."""
    mail.down()

    response = make(concurrency=1)(several(1, 2, 3, 4, times=2), context)

    assert returned(response) == ["m-1", "m-2", "m-3", "m-4"]
    assert mail.asked == ["e-1", "e-2"]
    rows = events(store)
    assert {number: row.get("attempts") for number, row in rows.items()} == {
        "e-1": 1,
        "e-2": 1,
        "e-3": None,
        "e-4": None,
    }
    assert {row["state"] for row in rows.values()} == {State.TRIED}
    assert [pause >= 30 for pause in faults.pauses] == [False, False, True, True]
    assert printed.counts() == {"Retried": 2, "Unavailable": 2}


def test_when_it_is_time_one_event_is_tried_and_then_all_go_on(
    make: Make, mail: Mail, store: Store, context: Context, clock: time_machine.Traveller
) -> None:
    """Nothing tells in the end that they had to wait."""
    post = opened(make, mail)
    post(several(1, 2, 3), context)
    mail.error = None
    clock.shift(31)

    assert returned(post(several(1, 2, 3, times=2), context)) == ["m-2", "m-3"]
    assert returned(post(several(2, 3, times=3), context)) == []

    rows = events(store)
    assert [rows[name]["state"] for name in ("e-1", "e-2", "e-3")] == [State.DONE] * 3
    assert not any("attempts" in rows[name] for name in ("e-1", "e-2", "e-3"))


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize("external", [True, False])
def test_a_failure_while_it_is_open_is_not_the_events(
    make: Make, mail: Mail, store: Store, faults: Faults, clock: time_machine.Traveller, external: bool
) -> None:
    """Or one that is tried ten times in an outage would be buried for it."""
    post = opened(make, mail, external=external)

    for times in range(1, 31):
        clock.shift(31)
        assert returned(post(several(1, times=times), Context())) == ["m-1"]
        assert 30 <= faults.pauses[0] <= 180

    assert len(mail.asked) == 30
    assert "attempts" not in events(store).get("e-1", {})
    assert store.dead_letters() == []


def test_a_failure_of_an_event_that_is_old_is_its_own(
    make: Make, mail: Mail, store: Store, clock: time_machine.Traveller
) -> None:
    """What always fails is alone in the end, and would hold the breaker open for ever."""
    post = opened(make, mail)
    clock.shift(86_401)

    for times in range(2, 12):
        clock.shift(31)
        post(several(1, times=times), Context())

    (letter,) = store.dead_letters()
    assert letter["notes"]["event_id"] == "e-1"
    assert letter["notes"]["reason"].startswith("it failed 10 times")


@pytest.mark.parametrize(
    "word",
    [Reject("no such address"), Retry("later"), Retry("busy", counted=False), Wait("the address", up_to=timedelta(1))],
    ids=lambda word: type(word).__name__,
)
def test_what_a_handler_says_of_its_events_opens_nothing(make: Make, mail: Mail, store: Store, word: Exception) -> None:
    """It knows best."""
    mail.error = word

    make(concurrency=1)(several(*range(9)), Context())

    assert len(mail.asked) == 9
    assert store.item("Journal", pk=KEY) is None


@pytest.mark.usefixtures("no_naps")
def test_what_the_layer_could_not_do_opens_nothing(make: Make, mail: Mail, store: Store, faults: Faults) -> None:
    """DynamoDB is down: that is no word on mail."""
    faults.next("TransactWriteItems", wire.refused("InternalServerError", status=500), times=15)

    make(concurrency=1)(several(1, 2, 3), Context())

    assert len(mail.asked) == 3
    assert store.item("Journal", pk=KEY) is None


def test_a_copy_that_is_tried_gives_the_try_back(
    make: Make, mail: Mail, context: Context, clock: time_machine.Traveller
) -> None:
    """It was done before, so it asks for nothing; the next event tells."""
    post = make(concurrency=1)
    post(several(1), context)
    opened(make, mail)
    clock.shift(31)

    assert returned(post(several(1, times=2), context)) == []
    mail.error = None
    mail.asked.clear()
    assert returned(post(several(2), context)) == []
    assert mail.asked == ["e-2"]


def test_what_comes_after_it_in_its_message_group_waits_with_it(make: Make, mail: Mail, context: Context) -> None:
    """Also where it needs nothing."""
    post = opened(make, mail)

    response = post(
        batch(
            in_order(weighed(event_id="e-1"), group="g", message_id="m-1"),
            in_order(registered("q", event_id="e-2"), group="g", message_id="m-2"),
            in_order(registered("r", event_id="e-3"), group="h", message_id="m-3"),
        ),
        context,
    )

    assert returned(response) == ["m-1", "m-2"]


def test_what_is_held_back_takes_nothing_of_the_rate(make: Make, mail: Mail, store: Store, context: Context) -> None:
    """It would be missing where something may begin."""
    post = opened(make, mail, rate=Rate(3, workers=1))

    assert returned(post(batch(freight(1), freight(2), record(registered(), message_id="m-3")), context)) == [
        "m-1",
        "m-2",
    ]


def test_an_effect_outside_the_commit_is_not_claimed(make: Make, mail: Mail, store: Store, context: Context) -> None:
    """Nothing begins."""
    post = opened(make, mail, external=True)

    post(several(1, times=2), context)

    assert "e-1" not in events(store)


def test_a_handler_that_needs_nothing_costs_nothing(make: Make, faults: Faults, context: Context) -> None:
    """No read, no write."""
    make(needs=None)(several(1), context)

    assert faults.calls == ["TransactWriteItems"]


def test_closed_it_costs_a_read_in_a_few_seconds(
    make: Make, faults: Faults, context: Context, clock: time_machine.Traveller
) -> None:
    """Of one worker, however many events it handles."""
    post = make(concurrency=1)
    for number in range(6):
        post(several(number), context)
        clock.shift(1)

    assert faults.calls.count("BatchGetItem") == 2
    assert faults.calls.count("TransactWriteItems") == 6
    assert len(faults.calls) == 8
