"""The deferral: for how long what may not begin now is put off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from eachonce.deferral import LONGEST, deferral

DAY = timedelta(days=1)
MAX_RECEIVE_COUNT = 1000  # of the templates' queues


def least(wanted: timedelta, age: timedelta) -> timedelta:
    return deferral(wanted, age, jitter=lambda: 0.0)


def receives(during: timedelta) -> int:
    """How often a message comes, at the most, that is always put off for as short as can be."""
    age, count = timedelta(), 1
    while (age := age + least(timedelta(), age)) < during:
        count += 1
    return count


def test_it_comes_no_sooner_than_it_is_wanted() -> None:
    """Whatever its age."""
    assert least(timedelta(seconds=30), timedelta()) == timedelta(seconds=30)
    assert least(timedelta(hours=1), DAY) == timedelta(hours=1)


def test_it_is_never_at_once() -> None:
    """SQS counts whole seconds."""
    assert least(timedelta(), timedelta()) == timedelta(seconds=1)


@pytest.mark.parametrize(("minutes", "pause"), [(8, 1), (40, 5), (80, 10), (800, 10)])
def test_the_older_it_is_the_longer_it_waits(minutes: int, pause: int) -> None:
    """An eighth of its age, up to the longest."""
    assert least(timedelta(), timedelta(minutes=minutes)) == timedelta(minutes=pause)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 60), (0.5, 75), (1.0, 90)])
def test_what_is_put_off_together_is_spread(chance: float, seconds: int) -> None:
    """Over half as long again, and never before its time."""
    pause = deferral(timedelta(minutes=1), timedelta(), jitter=lambda: chance)

    assert pause == timedelta(seconds=seconds)


def test_a_day_of_it_is_a_fifth_of_the_receives_that_sqs_allows() -> None:
    """So neither a breaker that is open for days nor a backlog of days buries a message: six days, and then some."""
    assert receives(timedelta(minutes=80)) == 63
    assert receives(DAY) <= MAX_RECEIVE_COUNT / 5
    assert receives(timedelta(days=6)) < MAX_RECEIVE_COUNT
    assert receives(timedelta(days=7)) > 144 * 6  # no more slowly than the page says


def test_the_longest_is_ten_minutes() -> None:
    """As the page says: 144 times a day."""
    assert DAY / LONGEST == 144
