"""A message's attributes: which SQS takes, what they weigh, and their digest.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from eachonce_workbench.cloud.store.queues.refusals import (
    ALLOWED_CHARACTERS,
    FORBIDDEN_CHARACTERS,
    invalid,
    unsupported,
)

Attributes = Mapping[str, Mapping[str, Any]]
"""By name, in the API's shape: `DataType`, and `StringValue` or `BinaryValue`."""

MAX_ATTRIBUTES = 10  # .../SQSDeveloperGuide/quotas-messages.html

_MAX_NAME = 256
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_RESERVED = ("aws.", "amazon.")
_TYPES = {"String": "StringValue", "Number": "StringValue", "Binary": "BinaryValue"}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_MAX_DIGITS = 38
_SMALLEST, _LARGEST = -128, 126  # powers of ten
_SYSTEM_NAMES = ("AWSTraceHeader",)


def check(attributes: Attributes) -> None:
    """Raise `SQSException` as SQS refuses them."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MAX_ATTRIBUTES}]."
        )
    for name, value in attributes.items():
        _check_name(name)
        _check_type(name, value)
        _check_value(name, value)


def check_system(attributes: Attributes) -> None:
    """Raise `SQSException` for any but a trace header that is a String."""
    for name, value in attributes.items():
        if name not in _SYSTEM_NAMES:
            raise invalid(f"Message system attribute name '{name}' is invalid.")
        _check_type(name, value)
        if value["DataType"] != "String":
            raise invalid(f"The type of message system attribute '{name}' is invalid. It must be String.")
        _check_value(name, value)


def size_bytes(attributes: Attributes) -> int:
    """What they add to a message's size: names, types and values.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
    """
    return sum(
        len(_encoded(name)) + len(_encoded(value["DataType"])) + len(_content(value))
        for name, value in attributes.items()
    )


def digest(attributes: Attributes) -> str:
    """The MD5 by which a client knows that they arrived.

    .../SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
    """
    md5 = hashlib.md5(usedforsecurity=False)
    for name, value in sorted(attributes.items()):
        transport = b"\x02" if _is_binary(value) else b"\x01"
        parts = (_encoded(name), _encoded(value["DataType"]), _content(value))
        sized_name, sized_type, sized_content = (len(part).to_bytes(4, "big") + part for part in parts)
        md5.update(sized_name + sized_type + transport + sized_content)
    return md5.hexdigest()


def _check_name(name: str) -> None:
    if not name:
        raise invalid("The request must contain non-empty message (user) attribute names.")
    if len(name) > _MAX_NAME:
        raise invalid("Message (user) attribute name must be shorter than 256 bytes.")
    if not _NAME.fullmatch(name):
        raise invalid(
            "Message (user) attributes name can only contain upper and lower score characters, digits, periods, "
            "hyphens and underscores. "
        )
    if name.lower().startswith((*_RESERVED, ".")) or name.endswith("."):
        raise invalid(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for "
            "internal use. Additionally, they cannot start or end with '.'."
        )
    if ".." in name:
        raise invalid("Message (user) attribute name must not have successive '.' characters.")


def _check_type(name: str, value: Mapping[str, Any]) -> None:
    if value.get("StringListValues") or value.get("BinaryListValues"):
        raise unsupported("Message attribute list values in SendMessage operation are not supported.")
    data_type = value.get("DataType")
    if not data_type:
        raise invalid(f"The message (user) attribute '{name}' must contain a non-empty message attribute value.")
    if len(data_type) > _MAX_NAME:
        raise invalid("Message (user) attribute type must be shorter than 256 bytes.")
    if data_type.partition(".")[0] not in _TYPES or FORBIDDEN_CHARACTERS.search(data_type):
        raise invalid(
            f"The type of message (user) attribute '{name}' is invalid. You must use only the following supported "
            "type prefixes: Binary, Number, String."
        )


def _check_value(name: str, value: Mapping[str, Any]) -> None:
    kind = value["DataType"].partition(".")[0]
    wanted = _TYPES[kind]
    if not value.get(wanted):
        raise invalid(f"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.")
    if any(value.get(other) for other in _TYPES.values() if other != wanted):
        raise invalid(f"Message (user) attribute '{name}' has multiple values.")
    if wanted == "StringValue" and FORBIDDEN_CHARACTERS.search(value[wanted]):
        raise invalid(f"Message (user) attribute '{name}' contains invalid characters. {ALLOWED_CHARACTERS}")
    if kind == "Number" and not _is_number(value[wanted]):
        raise invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")


def _is_number(text: str) -> bool:
    """Whether SQS takes it: 38 digits, and between 10^-128 and 10^+126."""
    if not _NUMBER.fullmatch(text):
        return False
    number = Decimal(text)
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return not digits or (len(digits) <= _MAX_DIGITS and _SMALLEST <= number.adjusted() <= _LARGEST)


def _is_binary(value: Mapping[str, Any]) -> bool:
    return str(value["DataType"]).startswith("Binary")


def _content(value: Mapping[str, Any]) -> bytes:
    content = value.get("BinaryValue" if _is_binary(value) else "StringValue") or b""
    return content if isinstance(content, bytes) else _encoded(content)


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # what isn't Unicode is measured here, and refused elsewhere
