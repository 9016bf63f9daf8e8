"""Where the end of an asynchronous invocation is told: queues, buses, functions, topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from eachonce_workbench.cloud.post import Post, UndeliverableError


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

    def __init__(self, post: Post) -> None:
        """Take what reaches queues, functions, topics and buses."""
        self._post = post

    def __call__(self, arn: str, message: Message) -> None:
        """Send to what the ARN names."""
        try:
            if ":events:" in arn:
                self._post.put(_entry(arn, message))
            else:
                self._post.send(arn, message.body, attributes=message.attributes)
        except UndeliverableError as error:
            raise DestinationError(f"{error.code}: {error.message}") from error


def _entry(bus_arn: str, message: Message) -> dict[str, Any]:
    return {
        "EventBusName": bus_arn,
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {message.result}",
        "Resources": [bus_arn, message.function_arn],
        "Detail": message.body,
    }
