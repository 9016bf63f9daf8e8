"""The new process: answers requests, one a line, each in a child of its own, which imports what it is asked for."""

from __future__ import annotations

import importlib
import os
import pickle
import socket
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, BinaryIO

import boto3  # noqa: F401 - what most handlers import, and takes longest
import msgspec
import time_machine
from eachonce import Event, Work
from eachonce.request import Request as Asked
from eachonce.work import Address, Item

from eachonce_workbench.afresh.request import Case, Request, Said
from eachonce_workbench.afresh.wishes import said
from eachonce_workbench.cloud.confinement import process
from eachonce_workbench.cloud.confinement.guard import Guard, guarded


def main() -> None:
    """Answer until nobody asks any more; what cannot be answered is an empty list."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what handlers print is no answer
    for line in requests:
        answers.write(_in_a_child(line) + b"\n")
        answers.flush()


def _in_a_child(line: bytes) -> bytes:
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        with os.fdopen(sink, "wb") as answer:
            _try(line, answer)
        os._exit(0)
    os.close(sink)
    with os.fdopen(source, "rb") as told:
        text = told.read()
    os.waitpid(child, 0)
    return text or b"[]"


def _try(line: bytes, answer: BinaryIO) -> None:
    try:
        answer.write(msgspec.json.encode(_answers(msgspec.json.decode(line, type=Request))))
    except BaseException:  # noqa: BLE001 - a module may raise anything when it is imported, and nothing is known then
        os._exit(0)


def _answers(request: Request) -> list[Said | None]:
    socket.gethostname = lambda: "elsewhere"  # as Lambda's own is another in each process
    sys.path[:0] = request.path
    os.environ.update(request.environment)
    guard = Guard(limits=process.limits(), refused=lambda _: None)
    with guarded(guard), time_machine.travel(datetime.fromisoformat(request.imported_at), tick=False) as clock:
        handles = {where: _found(*where) for where in {(case.module, case.name) for case in request.cases}}
        clock.move_to(datetime.fromisoformat(request.now))
        return [_said(case, handles[case.module, case.name]) for case in request.cases]


def _found(module: str, name: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _said(case: Case, handle: Callable[[Event[Any], Work], object]) -> Said | None:
    attributes, reads = pickle.loads(case.given)  # noqa: S301 - from whoever started this process

    def fetch(address: Address) -> Item | None:
        item: Item | None = reads.get(address)
        return item

    work = Work(fetch, idempotency_key=case.key)
    try:
        handle(Event(**{**attributes, "request": Asked(**attributes["request"])}), work)
    except Exception:  # noqa: BLE001 - which it didn't where it ran before; perhaps it lacks something here
        return None
    return said(work)


if __name__ == "__main__":
    main()
