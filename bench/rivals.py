"""The local cloud beside others, at what all of them have: a bus, a rule, a queue, over HTTP.

Each other cloud is installed into an environment of its own below .run/bench, by pip, the first time; one that can't be
had is named in the results. Functions aren't compared: the others run them in containers, or without their failures.

    python -m bench.rivals [--rounds N] [--events N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from bench import ROOT
from bench.cold_start import compiling_once
from bench.processor_time import processor_seconds
from bench.start_up import ask, free_port
from bench.tables import ENVIRONMENT

FOLDER = ROOT / ".run" / "bench"
EVENTS = (1_000, 5_000)

_NAME = "bench"
_PATTERN = {"source": ["bench"]}
_AT_ONCE = 10  # of a call of either service
_PATIENCE_SECONDS = 60
TEMPLATE = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": _NAME}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": _NAME}},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventBusName": {"Fn::GetAtt": ["Bus", "Name"]},
                "EventPattern": _PATTERN,
                "Targets": [{"Id": _NAME, "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
            },
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another local cloud: what pip installs, and how it is started on a port."""

    package: str
    command: str
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


RIVALS: Mapping[str, Rival] = {
    "moto_server": Rival(
        package=f"moto[server]=={version('moto')}", command="moto_server", arguments=("-H", "127.0.0.1", "-p", "{port}")
    ),
    "ministack": Rival(package="ministack", command="ministack", environment={"GATEWAY_PORT": "{port}"}),
}
OURS = "eachonce serve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """How fast so many events passed, how long the cloud took to answer at all, and its processor time; medians."""

    system: str
    events: int
    events_per_second: float
    first_answer_seconds: float
    cpu_ms_per_event: float
    first_answer_cpu_seconds: float


def passages(rounds: int, sizes: Sequence[int] = EVENTS) -> tuple[list[Passage], list[str]]:
    """Measure each cloud in turn, round after round; return what was measured, and what wasn't, with the reason.

    Each is started once before, so that it is compiled.
    """
    missing = [name for name, rival in RIVALS.items() if not _installed(name, rival)]
    there = [name for name in (OURS, *RIVALS) if name not in missing]
    for name in there:
        with suppress(RuntimeError), _started(name):
            pass
    took: dict[tuple[str, int], list[_Run]] = {(name, events): [] for name in there for events in sizes}
    failed: dict[tuple[str, int], str] = {}
    for _ in range(rounds):
        for (name, events), runs in took.items():
            if (name, events) in failed:
                continue
            try:
                runs.append(_passage(name, events))
            except Exception as error:  # noqa: BLE001 - all else that was measured is worth keeping
                failed[name, events] = str(error) if isinstance(error, RuntimeError) else type(error).__name__
    found = [_median(name, events, runs) for (name, events), runs in took.items() if (name, events) not in failed]
    absent = [f"{name}: it can't be installed" for name in missing]
    return found, absent + [f"{name}, {events:,} events: {reason}" for (name, events), reason in failed.items()]


class _Run(NamedTuple):
    """What one run took: events a second, and the processor time of each; and until the first answer."""

    events_per_second: float
    cpu_ms_per_event: float
    first_answer_seconds: float
    first_answer_cpu_seconds: float


def _median(name: str, events: int, runs: Sequence[_Run]) -> Passage:
    rate, cpu, first, first_cpu = map(median, zip(*runs, strict=True))
    return Passage(
        system=name,
        events=events,
        events_per_second=round(rate, 1),
        first_answer_seconds=round(first, 3),
        cpu_ms_per_event=round(cpu, 3),
        first_answer_cpu_seconds=round(first_cpu, 3),
    )


def _installed(name: str, rival: Rival) -> bool:
    """Install a rival unless it is there; return whether it is."""
    folder = FOLDER / name
    program = folder / "bin" / rival.command
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", str(folder)], [*pip, rival.package]):
        if not program.exists() and subprocess.run(command, capture_output=True, check=False).returncode:
            return False
    return program.exists()


def _passage(name: str, events: int) -> _Run:
    with _started(name) as started:
        rate = events_per_second(f"http://127.0.0.1:{started.port}", events, makes=name != OURS)
        used = processor_seconds(started.pid) - started.first_answer_cpu_seconds
        return _Run(rate, used / events * 1000, started.first_answer_seconds, started.first_answer_cpu_seconds)


class _Started(NamedTuple):
    """A cloud that has answered for the first time."""

    port: int
    pid: int
    first_answer_seconds: float
    first_answer_cpu_seconds: float


@contextmanager
def _started(name: str) -> Iterator[_Started]:
    port = free_port()
    began = time.perf_counter()
    with _running(name, port) as program:
        while ask(port) is None:
            if program.poll() is not None or time.perf_counter() - began > _PATIENCE_SECONDS:
                raise RuntimeError(f"{name} doesn't answer")
            time.sleep(0.002)
        yield _Started(port, program.pid, time.perf_counter() - began, processor_seconds(program.pid))


@contextmanager
def _running(name: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        command, environment = _started_by(name, port, Path(folder))
        given = {**compiling_once(), **ENVIRONMENT, **environment}
        nowhere = subprocess.DEVNULL
        with subprocess.Popen(command, stdout=nowhere, stderr=nowhere, env=given, cwd=folder) as program:
            try:
                yield program
            finally:
                program.terminate()


def _started_by(name: str, port: int, folder: Path) -> tuple[list[str], dict[str, str]]:
    if name == OURS:
        template = folder / "template.json"
        template.write_text(json.dumps(TEMPLATE), encoding="utf-8")
        run = "from eachonce_workbench.cli.app import app; app()"
        arguments = ["serve", "--port", str(port), "--template", str(template)]
        return [sys.executable, "-c", run, *arguments], {"PYTHONPATH": str(ROOT)}
    rival = RIVALS[name]
    arguments = [argument.format(port=port) for argument in rival.arguments]
    environment = {key: value.format(port=port) for key, value in rival.environment.items()}
    return [str(FOLDER / name / "bin" / rival.command), *arguments], environment


def events_per_second(endpoint: str, events: int, *, makes: bool) -> float:
    """Return events a second, from the first PutEvents to the deletion of the last message."""
    import boto3

    session = boto3.Session(region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    bus, sqs = (session.client(service, endpoint_url=endpoint) for service in ("events", "sqs"))
    if makes:
        _make(bus, sqs)
    url = sqs.get_queue_url(QueueName=_NAME)["QueueUrl"]
    began = time.perf_counter()
    publisher = threading.Thread(target=_publish, args=(bus, events), daemon=True)
    publisher.start()
    left = events
    while left > 0:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=_AT_ONCE, WaitTimeSeconds=1).get(
            "Messages", ()
        )
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
            left -= len(messages)
        if left > 0 and time.perf_counter() - began > _PATIENCE_SECONDS:
            raise RuntimeError(f"{left:,} didn't arrive within {_PATIENCE_SECONDS} seconds")
    seconds = time.perf_counter() - began
    publisher.join()
    return events / seconds


def _make(bus: Any, sqs: Any) -> None:
    bus.create_event_bus(Name=_NAME)
    url = sqs.create_queue(QueueName=_NAME)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_rule(Name=_NAME, EventBusName=_NAME, EventPattern=json.dumps(_PATTERN))
    bus.put_targets(Rule=_NAME, EventBusName=_NAME, Targets=[{"Id": _NAME, "Arn": arn}])


def _publish(bus: Any, events: int) -> None:
    detail = json.dumps({"order_id": "o-1", "lines": [{"sku": "85123A", "quantity": 6, "unit_price": "2.55"}] * 5})
    entry = {"EventBusName": _NAME, "Source": "bench", "DetailType": "OrderPlaced", "Detail": detail}
    with suppress(BotoCoreError, ClientError):  # whoever receives says what is missing
        for start in range(0, events, _AT_ONCE):
            bus.put_events(Entries=[entry] * min(_AT_ONCE, events - start))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is started")
    parser.add_argument("--events", type=int, action="append", help="how many events pass; again for each number")
    arguments = parser.parse_args()
    found, absent = passages(arguments.rounds, arguments.events or EVENTS)
    for line in (*found, *absent):
        print(line)


if __name__ == "__main__":
    main()
