"""The rate: how many events begin in a time, over all workers, without a counter that they share."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from eachonce import HandlerError, Rate
from eachonce.deferral import LONGEST, deferral
from eachonce.rate import MAX_BUCKETS, MAX_PUT_OFF, Buckets

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Callable[..., Buckets]:
    def make(rate: Rate, *, workers: int = 1) -> Buckets:
        return Buckets(rate, workers=workers, clock=clock)

    return make


def let_in(buckets: Buckets, times: int, tenant: str | None = None) -> int:
    """Try an event so often; how many may begin."""
    return sum(buckets.take([tenant]) is None for _ in range(times))


@pytest.mark.parametrize(
    ("said", "a_second"),
    [
        ({"events": 50}, 50),
        ({"events": 50, "per": "second"}, 50),
        ({"events": 60, "per": "minute"}, 1),
        ({"events": 1800, "per": "hour"}, 0.5),
        ({"events": 10, "per": timedelta(seconds=4)}, 2.5),
        ({"events": 1, "per": timedelta(microseconds=1)}, 1_000_000),
        ({"events": 0.25}, 0.25),
        ({"events": 1, "by": "tenant"}, 1),
        ({"events": 1, "workers": 1}, 1),
        ({"events": 1, "workers": 1000}, 1),
    ],
)
def test_a_rate_is_events_a_time(said: dict[str, Any], a_second: float) -> None:
    """In any unit, of all events or of each tenant's, over any number of workers."""
    assert Rate(**said).a_second == a_second


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"events": 0}, "events over 0"),
        ({"events": -1}, "events over 0"),
        ({"events": float("nan")}, "events over 0"),
        ({"events": float("inf")}, "events over 0"),
        ({"events": "50"}, "a number of events"),
        ({"events": True}, "a number of events"),
        ({"per": "day"}, 'per "second", "minute", "hour"'),
        ({"per": timedelta()}, "a timedelta over 0"),
        ({"per": timedelta(seconds=-1)}, "a timedelta over 0"),
        ({"per": 60}, "a timedelta"),
        ({"per": ["second"]}, 'per "second"'),
        ({"by": "subject"}, 'by "tenant"'),
        ({"workers": 0}, "a whole number of 1 or more"),
        ({"workers": 2.5}, "a whole number of 1 or more"),
        ({"workers": True}, "a whole number of 1 or more"),
    ],
)
def test_what_is_no_rate_is_refused_where_it_is_said(said: dict[str, Any], words: str) -> None:
    """Not at the first event; and in words that say what it may be."""
    with pytest.raises(HandlerError, match=words):
        Rate(**{"events": 50, **said})


def test_a_worker_begins_with_a_second_of_its_share(make: Callable[..., Buckets], clock: Clock) -> None:
    """And holds no more, however long nothing comes."""
    buckets = make(Rate(50), workers=10)

    assert let_in(buckets, 20) == 5
    clock.wait(3600)
    assert let_in(buckets, 20) == 5


def test_a_share_comes_in_as_time_goes(make: Callable[..., Buckets], clock: Clock) -> None:
    """In parts, too."""
    buckets = make(Rate(50), workers=10)
    let_in(buckets, 20)

    clock.wait(0.5)
    assert let_in(buckets, 20) == 2
    clock.wait(0.1)
    assert let_in(buckets, 20) == 1


def test_a_share_of_less_than_one_is_one_in_a_longer_time(make: Callable[..., Buckets], clock: Clock) -> None:
    """A worker lets one event begin at once, and the next when its share of the rate has come to one."""
    buckets = make(Rate(60, per="hour"), workers=10)

    assert let_in(buckets, 5) == 1
    clock.wait(599)
    assert let_in(buckets, 5) == 0
    clock.wait(1.001)
    assert let_in(buckets, 5) == 1


def test_a_clock_that_is_set_back_takes_nothing_away(make: Callable[..., Buckets], clock: Clock) -> None:
    """And gives nothing."""
    buckets = make(Rate(2))
    let_in(buckets, 1)

    clock.wait(-3600)
    assert let_in(buckets, 5) == 1
    clock.wait(1)
    assert let_in(buckets, 5) == 2


def test_each_that_is_put_off_has_a_turn_of_its_own(make: Callable[..., Buckets]) -> None:
    """They come again four times as fast as the share comes in, since they may meet another worker; not all at once."""
    buckets = make(Rate(0.1))
    let_in(buckets, 1)

    assert [buckets.take([None]) for _ in range(3)] == [2.5 * SECOND, 5 * SECOND, 7.5 * SECOND]


def test_turns_that_are_over_are_free_again(make: Callable[..., Buckets], clock: Clock) -> None:
    """What was put off yesterday is nobody's in front today."""
    buckets = make(Rate(0.1))
    for _ in range(20):
        buckets.take([None])
    clock.wait(3600)
    let_in(buckets, 1)

    assert buckets.take([None]) == 2.5 * SECOND


def test_nothing_is_put_off_for_longer_than_ten_minutes(make: Callable[..., Buckets]) -> None:
    """However long the backlog is."""
    buckets = make(Rate(1, per="hour"))
    let_in(buckets, 2)

    assert buckets.take([None]) == LONGEST


def test_a_rate_may_be_as_low_as_can_be_said(make: Callable[..., Buckets]) -> None:
    """One event in more time than there is: what comes after it is put off as any other."""
    buckets = make(Rate(1e-300))

    assert [buckets.take([None]) for _ in range(3)] == [None, LONGEST, LONGEST]


@pytest.mark.parametrize("a_second", [200, 2_000, 20_000])
def test_what_is_put_off_leaves_room_in_flight(make: Callable[..., Buckets], a_second: int) -> None:
    """SQS hands out nothing while 120,000 messages are in flight, so a high rate puts off for a shorter time."""
    buckets = make(Rate(a_second))
    buckets.take([None] * 2 * MAX_PUT_OFF)

    assert buckets.take([None]) == timedelta(seconds=MAX_PUT_OFF / a_second)


def test_tenants_have_rates_of_their_own(make: Callable[..., Buckets], clock: Clock) -> None:
    """One that sends too much takes nothing from the others; what is of no tenant is one more."""
    buckets = make(Rate(3, by="tenant"))

    assert let_in(buckets, 1000, "loud") == 3
    assert let_in(buckets, 1, "quiet") == 1
    assert let_in(buckets, 10) == 3


def test_a_rate_of_all_asks_for_no_tenant(make: Callable[..., Buckets]) -> None:
    """They share it."""
    buckets = make(Rate(3))

    assert let_in(buckets, 2, "one") + let_in(buckets, 5, "other") == 3


def test_tenants_are_remembered_up_to_a_number(make: Callable[..., Buckets]) -> None:
    """The one that was idle for longest is forgotten first, and memory has an end."""
    buckets = make(Rate(1, by="tenant"))
    let_in(buckets, 1, "first")
    let_in(buckets, 1, "second")

    for number in range(MAX_BUCKETS - 2):
        let_in(buckets, 1, f"t-{number}")
    assert let_in(buckets, 1, "first") == 0
    let_in(buckets, 1, "one more")

    assert let_in(buckets, 1, "first") == 0
    assert let_in(buckets, 1, "second") == 1


def test_a_message_of_several_events_is_let_in_whole(make: Callable[..., Buckets], clock: Clock) -> None:
    """Or one with more than a bucket holds would never end; what comes next pays for it."""
    buckets = make(Rate(2))

    assert buckets.take([None] * 7) is None
    assert buckets.take([None]) == 2.625 * SECOND  # a debt of five, and a quarter of a turn
    clock.wait(2.9)
    assert let_in(buckets, 1) == 0
    clock.wait(0.2)
    assert let_in(buckets, 1) == 1


def test_a_message_of_several_tenants_waits_for_each(make: Callable[..., Buckets]) -> None:
    """And takes from none while one of them is over its rate."""
    buckets = make(Rate(1, by="tenant"))
    let_in(buckets, 1, "loud")

    assert buckets.take(["quiet", "loud"]) is not None
    assert let_in(buckets, 1, "quiet") == 1


def drained(rate: Rate, *, workers: int, running: int, backlog: int, seed: int) -> tuple[list[float], int]:
    """Let workers take a backlog from a queue, each ten messages at a time, ten times a second.

    Returns when each event began, in seconds, and how often the one was received that was received most.
    """
    drawn = random.Random(seed)
    clock = Clock()
    buckets = [Buckets(rate, workers=workers, clock=clock) for _ in range(running)]
    visible = [(0.0, number) for number in range(backlog)]
    received, first, begun = [0] * backlog, [0.0] * backlog, []
    while len(begun) < backlog:
        clock.wait(0.1)
        now = (clock.now - START).total_seconds()
        for worker in drawn.sample(buckets, running):
            for _ in range(10):
                if not visible or visible[0][0] > now:
                    break
                _, number = heapq.heappop(visible)
                received[number] += 1
                first[number] = now if received[number] == 1 else first[number]
                wanted = worker.take([None])
                if wanted is None:
                    begun.append(now)
                else:
                    pause = deferral(wanted, timedelta(seconds=now - first[number]), jitter=drawn.random)
                    heapq.heappush(visible, (now + max(1, round(pause.total_seconds())), number))
    return begun, max(received)


@pytest.mark.parametrize("seed", range(2))
def test_a_rate_holds_across_workers(seed: int) -> None:
    """In any time no more begin than it gives in it and a second; what that leaves is used nearly to the full."""
    begun, most = drained(Rate(50), workers=10, running=10, backlog=3_000, seed=seed)

    for seconds in (1, 5, 30):
        for end in range(seconds, int(begun[-1]), 3):
            assert sum(end - seconds < each <= end for each in begun) <= 50 * (seconds + 1)
    assert begun[2_500] < 2_500 / 50 * 1.3
    assert most <= 20


def test_fewer_workers_than_there_may_be_use_their_shares_alone() -> None:
    """It is an upper bound: nobody lends what he doesn't need."""
    begun, _ = drained(Rate(50), workers=10, running=2, backlog=1_000, seed=0)

    assert 79 <= begun[800] <= 100
