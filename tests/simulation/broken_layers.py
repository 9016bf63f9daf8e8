"""The layer with one thing wrong: what a simulation must see."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from eachonce import committer, execution
from eachonce.acknowledger import Acknowledger
from eachonce.errors import Reject
from eachonce.journal import State
from eachonce.ledger import Ledger
from eachonce.plan import Guard, Plan
from eachonce.relay import Relay
from eachonce.work import Work
from msgspec.structs import replace


@contextmanager
def commits_blindly() -> Iterator[None]:
    """Nobody looks whether the event is done already."""
    plan = committer.plan

    def blind(*arguments: Any, **options: Any) -> Plan:
        conditional = {"ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"}
        return tuple(
            replace(operation, request={k: v for k, v in operation.request.items() if k not in conditional})
            if operation.guard is Guard.JOURNAL and operation.verb == "Put"
            else operation
            for operation in plan(*arguments, **options)
        )

    with patch.object(committer, "plan", blind):
        yield


@contextmanager
def acknowledges_everything() -> Iterator[None]:
    """What was deferred leaves its queue, too."""
    respond = Acknowledger.respond

    def careless(self: Acknowledger, settled: Any) -> dict[str, Any]:
        respond(self, settled)
        return {"batchItemFailures": []}

    with patch.object(Acknowledger, "respond", careless):
        yield


@contextmanager
def counts_each_failure_twice() -> Iterator[None]:
    """As if each had been told by two tries."""
    failed = Ledger.failed

    def eager(self: Ledger, *arguments: Any, try_id: str, begun: Any, **options: Any) -> Mapping[str, Any]:
        failed(self, *arguments, try_id=uuid.uuid4().hex, begun=begun, **options)
        return failed(self, *arguments, try_id=try_id, begun=None, **options)

    with patch.object(Ledger, "failed", eager):
        yield


@contextmanager
def relays_the_first_of_a_batch() -> Iterator[None]:
    """The other records of the journal's stream are forgotten."""
    relay = Relay._relay

    def lazy(self: Relay, changes: Any) -> list[str]:
        return relay(self, changes[:1])

    with patch.object(Relay, "_relay", lazy):
        yield


@contextmanager
def accuses_whoever_began() -> Iterator[None]:
    """One death of the process, and each event that was under way is rejected."""

    def strict(most: int, row: Mapping[str, Any], **_: Any) -> None:
        if row.get("state") == State.STARTED:
            raise Reject("it began, and never ended")

    with patch.object(execution, "require_deaths_below", strict):
        yield


@contextmanager
def adds_too_much() -> Iterator[None]:
    """It needs no fault: each sum is one more than it should be."""
    add = Work.add

    def generous(self: Work, table: str, key: Any, **amounts: Any) -> None:
        add(self, table, key, **{name: amount + 1 for name, amount in amounts.items()})

    with patch.object(Work, "add", generous):
        yield


# What is wrong, and the invariants of which a simulation must find one broken by it.
BROKEN: Mapping[str, tuple[Callable[[], Any], set[str]]] = {
    "commits blindly": (commits_blindly, {"no effect twice"}),
    "acknowledges everything": (acknowledges_everything, {"no event lost", "no effect lost or twice"}),
    "counts each failure twice": (counts_each_failure_twice, {"no attempt that the handler didn't fail"}),
    "relays the first of a batch": (
        relays_the_first_of_a_batch,
        {"no event lost", "every committed event is published"},
    ),
    "accuses whoever began": (accuses_whoever_began, {"no innocent neighbour in a dead-letter queue"}),
    "adds too much": (adds_too_much, {"the books agree with the inputs"}),
}
