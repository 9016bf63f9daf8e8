"""The steps of a simulation, as whoever replays it is told them."""

from __future__ import annotations

import pytest

from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.simulator import step_by_step as module
from eachonce_workbench.simulator.step_by_step import StepByStep
from eachonce_workbench.simulator.watch import Violation

PUBLISHED = {
    "event_id": "b-1",
    "bus": "town",
    "event": {"detail-type": "Sold", "detail": {"id": "e-1", "type": "Sold"}},
}


def told(recorder: StepByStep) -> list[tuple[str, str]]:
    return [(step.kind, step.told) for step in recorder.steps]


def test_an_event_keeps_its_name_on_its_way() -> None:
    """Whatever numbers the bus and the queue give it."""
    recorder = StepByStep()

    recorder(Happening("published", PUBLISHED))
    recorder(Happening("delivered", {"event_id": "b-1", "target_arn": "arn:aws:sqs:r:1:work", "message_id": "m-1"}))
    recorder(Happening("acknowledged", {"message_id": "m-1", "queue_arn": "arn:aws:sqs:r:1:work"}))
    recorder(Happening("metric", {}))

    assert told(recorder) == [
        ("event", "Sold e-1 is published on the bus town"),
        ("event", "Sold e-1 comes to work"),
        ("message", "Sold e-1 of work leaves its queue"),
    ]


def test_of_too_many_steps_the_broken_promises_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are counted."""
    monkeypatch.setattr(module, "MOST_STEPS", 2)
    recorder = StepByStep()

    for each in "abcd":
        recorder.fault(each)
    recorder.broken(Violation("no event lost", "e-1"))

    assert told(recorder) == [("fault", "a"), ("fault", "b"), ("broken", "no event lost: e-1")]
    assert recorder.document()["left_out"] == 2


def test_no_step_is_longer_than_a_page_can_show() -> None:
    """An event's own texts may be."""
    recorder = StepByStep()

    recorder.fault("x" * 1_000_000)

    assert len(recorder.steps[0].told) == 1_001
