"""How long `eachonce serve` takes from its start to its first true answer, the tables of the template.

python -m bench.start_up [--rounds N]
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from contextlib import closing

from bench import ROOT
from bench.processor_time import used_seconds

_HEADERS = {
    "authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/eu-west-1/dynamodb/aws4_request, Signature=0",
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "DynamoDB_20120810.ListTables",
}
_PAUSE_SECONDS = 0.002


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="how often it is started")
    costs = [first_answer() for _ in range(parser.parse_args().rounds)]
    for name, seconds in zip(("wall", "processor"), zip(*costs, strict=True), strict=True):
        print(f"{name:<9}  {statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s")


def first_answer() -> tuple[float, float]:
    """Start it, ask until it answers, and end it; returns what that took, in seconds and in processor seconds."""
    port = free_port()
    command = [sys.executable, "-c", "from eachonce_workbench.cli.app import app; app()", "serve", "--port", str(port)]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT) as program:
        try:
            while (tables := ask(port)) is None:
                assert program.poll() is None, "it has ended"
                time.sleep(_PAUSE_SECONDS)
            seconds, processor_seconds = time.perf_counter() - begun, used_seconds(program.pid)
        finally:
            program.terminate()
    assert len(tables) == 6, tables
    return seconds, processor_seconds


def ask(port: int) -> list[str] | None:
    """Return the names of the tables; None while nobody listens."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        try:
            connection.request("POST", "/", b"{}", _HEADERS)
        except ConnectionRefusedError:
            return None
        answer = json.loads(connection.getresponse().read())
    names: list[str] = answer["TableNames"]
    return names


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
