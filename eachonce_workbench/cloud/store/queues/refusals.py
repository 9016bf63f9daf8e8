"""How SQS says no: moto's errors, in SQS's own words."""

from __future__ import annotations

import re

from moto.sqs.exceptions import InvalidParameterValue, SQSException

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
FORBIDDEN_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ALLOWED_CHARACTERS = (
    "Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
)


def invalid(message: str) -> SQSException:
    """A parameter, or some of them together, that SQS doesn't take."""
    return InvalidParameterValue(FORBIDDEN_CHARACTERS.sub("?", message))  # an answer in XML can't hold them either


def invalid_value(parameter: str, value: object, reason: str) -> SQSException:
    """A value that SQS doesn't take for a parameter, and why."""
    return invalid(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def outside(parameter: str, value: int, lowest: int, highest: int) -> SQSException:
    """A number beyond its limits."""
    return invalid_value(parameter, value, f"Must be >= {lowest} and <= {highest}, if provided.")


def unsupported(message: str) -> SQSException:
    """Something that SQS reserves for later."""
    return SQSException("AWS.SimpleQueueService.UnsupportedOperation", message)


def not_found(message: str) -> SQSException:
    """A resource that an ARN names and that isn't there."""
    return SQSException("ResourceNotFoundException", message)
