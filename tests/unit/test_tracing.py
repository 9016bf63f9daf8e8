"""Tracing: an event's trace goes wherever it goes, and with all that follows from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from eachonce import Consumer, Contract, Endpoint, Event, Publisher, Reject, Relay, Work, describe
from eachonce.acknowledger import Acknowledger
from eachonce.aws import Aws
from eachonce.event import RawEvent, decode
from eachonce.identity import fingerprint
from eachonce.journal import State, unpack_outbox
from eachonce.listener import listen
from eachonce.outcome import Outcome, Verdict
from eachonce.settings import Settings
from eachonce.trace_context import TraceContext

from eachonce_workbench.operations.story import Story, tell
from tests.deployed import LETTERS, STACK, Deployed, body_of, outbox
from tests.forms import Posted, attributes, on_the_bus_plain, post
from tests.parcels import Arrived, Weighed, announce, weigh, weighed
from tests.post_office import DEAD, Desk, PostOffice
from tests.printed import Printed
from tests.records import Context, batch, cloud_event, http_request, on_the_bus, record, stream_record
from tests.store import Store

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT, STATE = f"00-{TRACE}-{PARENT}-01", "rojo=1,congo=2"
HEADER = f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={PARENT};Sampled=1"
OTHER = "1-5759e988-bd862e3fe1be46a994272793"
TRACED = {"traceparent": TRACEPARENT, "tracestate": STATE}

Make = Callable[..., Consumer]


@describe(type="parcel.bagged", source="post", identity="parcel", plain=True)
class Bagged(Contract, frozen=True, kw_only=True):
    """What is published as data alone."""

    parcel: str


def published(store: Store, consumer: str = "post", event_id: str = "e-1") -> list[RawEvent]:
    row = store.journal(consumer, event_id)
    assert row is not None
    return [decode(text) for text in unpack_outbox(bytes(row["outbox"]))]


def heard(*records: dict[str, Any]) -> list[str | None]:
    return [None if one.event is None else one.event.traceparent for one in listen(batch(*records))]


def traced_by_sqs(body: Any, header: Any = HEADER) -> dict[str, Any]:
    made = record(body)
    made["attributes"]["AWSTraceHeader"] = header
    return made


# In an event


@pytest.mark.parametrize("wrapped", [dict, on_the_bus], ids=["structured", "on the bus"])
def test_an_event_names_its_trace(wrapped: Callable[[Any], Any]) -> None:
    """By CloudEvents' extension attributes, which survive being written and read."""
    (delivery,) = listen(batch(record(wrapped(weighed() | TRACED))))

    assert delivery.event is not None
    assert (delivery.event.traceparent, delivery.event.tracestate) == (TRACEPARENT, STATE)
    assert decode(delivery.event.encode()) == delivery.event


def test_an_event_in_binary_form_names_it_among_its_attributes() -> None:
    """And keeps it in the text that a dead-letter queue gets."""
    made = record('{"parcel":"p"}')
    said = {"specversion": "1.0", "id": "e-1", "source": "post", "type": "Weighed", **TRACED}
    made["messageAttributes"] = attributes(**{f"ce_{name}": text for name, text in said.items()})

    (delivery,) = listen(batch(made))

    assert delivery.event is not None
    assert (delivery.event.traceparent, delivery.event.tracestate) == (TRACEPARENT, STATE)
    assert json.loads(delivery.body)["traceparent"] == TRACEPARENT


def test_a_trace_is_no_part_of_what_an_event_says(make_consumer: Make, store: Store, context: Context) -> None:
    """A copy that came another way is a copy: neither its identity nor its content is another."""
    consumer = make_consumer((Weighed, weigh))
    events = [weighed(), weighed() | TRACED, weighed() | TRACED | {"traceparent": f"00-{TRACE}-{'1' * 16}-00"}]

    consumer(batch(*[record(event) for event in events]), context)

    assert store.item("Weights", parcel="p") is not None
    assert store.item("Weights", parcel="p")["grams"] == 100  # type: ignore[index]
    assert store.dead_letters() == []
    assert len({fingerprint(decode(json.dumps(event).encode())) for event in events}) == 1


# What follows from an event


def test_what_a_handler_publishes_is_a_step_of_the_same_trace(
    make_consumer: Make, store: Store, context: Context
) -> None:
    """With a new parent, one for each."""

    def tell_twice(event: Event[Weighed], work: Work) -> None:
        announce(event, work)
        announce(event, work)

    make_consumer((Weighed, tell_twice))(batch(record(weighed() | TRACED)), context)

    first, second = published(store)
    assert (first.trace_id, second.trace_id) == (TRACE, TRACE)
    assert len({TRACEPARENT, first.traceparent, second.traceparent}) == 3
    assert (first.tracestate, second.tracestate) == (STATE, STATE)


def test_a_handler_that_runs_again_publishes_the_same_bytes() -> None:
    """The new parent follows from the cause, the consumer and the place, as the event's id does."""
    cause = decode(json.dumps(weighed() | TRACED).encode())
    when = {"source": "post", "time": None}

    def effect(by: str = "post", place: int = 0) -> bytes:
        return cause.causes(Arrived(parcel="p"), by=by, place=place, **when).encode()  # type: ignore[arg-type]

    assert effect() == effect()
    assert len({decode(effect(**other)).traceparent for other in ({}, {"by": "desk"}, {"place": 1})}) == 3


def test_where_nothing_is_traced_no_trace_is_made_up(
    make_consumer: Make, store: Store, context: Context, printed: Printed
) -> None:
    """Neither in what is published, nor in the journal, nor in a log."""
    make_consumer((Weighed, announce))(batch(record(weighed())), context)

    (event,) = published(store)
    assert (event.traceparent, event.tracestate) == (None, None)
    assert "trace_id" not in store.journal("post")  # type: ignore[operator]
    assert all("trace_id" not in line for line in printed.logs())


def test_the_relay_publishes_it_as_it_was_committed(
    make_consumer: Make, store: Store, bus: str, context: Context
) -> None:
    """In the event: an outbox is sent to the byte."""
    make_consumer((Weighed, announce))(batch(record(weighed() | TRACED)), context)
    row = stream_record(store.stored("Journal", pk="post##post#e-1"), number="1")

    Relay(aws=store.aws, settings=store.settings)(batch(row), context)

    (sent,) = store.on_the_bus(bus)
    assert sent["traceparent"] == published(store)[0].traceparent


class Bus:
    """A client of EventBridge that takes everything."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "x"} for _ in Entries]}


def test_a_plain_event_has_its_trace_beside_it() -> None:
    """Its detail is the data alone; EventBridge hands X-Ray's header on to the target."""
    event = Event(id="e", source="post", type="parcel.bagged", data=Bagged(parcel="p"), traceparent=TRACEPARENT)
    bus = Bus()

    Publisher(bus, "post-bus").publish([event, msgspec.structs.replace(event, traceparent=None)])

    traced, untraced = bus.entries
    assert traced["TraceHeader"] == HEADER
    assert "trace" not in traced["Detail"]
    assert "TraceHeader" not in untraced


# Beside a message


def test_a_message_has_the_trace_of_sqs_where_its_event_names_none() -> None:
    """X-Ray's header is a system attribute; an event's own trace goes first."""
    other = f"Root={OTHER};Parent={PARENT};Sampled=0"

    assert heard(traced_by_sqs(weighed()), traced_by_sqs(weighed() | TRACED, other)) == [TRACEPARENT, TRACEPARENT]


def test_each_event_of_a_message_is_in_its_trace(make_consumer: Make) -> None:
    """Plain ones, and several in one body."""
    known = make_consumer((Posted, post))
    bodies = [on_the_bus_plain({"parcel": "p"}), [weighed(), weighed(event_id="e-2")]]

    deliveries = listen(batch(*map(traced_by_sqs, bodies)), known=known)

    assert [one.event.traceparent for one in deliveries if one.event] == [TRACEPARENT] * 3


def test_a_sender_may_have_written_it_among_the_messages_attributes() -> None:
    """As OpenTelemetry does for SQS and SNS; it says more than X-Ray's header, which SQS may have added."""
    made = traced_by_sqs(weighed(), f"Root={OTHER};Parent={PARENT}")
    made["messageAttributes"] = attributes(**TRACED)

    (delivery,) = listen(batch(made))

    assert delivery.event is not None
    assert (delivery.event.traceparent, delivery.event.tracestate) == (TRACEPARENT, STATE)


@pytest.mark.parametrize(
    "header",
    ["", "Root=1", "x" * 100_000, "\ud800", 7, None, [], {}],
    ids=["empty", "short", "long", "no text", "a number", "none", "a list", "an object"],
)
@pytest.mark.parametrize("attribute", ["", "00-0-0-0", "\ud800"], ids=["empty", "zeros", "no text"])
def test_no_trace_makes_a_message_malformed(header: Any, attribute: str) -> None:
    """It is passed over."""
    made = traced_by_sqs(weighed(), header)
    made["messageAttributes"] = attributes(traceparent=attribute)

    assert heard(made) == [None]


# Over HTTP


def counter(store: Store) -> Endpoint:
    endpoint = Endpoint("counter", aws=store.aws, settings=store.settings)
    endpoint.on(Weighed)(announce)
    return endpoint


def asked(store: Store, context: Context, **headers: str) -> RawEvent:
    request = http_request(json.dumps({"parcel": "p"}), key="e-1")
    request["headers"] |= headers
    counter(store)(request, context)
    (event,) = published(store, "counter")
    return event


def test_a_requests_headers_name_its_trace(store: Store, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any case, and before that of Lambda's invocation."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={OTHER};Parent={PARENT}")

    event = asked(store, context, Traceparent=TRACEPARENT, TraceState=STATE)

    assert (event.trace_id, event.tracestate) == (TRACE, STATE)


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense", "tracestate": STATE}], ids=["none", "unreadable"])
def test_a_request_without_a_trace_is_in_that_of_its_invocation(
    store: Store, context: Context, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    """Lambda says which that is, in X-Ray's form, anew for each invocation."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"{HEADER};Lineage=1")

    event = asked(store, context, **headers)

    assert event.trace_id == TRACE
    assert event.traceparent is not None
    assert event.traceparent.endswith("-01")
    assert event.tracestate is None


def test_a_direct_invocation_is_in_the_trace_of_its_invocation(
    store: Store, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no headers."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)

    counter(store)({"parcel": "p"}, context)

    assert published(store, "counter", "p")[0].trace_id == TRACE


def test_a_request_that_nobody_traces_is_in_no_trace(
    store: Store, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one's own machine, say."""
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)

    assert asked(store, context).traceparent is None


# What people see of it


def test_each_line_of_the_log_says_which_trace(make_consumer: Make, context: Context, printed: Printed) -> None:
    """Of what is done, and of what isn't: by it, all consumers' lines are found at once."""

    def handle(event: Event[Weighed], work: Work) -> None:
        assert event.trace_id == TRACE
        if event.id == "e-2":
            raise Reject("no parcels on Sundays")

    events = [weighed(event_id=event_id) | TRACED for event_id in ("e-1", "e-2")]

    make_consumer((Weighed, handle))(batch(*[record(event) for event in events]), context)

    assert [line["trace_id"] for line in printed.logs()] == [TRACE, TRACE]


def test_the_journal_says_which_trace(make_consumer: Make, store: Store, context: Context) -> None:
    """For `eachonce why`."""
    make_consumer((Weighed, announce))(batch(record(weighed() | TRACED)), context)

    assert store.journal("post")["trace_id"] == TRACE  # type: ignore[index]


def story(deployed: Deployed, **options: Any) -> Story:
    letters = deployed.look(some_id="e-1").letters
    return tell("post", "e-1", stack=STACK, journal=deployed.journal, letters=letters, **options)


SEEN: dict[str, Callable[[Deployed], object]] = {
    "in its row": lambda deployed: deployed.put_row("parcels", "e-1", state=State.DONE, trace_id=TRACE),
    "in its dead letter": lambda deployed: deployed.bury(body_of("e-1", **TRACED)),
    "where it was published": lambda deployed: deployed.put_row(
        "letters", "e-0", state=State.DONE, outbox=outbox({"id": "e-1", "type": "LetterPosted", **TRACED})
    ),
}


@pytest.mark.parametrize("where", SEEN)
def test_an_events_story_says_which_trace(where: str) -> None:
    """From wherever it is known."""
    deployed = Deployed()
    SEEN[where](deployed)

    told = story(deployed, thoroughly=True)

    assert told.trace_id == TRACE
    assert told.as_dict()["trace_id"] == TRACE


# To the dead-letter queue, and back


@pytest.mark.parametrize("body", [weighed() | TRACED, weighed(), "no event"], ids=["its own", "beside it", "no event"])
def test_a_dead_letter_keeps_its_trace_beside_it(body: Any) -> None:
    """Else SQS would note that of the call which buries it."""
    office = PostOffice()
    (delivery,) = listen(batch(traced_by_sqs(body)))

    settings = Settings(dead_letter_queue_url=DEAD.url)
    Acknowledger(Aws(sqs=Desk(office)), settings, "post").bury([(delivery, Outcome(verdict=Verdict.REJECT))])

    (letter,) = office.receive(DEAD.url)
    assert letter["Attributes"]["AWSTraceHeader"] == HEADER


def test_a_redriven_letter_keeps_its_trace() -> None:
    """Of a plain event, nothing else says it."""
    deployed = Deployed()
    beside = {"AWSTraceHeader": {"DataType": "String", "StringValue": HEADER}}
    deployed.sqs.send_message(
        QueueUrl=LETTERS.dead_letters_url, MessageBody='{"parcel": "p"}', MessageSystemAttributes=beside
    )

    deployed.redrive()

    (message,) = deployed.waiting(LETTERS.url)
    assert message["Attributes"]["AWSTraceHeader"] == HEADER


def test_a_letter_without_a_trace_is_redriven_without_one() -> None:
    """None is made up."""
    deployed = Deployed()
    deployed.bury(body_of("e-1"))

    deployed.redrive()

    (message,) = deployed.waiting(LETTERS.url)
    assert "AWSTraceHeader" not in message["Attributes"]


def test_an_event_may_be_asked_for_its_trace() -> None:
    """By a handler, for its own logs."""
    assert decode(json.dumps(cloud_event("Weighed", {}) | TRACED).encode()).trace_id == TRACE
    assert TraceContext.read(TRACEPARENT) is not None
