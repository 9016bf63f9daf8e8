"""The stage of a simulation: what Python itself must do differently while one is under way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar
from unittest.mock import patch

import boto3.session
import eachonce.circuit
import eachonce.group_commit
import eachonce.keys
import eachonce.lanes
import eachonce.publisher
from aws_lambda_powertools.shared import user_agent
from botocore import UNSIGNED
from botocore.config import Config
from eachonce import Event, Reject, Wait, Work, committer
from eachonce.errors import AwsError, ContractError, WorkError
from eachonce.handler import Handler
from eachonce.journal import Mark
from eachonce.plan import Guard, Plan, plan
from moto.moto_api._internal import mock_random

from eachonce_workbench.simulator import strand
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.outage import Outages
from eachonce_workbench.simulator.poison import FAILS, KILLS, is_poison
from eachonce_workbench.simulator.printed import PRINTED
from eachonce_workbench.simulator.watch import Watch
from eachonce_workbench.simulator.worker import Killed, Worker

R = TypeVar("R")

Hook = Callable[..., Any]
Show = Callable[[str, str], None]

# What functions remember of keys, so that they ask often enough to meet every fault.
_MAX_AGE = timedelta(seconds=2)


# A handler's effect takes up to so long, and so much of its function's time is left for the rest: nobody dies of it.
_SLOWEST_SECONDS = 6.0
_SPARED_SECONDS = 2.0


# What a handler may raise that never counts as its failure.
_NO_FAILURES = (Reject, Wait, WorkError, ContractError, AwsError)


class SimulatedError(RuntimeError):
    """A handler's failure that the simulator made up."""


class Strands:
    """A ThreadPoolExecutor as far as the layer uses one: its threads are strands of the worker."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take an executor's arguments: any number of strands may run side by side."""

    def submit(self, function: Callable[[], R]) -> asyncio.Task[R]:
        """Begin a function in a strand of its own."""
        worker: Worker = strand.current().owner
        return worker.begin(function)


class StrandLock:
    """A lock that one strand holds: who waits for it lets others go on, and this one's holder among them."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    def __enter__(self) -> None:
        strand.wait(self._lock.acquire())

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _wait(tasks: Iterable[asyncio.Task[Any]], *, timeout: float | None, return_when: str) -> Any:
    return strand.wait(asyncio.wait(tasks, timeout=timeout, return_when=return_when))


@contextlib.contextmanager
def staged(seed: int, *, hook: Hook, chaos: Chaos, watch: Watch, show: Show) -> Iterator[None]:
    """Let sleep, threads, randomness and AWS clients be the simulation's; one at a time in a process.

    `hook` answers botocore's event "before-send", and `show` lets a queue (by ARN) show a message (by receipt handle)
    to whoever asks next.
    """
    drawn = random.Random(seed)  # noqa: S311 - the run's own randomness, to be the same every time
    state = random.getstate()
    random.seed(seed)
    mock_random.seed(seed)
    with (
        patch.object(time, "sleep", _sleep),
        patch.object(uuid, "uuid4", lambda: uuid.UUID(int=drawn.getrandbits(128), version=4)),
        patch.object(os, "urandom", drawn.randbytes),
        patch.object(eachonce.lanes, "ThreadPoolExecutor", Strands),
        patch.object(eachonce.lanes, "wait", _wait),
        patch.object(eachonce.publisher, "ThreadPoolExecutor", Strands),
        patch.object(eachonce.publisher, "wait", _wait),
        patch.object(eachonce.circuit, "Lock", StrandLock),
        patch.object(eachonce.group_commit, "Lock", StrandLock),
        patch.object(eachonce.keys, "MAX_AGE", _MAX_AGE),
        patch.object(boto3.session.Session, "client", _clients(hook)),
        # Each process would add to every request of the clients that all of them share.
        patch.object(user_agent, "register_feature_to_client", lambda *_, **__: None),
        patch.object(Event, "with_data", _with_data(chaos, watch, show)),
        patch.object(Handler, "run", _run(watch)),
        patch.object(committer, "plan", _planning(watch)),
        patch.object(sys, "stdout", PRINTED),
    ):
        try:
            yield
        finally:
            random.setstate(state)


def _sleep(seconds: float) -> None:
    strand.wait(asyncio.sleep(seconds))


_CLIENTS: dict[tuple[str, str], Any] = {}
_make = boto3.session.Session.client


def _clients(hook: Hook) -> Callable[..., Any]:
    """Return what gives clients: made once a process, since making one costs as much as a hundred calls."""
    hooked: set[int] = set()

    def client(_session: boto3.session.Session, service_name: str, *_: Any, config: Any = None, **__: Any) -> Any:
        settings = {} if config is None else config._user_provided_options  # noqa: SLF001 - what tells configs apart
        key = service_name, repr(sorted(settings.items()))
        if key not in _CLIENTS:
            unsigned = Config(signature_version=UNSIGNED)  # nobody checks it, and it is a tenth of a call
            chosen = unsigned if config is None else config.merge(unsigned)
            _CLIENTS[key] = _make(boto3.session.Session(), service_name, config=chosen)
        made = _CLIENTS[key]
        if id(made) not in hooked:
            hooked.add(id(made))
            made.meta.events.unregister("before-send", unique_id="simulator")
            made.meta.events.register_first("before-send", hook, unique_id="simulator")
        return made

    return client


def _with_data(chaos: Chaos, watch: Watch, show: Show) -> Any:
    """Return an Event.with_data under which handlers fail, and workers die, on the events that make them.

    The layer asks for it between an event's decoding and its handler. Where that needs something with a breaker, it
    fails for as long as this is down.
    """
    plain, profile = Event.with_data, chaos.profile
    needs = Outages(chaos, DeliveryFault.NEED_DOWN, shortest=60.0, longest=300.0)

    def with_data(event: Event[Any], data: Any) -> Any:
        if not strand.in_strand():
            return plain(event, data)
        worker: Worker = strand.current().owner
        caller = sys._getframe(1).f_locals  # noqa: SLF001 - whose event it is, nobody else knows here
        handler, pk, execution = caller["handler"], caller["mark"].pk, caller["self"]
        who = worker.request_id
        watch.conduct.begins(
            who,
            event.id,
            pk,
            consumer=execution._consumer,  # noqa: SLF001 - likewise
            most_attempts=execution._max_attempts,  # noqa: SLF001 - likewise
            external=handler.external,
        )
        about = f"{worker.function} {event.type} {event.id}"
        down = handler.needs is not None and needs.down(worker.function)
        fails = down or event.id.startswith(FAILS) or chaos.delivery(DeliveryFault.HANDLER_FAILED, about)
        # Whoever has noted its start is to be met by others: there are few, and of others a slow one hinders a group.
        noted = handler.external or caller["begun"] is not None
        if chaos.happens(DeliveryFault.HANDLER_SLOW, about, 2 * profile.delivery if noted else profile.rare):
            left = caller["deadline"].remaining().total_seconds() - _SPARED_SECONDS
            seconds = min(chaos.between(0.1, _SLOWEST_SECONDS, chaos.last), max(0.0, left))
            # What fails is to come again when its pause is over: else it fails as often as it may, in no time.
            if (not fails or is_poison(event.id)) and chaos.often(DeliveryFault.SHOWN_AGAIN, about):
                for copy in watch.conduct.copies(who, event.id):
                    show(copy.queue_arn, copy.receipt_handle)
            _sleep(seconds)
        if event.id.startswith(KILLS):
            worker.kill()
            raise Killed
        if fails:
            watch.failed(who, pk, counts=handler.needs is None or caller["attempt"].id is not None)
            raise SimulatedError(f"simulated: {worker.function} fails")
        if handler.external:
            watch.conduct.has_effect(who, pk)
        return plain(event, data)

    return with_data


def _run(watch: Watch) -> Any:
    """Return a Handler.run that tells of a handler's own failures: whether they count is the layer's to say."""
    plain = Handler.run

    def run(handler: Handler, event: Event[Any], work: Work) -> None:
        try:
            plain(handler, event, work)
        except Exception as error:
            if strand.in_strand() and not isinstance(error, _NO_FAILURES):
                pk = sys._getframe(1).f_locals["task"].mark.pk  # noqa: SLF001 - as in with_data
                watch.failed(strand.current().owner.request_id, pk, counts=False)
            raise

    return run


def _planning(watch: Watch) -> Any:
    """Return a `plan` that tells whether an event will have a row of the journal."""

    def planning(work: Work, mark: Mark, *arguments: Any, **options: Any) -> Plan:
        planned = plan(work, mark, *arguments, **options)
        watch.conduct.plans(mark.pk, journaled=bool(planned) and planned[0].guard is Guard.JOURNAL)
        return planned

    return planning
