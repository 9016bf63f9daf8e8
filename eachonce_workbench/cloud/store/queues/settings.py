"""A queue's attributes: which SQS takes, within which limits.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.sqs.exceptions import InvalidAttributeName, InvalidAttributeValue, SQSException

from eachonce_workbench.cloud.store.queues import redrive
from eachonce_workbench.cloud.store.queues.refusals import FORBIDDEN_CHARACTERS, invalid

_NUMBERS = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1_024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
_CHOICES = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("queue", "messageGroup"),
    "FifoQueue": ("true",),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
    "SqsManagedSseEnabled": ("true", "false"),
}
_FIFO_ONLY = ("FifoQueue", "ContentBasedDeduplication")
_HIGH_THROUGHPUT = ("DeduplicationScope", "FifoThroughputLimit")

# The numbers that SQS counts itself; nobody sets them.
COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
)
SETTABLE = (*_NUMBERS, *_CHOICES, "KmsMasterKeyId", "Policy", "RedrivePolicy", "RedriveAllowPolicy")
NAMES = frozenset((*COUNTED, *SETTABLE))

_MAX_TAG_NAME = 128
_MAX_TAG_VALUE = 256

_WHOLE = re.compile("[0-9]{1,10}")
_PLAIN_NAME = re.compile("[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,75}\.fifo")


def check_name(name: str, *, fifo: bool) -> None:
    """Raise `SQSException` for a name that no new queue can have."""
    if fifo and not _FIFO_NAME.fullmatch(name):
        raise SQSException(
            "InvalidParameterValue",
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end "
            "with .fifo suffix and be 1 to 80 in length",
        )
    if not fifo and not _PLAIN_NAME.fullmatch(name):
        raise SQSException(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )


def read(given: Mapping[str, Any], *, fifo: bool) -> dict[str, Any]:
    """The values of some attributes: whole numbers, words, and policies as dictionaries (None: taken away).

    Raises `SQSException` as SQS refuses them.
    """
    for name in given:
        _check_known(name, fifo=fifo)
    values = {name: _value(name, value) for name, value in given.items()}
    if values.get("KmsMasterKeyId") and values.get("SqsManagedSseEnabled") == "true":
        raise SQSException(
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS "
            "SSE.",
        )
    return values


def check_throughput(values: Mapping[str, Any]) -> None:
    """Raise `SQSException` for a queue with a throughput by message group and duplicates by queue."""
    if values.get("FifoThroughputLimit") == "perMessageGroupId" and values.get("DeduplicationScope") != "messageGroup":
        raise SQSException(
            "InvalidAttributeValue",
            "Invalid value for the parameter FifoThroughputLimit. Reason: The perMessageGroupId value is allowed only "
            "when the value for DeduplicationScope is messageGroup.",
        )


def for_moto(name: str, value: Any) -> Any:
    """A value as moto's queue holds it."""
    if name in _FIFO_ONLY:
        return value == "true"
    return json.dumps(value) if name == "Policy" and value is not None else value


def described(queue: Any) -> dict[str, str]:
    """All that a queue of moto's says of itself, as SQS answers it: times in whole seconds."""
    values = {
        **queue.attributes,
        "CreatedTimestamp": int(queue.created_timestamp),
        "LastModifiedTimestamp": int(queue.last_modified_timestamp),
        "RedrivePolicy": queue.redrive_policy,
        "RedriveAllowPolicy": getattr(queue, "redrive_allow_policy", None),
    }
    return {name: text(value) for name, value in values.items() if value is not None}


def check_tags(tags: Mapping[str, str]) -> None:
    """Raise `SQSException` for tags that no queue has.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
    """
    for name, value in tags.items():
        if not 0 < len(name) <= _MAX_TAG_NAME or FORBIDDEN_CHARACTERS.search(name):
            raise invalid(f"Tag keys must be between 1 and {_MAX_TAG_NAME} characters in length.")
        if len(value) > _MAX_TAG_VALUE or FORBIDDEN_CHARACTERS.search(value):
            raise invalid(f"Tag values must be between 0 and {_MAX_TAG_VALUE} characters in length.")


def text(value: object) -> str:
    """A value as SQS answers it."""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict) else str(value)


def _check_known(name: str, *, fifo: bool) -> None:
    if name in _HIGH_THROUGHPUT and not fifo:
        raise SQSException("InvalidAttributeName", f"You can specify the {name} only when FifoQueue is set to true.")
    if name not in SETTABLE or (name in _FIFO_ONLY and not fifo):
        raise InvalidAttributeName(name)


def _value(name: str, value: Any) -> Any:
    if name in _NUMBERS:
        return _number(name, text(value))
    if name in _CHOICES:
        return _choice(name, text(value))
    if name == "RedrivePolicy":
        return redrive.policy(text(value))
    if name == "RedriveAllowPolicy":
        return redrive.allow_policy(text(value))
    if name == "Policy":
        return _policy(text(value))
    return value or None


def _number(name: str, value: str) -> int:
    lowest, highest = _NUMBERS[name]
    if not _WHOLE.fullmatch(value) or not lowest <= int(value) <= highest:
        raise InvalidAttributeValue(name)
    return int(value)


def _choice(name: str, value: str) -> str:
    for choice in _CHOICES[name]:
        if value == choice or (choice in ("true", "false") and value.lower() == choice):
            return choice
    if name == "FifoQueue":
        raise SQSException(
            "InvalidAttributeValue",
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
        )
    raise InvalidAttributeValue(name)


def _policy(value: str) -> dict[str, Any] | None:
    if not value:
        return None
    try:
        policy = json.loads(value)
    except (ValueError, RecursionError):
        policy = None
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    if not isinstance(statements, list) or not all(isinstance(statement, dict) for statement in statements):
        raise InvalidAttributeValue("Policy")
    return dict(policy)
