"""Patience: how often a delivery may fail before AWS gives it up, so that faults alone never bring it that far.

AWS has no such mercy. But that a message is put aside after as many failures as its queue allows is what its owner has
asked for, and tells nothing of the function.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from eachonce_workbench.template.topology import Function, Topology


class Patience:
    """Counts the tries of what a function gets; ask once for each."""

    def __init__(self, topology: Topology) -> None:
        self._receives = {queue.arn: queue.max_receive_count for queue in topology.queues}
        self._retries = {
            (each.function, each.stream_arn): each.max_retries
            for each in topology.stream_mappings
            if each.max_retries is not None and each.max_retries >= 0
        }
        self._tries: Counter[str] = Counter()

    def is_at_its_end(self, function: Function, event: Any, request_id: str | None) -> bool:
        """Whether a failure now would be the last one of anything in it."""
        if request_id is not None:
            self._tries[request_id] += 1
            most = min((each.max_retries for each in function.event_invokes.values()), default=2)
            return self._tries[request_id] > most
        return any(self._of_records(function, event))

    def _of_records(self, function: Function, event: Any) -> Iterator[bool]:
        records = event.get("Records", ()) if isinstance(event, dict) else ()
        for record in records if isinstance(records, list) else ():
            match record:
                case {
                    "eventSource": "aws:sqs",
                    "eventSourceARN": arn,
                    "attributes": {"ApproximateReceiveCount": count},
                }:
                    most = self._receives.get(arn)
                    yield most is not None and int(count) >= most
                case {"eventSource": "aws:dynamodb", "eventSourceARN": arn}:
                    retries = self._retries.get((function.logical_id, arn))
                    name = _place(function, record)
                    self._tries[name] += 1
                    yield retries is not None and self._tries[name] > retries


def _place(function: Function, record: Mapping[str, Any]) -> str:
    change = record.get("dynamodb", {})
    return f"{function.logical_id} {change.get('SequenceNumber') or json.dumps(change, sort_keys=True)}"
