"""The publisher: events to an EventBridge bus.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from eachonce.aws import EventBridge, aws_errors
from eachonce.chunks import chunks
from eachonce.deadline import Deadline
from eachonce.depth import MAX_LEVELS, TooDeepError, shallow
from eachonce.description import Description, description_of
from eachonce.encryption import Encryption
from eachonce.errors import (
    AwsError,
    EachonceError,
    HandlerError,
    MalformedMessageError,
    PublishError,
    Unsent,
    duration,
)
from eachonce.event import FORM, PLAIN, Event, RawEvent, decode
from eachonce.isolation import NO_TENANT, is_tenant
from eachonce.keyring import Keyring
from eachonce.marks import marks_of
from eachonce.model import is_model
from eachonce.pace import Pace
from eachonce.reason import reason_of
from eachonce.refusal import THROTTLES, is_passing, is_passing_code
from eachonce.trace_context import x_ray_of

if TYPE_CHECKING:
    from eachonce.signing import Signer

# Of one request: so many entries, and less than 1 MB of them together; a queue's message has 1 MiB, envelope included.
MAX_ENTRIES = 10
MAX_BYTES = 1_000_000
_TIME_BYTES = 14

# Calls at once: one after the other, a shard's hundred rows would take longer than it takes a partition to write them.
_AT_ONCE = 4

# The only characters that SQS refuses and JSON has as they are. Escaped they are no better: the bus writes JSON anew.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_NONCHARACTERS = tuple(character.encode() for character in "\ufffe\uffff")
_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u[fF]{3}[eEfF]")

# What AWS says of an entry that may go well the next time, beside what it says of calls.
_PASSING = frozenset({"InternalException"})

NOT_SENT = "NotSent"
"""What is said of an event that there was no time to send: it went nowhere."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An event as PutEvents takes it; `place` is where it stood among the events given to the publisher."""

    place: int
    source: str
    detail_type: str
    detail: str
    size_bytes: int
    subject: str | None = None
    time: datetime | None = None
    trace_header: str | None = None

    def request(self, bus: str) -> dict[str, Any]:
        """Return the entry in PutEvents' shape."""
        entry = {"EventBusName": bus, "Source": self.source, "DetailType": self.detail_type, "Detail": self.detail}
        more = {"Time": self.time, "TraceHeader": self.trace_header}
        return entry | {name: value for name, value in more.items() if value is not None}


class _Failure(msgspec.Struct, frozen=True):
    """An entry that was not taken; `passing` says whether it may be the next time."""

    unsent: Unsent
    passing: bool


class Publisher:
    """Publishes events in as few calls as the limits allow, and sends again only the entries that failed.

    An entry whose answer was lost is sent again: the bus may deliver a copy, with the same event id. Where the bus asks
    to slow down, or fails, the publisher backs off, and then sends again. Up to four calls are under way at once, in
    threads; events of one subject never are in two of them, so that they reach the bus in order where none fails.

    - `tries`: how often an entry is sent at the most
    - `encrypt_with`: the keys that encrypt the personal fields of contracts that have some
    - `patience`: after so long, in all, nothing more is sent; a number is seconds
    - `sign_with`: the key that signs what is published; an event that can't be signed is not sent
    """

    def __init__(
        self,
        client: EventBridge,
        bus: str,
        *,
        tries: int = 4,
        patience: timedelta | float = timedelta(seconds=30),
        base_seconds: float = 0.1,
        sign_with: Signer | None = None,
        sleep: Callable[[float], None] | None = None,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        encrypt_with: Keyring | None = None,
    ) -> None:
        self._client = client
        self._bus = bus
        self._tries = tries
        self._patience = duration("patience", patience)
        self._base_seconds = base_seconds
        self._sign_with = sign_with
        self._sleep = time.sleep if sleep is None else sleep
        self._jitter = jitter
        self._clock = clock
        self._encryption = None if encrypt_with is None else Encryption(encrypt_with, reads=False)

    def publish(self, events: Iterable[Event[Any] | bytes], *, deadline: Deadline | None = None) -> None:
        """Publish events, or their CloudEvents JSON text; nothing is begun, or waited for, after the `deadline`.

        Raises PublishError that names each event that was not published; all others were.
        """
        waiting, unsent = _entries(map(self._encrypted, events), self._sign_with)
        pace, failed = self._pace(deadline), dict[int, _Failure]()
        for tried in range(self._tries):
            failed = {failure.unsent.place: failure for failure in self._send(waiting, failed, pace, tried)}
            again = {place for place, failure in failed.items() if failure.passing and tried + 1 < self._tries}
            unsent += [failure.unsent for place, failure in failed.items() if place not in again]
            waiting = [entry for entry in waiting if entry.place in again]
        if unsent:
            raise PublishError(sorted(unsent, key=lambda failure: failure.place))

    def _pace(self, deadline: Deadline | None) -> Pace:
        ends = self._clock() + self._patience

        def left() -> timedelta:
            of_patience = ends - self._clock()
            return of_patience if deadline is None else min(of_patience, deadline.usable)

        return Pace(left=left, sleep=self._sleep, jitter=self._jitter, base_seconds=self._base_seconds)

    def _send(
        self, entries: Sequence[Entry], earlier: Mapping[int, _Failure], pace: Pace, tried: int
    ) -> Iterator[_Failure]:
        """Send entries once, as far as there is time, and return those that were not taken, now or `earlier`."""
        doublings, waiting = tried, list(_chunks(entries))
        while waiting:
            flight = _flight(waiting, most=1 if pace.throttled_calls else _AT_ONCE)
            waiting = waiting[len(flight) :]
            if not pace.pause(doublings):
                yield from (_left(entry, earlier.get(entry.place)) for chunk in flight for entry in chunk)
                continue
            doublings = 0
            failures = self._put_at_once(flight)
            pace.note(throttled=any(failure.unsent.code in THROTTLES for failure in failures))
            yield from failures

    def _put_at_once(self, flight: Sequence[Sequence[Entry]]) -> list[_Failure]:
        if len(flight) == 1:
            return self._put(flight[0])
        sending = [self._threads.submit(partial(self._put, chunk)) for chunk in flight]
        wait(sending)
        return [failure for sent in sending for failure in sent.result()]

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="publish")

    def _encrypted(self, event: Event[Any] | bytes) -> Event[Any] | bytes:
        """Return an event as many may see it, as an outbox's is already; raises HandlerError without a ring."""
        contract: Any = None if isinstance(event, bytes) else type(event.data)
        if isinstance(event, bytes) or not is_model(contract) or marks_of(contract) is None:
            return event
        if self._encryption is None:
            raise HandlerError(f"{event.type} has personal fields: its Publisher needs encrypt_with=Keyring()")
        return self._encryption.encrypted(event, event.data)

    def _put(self, chunk: Sequence[Entry]) -> list[_Failure]:
        try:
            answers = self._client.put_events(Entries=[entry.request(self._bus) for entry in chunk])["Entries"]
        except aws_errors() as error:
            answer, passing = _answer(error), getattr(error, "response", None) is None or is_passing(error)
            return [_Failure(_unsent(entry, answer), passing) for entry in chunk]
        return [
            _Failure(_unsent(entry, answer), is_passing_code(code) or code in _PASSING)
            for entry, answer in zip(chunk, answers, strict=True)
            if (code := answer.get("ErrorCode"))
        ]


def _unsent(entry: Entry, answer: Mapping[str, str]) -> Unsent:
    return Unsent(place=entry.place, code=answer["ErrorCode"], message=answer.get("ErrorMessage", ""))


def _left(entry: Entry, earlier: _Failure | None) -> _Failure:
    """Return what is said of an entry that there is no time for: what the bus said of it last, if it was sent."""
    if earlier is not None:
        return replace(earlier, passing=False)
    return _Failure(Unsent(place=entry.place, code=NOT_SENT, message="there was no time to send it"), passing=False)


def size_bytes(event: Event[Any]) -> int:
    """Return an event's size as EventBridge counts it: the bus takes up to MAX_BYTES.

    Raises MalformedMessageError when no queue would take it, TooDeepError when no consumer would read it.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
    """
    return _entry(0, event).size_bytes


def _size_bytes(envelope: Event[Any], text: bytes) -> int:
    return len(envelope.source.encode()) + len(envelope.type.encode()) + len(text)


def _checked(text: bytes) -> bytes:
    if any(character in text for character in _NONCHARACTERS) or (b"\\u" in text and _ESCAPED.search(text)):
        raise MalformedMessageError("it holds U+FFFE or U+FFFF, which no queue takes")
    return shallow(text, MAX_LEVELS - 1)  # the bus wraps it once


def _entries(events: Iterable[Event[Any] | bytes], signer: Signer | None) -> tuple[list[Entry], list[Unsent]]:
    """Return the entries to send, and the events that no bus takes: those must not stop the others."""
    entries: list[Entry] = []
    unsent: list[Unsent] = []
    for place, event in enumerate(events):
        try:
            entry = _entry(place, event if signer is None else _signed(event, signer))
        except (MalformedMessageError, TooDeepError, UnicodeError) as error:
            message = f"it is no event: {reason_of(error)}"
            unsent.append(Unsent(place=place, code="MalformedEvent", message=message))
            continue
        except EachonceError as error:  # it can't be signed, or not now
            code = error.code if isinstance(error, AwsError) else type(error).__name__
            unsent.append(Unsent(place=place, code=code, message=str(error)))
            continue
        if entry.size_bytes > MAX_BYTES:
            unsent.append(_too_large(entry))
        else:
            entries.append(entry)
    return entries, unsent


def _entry(place: int, event: Event[Any] | bytes) -> Entry:
    if not isinstance(event, bytes) and event.tenant is not None and not is_tenant(event.tenant):
        raise MalformedMessageError(f"a queue that is fair to tenants would not take it: {NO_TENANT}")
    text = _checked(event if isinstance(event, bytes) else event.encode())
    envelope = decode(msgspec.Raw(text)) if isinstance(event, bytes) else event
    if _is_plain(event, text):
        return _plain_entry(place, decode(msgspec.Raw(text)), _described(event))
    return Entry(
        place=place,
        source=envelope.source,
        detail_type=envelope.type,
        detail=text.decode(),
        size_bytes=_size_bytes(envelope, text),
        subject=envelope.subject,
    )


def _plain_entry(place: int, event: RawEvent, described: Description | None) -> Entry:
    """Return a plain EventBridge event: its detail is the data alone, and its identity is in that.

    Raises MalformedMessageError when the bus would refuse the data, or no consumer could tell the event from others.
    """
    detail = bytes(event.data)
    if not detail.startswith(b"{"):
        raise MalformedMessageError("a plain event's detail is an object, and its data is none")
    if described is not None and described.fields is not None:
        try:
            described.fields.id_of(event.type, event.data)
        except msgspec.DecodeError as error:
            raise MalformedMessageError(f"it has no identity: {reason_of(error)}") from None
    time = event.time if event.time is not None and event.time.tzinfo is not None else None
    size = _size_bytes(event, detail) + (0 if time is None else _TIME_BYTES)
    return Entry(
        place=place,
        source=event.source,
        detail_type=event.type,
        detail=detail.decode(),
        size_bytes=size,
        time=time,
        trace_header=x_ray_of(event.traceparent),  # the data has no place for it
    )


def _signed(event: Event[Any] | bytes, signer: Signer) -> Event[Any] | bytes:
    """Return an event with a signature in it, and a text with all that it had beside."""
    if not isinstance(event, bytes):
        plain = _is_plain(event, b"")
        return signer.sign(msgspec.structs.replace(event, form=PLAIN) if plain else event)
    form = PLAIN if _is_plain(event, event) else None
    signed = signer.sign(msgspec.structs.replace(decode(msgspec.Raw(event)), form=form))
    members = msgspec.json.decode(event, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**members, "signature": signed.signature, "signedby": signed.signedby})


def _is_plain(event: Event[Any] | bytes, text: bytes) -> bool:
    """Whether an event is published plain: its contract says so, or the outbox in which it was kept."""
    if isinstance(event, bytes):
        return FORM.encode() in text and _form.decode(text).form == PLAIN
    described = _described(event)
    return event.form == PLAIN or (described is not None and described.plain)


def _described(event: Event[Any] | bytes) -> Description | None:
    return None if isinstance(event, bytes) or not is_model(type(event.data)) else description_of(type(event.data))


class _Form(msgspec.Struct, frozen=True):
    form: Any = msgspec.field(name=FORM, default=None)


_form = msgspec.json.Decoder(_Form)


def _too_large(entry: Entry) -> Unsent:
    message = f"the entry has {entry.size_bytes:,} bytes and PutEvents takes {MAX_BYTES:,}: split the event"
    return Unsent(place=entry.place, code="EntryTooLarge", message=message)


def _chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    return chunks(entries, size_bytes=lambda entry: entry.size_bytes, max_items=MAX_ENTRIES, max_bytes=MAX_BYTES)


def _flight(waiting: Sequence[Sequence[Entry]], *, most: int) -> list[Sequence[Entry]]:
    """Return the first calls, up to so many, that may be under way at once: no subject is in two of them."""
    flight: list[Sequence[Entry]] = []
    under_way: set[str] = set()
    for chunk in waiting[:most]:
        subjects = {entry.subject for entry in chunk if entry.subject is not None}
        if not under_way.isdisjoint(subjects):
            break
        under_way |= subjects
        flight.append(chunk)
    return flight


def _answer(error: Exception) -> dict[str, str]:
    """Return what a failed call says of each of its entries; one that had no response may have succeeded."""
    response = getattr(error, "response", None)
    if response is None:
        return {"ErrorCode": "ServiceUnavailable", "ErrorMessage": f"no response: {type(error).__name__}"}
    return {"ErrorCode": response["Error"]["Code"], "ErrorMessage": response["Error"].get("Message", "")}
