"""The tally: what became of each consumer's deliveries, counted as CloudWatch would count it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from eachonce_workbench.cloud.history import Happening

# The layer's metrics, in the order of the report's columns.
OUTCOMES = ("Done", "Duplicate", "Stale", "Ignored", "Retried", "Waiting", "Abandoned", "Rejected")


class Tally:
    """Counts the outcomes that functions report as embedded metrics; subscribe it to a History."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)

    def __call__(self, happening: Happening) -> None:
        """Count what a metric says."""
        if happening.kind == "metric":
            document = happening.fields["document"]
            for outcome in OUTCOMES:
                self._counts[happening.fields["function"]][outcome] += int(sum(document.get(outcome, ())))

    def of(self, function: str) -> Mapping[str, int]:
        """Return a function's deliveries, and how many had each outcome."""
        counts = self._counts[function]
        return {"Delivered": counts.total(), **{outcome: counts[outcome] for outcome in OUTCOMES}}
