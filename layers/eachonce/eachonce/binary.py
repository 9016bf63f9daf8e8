"""CloudEvents in binary form: the attributes are a message's own, and its body is the data.

CloudEvents has no binding to SQS and SNS. In its others an attribute's name begins with `ce_` (Kafka), `ce-` (HTTP) or
`cloudEvents_` and `cloudEvents:` (AMQP); which of them doesn't matter here, nor in which case it is written.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from eachonce.errors import MalformedMessageError
from eachonce.event import RawEvent, of_attributes
from eachonce.reason import reason_of

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_PREFIXES = ("ce_", "ce-", "cloudevents:", "cloudevents_")
_CONTENT_TYPES = frozenset({"content-type", "contenttype", "content_type"})


def content_type(attributes: Mapping[str, Any]) -> str | None:
    """Return the media type that is said of a body, without its parameters; None where nobody says one."""
    for name, value in attributes.items():
        if _plain(name) in _CONTENT_TYPES and isinstance(text := text_of(value), str):
            return text.partition(";")[0].strip().lower()
    return None


def is_event(attributes: Mapping[str, Any]) -> bool:
    """Whether attributes say that they are those of an event: they name its `specversion`."""
    return any(name == "specversion" for name, _ in _named(attributes))


def decode(attributes: Mapping[str, Any], data: msgspec.Raw) -> RawEvent:
    """Return the event of which `data` is the body; raises MalformedMessageError when the attributes aren't one's."""
    read: dict[str, str] = {}
    for name, value in _named(attributes):
        text = text_of(value)
        if text is None:
            raise MalformedMessageError(f"the message attribute of {name} is not text" if name in _KNOWN else _OTHER)
        if read.setdefault(name, text) != text:
            raise MalformedMessageError("a message attribute of its event is said twice, and not alike")
    try:
        return of_attributes(read, data)
    except msgspec.ValidationError as error:
        raise MalformedMessageError(f"the message attributes hold no CloudEvents event: {reason_of(error)}") from None


def structured(event: RawEvent) -> bytes:
    """Return an event as one text, with its data as base64 where that is no JSON."""
    try:
        msgspec.json.decode(event.data)
    except (msgspec.DecodeError, UnicodeError):
        bare = msgspec.to_builtins(event.with_data(None))
        return msgspec.json.encode({**bare, "data_base64": bytes(event.data)})
    return event.encode()


_KNOWN = frozenset({"specversion", "id", "source", "type", "subject", "time"})
_OTHER = "a message attribute of its event is not text"


def _named(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield CloudEvents' attributes, by their own names."""
    for name, value in attributes.items():
        plain = _plain(name)
        for prefix in _PREFIXES:
            if plain.startswith(prefix):
                yield plain.removeprefix(prefix), value
                break


def _plain(name: Any) -> str:
    return name.lower() if isinstance(name, str) else ""


def text_of(value: Any) -> str | None:
    """Return the text of an attribute as Lambda's SQS records have it, or SNS's notifications."""
    if not isinstance(value, Mapping):
        return None
    text = value.get("stringValue", value.get("Value"))
    try:
        return text if isinstance(text, str) and text.encode() is not None else None
    except UnicodeError:
        return None
