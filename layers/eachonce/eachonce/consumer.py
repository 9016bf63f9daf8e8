"""The consumer: a Lambda function on an SQS queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext

from eachonce.acknowledger import Acknowledger, Settled
from eachonce.aws import Aws
from eachonce.function import Function, lease
from eachonce.listener import MAX_BODY_BYTES, Delivery, listen
from eachonce.outcome import Outcome, Verdict
from eachonce.settings import Settings


class Consumer(Function):
    """The handlers of one queue, as a Lambda function: each event by itself, its effect once.

    ::

        consumer = Consumer("reserve-stock")

        @consumer.on(OrderPlaced)
        def reserve(event: Event[OrderPlaced], work: Work) -> None:
            ...

        handler = consumer

    `name` is the consumer's identity in the journal: another name handles every event anew. An event of a type
    that has no handler is rejected, or acknowledged where `unknown` is "ignore".
    A body over `max_body_bytes` is rejected.
    """

    def __init__(
        self,
        name: str,
        *,
        unknown: Literal["reject", "ignore"] = "reject",
        max_body_bytes: int = MAX_BODY_BYTES,
        aws: Aws | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(name, aws=aws, settings=settings)
        self._unknown = unknown
        self._max_body_bytes = max_body_bytes

    def __call__(self, batch: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Handle one batch of an SQS event source mapping, and name the messages that are to come again.

        Raises EachonceError when `batch` isn't an SQS event.
        """
        deliveries = listen(batch, max_body_bytes=self._max_body_bytes)
        settled, response = self._acknowledger.acknowledge(list(self._settle(deliveries, lease(context))))
        for delivery, outcome in settled:
            self.report.log(
                outcome, delivery.event, message_id=delivery.message_id, receive_count=delivery.receive_count
            )
        self.report.count(outcome for _, outcome in settled)
        return response

    def _settle(self, deliveries: Sequence[Delivery], allowed: timedelta) -> Iterator[Settled]:
        stopped: set[str] = set()
        for delivery in deliveries:
            if delivery.group_id in stopped:
                outcome = Outcome(verdict=Verdict.RETRY, reason="an earlier message of its group is not done")
            else:
                outcome = self._handle(delivery, allowed)
            if not outcome.final and delivery.group_id is not None:
                stopped.add(delivery.group_id)
            yield delivery, outcome

    def _handle(self, delivery: Delivery, allowed: timedelta) -> Outcome:
        if delivery.event is None:
            return Outcome(verdict=Verdict.REJECT, reason=delivery.flaw, error="MalformedMessageError")
        handler = self.find(delivery.event.type)
        if handler is not None:
            return self.execution.run(handler, delivery.event, lease=allowed)
        if self._unknown == "ignore":
            return Outcome(verdict=Verdict.IGNORED)
        return Outcome(verdict=Verdict.REJECT, reason=f"{self.name} has no handler for {delivery.event.type}")

    @cached_property
    def _acknowledger(self) -> Acknowledger:
        return Acknowledger(self._aws, self.settings, self.name)
