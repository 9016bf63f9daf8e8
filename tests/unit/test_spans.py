"""Spans: a consumer with a tracer tells it of each event, by OpenTelemetry's own names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from eachonce import Consumer, Endpoint, Event, Reject, Retry, Wait, Work
from eachonce.event import decode
from eachonce.journal import unpack_outbox
from eachonce.listener import listen
from eachonce.outcome import Outcome
from eachonce.spans import Spans
from eachonce.trace_context import TraceContext
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler
from opentelemetry.trace import SpanKind, StatusCode

from tests.faults import Faults
from tests.parcels import Weighed, announce, weigh, weighed
from tests.records import Context, batch, record
from tests.store import Store

LAYER = Path(__file__).parents[2] / "layers" / "eachonce"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACED = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "rojo=1"}

Make = Callable[..., Consumer]


class Told:
    """A tracer, and what it was told."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = provider.get_tracer("post")

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def of_events(self) -> list[ReadableSpan]:
        return [span for span in self.spans if span.kind is SpanKind.CONSUMER]


@pytest.fixture
def told() -> Told:
    return Told()


def parent_of(store: Store) -> TraceContext:
    """The step that what was published follows from."""
    row = store.journal("post")
    assert row is not None
    (event,) = map(decode, unpack_outbox(bytes(row["outbox"])))
    context = TraceContext.read(event.traceparent)
    assert context is not None
    return context


def ids(span: ReadableSpan) -> tuple[str, str]:
    assert span.context is not None
    return otel.format_trace_id(span.context.trace_id), otel.format_span_id(span.context.span_id)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    assert span.attributes is not None
    return dict(span.attributes)


def test_each_event_has_a_span_in_its_own_trace(make_consumer: Make, queue: str, context: Context, told: Told) -> None:
    """It follows from the step that the event names, and says what it is by OpenTelemetry's names for SQS."""
    consumer = make_consumer((Weighed, weigh), tracer=told.tracer)

    consumer(batch(record(weighed() | TRACED, message_id="m-1"), record(weighed("q", event_id="e-2"))), context)

    span, other = sorted(told.of_events(), key=lambda span: attributes(span)["cloudevents.event_id"])
    assert ids(span)[0] == TRACE != ids(other)[0]
    assert span.parent is not None
    assert (otel.format_span_id(span.parent.span_id), span.parent.is_remote) == (PARENT, True)
    assert span.name == "process post"
    assert attributes(span) == {
        "messaging.system": "aws_sqs",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "post",
        "aws.sqs.queue.url": queue,
        "messaging.message.id": "m-1",
        "cloudevents.event_id": "e-1",
        "cloudevents.event_source": "post",
        "cloudevents.event_type": "Weighed",
        "eachonce.consumer": "post",
        "eachonce.outcome": "done",
    }
    assert span.status.status_code is StatusCode.UNSET


def test_events_with_spans_are_committed_each_by_itself(
    make_consumer: Make, context: Context, faults: Faults, told: Told
) -> None:
    """Within its span, which a commit of several would be in none of."""
    consumer = make_consumer((Weighed, weigh), tracer=told.tracer)

    consumer(batch(record(weighed()), record(weighed("q", event_id="e-2"))), context)

    assert faults.calls == ["TransactWriteItems"] * 2


def test_what_a_handler_does_and_publishes_follows_from_its_span(
    make_consumer: Make, store: Store, context: Context, told: Told
) -> None:
    """The next consumer's span has one as its parent that somebody was told of."""

    def handle(event: Event[Weighed], work: Work) -> None:
        with told.tracer.start_as_current_span("look up"):
            announce(event, work)

    make_consumer((Weighed, handle), tracer=told.tracer)(batch(record(weighed() | TRACED)), context)

    (span,) = told.of_events()
    (inner,) = (one for one in told.spans if one.name == "look up")
    assert inner.parent is not None
    assert inner.parent.span_id == span.context.span_id  # type: ignore[union-attr]
    published = parent_of(store)
    assert (published.trace_id, published.parent_id, published.flags) == (*ids(span), 1)


def test_an_endpoints_events_follow_from_no_span_of_others(store: Store, context: Context, told: Told) -> None:
    """It has no tracer, and needs no OpenTelemetry; its request had no trace."""
    counter = Endpoint("counter", aws=store.aws, settings=store.settings)
    counter.on(Weighed)(announce)

    with told.tracer.start_as_current_span("invocation"):
        counter({"parcel": "p", "grams": 100}, context)

    (row,) = store.items("Journal")
    (event,) = map(decode, unpack_outbox(bytes(row["outbox"])))
    assert event.traceparent is None


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_span_names_the_invocation_that_it_was_in(
    make_consumer: Make, context: Context, told: Told, lanes: int
) -> None:
    """By a link, since its parent is the event's; an event without a trace is a step of the invocation itself."""
    consumer = make_consumer((Weighed, weigh), tracer=told.tracer, concurrency=lanes)

    with told.tracer.start_as_current_span("invocation") as invocation:
        consumer(batch(record(weighed() | TRACED), record(weighed("q", event_id="e-2"))), context)

    traced, untraced = sorted(told.of_events(), key=lambda span: attributes(span)["cloudevents.event_id"])
    assert [link.context for link in traced.links] == [invocation.get_span_context()]
    assert untraced.links == ()
    assert untraced.parent == invocation.get_span_context()


def test_a_trace_that_is_not_recorded_goes_on_unrecorded(make_consumer: Make, store: Store, context: Context) -> None:
    """Whether it is was decided where it began."""
    told = Told(ParentBased(ALWAYS_ON, remote_parent_not_sampled=ALWAYS_OFF))
    unsampled = weighed() | {"traceparent": f"00-{TRACE}-{PARENT}-00"}

    make_consumer((Weighed, announce), tracer=told.tracer)(batch(record(unsampled)), context)

    assert told.spans == ()
    assert (parent_of(store).trace_id, parent_of(store).flags) == (TRACE, 0)


SECRET = "a parcel's secret"
FAILURES: dict[str, tuple[Exception, str | None, str | None]] = {
    "an error": (ValueError(SECRET), "ValueError", "builtins.ValueError"),
    "a rejection": (Reject("no parcels on Sundays"), "reject", None),
    "a retry": (Retry("later"), "retry", None),
    "a wait": (Wait("the postman", up_to=timedelta(days=36_500)), None, None),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_span_says_what_failed_and_nothing_of_the_event(
    make_consumer: Make, context: Context, told: Told, kind: str
) -> None:
    """The exception's type and its place in the code, without what it says; to wait is no failure."""
    error, error_type, exception = FAILURES[kind]

    def handle(event: Event[Weighed], work: Work) -> None:
        raise error

    make_consumer((Weighed, handle), tracer=told.tracer)(batch(record(weighed() | TRACED)), context)

    (span,) = told.of_events()
    assert attributes(span).get("error.type") == error_type
    assert span.status.is_ok == (error_type is None)
    assert [(event.attributes or {})["exception.type"] for event in span.events] == ([exception] if exception else [])
    assert SECRET not in span.to_json()
    if exception:
        assert "test_spans.py" in span.to_json()


def test_what_escapes_says_nothing_of_the_event_either(told: Told) -> None:
    """Whatever it is that the layer didn't foresee."""
    (delivery,) = listen(batch(record(weighed() | TRACED)))

    def handle() -> Outcome:
        raise ValueError(SECRET)

    with pytest.raises(ValueError, match=SECRET):
        Spans(told.tracer, "post", None).around(delivery, delivery.event, handle)  # type: ignore[arg-type]

    (span,) = told.of_events()
    assert SECRET not in span.to_json()


def test_what_holds_no_event_has_no_span(make_consumer: Make, context: Context, told: Told) -> None:
    """There is nothing to trace; its log line says what it is."""
    make_consumer((Weighed, weigh), tracer=told.tracer)(batch(record("no event")), context)

    assert told.spans == ()


def test_opentelemetry_is_not_imported_where_nobody_asks_for_it() -> None:
    """It costs nothing there, and needn't be installed."""
    probe = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['opentelemetry'] = None\n"
        "import eachonce; eachonce.Consumer('post')._spans()"
    )

    subprocess.run([sys.executable, "-I", "-W", "error", "-c", probe, str(LAYER)], env={}, check=True)
