"""The start of a function: its imports and its clients in a fresh process, and the most memory that took.

What is measured is what Lambda does before the first event: the module of the handler is imported and its clients are
made. The layer makes its clients at the first event; here they are asked for, so that all stand at the same place.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench import ROOT
from bench.systems import FLOOR, OURS, PEER
from bench.tables import ENVIRONMENT

_OURS = """
from eachonce import Aws, Consumer, Contract, Event, Work

class OrderPlaced(Contract, frozen=True, kw_only=True):
    order_id: str

aws = Aws()
consumer = Consumer("bench", aws=aws)

@consumer.on(OrderPlaced)
def handler(event: Event[OrderPlaced], work: Work) -> None:
    work.create("Orders", {"order_id": event.data.order_id})

consumer.report
consumer.execution
aws.dynamodb
"""
_PEER = """
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.parser import BaseModel, parse
import boto3

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)
persistence = DynamoDBPersistenceLayer(table_name="t")
config = IdempotencyConfig(event_key_jmespath="id")
orders = boto3.resource("dynamodb").Table("t")

class OrderPlaced(BaseModel):
    order_id: str

@idempotent_function(data_keyword_argument="event", config=config, persistence_store=persistence)
def once(*, event, order):
    orders.put_item(Item={"order_id": order.order_id})
"""
_FLOOR = """
import boto3
boto3.client("dynamodb")
"""
_LOGS = """
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics
import boto3

Logger(service="bench")
EphemeralMetrics(namespace="bench", service="bench")
boto3.client("dynamodb")
"""
LOGS = f"{FLOOR}, with Powertools' logger and metrics"
STARTS: Mapping[str, str] = {OURS: _OURS, PEER: _PEER, LOGS: _LOGS, FLOOR: _FLOOR}

IMPORTS: Mapping[str, str] = {
    "moto's tables and queues": "import moto.dynamodb.models, moto.sqs.models",
    "typer, and pydantic for it": "import typer, pydantic",
}
"""What the local cloud is made of, and can't begin without."""

_PROBE = r"""
import sys, time
wall, cpu = time.perf_counter(), time.process_time()
exec(sys.argv[1], {"__name__": "app"})
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
import json, re
peak = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1])  # rusage has what forked it, too
print(json.dumps([wall * 1000, cpu * 1000, peak / 1024]))
"""

# With these no process finds what another has compiled, as those that are installed do.
_COMPILES_ANEW = {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a system's start takes, in medians; the memory is the whole process's at its most."""

    system: str
    wall_ms: float
    cpu_ms: float
    peak_mib: float


def starts(rounds: int, codes: Mapping[str, str] = STARTS) -> list[Start]:
    """Start each system in turn, round after round, after one round that compiles what is imported."""
    took: dict[str, list[Sequence[float]]] = {system: [] for system in codes}
    for number in range(rounds + 1):
        for system, code in codes.items():
            measured = _start(code)
            if number:
                took[system].append(measured)
    return [_of(system, list(zip(*runs, strict=True))) for system, runs in took.items()]


def _of(system: str, columns: Sequence[Sequence[float]]) -> Start:
    wall, cpu, peak = (round(median(column), 1) for column in columns)
    return Start(system=system, wall_ms=wall, cpu_ms=cpu, peak_mib=peak)


def compiling_once() -> dict[str, str]:
    """Return this environment, where what one process has compiled the next one finds."""
    return {name: value for name, value in os.environ.items() if name not in _COMPILES_ANEW}


def _start(code: str) -> Sequence[float]:
    layer = str(ROOT / "layers" / "eachonce")
    environment = {**compiling_once(), **ENVIRONMENT, "PYTHONPATH": layer}
    ended = subprocess.run(
        [sys.executable, "-c", _PROBE, code], env=environment, capture_output=True, text=True, check=True
    )
    measured: list[float] = json.loads(ended.stdout.splitlines()[-1])
    return measured
