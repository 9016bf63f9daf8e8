"""What SQS takes as a message, and what it refuses.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.sqs.exceptions import InvalidParameterValue, MissingParameter, SQSException
from moto.sqs.models import MAXIMUM_MESSAGE_DELAY

_FORBIDDEN_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check(
    queue: Any, body: str, attributes: Mapping[str, Any], delay: int | None, deduplication_id: str | None
) -> None:
    """Raise `SQSException` as SQS refuses a message; a `delay` of None is the queue's own."""
    if not body:
        raise MissingParameter("MessageBody")
    if _FORBIDDEN_CHARACTERS.search(body):
        raise SQSException("InvalidMessageContents", "The message contains characters outside the allowed set.")
    if size_bytes(body, attributes) > queue.maximum_message_size:
        raise InvalidParameterValue(
            "One or more parameters are invalid. "
            f"Reason: Message must be shorter than {queue.maximum_message_size} bytes."
        )
    if delay is not None and not 0 <= delay <= MAXIMUM_MESSAGE_DELAY:
        raise InvalidParameterValue(
            f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        )
    if delay and queue.fifo_queue:
        raise InvalidParameterValue(
            f"Value {delay} for parameter DelaySeconds is invalid. Reason: "
            "The request include parameter that is not valid for this queue type."
        )
    if deduplication_id is not None and not queue.fifo_queue:
        raise InvalidParameterValue("MessageDeduplicationId is valid for FIFO queues only.")


def size_bytes(body: str, attributes: Mapping[str, Mapping[str, Any]]) -> int:
    """A message's size: its body, and each attribute's name, type and value.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
    """
    return len(body.encode()) + sum(_attribute_bytes(name, value) for name, value in attributes.items())


def _attribute_bytes(name: str, value: Mapping[str, Any]) -> int:
    content = value.get("StringValue") or value.get("BinaryValue") or b""
    return (
        len(name.encode())
        + len(value["DataType"].encode())
        + len(content if isinstance(content, bytes) else content.encode())
    )
