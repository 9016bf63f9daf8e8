"""What SNS refuses of a message before anybody gets it.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html, and the sizes of
https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html. Messages are those that SNS answers with.
"""

from __future__ import annotations

import json
import re

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.topics.message import Attributes, Message
from eachonce_workbench.template.event_sources import Topic

MAX_MESSAGE_BYTES = 256 * 1024
MOST_BATCH_ENTRIES = 10
_LONGEST_SUBJECT = 100
_GROUP = re.compile("[!-~]{1,128}")
_TYPES = ("String", "String.Array", "Number", "Binary")


def check(topic: Topic, message: Message) -> None:
    """Raise `AwsError` InvalidParameter or ParameterValueInvalid for what the topic doesn't take."""
    if not message.text:
        raise invalid("Empty message")
    if message.subject is not None and not _is_subject(message.subject):
        raise invalid("Subject")
    _check_attributes(message.attributes)
    if size_bytes(message) > MAX_MESSAGE_BYTES:
        raise invalid("Message too long")
    if message.structured:
        _check_structure(message.text)
    if message.group_id and not _GROUP.fullmatch(message.group_id):
        raise invalid("MessageGroupId Reason: it has 1 to 128 alphanumeric and punctuation characters")
    if topic.fifo:
        _check_fifo(topic, message)
    elif message.deduplication_id is not None:
        raise invalid(
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid "
            "for this topic type"
        )


def size_bytes(message: Message) -> int:
    """A message's size as SNS counts it: its text and its attributes' names, types and values."""
    values = (
        len(name.encode()) + len(each["DataType"]) + len(each.get("BinaryValue") or each["StringValue"].encode())
        for name, each in message.attributes.items()
    )
    return len(message.text.encode()) + sum(values)


def invalid(reason: str) -> AwsError:
    """What SNS says of a parameter that it doesn't take."""
    return AwsError("InvalidParameter", f"Invalid parameter: {reason}")


def _is_subject(subject: str) -> bool:
    return 0 < len(subject) <= _LONGEST_SUBJECT and subject.isprintable() and not subject[0].isspace()


def _check_structure(text: str) -> None:
    try:
        texts = json.loads(text)
    except ValueError:
        raise invalid("Message Structure - JSON message body failed to parse") from None
    if not isinstance(texts, dict) or "default" not in texts:
        raise invalid("Message Structure - No default entry in JSON message body")


def _check_attributes(attributes: Attributes) -> None:
    for name, value in attributes.items():
        kind = str(value.get("DataType", ""))
        if kind not in _TYPES and not kind.startswith(("String.", "Number.", "Binary.")):
            raise AwsError(
                "ParameterValueInvalid",
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String.",
            )
        if not value.get("BinaryValue") and not value.get("StringValue"):
            raise AwsError(
                "ParameterValueInvalid",
                f"The message attribute '{name}' must contain non-empty message attribute value.",
            )
        if kind.startswith("Number"):
            _check_number(name, str(value.get("StringValue")))


def _check_number(name: str, text: str) -> None:
    try:
        float(text)
    except ValueError:
        raise AwsError("ParameterValueInvalid", f"Could not cast message attribute '{name}' value to number.") from None


def _check_fifo(topic: Topic, message: Message) -> None:
    if not message.group_id:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    if not message.deduplication_id and not topic.content_based_deduplication:
        raise invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
