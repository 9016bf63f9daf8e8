"""Spans: what a user's own OpenTelemetry tracer is told of each event: when its handling began and ended, and how.

This module alone imports OpenTelemetry, and is imported by nobody who wasn't given a tracer of its. The names are those
of its conventions; no text of an event is among them, nor what an exception says.
https://opentelemetry.io/docs/specs/semconv/messaging/sqs/
https://opentelemetry.io/docs/specs/semconv/registry/attributes/cloudevents/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from opentelemetry import trace as otel
from opentelemetry.context import get_current
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags, Tracer
from opentelemetry.trace.span import TraceState

from eachonce.event import Event, RawEvent
from eachonce.listener import Delivery
from eachonce.outcome import Outcome, Verdict
from eachonce.report import MOST_OF_A_TRACE
from eachonce.trace import trace_of
from eachonce.trace_context import TraceContext
from eachonce.wording import MAX_NAME, short

# Waiting is what a handler asked for, and all others end well.
_FAILED = frozenset({Verdict.REJECT, Verdict.RETRY, Verdict.ABANDONED})


class Spans:
    """The spans of one invocation's events, in which what a handler does and publishes is a further step each."""

    def __init__(self, tracer: Tracer, consumer: str, queue_url: str | None) -> None:
        self._tracer = tracer
        self._queue = None if queue_url is None else queue_url.rpartition("/")[2]
        self._common = {
            "messaging.system": "aws_sqs",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "eachonce.consumer": consumer,
        }
        if queue_url is not None and self._queue:
            self._common |= {"messaging.destination.name": self._queue, "aws.sqs.queue.url": queue_url}
        self._invocation = get_current()  # handlers run in threads, which know nothing of it

    def around(self, delivery: Delivery, event: RawEvent, handle: Callable[[], Outcome]) -> Outcome:
        """Return what `handle` does, and tell of it: one span, a step of the event's trace, or of the invocation."""
        parent = _parent(event)
        invocation = otel.get_current_span(self._invocation).get_span_context()
        with self._tracer.start_as_current_span(
            f"process {self._queue}" if self._queue else "process",
            context=self._invocation if parent is None else otel.set_span_in_context(parent, self._invocation),
            kind=SpanKind.CONSUMER,
            attributes=self._common | _attributes(delivery, event),
            links=[Link(invocation)] if parent is not None and invocation.is_valid else [],
            record_exception=False,  # its text may be an event's
            set_status_on_exception=False,
        ) as span:
            outcome = handle()
            _tell(span, outcome)
            return outcome


def carrying(event: Event[Any]) -> Event[Any]:
    """Return a published event as a step that follows from the current span; as it is where there is none."""
    span = otel.get_current_span().get_span_context()
    if not span.is_valid:
        return event
    trace_id, parent_id = otel.format_trace_id(span.trace_id), otel.format_span_id(span.span_id)
    context = TraceContext(trace_id=trace_id, parent_id=parent_id, flags=int(span.trace_flags))
    state = span.trace_state.to_header() or None
    return msgspec.structs.replace(event, traceparent=context.traceparent, tracestate=state)


def _parent(event: RawEvent) -> Span | None:
    known = TraceContext.read(event.traceparent)
    if known is None:
        return None
    parent = SpanContext(
        trace_id=int(known.trace_id, 16),
        span_id=int(known.parent_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(known.flags),
        trace_state=TraceState.from_header([] if event.tracestate is None else [event.tracestate]),
    )
    return NonRecordingSpan(parent)


def _attributes(delivery: Delivery, event: RawEvent) -> dict[str, str]:
    return {
        "messaging.message.id": short(delivery.whole, MAX_NAME),
        "cloudevents.event_id": event.id,
        "cloudevents.event_source": event.source,
        "cloudevents.event_type": event.type,
    }


def _tell(span: Span, outcome: Outcome) -> None:
    span.set_attribute("eachonce.outcome", outcome.verdict.value)
    if outcome.cause is not None:
        cause = type(outcome.cause)
        named = {"exception.type": short(f"{cause.__module__}.{cause.__qualname__}", MAX_NAME)}
        span.add_event("exception", named | {"exception.stacktrace": trace_of(outcome.cause)[:MOST_OF_A_TRACE]})
    if outcome.verdict in _FAILED:
        span.set_attribute("error.type", short(outcome.error or outcome.verdict.value, MAX_NAME))
        span.set_status(StatusCode.ERROR, short(outcome.reason or ""))
