"""A consumer paused and resumed: its event source mappings disabled and enabled, and what its queue keeps meanwhile.

https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eachonce_workbench.operations.stack import SourceMapping, url_of

POLL_SECONDS = 1.0
# Lambda takes from some seconds to a minute or so; it promises nothing.
PATIENCE_SECONDS = 300.0


class StillMovingError(Exception):
    """A mapping didn't come to rest in time; it goes on by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What a queue holds, about, and for how long it keeps a message that nobody deletes."""

    visible: int
    in_flight: int
    delayed: int
    retention_seconds: int

    @property
    def waiting(self) -> int:
        """How many there are."""
        return self.visible + self.in_flight + self.delayed

    @classmethod
    def ask(cls, sqs: Any, queue_arn: str) -> Backlog:
        """Ask SQS of a queue."""
        told = sqs.get_queue_attributes(QueueUrl=url_of(sqs, queue_arn), AttributeNames=["All"])["Attributes"]
        return cls(
            visible=int(told["ApproximateNumberOfMessages"]),
            in_flight=int(told["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(told["ApproximateNumberOfMessagesDelayed"]),
            retention_seconds=int(told["MessageRetentionPeriod"]),
        )


class Switching:
    """Enables or disables mappings, and waits until they are at rest."""

    def __init__(
        self,
        aws_lambda: Any,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        seen: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take a client of Lambda's, how time passes, and whom to tell of each state that is seen."""
        self._lambda = aws_lambda
        self._clock = clock
        self._sleep = sleep
        self._seen = seen

    def __call__(self, mappings: Sequence[SourceMapping], *, on: bool) -> list[SourceMapping]:
        """Return the mappings as they are then; those that were so already are not touched.

        One that is on its way is waited for first: Lambda refuses to change it meanwhile. Asking twice changes nothing.
        Raises StillMovingError.
        """
        gives_up = self._clock() + PATIENCE_SECONDS
        return [self._turn(mapping, "Enabled" if on else "Disabled", gives_up) for mapping in mappings]

    def _turn(self, mapping: SourceMapping, wanted: str, gives_up: float) -> SourceMapping:
        asked = False
        while (state := self._state(mapping)) != wanted:
            if not asked and state in ("Enabled", "Disabled"):
                asked = self._ask(mapping, wanted)
                continue
            if self._clock() >= gives_up:
                raise StillMovingError(f"{mapping.consumer} is still {state} after {PATIENCE_SECONDS:g} seconds")
            self._sleep(POLL_SECONDS)
        return replace(mapping, state=state)

    def _state(self, mapping: SourceMapping) -> str:
        state: str = self._lambda.get_event_source_mapping(UUID=mapping.uuid)["State"]
        self._seen(state)
        return state

    def _ask(self, mapping: SourceMapping, wanted: str) -> bool:
        try:
            self._lambda.update_event_source_mapping(UUID=mapping.uuid, Enabled=wanted == "Enabled")
        except self._lambda.exceptions.ResourceInUseException:
            self._sleep(POLL_SECONDS)  # somebody else changes it: look at what comes of that
            return False
        return True
