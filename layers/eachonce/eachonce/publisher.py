"""The publisher: events to an EventBridge bus.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from eachonce.aws import EventBridge, aws_errors
from eachonce.chunks import chunks
from eachonce.depth import MAX_LEVELS, TooDeepError, shallow
from eachonce.errors import MalformedMessageError, PublishError, Unsent
from eachonce.event import Event, decode
from eachonce.reason import reason_of

# Of one request: so many entries, and less than 1 MB of them together; a queue's message has 1 MiB, envelope included.
MAX_ENTRIES = 10
MAX_BYTES = 1_000_000

# The only characters that SQS refuses and JSON has as they are. Escaped they are no better: the bus writes JSON anew.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_NONCHARACTERS = tuple(character.encode() for character in "\ufffe\uffff")
_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u[fF]{3}[eEfF]")

# What may go well the next time; any other code blames the entry itself.
_PASSING = frozenset({"InternalFailure", "InternalException", "ThrottlingException", "ServiceUnavailable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event as PutEvents takes it; `place` is where it stood among the events given to the publisher."""

    place: int
    source: str
    detail_type: str
    detail: str
    size_bytes: int

    def request(self, bus: str) -> dict[str, Any]:
        """Return the entry in PutEvents' shape."""
        return {"EventBusName": bus, "Source": self.source, "DetailType": self.detail_type, "Detail": self.detail}


class Publisher:
    """Publishes events in as few calls as the limits allow, and sends again only the entries that failed.

    An entry whose answer was lost is sent again: the bus may deliver a copy, with the same event id.
    """

    def __init__(
        self,
        client: EventBridge,
        bus: str,
        *,
        tries: int = 4,
        base_seconds: float = 0.1,
        sleep: Callable[[float], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._bus = bus
        self._tries = tries
        self._base_seconds = base_seconds
        self._sleep = time.sleep if sleep is None else sleep
        self._jitter = jitter

    def publish(self, events: Iterable[Event[Any] | bytes]) -> None:
        """Publish events, or their CloudEvents JSON text.

        Raises PublishError that names each event that was not published; all others were.
        """
        waiting, unsent = _entries(events)
        for tried in range(self._tries):
            if not waiting:
                break
            if tried:
                self._sleep(self._base_seconds * 2**tried * self._jitter())
            failed = [failure for chunk in _chunks(waiting) for failure in self._put(chunk)]
            again = {failure.place for failure in failed if failure.code in _PASSING and tried + 1 < self._tries}
            unsent += [failure for failure in failed if failure.place not in again]
            waiting = [entry for entry in waiting if entry.place in again]
        if unsent:
            raise PublishError(sorted(unsent, key=lambda failure: failure.place))

    def _put(self, chunk: Sequence[Entry]) -> list[Unsent]:
        try:
            answers = self._client.put_events(Entries=[entry.request(self._bus) for entry in chunk])["Entries"]
        except aws_errors() as error:
            answers = [_answer(error)] * len(chunk)
        return [
            Unsent(place=entry.place, code=answer["ErrorCode"], message=answer.get("ErrorMessage", ""))
            for entry, answer in zip(chunk, answers, strict=True)
            if answer.get("ErrorCode")
        ]


def size_bytes(event: Event[Any]) -> int:
    """Return an event's size as EventBridge counts it: the bus takes up to MAX_BYTES.

    Raises MalformedMessageError when no queue would take it, TooDeepError when no consumer would read it.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
    """
    return _size_bytes(event, _checked(event.encode()))


def _size_bytes(envelope: Event[Any], text: bytes) -> int:
    return len(envelope.source.encode()) + len(envelope.type.encode()) + len(text)


def _checked(text: bytes) -> bytes:
    if any(character in text for character in _NONCHARACTERS) or (b"\\u" in text and _ESCAPED.search(text)):
        raise MalformedMessageError("it holds U+FFFE or U+FFFF, which no queue takes")
    return shallow(text, MAX_LEVELS - 1)  # the bus wraps it once


def _entries(events: Iterable[Event[Any] | bytes]) -> tuple[list[Entry], list[Unsent]]:
    """Return the entries to send, and the events that no bus takes: those must not stop the others."""
    entries: list[Entry] = []
    unsent: list[Unsent] = []
    for place, event in enumerate(events):
        try:
            entry = _entry(place, event)
        except (MalformedMessageError, TooDeepError, UnicodeError) as error:
            message = f"it is no event: {reason_of(error)}"
            unsent.append(Unsent(place=place, code="MalformedEvent", message=message))
            continue
        if entry.size_bytes > MAX_BYTES:
            unsent.append(_too_large(entry))
        else:
            entries.append(entry)
    return entries, unsent


def _entry(place: int, event: Event[Any] | bytes) -> Entry:
    text = _checked(event if isinstance(event, bytes) else event.encode())
    envelope = decode(msgspec.Raw(text)) if isinstance(event, bytes) else event
    return Entry(
        place=place,
        source=envelope.source,
        detail_type=envelope.type,
        detail=text.decode(),
        size_bytes=_size_bytes(envelope, text),
    )


def _too_large(entry: Entry) -> Unsent:
    message = f"the entry has {entry.size_bytes:,} bytes and PutEvents takes {MAX_BYTES:,}: split the event"
    return Unsent(place=entry.place, code="EntryTooLarge", message=message)


def _chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    return chunks(entries, size_bytes=lambda entry: entry.size_bytes, max_items=MAX_ENTRIES, max_bytes=MAX_BYTES)


def _answer(error: Exception) -> dict[str, str]:
    """Return what a failed call says of each of its entries; one that had no response may have succeeded."""
    response = getattr(error, "response", None)
    if response is None:
        return {"ErrorCode": "ServiceUnavailable", "ErrorMessage": f"no response: {type(error).__name__}"}
    return {"ErrorCode": response["Error"]["Code"], "ErrorMessage": response["Error"].get("Message", "")}
