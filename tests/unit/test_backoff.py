"""The back-off: when a deferred message comes again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from eachonce.backoff import MAX_SECONDS, Backoff
from eachonce.outcome import Outcome, Verdict
from hypothesis import given
from hypothesis import strategies as st

NO_AGE = timedelta()
LONG = Backoff(jitter=lambda: 1.0)

pauses = st.timedeltas(timedelta(), timedelta(days=1))


def failed(attempts: int) -> Outcome:
    return Outcome(verdict=Verdict.RETRY, counted=True, attempts=attempts)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (11, 900), (2_000_000_000, 900)]
)
def test_a_pause_doubles_with_each_failure(attempts: int, seconds: int) -> None:
    """Up to the longest one; its age has no part in it."""
    assert LONG.seconds(failed(attempts), timedelta(hours=1)) == seconds


@pytest.mark.parametrize(
    ("age", "seconds"), [(0, 2), (1, 2), (3, 3), (60, 60), (899, 899), (901, 900), (10_000_000, 900)]
)
@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.WAIT])
def test_what_is_not_counted_waits_as_long_again_as_it_has_waited(verdict: Verdict, age: int, seconds: int) -> None:
    """Without a count of failures its age is what tells how long the trouble lasts."""
    assert LONG.seconds(Outcome(verdict=verdict), timedelta(seconds=age)) == seconds


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 0), (0.25, 16), (0.5, 32), (0.999, 64)])
def test_a_pause_is_any_part_of_its_longest(chance: float, seconds: int) -> None:
    """Full jitter: what failed together does not come again together."""
    assert Backoff(jitter=lambda: chance).seconds(failed(6), NO_AGE) == seconds


def test_its_parameters_are_the_consumers() -> None:
    """The first pause, and the longest."""
    backoff = Backoff(first=timedelta(seconds=10), longest=timedelta(seconds=25), jitter=lambda: 1.0)

    assert [backoff.seconds(failed(attempts), NO_AGE) for attempts in (1, 2, 3)] == [10, 20, 25]


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        (timedelta(minutes=5), 300),
        (NO_AGE, 0),
        (timedelta(seconds=-1), 0),
        (timedelta.min, 0),
        (timedelta(days=2), MAX_SECONDS - 3600 - 60),
        (timedelta.max, MAX_SECONDS - 3600 - 60),
    ],
    ids=str,
)
def test_what_the_handler_said_is_kept_to(after: timedelta, seconds: int) -> None:
    """To the second, without jitter, and as far as SQS goes, which counts from the receive."""
    outcome = Outcome(verdict=Verdict.RETRY, after=after, attempts=7)

    assert Backoff(jitter=lambda: 0.5).seconds(outcome, timedelta(hours=1)) == seconds


@pytest.mark.parametrize(
    ("held", "seconds"),
    [
        (NO_AGE, 43_140),
        (timedelta(milliseconds=1), 43_139),
        (timedelta(minutes=10), 42_540),
        (timedelta(hours=11, minutes=58), 60),
        (timedelta(hours=11, minutes=59, seconds=30), 0),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("outcome", "backoff"),
    [
        (Outcome(verdict=Verdict.RETRY, after=timedelta(hours=12)), LONG),
        (failed(60), Backoff(first=timedelta(hours=12), longest=timedelta(days=1), jitter=lambda: 1.0)),
        (Outcome(verdict=Verdict.WAIT), Backoff(longest=timedelta(hours=12), jitter=lambda: 1.0)),
    ],
    ids=["the handler's", "a failure's", "a wait's"],
)
def test_a_pause_ends_with_sqss_12_hours(outcome: Outcome, backoff: Backoff, held: timedelta, seconds: int) -> None:
    """Whoever asked for it: SQS counts from the receive, and refuses what is longer; a minute is left for clocks."""
    assert backoff.seconds(outcome, timedelta(days=3), held=held) == seconds


@pytest.mark.parametrize("held", [timedelta(hours=12), timedelta(days=5000)], ids=str)
def test_a_message_that_was_held_longer_than_any_was_not(held: timedelta) -> None:
    """A clock is wrong: as long as Lambda holds one is what is believed."""
    outcome = Outcome(verdict=Verdict.RETRY, after=timedelta(hours=12))

    assert LONG.seconds(outcome, NO_AGE, held=held) == MAX_SECONDS - 20 * 60 - 60


def test_what_never_began_comes_again_at_once() -> None:
    """It has not failed, and nothing says that it would."""
    assert LONG.seconds(Outcome(verdict=Verdict.ABANDONED), timedelta(hours=1)) == 0


@given(
    first=pauses,
    longest=pauses,
    age=st.timedeltas(timedelta(), timedelta(hours=13)) | st.timedeltas(timedelta(), timedelta(days=14)),
    attempts=st.none() | st.integers(1, 10**9),
    after=st.none() | st.timedeltas(),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_every_pause_is_one_that_sqs_takes(
    first: timedelta,
    longest: timedelta,
    age: timedelta,
    attempts: int | None,
    after: timedelta | None,
    chance: float,
) -> None:
    """Whole seconds, up to 12 hours, whatever a consumer or a handler asks for."""
    backoff = Backoff(first=first, longest=longest, jitter=lambda: chance)

    seconds = backoff.seconds(Outcome(verdict=Verdict.RETRY, attempts=attempts, after=after), age)

    assert isinstance(seconds, int)
    assert 0 <= seconds <= MAX_SECONDS
    assert age >= timedelta(hours=12) or seconds == 0 or timedelta(seconds=seconds) + age < timedelta(hours=12)
