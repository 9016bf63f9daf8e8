"""An invocation of a consumer, as the watch sees it: what it was given, what it did, and what was in its way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eachonce_workbench.simulator.message import detail_in
from eachonce_workbench.simulator.row import Row

# Of the function's time, in seconds: in this last part the layer may leave things as they are. Handlers are to be run
# alone then, and what can't be told any more is told by who comes next.
_RESERVE_SECONDS = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One message of an event; times as SQS writes them."""

    message_id: str
    queue_arn: str
    body: str
    receipt_handle: str
    receive_count: int
    first_received_ms: int


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One invocation under way, by the `pk` of the rows that it has to do with.

    - `copies`: the messages that it was given, by their events' ids
    - `effects`: the rows of effects outside that it has begun
    - `failed`, `counted`: the failures of handlers that count, and how many attempts it has added to the rows
    - `fences`: the starts that it has noted
    - `doubts`: the rows in which it found another's start, when it noted its own
    - `trouble`: the calls that met a fault and have not succeeded since, each a site and a row: what it has to tell may
      not have been told
    - `crossed`: the rows that another one has written meanwhile
    - `letters`: the ids of the events that it has buried
    - `unburied`: whether it could not bury something
    - `created`: the rows that were not there before it wrote them
    - `found`: the rows as they were when it first noted a start in them
    """

    id: str
    function: str
    began: float
    deadline: float
    copies: Mapping[str, list[Copy]]
    effects: set[str] = field(default_factory=set)
    failed: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    fences: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    doubts: set[str] = field(default_factory=set)
    trouble: set[tuple[str, str]] = field(default_factory=set)
    crossed: set[str] = field(default_factory=set)
    letters: set[str] = field(default_factory=set)
    unburied: bool = False
    created: set[str] = field(default_factory=set)
    found: dict[str, Row | None] = field(default_factory=dict)
    ended: float | None = None

    def alone(self, event_id: str) -> bool:
        """Whether it was given one message of an event, so that what it does about it is about that."""
        return len(self.copies.get(event_id, ())) == 1

    def is_troubled(self, pk: str) -> bool:
        """Whether it may not have been able to tell all of a row."""
        return any(row == pk for _, row in self.trouble)

    def hurried(self, now: float) -> bool:
        """Whether its time is nearly over."""
        return now > self.deadline - _RESERVE_SECONDS


def copies_of(batch: Any) -> dict[str, list[Copy]]:
    """Return the messages of an SQS batch by the ids of their events, as far as those have one in its usual place."""
    found: dict[str, list[Copy]] = defaultdict(list)
    for record in batch.get("Records", ()) if isinstance(batch, dict) else ():
        if record.get("eventSource") == "aws:sqs" and (event_id := id_in(record["body"])) is not None:
            attributes = record["attributes"]
            found[event_id].append(
                Copy(
                    message_id=record["messageId"],
                    queue_arn=record["eventSourceARN"],
                    body=record["body"],
                    receipt_handle=record["receiptHandle"],
                    receive_count=int(attributes["ApproximateReceiveCount"]),
                    first_received_ms=int(attributes["ApproximateFirstReceiveTimestamp"]),
                )
            )
    return dict(found)


def id_in(body: str) -> str | None:
    """Return the id of the CloudEvents event in a message from a bus; None where there is none."""
    event = detail_in(body)
    return str(event["id"]) if {"specversion", "id"} <= event.keys() else None


def again(returned: Any) -> set[str]:
    """Return the ids of the messages that a function has named in its answer, as those that are to come again."""
    failures = returned.get("batchItemFailures") if isinstance(returned, dict) else None
    return {failure["itemIdentifier"] for failure in failures or ()}
