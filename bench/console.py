"""What an open page of the console costs the local cloud: events a second from a bus to a queue, and processor time.

The cloud does nothing else, so that it shows. A process plays the page: it asks for what a browser does, as often.

    python -m bench.console [--rounds N] [--events N]
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench import ROOT
from bench.processor_time import used_seconds
from bench.rivals import TEMPLATE, events_per_second
from bench.tables import ENVIRONMENT

EVENTS = 5_000
PAGES = ("none", "overview", "events")

_REFRESH_SECONDS = 1.0  # page.js


def slowdowns(rounds: int, events: int = EVENTS) -> dict[str, tuple[float, float]]:
    """Return events a second and milliseconds of processor time an event, by the page that is open; medians."""
    took: dict[str, list[tuple[float, float]]] = {page: [] for page in PAGES}
    for _ in range(rounds):
        for page, runs in took.items():
            runs.append(_run(page, events))
    return {page: (median(rate for rate, _ in runs), median(cost for _, cost in runs)) for page, runs in took.items()}


def _run(page: str, events: int) -> tuple[float, float]:
    with _serving() as (endpoint, console, pid), _looking(console, page):
        events_per_second(endpoint, 500, makes=False)  # what is imported by then isn't imported again
        before = used_seconds(pid)
        per_second = events_per_second(endpoint, events, makes=False)
        return per_second, (used_seconds(pid) - before) / events * 1000


@contextmanager
def _serving() -> Iterator[tuple[str, str, int]]:
    """Start the local cloud; yield its endpoint, the address of its console, and its process's id."""
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template.json"
        template.write_text(json.dumps(TEMPLATE), encoding="utf-8")
        run = "from eachonce_workbench.cli.app import app; app()"
        arguments = ["serve", "--port", "0", "--console-port", "0", "--template", str(template)]
        given = {**ENVIRONMENT, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            [sys.executable, "-u", "-c", run, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=given,
            cwd=folder,
        ) as program:
            try:
                yield *_addresses(program), program.pid
            finally:
                program.terminate()


def _addresses(program: subprocess.Popen[str]) -> tuple[str, str]:
    endpoint = ""
    for line in program.stdout or ():
        if found := re.match(r"listening on (\S+),", line):
            endpoint = found[1]
        if found := re.match(r"console: (\S+)", line):
            return endpoint, found[1]
    raise RuntimeError("eachonce serve has ended")


@contextmanager
def _looking(console: str, page: str) -> Iterator[None]:
    """Have a page open meanwhile."""
    if page == "none":
        yield
        return
    context = multiprocessing.get_context("spawn")
    opened = context.Event()
    looker = context.Process(target=_look, args=(console, page, opened), daemon=True)
    looker.start()
    opened.wait(60)
    try:
        yield
    finally:
        looker.terminate()
        looker.join()


def _look(console: str, page: str, opened: Event) -> None:
    """Ask as page.js and events.js do: for what streams, and for what is to be seen when that has moved."""
    whole = urlsplit(console)
    first = _asked(whole.netloc, f"{whole.path}?{whole.query}", {})
    cookie = {"cookie": (first.headers["set-cookie"] or "").partition(";")[0]}
    path = f"{whole.path}stream" if page == "overview" else f"{whole.path}events/stream"
    connection = http.client.HTTPConnection(whole.netloc)
    connection.request("GET", path, headers=cookie)
    looked = 0.0
    with suppress(ConnectionError):
        for line in connection.getresponse():
            if not line.startswith(b"data: "):
                continue
            if page == "events":
                view = json.loads(line.removeprefix(b"data: "))["view"]
                _asked(whole.netloc, f"{whole.path}events/rows?view={view}&start=0&count=40", cookie)
            elif time.monotonic() - looked >= _REFRESH_SECONDS:
                looked = time.monotonic()
                _asked(whole.netloc, whole.path, cookie)
            opened.set()


def _asked(where: str, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(where)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is started")
    parser.add_argument("--events", type=int, default=EVENTS, help="how many events pass")
    arguments = parser.parse_args()
    found = slowdowns(arguments.rounds, arguments.events)
    alone = found["none"]
    for page, (per_second, cost) in found.items():
        print(
            f"page {page:<9} {per_second:7,.0f} events/s ({per_second / alone[0]:.2f})  "
            f"{cost:.3f} ms of processor time an event ({cost / alone[1]:.2f})"
        )


if __name__ == "__main__":
    main()
