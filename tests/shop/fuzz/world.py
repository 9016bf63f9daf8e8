"""The world of a fuzz: the consumers, in this process, on the local cloud's store, and all that can be seen of them."""

from __future__ import annotations

import io
import json
import logging
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSResponse
from botocore.config import Config
from eachonce import Aws, Consumer, Settings
from eachonce.aws import Codec
from eachonce.listener import Delivery, listen

from eachonce_workbench.cloud.sdk import local_session
from eachonce_workbench.cloud.store.store import Store
from tests.parcels import TABLES as OF_THE_POST
from tests.records import Context
from tests.shop.functions import TABLES as OF_THE_SHOP
from tests.shop.fuzz.consumers import consumers
from tests.topologies import queue, table, topology

TABLES = {**OF_THE_POST, **OF_THE_SHOP, "Neighbours": ("name",)}

_QUEUE, _DEAD_LETTERS = queue("post"), queue("post-dead-letters")
_QUEUES = (_QUEUE, _DEAD_LETTERS, queue("post.fifo"), queue("post-dead-letters.fifo"))
_SERVICES = ("dynamodb", "sqs")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What was seen of one invocation: what it returned or raised, what it printed, and what it buried."""

    response: Any
    raised: BaseException | None
    printed: Sequence[str]
    letters: Sequence[Json]

    @property
    def lines(self) -> list[Json]:
        """What was printed, each line as the JSON that it is."""
        return [json.loads(line) for line in self.printed if line]

    @property
    def logs(self) -> list[Json]:
        """The log lines."""
        return [line for line in self.lines if "_aws" not in line]

    @property
    def counted(self) -> int:
        """How many outcomes the metrics tell of."""
        return sum(
            int(sum(line[metric["Name"]]))
            for line in self.lines
            if "_aws" in line
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        )


class World:
    """Consumers that have handled what they were given so far."""

    def __init__(self, store: Store, consumers: Mapping[str, Consumer], output: io.StringIO) -> None:
        self._store = store
        self._consumers = consumers
        self._output = output
        self._codec = Codec()
        self._aws = next(iter(consumers.values()))._aws

    def invoke(self, consumer: str, records: Sequence[Any]) -> Ending:
        """Hand a batch to a consumer."""
        response, raised = None, None
        try:
            response = self._consumers[consumer]({"Records": list(records)}, Context())  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - what escapes is what is looked for
            raised = error
        printed = self._output.getvalue().removesuffix("\n").split("\n")
        self._output.seek(0)
        self._output.truncate()
        return Ending(response=response, raised=raised, printed=printed, letters=self._letters())

    def heard(self, consumer: str, records: Sequence[Any]) -> list[Delivery]:
        """Return the deliveries of records that have names: of one that holds several events, each."""
        return listen({"Records": list(records)}, known=self._consumers[consumer]) if records else []

    def greeted(self, neighbour: str) -> int:
        """Return how often a neighbour's effect has happened."""
        key = {"name": {"S": neighbour}}
        found = self._aws.dynamodb.get_item(TableName="Neighbours", Key=key).get("Item", {"times": {"N": "0"}})
        return int(found["times"]["N"])

    def journal(self) -> Iterator[Json]:
        """Yield all rows of the journal."""
        pages = self._aws.dynamodb.get_paginator("scan").paginate(TableName="Journal")  # type: ignore[attr-defined]
        return (self._codec.item(item) for page in pages for item in page["Items"])

    def _letters(self) -> list[Json]:
        taken: list[Json] = []
        for arn in (_DEAD_LETTERS.arn, f"{_DEAD_LETTERS.arn}.fifo"):
            while letters := self._store.queues.receive(arn, max_messages=10):
                for letter in letters:
                    self._store.queues.delete(arn, letter["receiptHandle"])
                taken += letters
        return taken


@contextmanager
def opened() -> Iterator[World]:
    """Make a world in which nothing has happened, and forget it afterwards; a process has one at a time."""
    tables = [
        table(name, hash_key=keys[0], range_key=keys[1] if len(keys) > 1 else None) for name, keys in TABLES.items()
    ]
    store = Store(topology(tables=tables, queues=_QUEUES))
    store.create()
    settings = Settings(
        tables={name.upper(): name for name in TABLES},
        source="post",
        queue_url=_QUEUE.url,
        dead_letter_queue_url=_DEAD_LETTERS.url,
        former_rows=False,
        code_version="7",
    )
    output = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as mail,
        patch.dict("os.environ", {"MAIL_DIRECTORY": mail}),
        redirect_stdout(output),
        _loggers_forgotten(),
    ):
        yield World(store, consumers(_clients(store), settings), output)


def _clients(store: Store) -> Aws:
    """Return botocore's own clients, as the layer sets them up, whose requests the store answers in this process."""
    lock = threading.Lock()

    def answer(event_name: str, request: Any, **_: Any) -> AWSResponse:
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        with lock:
            status, answered, content = store.handle(event_name.split(".")[1], headers, body)
        return AWSResponse(request.url, status, answered, _Raw(content))

    session, config = local_session("eu-west-1"), Config(parameter_validation=False, retries={"total_max_attempts": 1})
    clients = {service: session.client(service, config=config) for service in _SERVICES}
    for client in clients.values():
        client.meta.events.register_first("before-send", answer)
    return Aws(**clients)


@contextmanager
def _loggers_forgotten() -> Iterator[None]:
    """A logger of Powertools keeps the output of the world that made it."""
    try:
        yield
    finally:
        loggers = logging.root.manager.loggerDict
        for name in [name for name, logger in loggers.items() if hasattr(logger, "powertools_handler")]:
            del loggers[name]


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


class _Raw:
    """A body as urllib3 streams it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content
