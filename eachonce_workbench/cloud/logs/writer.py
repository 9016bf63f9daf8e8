"""What happens in functions, as Lambda writes it to their log groups: their lines, and its own around them."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.cloud.logs.archive import LogGroup
from eachonce_workbench.template.topology import Function, Topology


class LogWriter:
    """Writes into the log group of each function; subscribe it to a History.

    START, END and REPORT are Lambda's lines, as are a time-out and an exit; the forms are those of
    https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and .../troubleshooting-invocation.html.
    """

    def __init__(self, topology: Topology) -> None:
        """Make a group for each function; several functions may share one."""
        self.groups: dict[str, LogGroup] = {}
        self._functions: dict[str, Function] = {}
        self._beginning: set[str] = set()
        now = _now_ms()
        for function in topology.functions:
            name = function.log_group_name
            arn = f"arn:aws:logs:{topology.region}:{topology.account_id}:log-group:{name}"
            self.groups.setdefault(name, LogGroup(name=name, arn=arn, created_ms=now))
            self._functions[function.logical_id] = function

    def __call__(self, happening: Happening) -> None:
        """Write what a function printed, and how its invocation ended."""
        fields = happening.fields
        match happening.kind:
            case "invoked":
                self._beginning.add(fields["request_id"])
            case "log":
                self._write(fields, fields["line"])
            case "metric":
                self._write(fields, json.dumps(fields["document"], separators=(",", ":"), ensure_ascii=False))
            case "attempted" if fields.get("stream"):
                for line in _last_lines(fields, self._functions[fields["function"]]):
                    self._write(fields, line)
                self._beginning.discard(fields["request_id"])

    def _write(self, fields: Mapping[str, Any], message: str) -> None:
        stream, request_id = fields.get("stream"), fields["request_id"]
        if not stream:  # nothing ran, or not as Lambda runs it
            return
        group, now = self.groups[self._functions[fields["function"]].log_group_name], _now_ms()
        if request_id in self._beginning:
            self._beginning.discard(request_id)
            group.write(stream, now, f"START RequestId: {request_id} Version: $LATEST\n")
        group.write(stream, now, f"{message}\n")


def _last_lines(fields: Mapping[str, Any], function: Function) -> Iterator[str]:
    request_id, status, milliseconds = fields["request_id"], fields["status"], fields["duration_ms"]
    if status == "timeout":
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield f"{moment} {request_id} {fields['error_message'].partition(' Error: ')[2]}"
    if status == "crash":
        yield f"{fields['error_message']}\n{fields['error_type']}"
    yield f"END RequestId: {request_id}"
    report = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {math.ceil(milliseconds)} ms",
        f"Memory Size: {function.memory_mb} MB",
    ]
    if status != "ok":
        report += [f"Status: {'timeout' if status == 'timeout' else 'error'}", f"Error Type: {fields['error_type']}"]
    yield "\t".join(report)


def _now_ms() -> int:
    return int(time.time() * 1000)
