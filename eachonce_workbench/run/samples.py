"""Samples: the inputs that a bundle keeps for its functions, events/FUNCTION/*.json, and where each goes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from eachonce_workbench.run.books import BooksError, Input, Outcome
from eachonce_workbench.run.reconciliation import Reconciliation
from eachonce_workbench.template.reference import spelled
from eachonce_workbench.template.topology import Function, Topology

# What such a sample is for is to be refused.
_MALFORMED = "malformed"


class Samples:
    """The books of a bundle that has none: its own samples go in, and nobody can say what must come of them."""

    def __init__(self, folder: Path, topology: Topology) -> None:
        """Take the bundle's folder, and its system."""
        self._events = folder / "events"
        self._topology = topology
        self.passed_over: list[str] = []

    def parameters(self, folder: Path) -> Mapping[str, str]:  # noqa: ARG002 - as Books have it
        """Return none: the template's defaults hold."""
        return {}

    def inputs(self, source: Path | None, limit: int | None) -> Sequence[Input]:
        """Return what the samples in `source`, by default the bundle's folder `events`, come to.

        A message for a queue that the function reads goes into that queue; an event that a rule hands to the function
        goes to the rule's bus; with anything else the function is invoked. Raises BooksError.
        """
        events = self._events if source is None else source
        self.passed_over.clear()
        found = list(islice(self._inputs(events), limit))
        if not found:
            raise BooksError(f"there is nothing to send: no sample in {events}/FUNCTION/*.json, and no books")
        return found

    def reconcile(self, inputs: Sequence[Input], outcome: Outcome) -> Reconciliation | None:  # noqa: ARG002 - as Books
        """Return None."""
        return None

    def _inputs(self, events: Path) -> Iterator[Input]:
        for path in sorted(events.glob("*/*.json")):
            name = f"{path.parent.name}/{path.name}"
            function = self.function_of(path.parent.name)
            if function is None:
                self.passed_over.append(f"{name}: there is no such function; not sent")
            elif path.stem.startswith(_MALFORMED):
                self.passed_over.append(f"{name}: malformed by its name; not sent")
            else:
                yield from self.of(name, function, _read(path))

    def of(self, name: str, function: Function, sample: Any) -> Iterator[Input]:
        """Yield the inputs that a function's sample comes to."""
        match sample:
            case {"Records": [{"eventSource": "aws:sqs"}, *_] as records} if queues := self._queues(function):
                for number, record in enumerate(records, start=1):
                    yield _message(f"{name}#{number}" if len(records) > 1 else name, record, queues)
            case {"detail-type": _, "detail": _, "source": _} if bus := self._bus(function, sample):
                yield _event(name, sample, bus)
            case _:
                payload = json.dumps(sample).encode()
                yield Input(name=name, kind="function", target=function.logical_id, payload=payload)

    def function_of(self, folder: str) -> Function | None:
        """Return the function whose samples a folder of this name holds, if there is one."""
        return next((each for each in self._topology.functions if folder in folders_of(each)), None)

    def _queues(self, function: Function) -> list[str]:
        return [each.queue_arn for each in self._topology.queue_mappings if each.function == function.logical_id]

    def _bus(self, function: Function, event: Mapping[str, Any]) -> str | None:
        """Return the bus from which a rule hands this event to a function or to its queue."""
        arns = {function.arn, *self._queues(function)}
        for rule in self._topology.rules:
            wanted = rule.pattern is not None and rule.pattern.matches(dict(event))
            if wanted and any(target.arn in arns for target in rule.targets):
                return rule.bus_name
        return None


def folders_of(function: Function) -> tuple[str, str]:
    """Return the names of folders that may hold a function's samples: track_parcel or TrackParcel.

    The first is where samples are written.
    """
    return spelled(function.logical_id, between="_"), function.logical_id


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BooksError(f"{path}: {error}") from error


def _message(name: str, record: Mapping[str, Any], queues: Sequence[str]) -> Input:
    source = str(record.get("eventSourceARN", "")).rpartition(":")[2]
    arn = next((arn for arn in queues if arn.rpartition(":")[2] == source), queues[0])
    attributes = {
        key: value["stringValue"]
        for key, value in (record.get("messageAttributes") or {}).items()
        if "stringValue" in value
    }
    group = (record.get("attributes") or {}).get("MessageGroupId")
    body = str(record.get("body", ""))
    return Input(name=name, kind="queue", target=arn, payload=body.encode(), attributes=attributes, group=group)


def _event(name: str, event: Mapping[str, Any], bus: str) -> Input:
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": event.get("resources", []),
    }
    return Input(name=name, kind="bus", target=bus, payload=json.dumps(entry).encode())
