"""What SQS takes as a message, and what it refuses.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
"""

from __future__ import annotations

import re
from typing import Any

from moto.sqs.exceptions import MissingParameter, SQSException

from eachonce_workbench.cloud.store.queues import attributes
from eachonce_workbench.cloud.store.queues.attributes import Attributes
from eachonce_workbench.cloud.store.queues.message import Message
from eachonce_workbench.cloud.store.queues.refusals import (
    ALLOWED_CHARACTERS,
    FORBIDDEN_CHARACTERS,
    invalid,
    invalid_value,
)

MAX_MESSAGE_BYTES = 1_048_576
MAX_DELAY_SECONDS = 900

_ID = re.compile("[!-~]{1,128}")  # ASCII's letters, digits and punctuation


def check(queue: Any, message: Message, delay: int | None) -> None:
    """Raise `SQSException` as SQS refuses to send a message; a `delay` of None is the queue's own."""
    check_body(message.body)
    attributes.check(message.attributes)
    attributes.check_system(message.system)
    if size_bytes(message.body, message.attributes) > queue.maximum_message_size:
        raise invalid(
            "One or more parameters are invalid. "
            f"Reason: Message must be shorter than {queue.maximum_message_size} bytes."
        )
    check_id("MessageGroupId", message.group_id)
    check_id("MessageDeduplicationId", message.deduplication_id)
    if queue.fifo_queue:
        _check_fifo(message, delay)
    else:
        _check_standard(message, delay)


def check_body(body: str | None) -> None:
    """Raise `SQSException` for a body that no queue takes."""
    if not body:
        raise MissingParameter("MessageBody")
    if FORBIDDEN_CHARACTERS.search(body):
        raise SQSException("InvalidMessageContents", f"Invalid characters found. {ALLOWED_CHARACTERS}")


def check_id(parameter: str, given: str | None) -> None:
    """Raise `SQSException` for a group, a deduplication or an attempt that no queue knows; None is nothing given."""
    if given is not None and not _ID.fullmatch(given):
        reason = f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise invalid_value(parameter, given, reason)


def size_bytes(body: str, with_attributes: Attributes) -> int:
    """A message's size: its body and its attributes.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
    """
    return len(body.encode(errors="surrogatepass")) + attributes.size_bytes(with_attributes)


def _check_fifo(message: Message, delay: int | None) -> None:
    if message.group_id is None:
        raise MissingParameter("MessageGroupId")
    if message.deduplication_id is None:
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    if delay:
        reason = "The request include parameter that is not valid for this queue type."
        raise invalid_value("DelaySeconds", delay, reason)


def _check_standard(message: Message, delay: int | None) -> None:
    if message.deduplication_id is not None:
        reason = "The request includes a parameter that is not valid for this queue type."
        raise invalid_value("MessageDeduplicationId", message.deduplication_id, reason)
    if delay is not None and not 0 <= delay <= MAX_DELAY_SECONDS:
        raise invalid_value("DelaySeconds", delay, f"DelaySeconds must be >= 0 and <= {MAX_DELAY_SECONDS}.")
