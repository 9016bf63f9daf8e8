"""The gate: what is held back before anything is read or noted of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from eachonce import Consumer, MissingSettingError, Rate
from eachonce.journal import State

from tests.faults import Faults
from tests.moods import fail
from tests.parcels import Weighed, weigh, weighed
from tests.printed import Printed
from tests.records import Context, batch, in_order, record, returned
from tests.store import Store

Make = Callable[..., Consumer]
Record = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = Rate(1, workers=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def freight(number: int, *, times: int = 1, group: str | None = None, **attributes: Any) -> Record:
    body = weighed(f"p-{number}", event_id=f"e-{number}") | attributes
    said = {"message_id": f"m-{number}", "receive_count": times, "first_received": NOW}
    return record(body, **said) if group is None else in_order(body, group=group, **said)


@pytest.mark.usefixtures("queue")
def test_what_is_over_the_rate_comes_again_and_nothing_is_noted_of_it(
    make_consumer: Make, store: Store, faults: Faults, context: Context
) -> None:
    """However often it comes: no read, no mark, no attempt, and a time of its own to come again."""
    post = make_consumer((Weighed, weigh), rate=Rate(1, per="minute", workers=1))

    response = post(batch(*[freight(number, times=number) for number in (1, 2, 3)]), context)

    assert returned(response) == ["m-2", "m-3"]
    assert faults.calls == ["TransactWriteItems", "ChangeMessageVisibilityBatch"]
    assert [row["pk"] for row in store.items("Journal")] == ["post##post#e-1"]
    assert all(15 <= pause <= 45 for pause in faults.pauses)


@pytest.mark.usefixtures("queue")
def test_what_is_old_waits_longer(make_consumer: Make, faults: Faults, context: Context) -> None:
    """An eighth of its age, so that a backlog of a day doesn't bury anything."""
    old = freight(2, times=9)
    old["attributes"]["ApproximateFirstReceiveTimestamp"] = str(int((NOW.timestamp() - 3600) * 1000))

    make_consumer((Weighed, weigh), rate=ONE)(batch(freight(1), old), context)

    (pause,) = faults.pauses
    assert 450 <= pause <= 675


def test_what_was_held_back_is_handled_when_its_time_comes(
    make_consumer: Make, store: Store, context: Context, clock: time_machine.Traveller
) -> None:
    """As if nothing had been."""
    post = make_consumer((Weighed, weigh), rate=ONE)
    post(batch(freight(1), freight(2)), context)

    clock.shift(1)
    response = post(batch(freight(2, times=2)), context)

    assert returned(response) == []
    row = store.journal("post", "e-2")
    assert row is not None
    assert row["state"] == State.DONE
    assert "attempts" not in row


def test_it_says_so_without_a_warning(make_consumer: Make, context: Context, printed: Printed) -> None:
    """A backlog is no trouble: a reason in the log, and a metric that is no retry's."""
    make_consumer((Weighed, weigh), rate=ONE)(batch(freight(1), freight(2)), context)

    done, held, metrics = printed.lines()
    assert (done["message"], held["message"], held["level"]) == ("done", "retry", "INFO")
    assert held["reason"] == "over its rate"
    assert (metrics["Done"], metrics["OverRate"], "Retried" in metrics) == ([1], [1], False)


def test_what_has_no_handler_takes_nothing_of_the_rate(make_consumer: Make, context: Context) -> None:
    """It costs nothing that a rate is there to spare."""
    post = make_consumer((Weighed, weigh), rate=ONE, unknown="ignore")
    unknown = record(weighed() | {"type": "Unheard"}, message_id="m-0")

    response = post(batch(unknown, record("no JSON", message_id="m-9"), freight(1), freight(2)), context)

    assert returned(response) == ["m-2"]


def test_what_another_source_sends_takes_nothing_of_the_rate(make_consumer: Make, context: Context) -> None:
    """Where the handler of its type is for a source alone."""
    post = make_consumer(rate=ONE, unknown="ignore")
    post.on(Weighed, type="Weighed", source="post")(weigh)

    response = post(batch(freight(0, source="elsewhere"), freight(1), freight(2)), context)

    assert returned(response) == ["m-2"]


def test_tenants_are_held_back_by_themselves(make_consumer: Make, context: Context) -> None:
    """A loud one's events are; a quiet one's, behind them in the batch, are not."""
    post = make_consumer((Weighed, weigh), rate=Rate(1, by="tenant", workers=1))

    response = post(
        batch(*[freight(number, tenant="loud") for number in (1, 2, 3)], freight(4, tenant="quiet"), freight(5)),
        context,
    )

    assert returned(response) == ["m-2", "m-3"]


@pytest.mark.parametrize(("group", "waiting"), [("same", ["m-2", "m-3"]), (None, ["m-2"])])
@pytest.mark.usefixtures("queue")
def test_what_comes_after_it_in_an_ordered_lane_waits_with_it(
    make_consumer: Make, store: Store, context: Context, group: str | None, waiting: list[str]
) -> None:
    """Of the same group, though its own tenant is within the rate; and nothing is noted of that, either."""
    post = make_consumer((Weighed, weigh), rate=Rate(1, by="tenant", workers=1))

    response = post(
        batch(
            freight(1, tenant="loud"),
            freight(2, group=group, tenant="loud", times=2),
            freight(3, group=group, tenant="quiet", times=2),
            freight(4, tenant="third"),
        ),
        context,
    )

    assert returned(response) == waiting
    assert not {row["state"] for row in store.items("Journal")} - {State.DONE}
    assert len(store.items("Journal")) == 4 - len(waiting)


def test_what_comes_after_it_in_a_message_group_waits_with_it(make_consumer: Make, context: Context) -> None:
    """A FIFO queue gives it out again in its order only if none behind it is deleted."""
    post = make_consumer((Weighed, weigh), rate=Rate(1, by="tenant", workers=1))
    events = [weighed(event_id=f"e-{number}") | {"tenant": tenant} for number, tenant in enumerate("llq")]

    response = post(
        batch(
            *[in_order(event, group="g", message_id=f"m-{number}") for number, event in enumerate(events)],
            in_order(weighed(event_id="e-9") | {"tenant": "third"}, group="h", message_id="m-9"),
        ),
        context,
    )

    assert returned(response) == ["m-1", "m-2"]


def test_a_message_of_more_events_than_a_bucket_holds_ends(make_consumer: Make, store: Store, context: Context) -> None:
    """All of them begin, and what comes after it waits for as long as they would have taken."""
    post = make_consumer((Weighed, weigh), rate=ONE)
    several = record(json.dumps([weighed(f"p-{number}", event_id=f"e-{number}") for number in range(5)]))

    response = post(batch(several, freight(9)), context)

    assert returned(response) == ["m-9"]
    assert len(store.items("Weights")) == 5


def test_a_message_with_an_event_that_nobody_handles_waits_whole(make_consumer: Make, context: Context) -> None:
    """For the others in it."""
    post = make_consumer((Weighed, weigh), rate=ONE, unknown="ignore")
    mixed = record(json.dumps([weighed(event_id="e-1"), weighed(event_id="e-2") | {"type": "Unheard"}]))

    assert returned(post(batch(freight(9), mixed), context)) == [mixed["messageId"]]


def test_what_fails_within_the_rate_is_a_retry_as_ever(make_consumer: Make, context: Context, printed: Printed) -> None:
    """Counted, and told as a warning."""
    make_consumer((Weighed, fail), rate=ONE)(batch(freight(1)), context)

    assert printed.counts() == {"Retried": 1}


def test_near_the_deadline_nothing_is_taken_of_the_rate(make_consumer: Make) -> None:
    """What can't begin any more returns at once, as ever."""
    post = make_consumer((Weighed, weigh), rate=ONE)

    assert returned(post(batch(freight(1), freight(2)), Context(remaining_ms=500))) == ["m-1", "m-2"]
    assert returned(post(batch(freight(1), freight(2)), Context())) == ["m-2"]


def test_a_share_is_of_as_many_workers_as_the_environment_says(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """MAXIMUM_CONCURRENCY, which the template sets to what the mapping has."""
    store.settings = replace(store.settings, maximum_concurrency=2)
    post = make_consumer((Weighed, weigh), rate=Rate(4))

    assert returned(post(batch(*map(freight, range(4))), context)) == ["m-2", "m-3"]


def test_without_a_number_of_workers_there_is_no_share(make_consumer: Make, context: Context) -> None:
    """The invocation fails, and says what to set: nothing is handled faster than it may be."""
    post = make_consumer((Weighed, weigh), rate=Rate(4))

    with pytest.raises(MissingSettingError, match="MAXIMUM_CONCURRENCY"):
        post(batch(freight(1)), context)
