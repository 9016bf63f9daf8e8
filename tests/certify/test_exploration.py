"""The exploration tries every schedule once, and what it leaves out ends like one that it tried."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from math import factorial
from typing import Any

import pytest
from eachonce import Consumer, Contract, Event, Retry, Wait, Work
from eachonce.outcome import Verdict

from eachonce_workbench.afresh.wishes import text
from eachonce_workbench.certify.crowd import crowd
from eachonce_workbench.certify.ending import difference
from eachonce_workbench.certify.exploration import Exploration
from eachonce_workbench.certify.schedule import Schedule
from eachonce_workbench.certify.stage import Stage
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.simulator.fault import DeliveryFault
from tests.certify.sound import SOUND
from tests.certify.stall import Received, Sold, sold

ROWS = ("x", "y", "z")


class Wish(Contract, frozen=True, kw_only=True):
    """What a work is to be made of: (what, row, number) each."""

    steps: tuple[tuple[str, str, int], ...]


scripted = Consumer("scripted")


@scripted.on(Wish)
def obey(event: Event[Wish], work: Work) -> None:
    for what, row, number in event.data.steps:
        key = {"row": row}
        if what == "add":
            work.add("Rows", key, sum=number)
        elif what == "newest":
            work.put("Rows", key, newer_than="version", version=number, value=number)
        elif what == "create":
            work.create("Rows", key, value=number)
        elif what == "look":
            work.read("Rows", key)
        else:
            work.read("Rows", key)
            work.put("Rows", key, value=number)


waiting = Consumer("waiting")


@waiting.on(Received)
def put_on_shelf(event: Event[Received], work: Work) -> None:
    work.add("Stock", {"item": event.data.item}, pieces=event.data.pieces)


@waiting.on(Sold)
def once_it_is_there(event: Event[Sold], work: Work) -> None:
    if work.read("Stock", {"item": event.data.item}) is None:
        raise Retry("it has not come in yet", counted=False)
    work.create("Sales", {"sale": event.id}, pieces=event.data.pieces)


never = Consumer("never")


@never.on(Sold)
def keep_waiting(event: Event[Sold], work: Work) -> None:
    raise Wait("a bus", up_to=timedelta(hours=1))


def explored(
    consumer: Consumer, data: Sequence[Contract], *, faults: int = 0, prune: bool = True
) -> tuple[Exploration, list[Schedule]]:
    stage = Stage(consumer)
    exploration = Exploration(stage, crowd(data), faults=faults, prune=prune)
    with stage.open():
        return exploration, list(exploration.schedules())


def endings(schedules: Sequence[Schedule]) -> set[str]:
    return {
        f"{sorted((str(address), text(row)) for address, row in one.ending.rows.items())} "
        f"{sorted(one.ending.published.items())} {sorted(one.ending.verdicts.items())}"
        for one in schedules
    }


def some_work(drawn: random.Random) -> Wish:
    rows = drawn.sample(ROWS, drawn.randint(1, 2))
    verbs = ("add", "newest", "create", "look", "overwrite")
    return Wish(steps=tuple((drawn.choice(verbs), row, drawn.randint(1, 3)) for row in rows))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_pruned_ends_like_something_that_is_not(seed: int) -> None:
    """With random small works, the pruned exploration finds exactly the endings that brute force finds."""
    drawn = random.Random(seed)
    data = [some_work(drawn) for _ in range(3)]

    pruned, some = explored(scripted, data)
    brute, every = explored(scripted, data, prune=False)

    assert endings(some) == endings(every)
    assert brute.count.orders == factorial(3)
    assert pruned.count.orders + pruned.count.orders_pruned == factorial(3)


@pytest.mark.parametrize("seed", range(3))
def test_pruning_loses_no_ending_of_a_schedule_with_faults(seed: int) -> None:
    """So it is with copies, crashes, lost answers and overtaking."""
    drawn = random.Random(1000 + seed)
    data = [some_work(drawn) for _ in range(3)]

    pruned, some = explored(scripted, data, faults=1)
    brute, every = explored(scripted, data, faults=1, prune=False)

    assert endings(some) == endings(every)
    assert pruned.count.with_faults <= brute.count.with_faults


def test_events_without_a_row_in_common_have_one_order() -> None:
    """The other orders are that one in disguise."""
    exploration, schedules = explored(SOUND["increment through boto3"], [sold("a"), sold("b"), sold("c"), sold("d")])

    assert len(schedules) == 1
    assert exploration.count.orders_pruned == factorial(4) - 1


def test_events_of_one_row_have_every_order() -> None:
    """Nobody may assume that what is added commutes: it is tried."""
    exploration, schedules = explored(SOUND["increment through boto3"], [sold(), sold(), sold(), sold()])

    assert len(schedules) == factorial(4)
    assert exploration.count.orders_pruned == 0


def test_a_delivery_dies_at_each_of_its_calls_and_loses_each_answer() -> None:
    """An event of one call, and one of two: killed before the first and after each, each answer lost, and a copy."""
    exploration, schedules = explored(waiting, [Received(item="a", pieces=1)], faults=1)
    checked, more = explored(SOUND["read-modify-write without a check"], [sold()], faults=1)

    assert (exploration.count.faults, len(schedules)) == (3 + 1, 1 + 3 + 1)
    assert (checked.count.faults, len(more)) == (5 + 1, 1 + 5 + 1)


def test_a_worker_that_is_killed_says_nothing_and_its_event_comes_again() -> None:
    """What it did before stays, and the next worker finds that out."""
    _, schedules = explored(SOUND["increment through boto3"], [sold()], faults=1)

    killed = {
        one.steps[0].step.fault.kind: [taken.verdict for taken in one.steps]
        for one in schedules
        if one.steps[0].step.fault is not None and one.steps[0].verdict is None
    }
    assert killed == {
        CallFault.KILLED_BEFORE: [None, Verdict.DONE],
        CallFault.KILLED_AFTER: [None, Verdict.DUPLICATE],
    }


def test_an_event_is_overtaken_at_each_of_its_calls() -> None:
    """Between a read and its commit another event changes the row: the layer sees that, and runs the handler again."""
    exploration, schedules = explored(SOUND["read-modify-write without a check"], [sold(), sold(pieces=2)], faults=1)

    kinds = Counter(taken.step.fault.kind for taken in exploration.steps if taken.step.fault is not None)
    assert kinds[DeliveryFault.OVERTAKEN] == 4
    assert kinds.keys() == {
        DeliveryFault.OVERTAKEN,
        DeliveryFault.SENT_AGAIN,
        CallFault.KILLED_BEFORE,
        CallFault.KILLED_AFTER,
        CallFault.LOST,
    }
    assert len(endings(schedules)) == 1


def test_two_faults_in_a_schedule_find_what_a_sound_handler_withstands() -> None:
    """More faults are more schedules, and no other end."""
    one, _ = explored(SOUND["increment through boto3"], [sold(), sold()], faults=1)
    two, schedules = explored(SOUND["increment through boto3"], [sold(), sold()], faults=2)

    assert two.count.with_faults > one.count.with_faults
    assert max(schedule.faults for schedule in schedules) == 2
    assert len(endings(schedules)) == 1


def test_an_event_that_came_too_early_comes_again_after_the_others() -> None:
    """An event that is deferred is no other end: it is done as soon as what it needs is there."""
    _, schedules = explored(waiting, [sold(), Received(item="a", pieces=3), sold()], faults=1)

    assert len(endings(schedules)) == 1
    assert {word for one in schedules for word in one.ending.verdicts.values()} == {"done"}


def test_an_event_that_waits_for_ever_is_given_up() -> None:
    """A round in which nothing is finished is the last."""
    _, schedules = explored(never, [sold(), sold()])

    assert {word for one in schedules for word in one.ending.verdicts.values()} == {"still waiting"}


def test_a_difference_is_named_by_row_and_attribute() -> None:
    """The first row that differs, and both of its values."""
    _, schedules = explored(scripted, [Wish(steps=(("overwrite", "x", 1),)), Wish(steps=(("overwrite", "x", 2),))])

    first, second = schedules
    found = difference(first.ending, second.ending)
    assert found is not None
    assert (found.where, found.one, found.other) == ("Rows {'row': 'x'}, value", "2", "1")
    assert difference(first.ending, first.ending) is None


def test_a_schedule_begins_with_nothing_of_the_one_before() -> None:
    """Rows are put back, so the same schedule ends the same however many were tried before it."""
    stage = Stage(SOUND["increment through boto3"])
    events: Any = crowd([sold(), sold()])
    with stage.open():
        once = [endings([one]) for one in Exploration(stage, events).schedules()]
        again = [endings([one]) for one in Exploration(stage, events).schedules()]

    assert once == again


def test_who_is_rejected_is_a_difference_too() -> None:
    """Two events that create the same leave the same row, and one of them goes to the dead-letter queue."""
    _, schedules = explored(scripted, [Wish(steps=(("create", "x", 1),)), Wish(steps=(("create", "x", 1),))])

    first, second = schedules
    found = difference(first.ending, second.ending)
    assert found is not None
    assert (found.where, found.one, found.other) == ("what becomes of e1", "done", "rejected")
