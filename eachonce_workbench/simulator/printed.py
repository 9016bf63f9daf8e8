"""What simulated functions print: metrics and log lines, as happenings of whoever is simulating."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from eachonce_workbench.simulator import strand

if TYPE_CHECKING:
    from eachonce_workbench.cloud.history import History


class Printed(io.TextIOBase):
    """A standard output for all functions; loggers keep the first that they see, so there is one for all runs."""

    def __init__(self) -> None:
        super().__init__()
        self.history: History | None = None
        self._rest = ""

    def write(self, text: str) -> int:
        """Record each whole line."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._record(line)
        return len(text)

    def writable(self) -> bool:
        """It is there to be written to."""
        return True

    def _record(self, line: str) -> None:
        if self.history is None or not line or not strand.in_strand():
            return
        worker = strand.current().owner
        if '"_aws"' in line:
            document = json.loads(line)
            self.history.record("metric", function=worker.function, request_id=worker.request_id, document=document)
        else:
            self.history.record("log", function=worker.function, request_id=worker.request_id, line=line)


PRINTED = Printed()
