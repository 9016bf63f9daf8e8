"""One event on its way to one target: tried, tried again, and in the end in the target's dead-letter queue.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html and eb-rule-dlq.html
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.cloud.history import History, Kind
from eachonce_workbench.cloud.post import After, Post, Publish, Start, UndeliverableError
from eachonce_workbench.cloud.store.queues.queues import QueueError, Queues
from eachonce_workbench.matching.message_group import NoGroupError, group_for
from eachonce_workbench.matching.reading import to_json
from eachonce_workbench.template.topology import Rule, Target

Forward = Callable[[dict[str, Any], str], None]
"""Hands an event on to the bus with this ARN; raises KeyError when there is none."""

# EventBridge backs off exponentially, with jitter, so that 185 attempts fill 24 hours; its steps aren't published.
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 900.0


@dataclass(slots=True, kw_only=True)
class Delivery:
    """What is to be delivered, in which trace, and how often that has failed."""

    rule: Rule
    target: Target
    event: dict[str, Any]
    body: str
    begun_at: float
    retries: int = 0
    trace_header: str | None = None


class Courier:
    """Delivers to queues, functions, topics and buses, with the retries and the dead-letter queue of each target."""

    def __init__(
        self,
        queues: Queues,
        history: History,
        *,
        after: After,
        forward: Forward,
        start: Start | None = None,
        publish: Publish | None = None,
        seed: int = 0,
    ) -> None:
        self._queues = queues
        self._post = Post(queues, start=start, publish=publish)
        self._history = history
        self._after = after
        self._forward = forward
        self._random = random.Random(seed)  # noqa: S311 - jitter, not cryptography
        self.waiting = 0

    def deliver(self, delivery: Delivery, *, in_seconds: float = 0.0) -> None:
        """Try once, now or later; on failure wait and try again, or give up."""
        if in_seconds > 0.0:
            self._later(delivery, in_seconds)
        else:
            self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            message_id = self._send(delivery)
        except UndeliverableError as error:
            if error.retriable:
                self._retry_or_give_up(delivery, error.message)
            else:
                self.give_up(delivery, error.code, error.message)
        else:
            self._tell("delivered", delivery, message_id=message_id)

    def _send(self, delivery: Delivery) -> str | None:
        """Send it, and return the id that a queue gave it."""
        target = delivery.target
        if ":events:" not in target.arn:
            return self._post.send(
                target.arn, delivery.body, group_id=_group(delivery), trace_header=delivery.trace_header
            )
        try:
            self._forward(delivery.event, target.arn)
        except KeyError as error:
            raise UndeliverableError("NO_RESOURCE", f"The target does not exist: {error}") from error
        return None

    def _retry_or_give_up(self, delivery: Delivery, message: str) -> None:
        exhausted = self._exhausted(delivery)
        if exhausted is not None:
            self.give_up(delivery, "CONNECTION_FAILURE", message, exhausted=exhausted)
            return
        delivery.retries += 1
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (delivery.retries - 1))
        self._later(delivery, self._random.uniform(0, longest))

    def _exhausted(self, delivery: Delivery) -> str | None:
        if delivery.retries >= delivery.target.max_attempts:
            return "MaximumRetryAttempts"
        if time.time() - delivery.begun_at >= delivery.target.max_age_seconds:
            return "MaximumEventAgeInSeconds"
        return None

    def _later(self, delivery: Delivery, seconds: float) -> None:
        self.waiting += 1
        self._after(seconds, lambda: self._again(delivery))

    def _again(self, delivery: Delivery) -> None:
        self.waiting -= 1
        self._deliver(delivery)

    def give_up(self, delivery: Delivery, code: str, message: str, *, exhausted: str | None = None) -> None:
        """Put what can't be delivered into the target's dead-letter queue, if it has one."""
        attributes = {
            "RULE_ARN": delivery.rule.arn,
            "TARGET_ARN": delivery.target.arn,
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message,
        }
        if exhausted is not None:
            attributes |= {"EXHAUSTED_RETRY_CONDITION": exhausted, "RETRY_ATTEMPTS": str(delivery.retries)}
        kept = self._keep(delivery, attributes)
        self._tell("undelivered", delivery, reason=code, message=message, dead_letter_arn=kept)

    def _keep(self, delivery: Delivery, attributes: dict[str, str]) -> str | None:
        arn = delivery.target.dead_letter_arn
        if arn is None:
            return None
        try:
            self._queues.send(arn, to_json(delivery.event), attributes=attributes, trace_header=delivery.trace_header)
        except QueueError:
            return None
        return arn

    def _tell(self, kind: Kind, delivery: Delivery, **fields: Any) -> None:
        self._history.record(
            kind, event_id=delivery.event["id"], rule=delivery.rule.name, target_arn=delivery.target.arn, **fields
        )


def _group(delivery: Delivery) -> str | None:
    try:
        return group_for(delivery.target.message_group_id, delivery.target.arn, delivery.event)
    except NoGroupError as error:
        raise UndeliverableError("INVALID_PARAMETER", f"MessageGroupId: {error}") from error
