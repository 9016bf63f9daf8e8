"""A consumer is paused and resumed, and whoever asks is told what waits meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from eachonce_workbench.operations.pause import PATIENCE_SECONDS, Backlog, StillMovingError, Switching
from eachonce_workbench.operations.stack import SourceMapping, UnknownConsumerError, find
from tests.deployed import LETTERS, Deployed, body_of


class InUseError(Exception):
    """Lambda's ResourceInUseException."""


class Lambda:
    """Lambda as it is slow: a mapping takes so many looks to come to rest; `updates` are the calls that it took."""

    class exceptions:  # noqa: N801 - as botocore's clients have it
        ResourceInUseException = InUseError

    def __init__(self, state: str, *, looks: int = 2, refusals: int = 0) -> None:
        self.state = state
        self.looks = looks
        self.refusals = refusals
        self.updates: list[bool] = []
        self._wanted = {"Enabling": "Enabled", "Disabling": "Disabled", "Updating": "Enabled"}.get(state, state)
        self._left = looks

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, Any]:  # noqa: N803 - AWS's own
        if self.state != self._wanted:
            self._left -= 1
            if self._left <= 0:
                self.state = self._wanted
        return {"UUID": UUID, "State": self.state}

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:  # noqa: N803
        if self.refusals or self.state not in ("Enabled", "Disabled"):
            self.refusals -= 1
            raise InUseError
        self.updates.append(Enabled)
        self.state, self._wanted = ("Enabling", "Enabled") if Enabled else ("Disabling", "Disabled")
        self._left = self.looks


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


MAPPING = SourceMapping(consumer="letters", uuid="u-1", queue_arn="arn:aws:sqs:eu-west-1:1:letters", state="Enabled")


def turned(aws: Lambda, *, on: bool) -> tuple[list[str], list[str]]:
    """Return the states in the end, and those that were seen on the way."""
    clock, seen = Clock(), []
    after = Switching(aws, clock=clock, sleep=clock.sleep, seen=seen.append)([MAPPING], on=on)
    return [mapping.state for mapping in after], seen


@pytest.mark.parametrize("on", [True, False])
def test_a_mapping_is_waited_for_until_it_is_at_rest(on: bool) -> None:
    """Asked for once, and looked at until it is so."""
    aws = Lambda("Disabled" if on else "Enabled", looks=4)

    states, seen = turned(aws, on=on)

    assert states == ["Enabled" if on else "Disabled"]
    assert aws.updates == [on]
    assert ("Enabling" if on else "Disabling") in seen


@pytest.mark.parametrize("on", [True, False])
def test_what_is_so_already_is_not_touched(on: bool) -> None:
    """As for a second command after the first one's answer was lost."""
    aws = Lambda("Enabled" if on else "Disabled")

    turned(aws, on=on)

    assert aws.updates == []


@pytest.mark.parametrize(
    ("state", "on", "updates"),
    [
        ("Disabling", False, []),
        ("Enabling", True, []),
        ("Disabling", True, [True]),
        ("Enabling", False, [False]),
        ("Updating", False, [False]),
    ],
)
def test_a_mapping_on_its_way_is_waited_for_first(state: str, on: bool, updates: list[bool]) -> None:
    """Lambda refuses to change it meanwhile; when it is where it is to be, there is nothing to change."""
    aws = Lambda(state)

    states, _ = turned(aws, on=on)

    assert states == ["Enabled" if on else "Disabled"]
    assert aws.updates == updates


def test_a_refusal_because_somebody_else_changes_it_is_no_end() -> None:
    """It is looked at again, and asked for again."""
    aws = Lambda("Enabled", refusals=2)

    states, _ = turned(aws, on=False)

    assert (states, aws.updates) == (["Disabled"], [False])


def test_patience_ends() -> None:
    """With the state that it is in; nothing is taken back."""
    aws = Lambda("Enabled", looks=10_000)
    clock = Clock()

    with pytest.raises(StillMovingError, match="letters is still Disabling"):
        Switching(aws, clock=clock, sleep=clock.sleep)([MAPPING], on=False)

    assert PATIENCE_SECONDS <= clock.now < PATIENCE_SECONDS + 5


def test_a_backlog_is_what_the_queue_says() -> None:
    """What is visible, hidden and delayed, and for how long it is kept."""
    deployed = Deployed()
    for number in range(3):
        deployed.sqs.send_message(QueueUrl=LETTERS.url, MessageBody=body_of(f"e-{number}"))
    deployed.sqs.receive_message(QueueUrl=LETTERS.url)
    deployed.sqs.send_message(QueueUrl=LETTERS.url, MessageBody="later", DelaySeconds=60)

    backlog = Backlog.ask(deployed.sqs, mappings(deployed, "letters")[0].queue_arn)

    assert (backlog.visible, backlog.in_flight, backlog.delayed, backlog.waiting) == (2, 1, 1, 4)
    assert backlog.retention_seconds > 0


def test_a_stack_knows_who_is_paused() -> None:
    """By its mappings of queues; a stream's reader is no consumer."""
    deployed = Deployed()
    (letters,) = mappings(deployed, "Letters")

    Switching(deployed.client("lambda"))([letters], on=False)

    assert stack(deployed).paused == ("letters",)
    assert [mapping.consumer for mapping in stack(deployed).mappings] == ["letters", "parcels"]
    Switching(deployed.client("lambda"))([letters], on=True)
    assert stack(deployed).paused == ()


def test_an_unknown_consumer_is_told_who_there_is() -> None:
    """By their names."""
    with pytest.raises(UnknownConsumerError, match="no consumer 'nobody'; it has letters, parcels"):
        mappings(Deployed(), "nobody")


def stack(deployed: Deployed) -> Any:
    return find(deployed.client, None)


def mappings(deployed: Deployed, consumer: str) -> Sequence[SourceMapping]:
    found: Sequence[SourceMapping] = stack(deployed).mappings_of(consumer)
    return found
