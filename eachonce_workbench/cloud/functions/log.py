"""What a function's process prints: log lines and embedded metrics."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from eachonce_workbench.cloud.history import History

_READ_BYTES = 65_536
_LINE_BYTES = 1_048_576  # a log event's limit; https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
_TAIL_BYTES = 4_096  # https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, LogResult


class FunctionLog:
    """A pipe that a process prints into; each whole line becomes a happening, in order.

    A line that is an object with `_aws` is an embedded metric (https://docs.aws.amazon.com/AmazonCloudWatch/latest/
    monitoring/CloudWatch_Embedded_Metric_Format_Specification.html), any other a log line.
    """

    def __init__(self, function: str, stream: str, history: History) -> None:
        self.request_id: str | None = None
        self._told = {"function": function, "stream": stream}
        self._history = history
        self._rest = b""
        self._tail = b""
        self._source, self.sink = os.pipe()
        os.set_blocking(self._source, False)
        asyncio.get_running_loop().add_reader(self._source, self.drain)

    def begin(self, request_id: str) -> None:
        """Attribute what is printed from now on to `request_id`."""
        self.drain()
        self.request_id, self._tail = request_id, b""

    def drain(self) -> None:
        """Record all that has been printed so far, so that an invocation's lines come before its end."""
        while data := self._read():
            self._tail = (self._tail + data)[-_TAIL_BYTES:]
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._record(line)
            if len(self._rest) > _LINE_BYTES:
                self._flush()

    def end(self) -> None:
        """Record all that the current invocation has printed, the last line, too, if it doesn't end."""
        self.drain()
        self._flush()

    def tail(self) -> str:
        """Return the end of what the current invocation has printed."""
        return self._tail.decode(errors="replace")

    def close_sink(self) -> None:
        """Leave the writing end to the process alone."""
        if self.sink >= 0:
            os.close(self.sink)
            self.sink = -1

    def close(self) -> None:
        """Record what is left and close the pipe; the loop must still run."""
        self.close_sink()
        self.end()
        asyncio.get_running_loop().remove_reader(self._source)
        os.close(self._source)

    def _read(self) -> bytes:
        try:
            data = os.read(self._source, _READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:  # the end of the pipe stays readable for ever: stop looking, or the loop would spin
            asyncio.get_running_loop().remove_reader(self._source)
        return data

    def _flush(self) -> None:
        line, self._rest = self._rest, b""
        if line:
            self._record(line)

    def _record(self, line: bytes) -> None:
        if (document := _metric(line)) is not None:
            self._history.record("metric", **self._told, request_id=self.request_id, document=document)
        else:
            # The runtime client separates the lines of a traceback by carriage returns, so that they stay together.
            text = line.decode(errors="replace").rstrip("\r").replace("\r", "\n")
            self._history.record("log", **self._told, request_id=self.request_id, line=text)


def _metric(line: bytes) -> dict[str, object] | None:
    if not (line.startswith(b"{") and b'"_aws"' in line):
        return None
    try:
        document = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    return document if "_aws" in document else None
