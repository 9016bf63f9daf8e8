"""A dead letter: a message that its consumer gave up on, and what is known about why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from eachonce.errors import ContractError, MalformedMessageError
from eachonce.event import RawEvent
from eachonce.former import former_fingerprint
from eachonce.identity import fingerprint
from eachonce.listener import unwrap
from eachonce.trace_context import TraceContext

from eachonce_workbench.operations.journal import Sought

_NO_REASON = "received too often: SQS moved it here, and its function never said why"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One message of a consumer's dead-letter queue.

    `event_id` and `event_type` are None where the body holds no event and nobody noted one, as its function does of a
    plain event. `event`, what a journal knows it by, is None where the body holds no CloudEvents event;
    `cause_id` is the id of the event that led to this one. `sent_at` is when the message came here, or, where SQS moved
    it, into its first queue. `trace_id` says which trace it is a part of, and `trace_header` what a queue carries of
    that. `error`, `attempts`, `first_seen` and `code_version` are None where nobody noted them. `attributes` are the
    message's own, as SQS gave them.
    """

    consumer: str
    message_id: str
    body: str
    sent_at: datetime
    reason: str
    event_id: str | None = None
    event_type: str | None = None
    event: Sought | None = None
    cause_id: str | None = None
    error: str | None = None
    attempts: int | None = None
    first_seen: str | None = None
    code_version: str | None = None
    group_id: str | None = None
    trace_id: str | None = None
    trace_header: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, consumer: str, message: Mapping[str, Any]) -> DeadLetter:
        """Read a message as SQS gave it, with all of its attributes.

        The consumer's function notes the reason, the bus that of a delivery that failed, and SQS nothing.
        """
        notes = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
        system = message.get("Attributes", {})
        event = _event(message["Body"])
        trace = _trace(event, system.get("AWSTraceHeader"))
        attempts = notes.get("attempts", "")
        return cls(
            consumer=consumer,
            message_id=message["MessageId"],
            body=message["Body"],
            sent_at=datetime.fromtimestamp(int(system["SentTimestamp"]) / 1000, UTC),
            reason=notes.get("reason") or _reason_of_the_bus(notes) or _NO_REASON,
            event_id=notes.get("event_id") if event is None else event.id,
            event_type=notes.get("event_type") if event is None else event.type,
            event=None if event is None else _sought(notes.get("consumer") or consumer, event),
            cause_id=None if event is None else event.causationid,
            error=notes.get("error"),
            attempts=int(attempts) if attempts.isdecimal() else None,
            first_seen=notes.get("first_seen"),
            code_version=notes.get("code_version"),
            group_id=system.get("MessageGroupId"),
            trace_id=None if trace is None else trace.trace_id,
            trace_header=None if trace is None else trace.x_ray,
            attributes=message.get("MessageAttributes", {}),
        )

    def called(self, some_id: str) -> bool:
        """Whether `some_id` is this letter's: its event's id or its message's."""
        return some_id in (self.event_id, self.message_id)

    def headline(self) -> DeadLetter:
        """Return the letter without its body and attributes, to keep many of them."""
        return replace(self, body="", attributes={})

    def as_dict(self, *, with_body: bool = False) -> dict[str, Any]:
        """Return what JSON shows of the letter."""
        document: dict[str, Any] = {
            "consumer": self.consumer,
            "event_id": self.event_id,
            "source": None if self.event is None else self.event.source,
            "message_id": self.message_id,
            "type": self.event_type,
            "reason": self.reason,
            "error": self.error,
            "attempts": self.attempts,
            "first_seen": self.first_seen,
            "sent_at": self.sent_at.isoformat(timespec="milliseconds"),
            "code_version": self.code_version,
        }
        return document | ({"body": self.body} if with_body else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which dead letters are meant: those that fit everything that is given."""

    reason: str | None = None
    event_type: str | None = None
    some_id: str | None = None

    def __contains__(self, letter: DeadLetter) -> bool:
        """Whether a letter is meant; a part of its reason will do, in upper or lower case."""
        return (
            (self.reason is None or self.reason.casefold() in letter.reason.casefold())
            and (self.event_type is None or self.event_type == letter.event_type)
            and (self.some_id is None or letter.called(self.some_id))
        )


def _trace(event: RawEvent | None, header: str | None) -> TraceContext | None:
    """Return the trace that the event names, or that came beside its message."""
    own = None if event is None else TraceContext.read(event.traceparent)
    return TraceContext.read_x_ray(header) if own is None else own


def _event(body: str) -> RawEvent | None:
    try:
        return unwrap(body)
    except MalformedMessageError:
        return None


def _sought(consumer: str, event: RawEvent) -> Sought:
    try:
        content = fingerprint(event)
    except ContractError:
        content = None
    return Sought(
        consumer=consumer,
        source=event.source,
        event_id=event.id,
        fingerprint=content,
        former_fingerprint=former_fingerprint(event),
        tenant=event.tenant,
    )


def _reason_of_the_bus(notes: Mapping[str, str]) -> str | None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html."""
    if "ERROR_CODE" not in notes:
        return None
    return f"the bus could not deliver it: {notes['ERROR_CODE']}: {notes.get('ERROR_MESSAGE', '')}".rstrip(": ")
