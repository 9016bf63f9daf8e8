"""Where the end of an asynchronous invocation is told: queues, buses, functions, topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from eachonce_workbench.cloud.post import Publish
from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.queues.queues import QueueError, Queues


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What an invocation of `function_arn` leaves behind; queues and topics carry the attributes, too."""

    body: str
    function_arn: str
    result: Literal["Success", "Failure"]
    attributes: Mapping[str, str | int] = field(default_factory=dict)


class DestinationError(Exception):
    """A destination did not take what it was sent."""


Send = Callable[[str, Message], None]
"""Sends to the queue, bus, function or topic with this ARN, at once or never. Raises DestinationError."""


def nowhere(arn: str, message: Message) -> None:  # noqa: ARG001 - a Send
    """Refuse: there are no destinations."""
    raise DestinationError(f"there is no {arn}")


class Destinations:
    """The destinations of one local cloud; a `Send`."""

    def __init__(
        self,
        *,
        queues: Queues,
        put_events: Callable[[list[Mapping[str, Any]]], dict[str, Any]],
        start: Callable[[str, bytes], object],
        publish: Publish | None = None,
    ) -> None:
        """Take the queues, what publishes on buses, what begins an invocation, and what answers for topics."""
        self._queues = queues
        self._put_events = put_events
        self._start = start
        self._publish_on_topic = publish

    def __call__(self, arn: str, message: Message) -> None:
        """Send to what the ARN names."""
        try:
            match arn.split(":")[2:3]:
                case ["sqs"]:
                    self._queues.send(arn, message.body, attributes=message.attributes)
                case ["events"]:
                    self._publish(arn, message)
                case ["lambda"]:
                    self._start(arn, message.body.encode())
                case ["sns"] if self._publish_on_topic is not None:
                    self._publish_on_topic(arn, message.body, attributes=message.attributes)
                case _:
                    raise DestinationError("the local cloud has nothing like it")
        except (QueueError, KeyError, AwsError) as error:
            raise DestinationError(f"{type(error).__name__}: {error}") from error

    def _publish(self, bus_arn: str, message: Message) -> None:
        entry = {
            "EventBusName": bus_arn,
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {message.result}",
            "Resources": [bus_arn, message.function_arn],
            "Detail": message.body,
        }
        answer = self._put_events([entry])
        if answer["FailedEntryCount"]:
            raise DestinationError(answer["Entries"][0]["ErrorMessage"])
