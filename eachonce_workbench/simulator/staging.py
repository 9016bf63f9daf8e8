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
from types import FrameType
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
from botocore.retries import quota
from moto.moto_api._internal import mock_random

from eachonce_workbench.simulator import strand
from eachonce_workbench.simulator.printed import PRINTED
from eachonce_workbench.simulator.worker import Worker

R = TypeVar("R")

Hook = Callable[..., Any]

# What functions remember of keys, so that they ask often enough to meet every fault.
_MAX_AGE = timedelta(seconds=2)


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


def _wait(
    tasks: Iterable[asyncio.Task[Any]], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> Any:
    return strand.wait(asyncio.wait(tasks, timeout=timeout, return_when=return_when))


# How the files are called whose code imports others.
_IMPORTS = "<frozen importlib"


class _Drawn:
    """The randomness of a run, the same of the same seed, whatever a process that simulates for the first time imports.

    What a module draws while it is imported is its own, by its file: the next run finds it there, and draws nothing.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawing: dict[str | None, random.Random] = {None: random.Random(seed)}  # noqa: S311 - to be the same every time

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(int=self._now().getrandbits(128), version=4)

    def urandom(self, size: int) -> bytes:
        return self._now().randbytes(size)

    def _now(self) -> random.Random:
        file = _imported()
        if file not in self._drawing:
            self._drawing[file] = random.Random(f"{self._seed} {file}")  # noqa: S311 - likewise
        return self._drawing[file]


def _imported() -> str | None:
    """Return the file whose code runs now because it is imported, if any does."""
    frame: FrameType | None = sys._getframe(3)  # noqa: SLF001 - as the standard library's own callers do
    while frame is not None:
        outer = frame.f_back
        if frame.f_code.co_name == "<module>" and outer is not None and outer.f_code.co_filename.startswith(_IMPORTS):
            return frame.f_code.co_filename
        frame = outer
    return None


@contextlib.contextmanager
def staged(seed: int, *, hook: Hook) -> Iterator[None]:
    """Let sleep, threads, randomness and AWS clients be the simulation's; one at a time in a process.

    `hook` answers botocore's event "before-send".
    """
    drawn = _Drawn(seed)
    state = random.getstate()
    random.seed(seed)
    mock_random.seed(seed)
    with (
        patch.object(time, "sleep", _sleep),
        patch.object(uuid, "uuid4", drawn.uuid4),
        patch.object(os, "urandom", drawn.urandom),
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
        patch.object(sys, "stdout", PRINTED),
    ):
        try:
            yield
        finally:
            random.setstate(state)


def _sleep(seconds: float) -> None:
    strand.wait(asyncio.sleep(seconds))


_CLIENTS: dict[tuple[str, str], Any] = {}
# What each of them has left to retry with, which botocore keeps as long as the client.
_QUOTAS: dict[tuple[str, str], quota.RetryQuota] = {}
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
            _QUOTAS[key] = quota.RetryQuota()
            with patch.object(quota, "RetryQuota", lambda: _QUOTAS[key]):
                _CLIENTS[key] = _make(boto3.session.Session(), service_name, config=chosen)
        made = _CLIENTS[key]
        if id(made) not in hooked:
            hooked.add(id(made))
            _QUOTAS[key].release(quota.RetryQuota.INITIAL_CAPACITY)  # as in a process of its own
            made.meta.events.unregister("before-send", unique_id="simulator")
            made.meta.events.register_first("before-send", hook, unique_id="simulator")
        return made

    return client
