"""What a function printed: metrics and log lines, as CloudWatch would take them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

Line = dict[str, Any]


class Printed:
    """The lines since it was last asked."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def lines(self) -> list[Line]:
        """Return every line as the JSON object that it is."""
        return [json.loads(line) for line in self._capture.readouterr().out.splitlines()]

    def logs(self) -> list[Line]:
        """Return the log lines."""
        return [line for line in self.lines() if "_aws" not in line]

    def metrics(self) -> list[Line]:
        """Return the lines in the embedded metric format."""
        return [line for line in self.lines() if "_aws" in line]

    def counts(self) -> dict[str, int]:
        """Return how many outcomes of each kind were counted."""
        counts: Counter[str] = Counter()
        for line in self.metrics():
            names = [metric["Name"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
            counts.update({name: int(sum(line[name])) for name in names})
        return dict(counts)
