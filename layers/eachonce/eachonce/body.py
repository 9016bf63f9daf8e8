"""The body: which events a message's body holds, in whichever form they were published.

====================================  ==================================================================
the body                              what it holds
====================================  ==================================================================
names its `specversion`               a CloudEvents event, structured
an array                              a CloudEvents batch, or raw data: each element is an event by itself
attributes beside it name one         a CloudEvents event in binary form: the body is its data
has a `Message`                       what was sent to an SNS topic: any of these
has a `detail`                        an EventBridge event: a CloudEvents event, or a plain one
has `Records`                         S3's notifications, each an event by itself
anything else                         data alone, where a contract is described as raw
====================================  ==================================================================

A plain event is what its contract's description says; where nobody describes it, it is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from eachonce import binary
from eachonce.depth import MAX_LEVELS, shallow
from eachonce.description import ENVELOPE, Description
from eachonce.errors import MalformedMessageError
from eachonce.event import NULL, Event, Name, RawEvent, decode
from eachonce.identity import text_at
from eachonce.reason import reason_of

# Of one message: S3 sends one, and who sends batches sends as many as a function handles in its time.
MAX_EVENTS = 1000


class Known(Protocol):
    """What a consumer knows of the events that it takes."""

    @property
    def raw(self) -> Description | None:
        """What describes a body that is data alone."""

    @property
    def describes(self) -> bool:
        """Whether any of its contracts says where the identity of a plain event lies."""

    def described(self, event_type: str, source: str) -> Description | None:
        """Return what describes the events of a type and a source; None where it takes no such ones."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What came beside a body: the id that its queue or topic gave it, when, and the attributes of who sent it."""

    id: str = ""
    attributes: dict[str, Any] = {}
    time: datetime | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a body, or why there is none: a `flaw`, a type that nobody here takes, or nothing to take.

    `text` is the body that it would have alone, where the message's isn't that; `subject` is what a plain one is about.
    """

    event: RawEvent | None = None
    flaw: str | None = None
    unknown: bool = False
    nothing: str | None = None
    subject: str | None = None
    text: bytes | None = None


class _Wrapping(msgspec.Struct, frozen=True):
    """The few names that tell who wrapped a message; an event names its `specversion`, and is wrapped no more."""

    specversion: msgspec.Raw = NULL
    detail: msgspec.Raw = NULL
    message: msgspec.Raw = msgspec.field(name="Message", default=NULL)
    records: msgspec.Raw = msgspec.field(name="Records", default=NULL)


class _Notification(msgspec.Struct, frozen=True):
    message: str = msgspec.field(name="Message")
    id: str = msgspec.field(name="MessageId", default="")
    topic: msgspec.Raw = msgspec.field(name="TopicArn", default=NULL)
    time: Any = msgspec.field(name="Timestamp", default=None)
    attributes: Any = msgspec.field(name="MessageAttributes", default=None)


class _BusEvent(msgspec.Struct, frozen=True):
    id: Name
    source: Name
    type: Name = msgspec.field(name="detail-type")
    time: datetime | None = None


class _Record(msgspec.Struct, frozen=True):
    source: Name = msgspec.field(name="eventSource")
    type: Name = msgspec.field(name="eventName")
    time: datetime | None = msgspec.field(name="eventTime", default=None)


class _Records(msgspec.Struct, frozen=True):
    records: list[_Record] = msgspec.field(name="Records")


class _Test(msgspec.Struct, frozen=True):
    service: Any = msgspec.field(name="Service", default=None)
    event: Any = msgspec.field(name="Event", default=None)


class _Version(msgspec.Struct, frozen=True):
    specversion: msgspec.Raw = NULL


_wrapping = msgspec.json.Decoder(_Wrapping)
_notification = msgspec.json.Decoder(_Notification)
_bus_event = msgspec.json.Decoder(_BusEvent)
_record = msgspec.json.Decoder(_Record)
_test = msgspec.json.Decoder(_Test)
_version = msgspec.json.Decoder(_Version)
_array = msgspec.json.Decoder(list[msgspec.Raw])
_records = msgspec.json.Decoder(_Records)

# What stands around S3's records.
_RECORDS = (b'{"Records":[', b"]}")
_ALONE = (b"", b"")
_VERSION = b'{"specversion":"1.0",'


def cloud_event(text: bytes) -> RawEvent | None:
    """Return the CloudEvents event that a body is, or that the bus brings; None where it is to be looked at closely.

    What most bodies are is found at once, for a consumer that takes nothing else.
    """
    try:
        wrapping = _wrapping.decode(shallow(text))
        if wrapping.specversion != NULL:
            return decode(msgspec.Raw(text))
        if wrapping.detail != NULL == wrapping.message:
            return decode(wrapping.detail, levels=MAX_LEVELS - 1)
    except (msgspec.DecodeError, MalformedMessageError, UnicodeError):
        pass
    return None


def find_events(text: bytes, sent: Sent, known: Known | None) -> Sequence[Found]:
    """Return what a body holds: one event, or several, each with a fate of its own.

    Raises MalformedMessageError or msgspec.DecodeError when it holds no event at all.
    """
    return _Reader(sent, known).read(text, MAX_LEVELS)


class _Reader(msgspec.Struct, frozen=True):
    sent: Sent
    known: Known | None
    on_topic: bool = False

    def read(self, text: bytes, levels: int) -> Sequence[Found]:
        if self.sent.attributes and (read := self._by_attributes(text, levels)) is not None:
            return read
        if text[:1] in b"[ \t\r\n" and text.lstrip(b" \t\r\n").startswith(b"["):
            return self._each(_elements(text, levels), self._element) or _none()
        wrapping = _wrapping.decode(shallow(text, levels))
        if wrapping.specversion != NULL:
            return (Found(event=decode(msgspec.Raw(text), levels=levels)),)
        is_wrapped = wrapping.message != NULL and not self.on_topic
        if is_wrapped and (read := self._notification(text, levels)) is not None:
            return read
        if wrapping.detail != NULL and (self._raw is None or _reads(_bus_event, text)):
            return (self._on_the_bus(text, wrapping.detail, levels - 1),)
        if wrapping.records != NULL and (self._raw is None or _reads(_records, text)):
            return self._each(_elements(wrapping.records, levels - 1), self._record, _RECORDS) or _none()
        return (self._bare(text, levels),)

    def _by_attributes(self, text: bytes, levels: int) -> Sequence[Found] | None:
        """Return what a body holds of which the attributes beside it tell; None where they tell nothing."""
        kind = binary.content_type(self.sent.attributes)
        if kind == binary.BATCH:
            return self._each(_elements(text, levels), self._element) or (Found(nothing="a batch of no events"),)
        if not binary.is_event(self.sent.attributes) or kind == binary.STRUCTURED or _names_its_version(text, levels):
            return None
        # A level less than a body may have: it is buried as one text with its attributes around it.
        event = binary.decode(self.sent.attributes, msgspec.Raw(shallow(text, levels - 1)))
        return (Found(event=event, text=binary.structured(event)),)

    def _notification(self, text: bytes, levels: int) -> Sequence[Found] | None:
        notification = _notification.decode(text)
        if notification.topic == NULL and self._raw is not None:
            return None  # it is data that has such a member
        attributes = notification.attributes if isinstance(notification.attributes, dict) else {}
        sent = Sent(id=notification.id, attributes=attributes, time=_time(notification.time))
        return _Reader(sent, self.known, on_topic=True).read(notification.message.encode(), levels - 1)

    def _on_the_bus(self, text: bytes, detail: msgspec.Raw, levels: int) -> Found:
        """Return what an EventBridge event holds: detail that says it is CloudEvents is, whatever it is called."""
        if self.known is None:
            return Found(event=decode(detail, levels=levels))
        if self.known.describes and not _says_its_version(detail):
            bus = _bus_event.decode(text)
            description = self.known.described(bus.type, bus.source)
            if description is not None and description.identity is not None:
                return _plain(description, bus.type, bus.source, detail, sent=Sent(id=bus.id, time=bus.time))
        try:
            return Found(event=decode(detail, levels=levels))
        except MalformedMessageError as error:
            return self._unnamed(text, detail, error)

    def _unnamed(self, text: bytes, detail: msgspec.Raw, error: MalformedMessageError) -> Found:
        """Return what becomes of a detail that is no CloudEvents event: its own reason, unless it is a plain event."""
        try:
            bus = _bus_event.decode(text)
            plain = not _says_its_version(detail)
        except msgspec.DecodeError:
            plain = False
        if not plain or self.known is None:
            raise error
        if self.known.described(bus.type, bus.source) is None:
            return Found(unknown=True)
        raise MalformedMessageError(
            f"{reason_of(error)}; and by which fields a plain one is told, its contract doesn't say"
        )

    def _record(self, text: msgspec.Raw) -> Found:
        """Return an S3 notification's event, in the shape that Amazon S3 gives it.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
        """
        record = _record.decode(text)
        description = None if self.known is None else self.known.described(record.type, record.source)
        if description is None:
            return Found(unknown=True)
        return _plain(description, record.type, record.source, text, sent=Sent(time=record.time))

    def _element(self, text: msgspec.Raw) -> Found:
        version = _version.decode(text).specversion
        if version != NULL:
            return Found(event=decode(text))
        if self._raw is None:  # alone, it must say what it is: it may have a `detail`, or a `Message`
            return Found(event=decode(text), text=_VERSION + bytes(text).lstrip().removeprefix(b"{"))
        return _of_raw(self._raw, text, Sent(time=self.sent.time))

    def _bare(self, text: bytes, levels: int) -> Found:
        """Return the event of which a body is the data; an event that leaves its `specversion` out is one, too."""
        test = _test.decode(text)
        if (test.service, test.event) == ("Amazon S3", "s3:TestEvent"):
            return Found(nothing="S3's test of its notifications")
        if self._raw is not None:
            return _of_raw(self._raw, msgspec.Raw(text), self.sent)
        return Found(event=decode(msgspec.Raw(text), levels=levels))

    @property
    def _raw(self) -> Description | None:
        return None if self.known is None else self.known.raw

    def _each(
        self, texts: Iterable[msgspec.Raw], read: Callable[[msgspec.Raw], Found], around: tuple[bytes, bytes] = _ALONE
    ) -> Sequence[Found]:
        """Return what each of several texts holds, with the body that it would have alone: a flaw of one is its own."""
        before, after = around
        return [
            found if found.text is not None else msgspec.structs.replace(found, text=before + bytes(text) + after)
            for found, text in ((_one(text, read), text) for text in texts)
        ]


def _one(text: msgspec.Raw, read: Callable[[msgspec.Raw], Found]) -> Found:
    try:
        return read(text)
    except (msgspec.DecodeError, MalformedMessageError, UnicodeError) as error:
        return Found(flaw=f"one of its events: {reason_of(error)}")


def _reads(decoder: msgspec.json.Decoder[Any], text: bytes) -> bool:
    try:
        return decoder.decode(text) is not None
    except (msgspec.DecodeError, UnicodeError):
        return False


def _none() -> Sequence[Found]:
    raise MalformedMessageError("it holds no events")


def _elements(text: bytes | msgspec.Raw, levels: int) -> list[msgspec.Raw]:
    elements = _array.decode(shallow(text, levels))
    if elements and not any(bytes(element).startswith(b"{") for element in elements):
        raise MalformedMessageError("it holds an array of what are no events")
    if len(elements) > MAX_EVENTS:
        raise MalformedMessageError(f"it holds {len(elements):,} events, and at most {MAX_EVENTS:,} are taken at once")
    return elements


def _of_raw(description: Description, text: msgspec.Raw, sent: Sent) -> Found:
    return _plain(description, description.type, str(description.source), text, sent=sent)


def _plain(description: Description, event_type: str, source: str, data: msgspec.Raw, *, sent: Sent) -> Found:
    """Return the event of plain data; raises MalformedMessageError where its identity isn't there."""
    event = Event(
        id=_id(description, event_type, data, sent), source=source, type=event_type, data=data, time=sent.time
    )
    return Found(event=event, subject=None if description.subject is None else text_at(description.subject, data))


def _id(description: Description, event_type: str, data: msgspec.Raw, sent: Sent) -> str:
    if description.fields is not None:
        try:
            return description.fields.id_of(event_type, data)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise MalformedMessageError(f"{description.type}: it has no identity: {reason_of(error)}") from None
    if description.identity != ENVELOPE or not sent.id:
        raise MalformedMessageError(f"{description.type}: by what it is told, neither it nor its contract says")
    return sent.id


def _says_its_version(detail: msgspec.Raw) -> bool:
    return bool(_version.decode(detail).specversion != NULL)


def _names_its_version(text: bytes, levels: int) -> bool:
    try:
        return _says_its_version(msgspec.Raw(shallow(text, levels)))
    except msgspec.DecodeError:
        return False


def _time(value: Any) -> datetime | None:
    try:
        return None if value is None else msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return None
