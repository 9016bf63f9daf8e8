"""Dead letters go back at a rate, which may rise while none of them is dead again."""

from __future__ import annotations

import pytest
from eachonce.journal import State

from eachonce_workbench.operations.pace import STEP_SECONDS, Pace, RisingPace
from eachonce_workbench.operations.redrive import Redrive, Tally
from tests.deployed import LETTERS, Deployed, body_of


class Clock:
    """A clock that moves when somebody sleeps; `at` has when."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rising(per_second: float, clock: Clock, told: list[str]) -> RisingPace:
    return RisingPace(per_second, tell=told.append, clock=clock, sleep=clock.sleep)


def taken(pace: Pace, clock: Clock, seconds: float) -> int:
    """Return how many letters go until so much time has passed."""
    end, count = clock.now + seconds, 0
    while clock.now < end:
        count += pace.take(10)
    return count


@pytest.mark.parametrize("per_second", [0.5, 1, 3, 10, 25, 400])
def test_so_many_go_a_second(clock: Clock, per_second: float) -> None:
    """Over any time, and never more than a second's worth beyond it."""
    pace = Pace(per_second, clock=clock, sleep=clock.sleep)

    count = taken(pace, clock, 100)

    assert 100 * per_second <= count <= 100 * per_second + max(1, min(10, per_second)) * 2


def test_no_more_go_together_than_a_second_has(clock: Clock) -> None:
    """Ten at a time would be a rate of ten to whoever gets them."""
    pace = Pace(3, clock=clock, sleep=clock.sleep)

    assert (pace.take(10), pace.take(2)) == (3, 2)


def test_what_was_not_used_is_not_made_up_for(clock: Clock) -> None:
    """After a long call the rate is what it was."""
    pace = Pace(2, clock=clock, sleep=clock.sleep)
    clock.now += 3600

    assert taken(pace, clock, 10) <= 24


def test_a_steady_pace_asks_nothing(clock: Clock) -> None:
    """Looking costs calls."""
    pace = Pace(2, clock=clock, sleep=clock.sleep)
    clock.now += 3600

    pace.watch(lambda: pytest.fail("it asked"))


def test_a_rising_pace_doubles_up_to_its_rate(clock: Clock) -> None:
    """Step by step, from one a second; it says so."""
    told: list[str] = []
    pace = rising(5, clock, told)
    rates = []

    for _ in range(5):
        pace.watch(lambda: 0)
        rates.append(pace.per_second)
        clock.now += STEP_SECONDS

    assert rates == [1, 2, 4, 5, 5]
    assert len(told) == 3


def test_a_rising_pace_asks_once_a_step(clock: Clock) -> None:
    """Not at every letter."""
    asked: list[None] = []
    pace = rising(100, clock, [])

    for _ in range(30):
        pace.watch(lambda: asked.append(None) or 0)
        clock.now += STEP_SECONDS / 10

    assert 2 <= len(asked) <= 3


def test_a_rising_pace_halves_and_rises_no_more_when_letters_are_dead_again(clock: Clock) -> None:
    """Down to where it began, and no further."""
    told: list[str] = []
    pace = rising(100, clock, told)
    rates = []

    for dead in (0, 0, 0, 3, 0, 2, 1, 1, 0):
        clock.now += STEP_SECONDS
        pace.watch(lambda dead=dead: dead)
        rates.append(pace.per_second)

    assert rates == [2, 4, 8, 4, 4, 2, 1, 1, 1]
    assert told[3].startswith("3 dead again")


@pytest.mark.parametrize("per_second", [0.25, 1.0])
def test_a_slow_rate_is_where_a_rising_one_begins(clock: Clock, per_second: float) -> None:
    """It never goes faster than it was told to."""
    pace = rising(per_second, clock, [])
    clock.now += STEP_SECONDS

    pace.watch(lambda: 0)

    assert pace.per_second == pace.slowest == per_second


def redrive(deployed: Deployed, pace: Pace) -> Tally:
    letters = deployed.look([LETTERS]).letters
    tally = Tally(chosen=len(letters))
    for _ in Redrive(deployed.sqs, deployed.journal, pace=pace)(LETTERS, {each.message_id for each in letters}, tally):
        pass
    return tally


def test_a_redrive_keeps_to_its_pace(clock: Clock) -> None:
    """And redrives all, as without one."""
    deployed = Deployed()
    for number in range(23):
        deployed.bury(body_of(f"e-{number}"))
    began = clock.now

    tally = redrive(deployed, Pace(4, clock=clock, sleep=clock.sleep))

    assert (tally.moved, tally.left) == (23, 0)
    assert deployed.bodies(LETTERS.url).total() == 23
    assert 5 <= clock.now - began <= 6


def test_a_slow_redrive_hides_what_it_read_until_its_end(clock: Clock) -> None:
    """Or others' letters that it isn't to redrive would come again and again, and end the reading before its time."""
    deployed = Deployed()
    for number in range(60):
        deployed.bury(body_of(f"e-{number}"))
    hidden: list[int] = []
    deployed.sqs.meta.events.register(
        "provide-client-params.sqs.ReceiveMessage", lambda params, **_: hidden.append(params["VisibilityTimeout"])
    )

    redrive(deployed, Pace(0.5, clock=clock, sleep=clock.sleep))

    assert hidden[-1] >= 60 / 0.5


def test_a_rising_redrive_sees_what_is_rejected_again(clock: Clock) -> None:
    """By the journal, whosever letter it is now; what was rejected before it went counts for nothing."""
    deployed, told, names = Deployed(), [], [f"e-{number}" for number in range(40)]
    for name in names:
        deployed.put_row("letters", name, state=State.REJECTED, attempts=10)
        deployed.bury(body_of(name))
    sleeps: list[float] = []

    def work(seconds: float) -> None:
        """Be the consumer, which rejects one event after a while."""
        clock.sleep(seconds)
        sleeps.append(seconds)
        if len(sleeps) == 15:
            first = next(name for name in names if deployed.row("letters", name)["state"] == State.TRIED)
            deployed.put_row("letters", first, state=State.REJECTED, attempts=1)

    pace = RisingPace(8, tell=told.append, clock=clock, sleep=work)

    tally = redrive(deployed, pace)

    assert (tally.moved, tally.dead_again) == (40, 1)
    assert told[0].startswith("none is dead again")
    assert told[1].startswith("1 dead again")
    assert pace.per_second == 1
