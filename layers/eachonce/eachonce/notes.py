"""What a dead letter says of itself: notes that fit beside its body, which is never changed.

SQS counts an attribute's name, type and value as bytes of the message.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPE = "String"
_MAX_CHARACTERS = 1024
_LEAST_REASON_BYTES = 64  # other notes give way before the reason gets shorter than this


def fitting(notes: Mapping[str, str | None], room_bytes: int) -> dict[str, str]:
    """Return the notes that fit into `room_bytes`, of those that are given with the most telling first.

    The reason is shortened first; then the others are left out from the last, whole, as a part of an id is another id;
    and the reason is the last to go.
    """
    kept = {name: text for name, value in notes.items() if value and (text := _fit(name, value))}
    reason = kept.pop("reason", "")
    least = size_bytes({"reason": _cut(reason, _LEAST_REASON_BYTES)})
    while kept and size_bytes(kept) + least > room_bytes:
        kept.popitem()
    reason = _cut(reason, room_bytes - size_bytes(kept) - size_bytes({"reason": ""}))
    return ({"reason": reason} if reason else {}) | kept


def size_bytes(notes: Mapping[str, str]) -> int:
    """Return what the notes add to the size of their message."""
    return sum(len(name.encode()) + len(_TYPE) + len(text.encode()) for name, text in notes.items())


def attributes(notes: Mapping[str, str]) -> dict[str, Any]:
    """Return the notes as SQS takes them."""
    return {name: {"DataType": _TYPE, "StringValue": text} for name, text in notes.items()}


def _fit(name: str, value: str) -> str:
    """Return text that SQS takes as an attribute; empty for an id that can't be told as it is."""
    printable = "".join(character if character.isprintable() else "?" for character in value)
    if name == "event_id" and (printable != value or len(value) > _MAX_CHARACTERS):
        return ""
    return printable[:_MAX_CHARACTERS]


def _cut(text: str, limit_bytes: int) -> str:
    return text.encode()[: max(limit_bytes, 0)].decode(errors="ignore")
