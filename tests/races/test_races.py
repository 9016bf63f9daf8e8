"""Races: none is found where there is none, and each that is planted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.races import planted
from tests.races.counting import counting, for_ever, hastily, in_any_order, with_a_lock, with_a_lock_too_late
from tests.races.exploration import explore
from tests.races.planted import PLANTED
from tests.races.scenes import SCENES

# A whole invocation has so many lines that `make races` alone stops it before each of them.
PREEMPTIONS = {"invocation": 0}


@pytest.mark.parametrize("name", SCENES)
def test_whoever_goes_on_when_it_holds(name: str) -> None:
    """Whatever statement a thread is stopped at, once."""
    explored = explore(replace(SCENES[name], preemptions=PREEMPTIONS.get(name, 1)))

    assert explored.race is None, str(explored.race)
    assert explored.schedules > 1


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_race_is_found(name: str) -> None:
    """By one preemption or two, in the scene that is about it."""
    one = PLANTED[name]
    scene = SCENES[one.scene]

    with one.plant():
        explored = explore(replace(scene, watched=(*scene.watched, planted), preemptions=one.preemptions))

    assert explored.race is not None
    assert explored.race.story


def test_a_lost_addition_is_found_with_the_fewest_preemptions() -> None:
    """And told: before which line a thread was stopped, and who went on."""
    explored = explore(counting(hastily, preemptions=2))

    assert explored.race is not None
    assert explored.race.broken == "1 of 2"
    assert [line for line in explored.race.story if "hastily" in line] != []


def test_who_is_never_stopped_shows_no_race() -> None:
    """Without a preemption one thread runs after the other, in each order."""
    explored = explore(counting(hastily, preemptions=0, threads=3))

    assert explored.race is None
    assert explored.schedules == 6


def test_a_lock_keeps_others_out_and_is_waited_for() -> None:
    """Two of three threads may be waiting at once."""
    explored = explore(counting(with_a_lock, preemptions=2, threads=3))

    assert explored.race is None


def test_a_look_before_the_lock_is_found() -> None:
    """The lock is there, and guards half of what belongs together."""
    explored = explore(counting(with_a_lock_too_late))

    assert explored.race is not None


def test_who_waits_for_each_other_is_found() -> None:
    """Two locks in two orders."""
    explored = explore(counting(in_any_order))

    assert explored.race is not None
    assert "wait for each other" in explored.race.broken


def test_what_never_ends_is_found() -> None:
    """After so many steps."""
    explored = explore(counting(for_ever, preemptions=0))

    assert explored.race is not None
    assert "doesn't end" in explored.race.broken


def test_a_schedule_is_the_same_run_each_time() -> None:
    """Its race is found at the same place again."""
    races = [explore(counting(hastily)).race for _ in range(2)]

    assert races[0] == races[1] is not None
