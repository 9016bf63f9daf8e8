"""One measurement: a system does a work for some batches, and what that took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from eachonce import group_commit, lanes

from bench.latency import Latencies
from bench.orders import batches
from bench.spent import spent
from bench.stand_in import StandIn
from bench.systems import Built
from tests.records import Context

_RELAYED = 100  # records of a batch, as the template's relay gets them
_CONTEXT = Context(remaining_ms=900_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be measured. With a `seed`, AWS takes its time: `mirrored`, where it was quick it is slow."""

    work: str
    keys: str
    batch: int
    batches: int
    seed: int | None = None
    mirrored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What so many events took in all; processor time without the stand-in's, and the wall time of each batch.

    `boto3_seconds` and `logs_seconds` are the parts of the processor time that AWS's calls and log lines took.
    """

    events: int
    calls: int
    write_units: int
    cpu_seconds: float
    wall_seconds: tuple[float, ...]
    boto3_seconds: float = 0.0
    logs_seconds: float = 0.0


def measure(stand_in: StandIn, built: Built, task: Task) -> Measured:
    """Do the work for the task's batches, after one more that is not counted: what is made at it is start-up's.

    What is published counts until it is on the bus: the relay's calls and its processor time are in it. Its wall time
    is in no batch's, since nobody waits for it. Where AWS takes no time, nothing is split for taking long: a hiccup of
    this machine would else be counted.
    """
    with _unhurried() if task.seed is None else nullcontext():
        return _measure(stand_in, built, task)


def _measure(stand_in: StandIn, built: Built, task: Task) -> Measured:
    stand_in.begin()
    given = batches(task.batch, task.keys)
    _work(stand_in, built, next(given))
    stand_in.reset()
    stand_in.latency = None if task.seed is None else Latencies(task.seed, mirrored=task.mirrored)
    with spent() as (calls, logs):
        took = [_work(stand_in, built, next(given)) for _ in range(task.batches)]
    return Measured(
        events=task.batch * task.batches,
        calls=stand_in.calls.total(),
        write_units=stand_in.write_units,
        cpu_seconds=sum(cpu for cpu, _ in took) - stand_in.own_seconds,
        wall_seconds=tuple(wall for _, wall in took),
        boto3_seconds=calls.seconds - stand_in.own_seconds,
        logs_seconds=logs.seconds,
    )


@contextmanager
def _unhurried() -> Iterator[None]:
    """Let works wait for each other for as long as a batch takes."""
    hour = timedelta(hours=1)
    with patch.object(lanes, "MEANWHILE", hour), patch.object(group_commit, "QUICK", hour):
        yield


def _work(stand_in: StandIn, built: Built, batch: Mapping[str, Any]) -> tuple[float, float]:
    """Return the processor time and the wall time of one batch."""
    cpu, wall = time.process_time(), time.perf_counter()
    response = built.consumer(batch, _CONTEXT)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if response is not None and response["batchItemFailures"]:
        raise RuntimeError(f"the system failed at its work: {response}")
    if built.relay is not None:
        with stand_in.at_once():
            cpu += _relay(stand_in, built.relay)
    return cpu, wall


def _relay(stand_in: StandIn, relay: Any) -> float:
    records, cpu = stand_in.outboxes(), 0.0
    for start in range(0, len(records), _RELAYED):
        began = time.process_time()
        relay({"Records": records[start : start + _RELAYED]}, _CONTEXT)
        cpu += time.process_time() - began
    return cpu
