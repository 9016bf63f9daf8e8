"""The stage: one consumer, its real layer and its rows, on a clock that moves only from delivery to delivery."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from unittest.mock import patch

import msgspec
import time_machine
from aws_lambda_powertools.utilities.typing import LambdaContext
from eachonce import Consumer, Endpoint, Event, Settings, Work
from eachonce.handler import Handle, Handler
from eachonce.outcome import Outcome, Verdict
from eachonce.report import Report
from eachonce.work import Address

from eachonce_workbench.certify.effect import unwatched, watched
from eachonce_workbench.certify.fault import Fault
from eachonce_workbench.certify.files import Files
from eachonce_workbench.certify.memory import Memory
from eachonce_workbench.certify.patience import patience
from eachonce_workbench.certify.requests import Routed, payload
from eachonce_workbench.certify.rows import REGION, Kept, Rows
from eachonce_workbench.certify.run import Run, World, named, observed
from eachonce_workbench.certify.wire import Traffic, Wire
from eachonce_workbench.cloud.confinement.refusals import Refusals
from eachonce_workbench.simulator.clock import START
from eachonce_workbench.simulator.worker import Killed

# Longer than an invocation may last and its claims with it, so that who comes next finds them ended.
_BETWEEN_DELIVERIES = timedelta(minutes=1)
_REMAINING_MS = 30_000

JOURNAL_KEY = {"Journal": ("pk",)}

_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "certified",
    "AWS_SECRET_ACCESS_KEY": "certified",
    "AWS_SESSION_TOKEN": "certified",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a delivery: no verdict where its worker was killed."""

    verdict: Verdict | None
    traffic: Traffic


class Stage:
    """Delivers events to one consumer's handlers, one message a batch.

    `runs` are those of its handlers, so far, `refusals` what they have tried that nobody may, and `furnished` are the
    rows that are there when a schedule begins.
    """

    def __init__(
        self,
        consumer: Consumer | Endpoint,
        *,
        handlers: Sequence[Handler] = (),
        keys: Mapping[str, Sequence[str]] = {},
        environment: Mapping[str, str] = {},
        isolated_by: str | None = None,
    ) -> None:
        """`keys` are the key attributes of tables, and `environment` is added to the process's while it is open.

        The `handlers` are the consumer's own, unless it is an endpoint, whose handlers have routes.
        Where the consumer keeps tenants apart, it is `isolated_by` a part of keys here, too.
        """
        with _environment(_ACCOUNT):
            self.wire = Wire(Rows({**JOURNAL_KEY, **keys}))
        self.runs: list[Run] = []
        self.refusals = Refusals()
        self.furnished: Kept = {}
        self.name = consumer.name
        self._environment = {**_ACCOUNT, **environment}
        self._heard = _Heard()
        endpoint = isinstance(consumer, Endpoint)
        made: Consumer | Endpoint = (
            Endpoint(consumer.name, aws=self.wire.aws, settings=_SETTINGS)
            if endpoint
            else Consumer(consumer.name, aws=self.wire.aws, settings=_SETTINGS, isolated_by=isolated_by)
        )
        made.report = cast("Report", self._heard)
        self._handles: dict[str, Handle[Any]] = {}
        self._now: Event[Any] | None = None
        world = World(self.wire.own)
        world.open_files.look()
        self.files: Files = world.files
        for handler in handlers or consumer.handlers:
            handle = observed(handler, world, partial(self._note, named(handler.handle)))
            self._handles[handler.description.type] = handle
            # Where a person is to decide after a crash, there is nothing to compare: what is tried is "again".
            if isinstance(handler, Routed) and isinstance(made, Endpoint):
                handler.register(made, partial(self._answer, handle))
            else:
                made.on(handler.contract, external=handler.external)(handle)
        self._consumer = made
        self._memory = Memory([handler.handle for handler in handlers or consumer.handlers])
        self._clock: Any = None
        self._variables: dict[str, str] = {}

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let the process's clock, environment and AWS be this stage's meanwhile."""
        with ExitStack() as stack:
            stack.enter_context(_environment(self._environment))
            stack.enter_context(self.wire.connected())
            stack.enter_context(patience())
            stack.enter_context(patch.object(time, "sleep", _no_pause))  # a client of a handler's own tries again
            self._clock = stack.enter_context(time_machine.travel(START, tick=False))
            self._variables = dict(os.environ)
            yield

    @property
    def forgets(self) -> bool:
        """Whether all that handlers have kept can be forgotten."""
        return self._memory.whole

    def clear(self) -> None:
        """Forget every row and file, and what handlers have kept since the stage was made."""
        self.wire.rows.put_back(self.furnished)
        self.wire.bus.clear()
        self.files.put_back({})
        self._memory.restore()
        if self._variables and self._variables != os.environ:
            os.environ.clear()
            os.environ.update(self._variables)

    def furnish(self, rows: Mapping[Address, Mapping[str, Any]]) -> None:
        """Let these rows be there from now on whenever a schedule begins."""
        self.wire.rows.put_back({})
        for address, values in rows.items():
            self.wire.rows.put(address, values)
        self.furnished = self.wire.rows.keep()

    def travel(self, now: datetime) -> None:
        """Make it another time."""
        self._clock.move_to(now)

    def handle(self, event: Event[Any], work: Work) -> None:
        """Run an event's handler alone, on a work that nobody will commit. Raises what the handler raises."""
        with self.wire.carrying(Traffic()):
            self._handles[event.type](event, work)

    @contextmanager
    def rehearsing(self) -> Iterator[None]:
        """Let handlers run without the layer meanwhile, as often as one likes: what they do besides is no finding."""
        noted = len(self.wire.own)
        with self.wire.carrying(Traffic()), watched([], self.files.begin().note):
            yield
        del self.wire.own[noted:]
        self.files.put_back({})

    @contextmanager
    def performing(self) -> Iterator[None]:
        """Let deliveries be made in the midst of a rehearsal."""
        with unwatched():
            yield

    def deliver(
        self,
        event: Event[Any],
        *,
        place: int,
        received: int = 1,
        fault: Fault | None = None,
        overtake: Callable[[], None] | None = None,
    ) -> Delivered:
        """Deliver an event's message for the `received`-th time, as the `place`-th delivery; let one fault happen."""
        traffic, outer = Traffic(fault=fault, overtake=overtake), self._now
        self._clock.move_to(START + place * _BETWEEN_DELIVERIES)
        self._now = event
        try:
            with self.wire.carrying(traffic):
                self._consumer(self._payload(event, received), _CONTEXT)
        except Killed:
            return Delivered(None, traffic)
        finally:
            self._now = outer
        return Delivered(self._heard.outcomes.pop().verdict, traffic)

    def _payload(self, event: Event[Any], received: int) -> dict[str, Any]:
        """Return what Lambda hands over: a queue's batch, or a request, which may come again as often as one likes."""
        return payload(event) if isinstance(self._consumer, Endpoint) else _batch(event, received)

    def _answer(self, handle: Handle[Any], event: Event[Any], work: Work) -> None:
        """Run a request's handler on the event as it was made up: whose it is and when it came is an API's to say."""
        known = self._now
        if known is not None:
            event = msgspec.structs.replace(event, type=known.type, time=known.time, tenant=known.tenant)
        handle(event, work)

    def _note(self, name: str, run: Run) -> None:
        if run.work is not None:
            self.wire.rows.learn(run.work.writes)  # what is created is put, and a put doesn't tell its key
        self.runs.append(run)
        self.refusals.note(name, run.effects)


class _Heard:
    """A report that keeps the outcomes, and tells nobody."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def log(self, outcome: Outcome, *_: object, **__: object) -> None:
        self.outcomes.append(outcome)

    def count(self, outcomes: object) -> None:
        """Count nothing."""


class _EveryTable(Settings):
    """Settings in which every table is there, by its own name."""

    def table(self, name: str) -> str:
        return name


class _Context:
    """What Lambda tells a function of an invocation that has just begun."""

    function_name = "certified"
    memory_limit_in_mb = 512
    invoked_function_arn = f"arn:aws:lambda:{REGION}:123456789012:function:certified"
    aws_request_id = "certified"

    def get_remaining_time_in_millis(self) -> int:
        return _REMAINING_MS


_CONTEXT = cast("LambdaContext", _Context())

_SETTINGS = _EveryTable(
    source="certified",
    dead_letter_queue_url=f"https://sqs.{REGION}.amazonaws.com/123456789012/dead-letters",
    bus="certified",
    former_rows=False,
    personal_key="none",  # what a handler does with a value doesn't depend on how the value came to it
)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Add variables to the process's environment meanwhile; a person's own profile is none of a function's business."""
    with patch.dict(os.environ, variables):
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
            os.environ.pop(name, None)
        yield


def _no_pause(_: float) -> None:
    """Let no time pass."""


def _batch(event: Event[Any], received: int) -> dict[str, Any]:
    record = {
        "messageId": f"m-{event.id}",
        "receiptHandle": f"r-{event.id}",
        "body": json.dumps({"detail": json.loads(event.encode())}),
        "attributes": {"ApproximateReceiveCount": str(received)},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:certified",
    }
    return {"Records": [record]}
