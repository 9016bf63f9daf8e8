"""Lanes: one subject in order, different subjects side by side."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from eachonce.lanes import Lanes, in_lanes, in_turn
from eachonce.listener import Delivery, listen
from eachonce.outcome import Outcome, Verdict

from tests.parcels import weighed
from tests.records import FIFO_ARN, batch, record

DONE = Outcome(verdict=Verdict.DONE)
RETRY = Outcome(verdict=Verdict.RETRY, reason="broken")
PATIENCE_SECONDS = 30


def deliveries(*subjects: str | None, groups: Sequence[str | None] | None = None) -> list[Delivery]:
    """Return one delivery a subject, in order; with `groups` they are of a FIFO queue."""
    bodies = [weighed(event_id=f"e-{n}") | ({} if s is None else {"subject": s}) for n, s in enumerate(subjects)]
    if groups is None:
        return listen(batch(*[record(body, message_id=f"m-{n}") for n, body in enumerate(bodies)]))
    return listen(
        batch(
            *[
                record(body, message_id=f"m-{n}", group=group, arn=FIFO_ARN)
                for n, (body, group) in enumerate(zip(bodies, groups, strict=True))
            ]
        )
    )


def ids(lanes: Sequence[Sequence[Delivery]]) -> list[list[str]]:
    return [[delivery.message_id for delivery in lane] for lane in lanes]


def failing(*message_ids: str) -> Callable[[Delivery], Outcome]:
    return lambda delivery: RETRY if delivery.message_id in message_ids else DONE


def verdicts(settled: Sequence[tuple[Delivery, Outcome]]) -> dict[str, Any]:
    return {delivery.message_id: outcome.verdict for delivery, outcome in settled}


def test_a_subject_is_a_lane() -> None:
    """In the order in which they came; what has no subject stands alone."""
    assert ids(in_lanes(deliveries("a", "b", None, "a", None))) == [["m-0", "m-3"], ["m-1"], ["m-2"], ["m-4"]]


def test_a_message_group_is_a_lane() -> None:
    """A FIFO queue's order is the queue's, whatever its events are about."""
    assert ids(in_lanes(deliveries("a", "b", None, "a", groups="gggh"))) == [["m-0", "m-1", "m-2"], ["m-3"]]


def test_what_holds_no_event_stands_alone() -> None:
    """It has no subject that could be read."""
    broken = listen(batch(record("not JSON", message_id="m-0"), record("nor this", message_id="m-1")))

    assert ids(in_lanes(broken)) == [["m-0"], ["m-1"]]


def test_a_group_and_a_subject_of_one_name_are_two_lanes() -> None:
    """As a subject that looks like a message's id is no such message."""
    mixed = [*deliveries("g"), *deliveries("g", groups="g"), *deliveries(None)]

    assert len(in_lanes(mixed)) == 3


def test_different_subjects_run_side_by_side() -> None:
    """Each waits for the others to have begun, so one after the other would never end."""
    meeting = threading.Barrier(3)

    def meet(delivery: Delivery) -> Outcome:
        meeting.wait(PATIENCE_SECONDS)
        return DONE

    settled = Lanes(concurrency=3, ordered=False).run(deliveries("a", "b", "c"), meet)

    assert set(verdicts(settled).values()) == {Verdict.DONE}


def test_one_subject_runs_in_order_while_others_run_beside_it() -> None:
    """The first two of each lane meet, then the second two: no lane is ahead of itself."""
    meeting = threading.Barrier(2)
    began: dict[str, list[str]] = defaultdict(list)

    def meet(delivery: Delivery) -> Outcome:
        assert delivery.event is not None
        began[str(delivery.event.subject)].append(delivery.message_id)
        meeting.wait(PATIENCE_SECONDS)
        return DONE

    Lanes(concurrency=2, ordered=False).run(deliveries("a", "b", "a", "b", "a", "b"), meet)

    assert began == {"a": ["m-0", "m-2", "m-4"], "b": ["m-1", "m-3", "m-5"]}


@pytest.mark.parametrize(("concurrency", "subjects"), [(1, "abc"), (4, "aaa")], ids=["one at a time", "one lane"])
def test_what_can_not_run_side_by_side_needs_no_thread(concurrency: int, subjects: str) -> None:
    """It runs where the function runs."""
    threads: set[threading.Thread] = set()

    def note(delivery: Delivery) -> Outcome:
        threads.add(threading.current_thread())
        return DONE

    Lanes(concurrency=concurrency, ordered=False).run(deliveries(*subjects), note)

    assert threads == {threading.current_thread()}


def test_no_more_lanes_run_at_once_than_asked_for() -> None:
    """Two at a time: a third would make the counter three."""
    running, most, lock = 0, 0, threading.Lock()
    pairs = threading.Barrier(2)

    def count(delivery: Delivery) -> Outcome:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pairs.wait(PATIENCE_SECONDS)
        with lock:
            running -= 1
        return DONE

    Lanes(concurrency=2, ordered=False).run(deliveries(*"abcdef"), count)

    assert most == 2


def test_a_deferred_event_does_not_stop_its_subject() -> None:
    """Handlers take events in any order, so the later ones need not wait."""
    settled = Lanes(concurrency=1, ordered=False).run(deliveries("a", "a", "b"), failing("m-0"))

    assert verdicts(settled) == {"m-0": Verdict.RETRY, "m-1": Verdict.DONE, "m-2": Verdict.DONE}


def test_where_order_counts_a_deferred_event_stops_its_subject() -> None:
    """Only its own, and only what comes after it."""
    settled = Lanes(concurrency=4, ordered=True).run(deliveries("a", "b", "a", "b", "a"), failing("m-2"))

    assert verdicts(settled) == {
        "m-0": Verdict.DONE,
        "m-1": Verdict.DONE,
        "m-2": Verdict.RETRY,
        "m-3": Verdict.DONE,
        "m-4": Verdict.RETRY,
    }
    assert {delivery.message_id: outcome.reason for delivery, outcome in settled}[
        "m-4"
    ] == "an earlier event of its lane is not done"


def test_a_deferred_message_stops_its_group() -> None:
    """That is what a FIFO queue is for."""
    settled = Lanes(concurrency=1, ordered=False).run(deliveries(*"abc", groups="ggh"), failing("m-0"))

    assert verdicts(settled) == {"m-0": Verdict.RETRY, "m-1": Verdict.RETRY, "m-2": Verdict.DONE}


@pytest.mark.parametrize(
    ("ordered", "groups", "verdict"),
    [(True, None, Verdict.RETRY), (False, "g", Verdict.RETRY), (False, None, Verdict.DONE)],
    ids=["ordered", "a group", "neither"],
)
def test_what_is_behind_a_deferred_event_waits_where_order_counts(
    ordered: bool, groups: str | None, verdict: Verdict
) -> None:
    """The second part of a lane knows of the first."""
    lane = deliveries("a", groups=groups)

    settled = list(Lanes(concurrency=1, ordered=ordered).walk(lane, failing(), behind=True))

    assert verdicts(settled) == {"m-0": verdict}


def test_outcomes_are_told_as_they_come() -> None:
    """What is done can be acknowledged before the next one begins."""
    began: list[str] = []

    def note(delivery: Delivery) -> Outcome:
        began.append(delivery.message_id)
        return DONE

    steps = Lanes(concurrency=4, ordered=False).walk(deliveries("a", "a"), note)

    next(steps)
    assert began == ["m-0"]


def tenanted(*tenants: str | None, subjects: str | None = None) -> list[Delivery]:
    """Return one delivery a tenant, in order, each about something of its own unless subjects are given."""
    bodies = [
        weighed(event_id=f"e-{n}") | ({} if tenant is None else {"tenant": tenant}) for n, tenant in enumerate(tenants)
    ]
    if subjects is not None:
        bodies = [body | {"subject": subject} for body, subject in zip(bodies, subjects, strict=True)]
    return listen(batch(*[record(body, message_id=f"m-{n}") for n, body in enumerate(bodies)]))


@pytest.mark.parametrize(
    ("tenants", "order"),
    [
        (["a", "a", "a", "b", "c", "b"], [0, 3, 4, 1, 5, 2]),
        (["a", "a", None, None, "b"], [0, 2, 3, 4, 1]),
        ([None, None], [0, 1]),
        (["a"] * 3, [0, 1, 2]),
    ],
    ids=["in turn", "without a tenant", "no tenants", "one tenant"],
)
def test_tenants_are_served_in_turn(tenants: list[str | None], order: list[int]) -> None:
    """Each has a lane before any has a second; what has no tenant is nobody's second."""
    began: list[str] = []

    def note(delivery: Delivery) -> Outcome:
        began.append(delivery.message_id)
        return DONE

    settled = Lanes(concurrency=1, ordered=False).run(tenanted(*tenants), note)

    assert began == [f"m-{n}" for n in order]
    assert len(settled) == len(tenants)


def test_a_turn_is_a_lane_and_keeps_its_order() -> None:
    """Whose later events don't go before its first."""
    lanes = in_turn(in_lanes(tenanted("a", "a", "b", "a", subjects="xyzx")))

    assert ids(lanes) == [["m-0", "m-3"], ["m-2"], ["m-1"]]


def test_one_subject_of_two_tenants_is_two_lanes() -> None:
    """Neither's deferred event holds up the other's."""
    settled = Lanes(concurrency=1, ordered=True).run(tenanted("a", "b", subjects="xx"), failing("m-0"))

    assert verdicts(settled) == {"m-0": Verdict.RETRY, "m-1": Verdict.DONE}
