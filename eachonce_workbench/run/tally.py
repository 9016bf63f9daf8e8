"""The tally: what became of each function's deliveries, counted as CloudWatch would count it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.template.topology import Topology

# The layer's metrics, in the order of the report's columns.
OUTCOMES = (
    "Done",
    "Duplicate",
    "Stale",
    "Ignored",
    "Retried",
    "Waiting",
    "OverRate",
    "Unavailable",
    "Abandoned",
    "Rejected",
)


class Tally:
    """Counts the outcomes that functions report as embedded metrics, and what is seen of them from outside.

    Subscribe it to a History. `failed` has a line for what nobody will try again.
    """

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._messages: dict[str, Counter[str]] = defaultdict(Counter)
        self._attempts: dict[str, Counter[str]] = defaultdict(Counter)
        self._moved: Counter[str] = Counter()
        self.failed: list[str] = []

    def __call__(self, happening: Happening) -> None:
        """Count what happened."""
        fields = happening.fields
        match happening.kind:
            case "metric":
                self._measured(fields["function"], fields["document"])
            case "acknowledged" if not fields.get("filtered"):
                self._messages[fields["function"]]["Done"] += 1
            case "returned":
                self._messages[fields["function"]]["Retried"] += 1
            case "attempted":
                self._attempts[fields["function"]]["Done" if fields["status"] == "ok" else "Retried"] += 1
            case "dead-lettered":
                self._moved[fields["queue_arn"]] += 1
                self.failed.append(f"message {fields['message_id']}: received {fields['receives']} times, and given up")
            case "undelivered" | "lost":
                self.failed.append(f"event {fields.get('event_id')}: {happening.kind}")
            case "concluded" if fields["condition"] != "Success":
                self.failed.append(f"{fields['function']} {fields['request_id']}: {fields['condition']}")

    def of(self, function: str) -> Mapping[str, int]:
        """Return a function's deliveries, and how many had each outcome, as the layer tells it."""
        counts = self._counts.get(function, Counter())
        return {"Delivered": counts.total(), **{outcome: counts[outcome] for outcome in OUTCOMES}}

    def seen_of(self, function: str, topology: Topology) -> Mapping[str, int]:
        """Return the same of any function: where it tells nothing itself, what its queue or its callers saw."""
        if function in self._counts:
            return self.of(function)
        counts = self._messages.get(function) or self._attempts.get(function, Counter())
        arns = [mapping.queue_arn for mapping in topology.queue_mappings if mapping.function == function]
        moved = sum(self._moved[arn] for arn in arns)
        seen = {name: counts[name] for name in ("Done", "Retried")}
        return {"Delivered": counts.total(), **seen, "Rejected": moved}

    def worked(self, function: str) -> bool:
        """Whether a function was invoked at all."""
        return function in self._attempts

    def _measured(self, function: str, document: Mapping[str, Any]) -> None:
        for outcome in OUTCOMES:
            told = document.get(outcome)
            if isinstance(told, list):  # as Powertools writes them; a metric of somebody else's may have the name, too
                self._counts[function][outcome] += int(sum(told))
                if outcome == "Rejected":
                    self.failed += [
                        f"{function} rejected an event: its dead-letter queue, or its caller, has the reason"
                    ] * int(sum(told))
