"""A small deployed stack as a person at a terminal reaches it: AWS's own SDK, answered by the local store."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from eachonce.aws import Codec
from eachonce.event import Event
from eachonce.former import former_key
from eachonce.identity import fingerprint
from eachonce.journal import State, pack_outbox, row_key
from eachonce.listener import unwrap

from eachonce_workbench.cloud.cloudformation import Stacks
from eachonce_workbench.cloud.control.functions import Functions
from eachonce_workbench.cloud.request import Request
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.operations.dead_letter import Selection
from eachonce_workbench.operations.dead_letters import Found, look
from eachonce_workbench.operations.journal import Journal, Row
from eachonce_workbench.operations.redrive import Redrive, Tally, drop
from eachonce_workbench.operations.stack import ConsumerQueues, Stack
from eachonce_workbench.template.stack_resources import mapping_uuid
from eachonce_workbench.template.topology import Queue, QueueMapping, StreamMapping, Topology
from tests.records import cloud_event, on_the_bus
from tests.topologies import arn, function, queue, table, topology

QUEUES = ("letters", "letters-dlq", "parcels", "parcels-dlq", "ordered.fifo", "ordered-dlq.fifo")

# A function for each consumer, one that is asked directly, and one that relays the journal's stream.
FUNCTIONS = tuple(
    replace(
        function(name),
        name=f"post-{name}",
        arn=arn("lambda", f"function:post-{name}"),
        environment={"TABLE_JOURNAL": "journal", "EVENT_SOURCE": "post"},
    )
    for name in ("PlaceOrder", "RelayOutbox", "Letters", "Parcels")
)

LETTERS = ConsumerQueues(consumer="letters", url=queue("letters").url, dead_letters_url=queue("letters-dlq").url)
PARCELS = ConsumerQueues(consumer="parcels", url=queue("parcels").url, dead_letters_url=queue("parcels-dlq").url)
ORDERED = ConsumerQueues(
    consumer="ordered", url=queue("ordered.fifo").url, dead_letters_url=queue("ordered-dlq.fifo").url
)
STACK = Stack(
    name="test",
    journal_table="journal",
    readers=("letters", "parcels"),
    consumers=(LETTERS, PARCELS),
    endpoints=("place-order",),
    sources=("post",),
)


class Killed(BaseException):
    """The process is dead: nothing runs any more, not even what would tidy up."""


class Deployed:
    """The stack's clients and what they find; `before_call` and `after_call` happen around each of their calls."""

    def __init__(self, system: Topology | None = None) -> None:
        self._system = post_office() if system is None else system
        self.empty()
        self._stacks = Stacks(self._system)
        self._functions = Functions(self._system)
        self._lock = threading.Lock()  # moto has none
        self._codec = Codec()
        self.before_call: Callable[[], object] = lambda: None
        self.after_call: Callable[[], object] = lambda: None
        self.revive()
        self.cloudformation, self.dynamodb, self.sqs = map(self.client, ("cloudformation", "dynamodb", "sqs"))
        self.journal = Journal(self.dynamodb, "journal", clock=lambda: datetime.now(UTC))

    def empty(self) -> None:
        """Hold nothing, as at the beginning: its clients, which take long to make, stay."""
        self._store = Store(self._system)
        self._store.create()

    def kill_after(self, calls: int) -> None:
        """Die as soon as so many calls have been made."""
        self._calls_left = calls

    def revive(self) -> None:
        """Live, as a new process."""
        self._calls_left = 1_000_000

    # What is there

    def put_row(self, consumer: str, event_id: str, *, source: str = "post", **attributes: Any) -> None:
        """Write a journal row."""
        self._put({"pk": row_key(consumer, source, event_id), **attributes})

    def put_done(self, consumer: str, body: str, **attributes: Any) -> None:
        """Write the journal row of an event that is done."""
        event = unwrap(body)
        self.put_row(consumer, event.id, state=State.DONE, fingerprint=fingerprint(event), **attributes)

    def put_former_row(self, consumer: str, event_id: str, **attributes: Any) -> None:
        """Write a journal row as it was before sources counted."""
        self._put({"pk": former_key(consumer, event_id), **attributes})

    def row(self, consumer: str, event_id: str) -> Row | None:
        """Return a journal row."""
        return self.journal.row(consumer, "post", event_id)

    def _put(self, item: Row) -> None:
        encoded = {name: self._codec.encode(value) for name, value in item.items()}
        self.dynamodb.put_item(TableName="journal", Item=encoded)

    def bury(self, body: str, *, queues: ConsumerQueues = LETTERS, group: str | None = None, **notes: str) -> str:
        """Put a message into a dead-letter queue; return its id."""
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in notes.items()}
        content = hashlib.sha256(f"{body}-{notes}".encode()).hexdigest()
        order = {} if group is None else {"MessageGroupId": group, "MessageDeduplicationId": content}
        sent = self.sqs.send_message(
            QueueUrl=queues.dead_letters_url, MessageBody=body, MessageAttributes=attributes, **order
        )
        message_id: str = sent["MessageId"]
        return message_id

    def waiting(self, url: str) -> list[dict[str, Any]]:
        """Return what is visible in a queue; it is hidden then."""
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages"):
            found += messages
        return found

    def bodies(self, url: str) -> Counter[str]:
        """Return the bodies that are visible in a queue, and how often each is."""
        return Counter(message["Body"] for message in self.waiting(url))

    # What is done

    def look(self, queues: Sequence[ConsumerQueues] = (LETTERS, PARCELS), **selection: Any) -> Found:
        """Find dead letters."""
        return look(self.sqs, queues, Selection(**selection))

    def redrive(self, queues: ConsumerQueues = LETTERS, **selection: Any) -> Tally:
        """Redrive a consumer's dead letters."""
        found = self.look([queues], **selection)
        tally = Tally(chosen=len(found.letters))
        work = Redrive(self.sqs, self.journal)
        for _ in work(queues, {letter.message_id for letter in found.letters}, tally):
            pass
        return tally

    def drop(self, queues: ConsumerQueues = LETTERS, **selection: Any) -> Tally:
        """Drop a consumer's dead letters."""
        found = self.look([queues], **selection)
        tally = Tally(chosen=len(found.letters))
        for _ in drop(self.sqs, queues, {letter.message_id for letter in found.letters}, tally):
            pass
        return tally

    # How it is answered

    def client(self, service: str) -> Any:
        """Return a client of a service."""
        client = boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url="http://127.0.0.1:4566",
            config=Config(retries={"total_max_attempts": 1}),
        )
        client.meta.events.register("before-send", self._answer)
        return client

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        with self._lock:
            self.before_call()
            if not self._calls_left:
                raise Killed
            self._calls_left -= 1
            status, headers, body = self._handle(request)
            self.after_call()
            if not self._calls_left:
                raise Killed
        return AWSResponse(request.url, status, headers, _Raw(body))

    def _handle(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        headers.setdefault("host", urlsplit(request.url).netloc)
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        if "cloudformation" in headers["authorization"]:
            return self._stacks.answer(body)
        if "/lambda/" in headers["authorization"]:
            return self._lambda(request)
        service = "sqs" if headers["x-amz-target"].startswith("AmazonSQS") else "dynamodb"
        return self._store.handle(service, headers, body)

    def _lambda(self, request: Any) -> tuple[int, dict[str, str], bytes]:
        url = urlsplit(request.url)
        asked = Request(method=request.method, path=url.path, query=url.query, body=request.body or b"")
        told = self._functions.answer(asked)
        return 200, {"content-type": "application/json"}, json.dumps(told).encode()


def post_office(**changes: Any) -> Topology:
    """Return the stack's system; each consumer's queue has a dead-letter queue."""
    queues = {name: queue(name) for name in QUEUES}
    for name in ("letters", "parcels", "ordered"):
        kind = ".fifo" if name == "ordered" else ""
        queues[f"{name}{kind}"] = queue(f"{name}{kind}", dead_letters=queues[f"{name}-dlq{kind}"], max_receives=1000)
    parts: dict[str, Any] = {
        "tables": (table("journal"),),
        "queues": tuple(queues.values()),
        "functions": FUNCTIONS,
        "queue_mappings": tuple(_reads(name, queues[name.lower()]) for name in ("Letters", "Parcels")),
        "stream_mappings": (_relays(),),
    }
    return topology(**(parts | changes))


def _reads(name: str, source: Queue) -> QueueMapping:
    return QueueMapping(
        function=name,
        queue_arn=source.arn,
        enabled=True,
        batch_size=10,
        window_seconds=0,
        max_concurrency=None,
        report_failures=True,
        filters=Filters(),
        uuid=mapping_uuid("test", name),
    )


def _relays() -> StreamMapping:
    return StreamMapping(
        function="RelayOutbox",
        table_name="journal",
        stream_arn=f"{table('journal').arn}/stream/1",
        enabled=True,
        starting_position="TRIM_HORIZON",
        batch_size=10,
        window_seconds=0,
        max_retries=None,
        max_age_seconds=None,
        bisect=False,
        parallelization=1,
        report_failures=True,
        on_failure_arn=None,
        filters=Filters(),
        uuid="RelayOutbox",
    )


def body_of(event_id: str, *, event_type: str = "LetterPosted", to: str = "Ada", **attributes: Any) -> str:
    """Return a message's body as the bus delivers it."""
    return json.dumps(on_the_bus(cloud_event(event_type, {"to": to}, event_id=event_id, **attributes)))


def outbox(*events: Mapping[str, Any]) -> bytes:
    """Return the outbox of a row that published these events."""
    return pack_outbox([Event(source="post", data={}, **event) for event in events])


class _Raw:
    """A body as urllib3 streams it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._content
