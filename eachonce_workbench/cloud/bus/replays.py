"""Archives and their replays, as EventBridge's calls start, describe and cancel them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from eachonce_workbench.cloud.bus.archive import Shelf, happened_at
from eachonce_workbench.cloud.post import After
from eachonce_workbench.cloud.store.kept import KeptEvent
from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.template.topology import Topology

Params = Mapping[str, Any]
Publish = Callable[[dict[str, Any], str, Collection[str]], None]
"""Publishes an event again on a bus, to these rules (their ARNs) alone; none means all of them."""

_TOGETHER = 100
_UNDER_WAY = ("STARTING", "RUNNING")


@dataclass(slots=True, kw_only=True)
class _Replay:
    """A replay: what it was asked for, and how far it is."""

    name: str
    arn: str
    bus_name: str
    rule_arns: Collection[str]
    events: Iterator[dict[str, Any]]
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return str(self.told["State"])


class Archives:
    """The archives of one topology, and what is replayed from them."""

    def __init__(self, topology: Topology, *, publish: Publish, after: After, clock: Callable[[], float]) -> None:
        """Take what publishes an event again, what calls something later, and the time."""
        self._topology = topology
        self._publish = publish
        self._after = after
        self._clock = clock
        self._shelves = {archive.name: Shelf(archive, clock=clock) for archive in topology.archives}
        self._replays: dict[str, _Replay] = {}
        self._calls: Mapping[str, Callable[[Params], Params]] = {
            "CancelReplay": self._cancel,
            "DescribeArchive": self._describe_archive,
            "DescribeReplay": self._describe,
            "ListArchives": self._list_archives,
            "ListReplays": self._list,
            "StartReplay": self._start,
        }

    @property
    def replaying(self) -> bool:
        """Whether a replay is under way."""
        return any(replay.state in _UNDER_WAY for replay in self._replays.values())

    def offer(self, event: dict[str, Any], bus_name: str) -> None:
        """Keep an event that was put on a bus, in each archive that is for it; what was replayed is there already."""
        if "replay-name" not in event:
            for shelf in self._shelves.values():
                if _bus_name(shelf.archive.bus_arn) == bus_name:
                    shelf.offer(event)

    def keep(self) -> dict[str, list[KeptEvent]]:
        """Give what all archives hold."""
        return {name: shelf.kept() for name, shelf in self._shelves.items()}

    def take_back(self, kept: Mapping[str, list[KeptEvent]]) -> Iterator[str]:
        """Take what was kept, and tell, a line each, of archives that there are no more."""
        for name, events in kept.items():
            if name in self._shelves:
                self._shelves[name].take_back(events)
            elif events:
                yield f"archive {name}: it is no more in the template, and its {len(events)} events are gone"

    def answers(self, operation: str) -> bool:
        """Whether an operation is one of these."""
        return operation in self._calls

    def answer(self, operation: str, params: Params) -> Params:
        """Give the operation's result.

        Raises `AwsError` ResourceNotFoundException, ResourceAlreadyExistsException, IllegalStatusException and
        ValidationException.
        """
        return self._calls[operation](params)

    def _list_archives(self, params: Params) -> Params:
        wanted = params.get("EventSourceArn")
        told = [
            _told(shelf) for name, shelf in self._shelves.items() if name.startswith(params.get("NamePrefix") or "")
        ]
        return {"Archives": [each for each in told if wanted in (None, each["EventSourceArn"])]}

    def _describe_archive(self, params: Params) -> Params:
        name = params["ArchiveName"]
        if name not in self._shelves:
            raise AwsError("ResourceNotFoundException", f"Archive {name} does not exist.")
        shelf = self._shelves[name]
        told = {**_told(shelf), "ArchiveArn": shelf.archive.arn}
        if shelf.archive.pattern is not None:
            told["EventPattern"] = json.dumps(shelf.archive.pattern.document, separators=(",", ":"))
        return told

    def _start(self, params: Params) -> Params:
        shelf = self._source(params["EventSourceArn"])
        name, bus_arn = params["ReplayName"], params["Destination"]["Arn"]
        if bus_arn != shelf.archive.bus_arn:
            raise _invalid("Destination.Arn", "Cross event bus replay is not permitted.")
        start, end = params["EventStartTime"], params["EventEndTime"]
        if start >= end:
            raise _invalid("EventEndTime", "EventStartTime must be before EventEndTime.")
        if name in self._replays:
            raise AwsError("ResourceAlreadyExistsException", f"Replay {name} already exists.")
        place = f"{self._topology.region}:{self._topology.account_id}"
        replay = _Replay(
            name=name,
            arn=f"arn:aws:events:{place}:replay/{name}",
            bus_name=_bus_name(bus_arn),
            rule_arns=frozenset(params["Destination"].get("FilterArns") or ()),
            events=shelf.between(start, end),
            told={
                "EventSourceArn": shelf.archive.arn,
                "EventStartTime": start,
                "EventEndTime": end,
                "ReplayStartTime": self._clock(),
                "State": "STARTING",
            },
        )
        replay.told |= {"Destination": params["Destination"]}
        self._replays[name] = replay
        self._after(0.0, lambda: self._go_on(replay))
        return {"ReplayArn": replay.arn, "State": replay.state, "ReplayStartTime": replay.told["ReplayStartTime"]}

    def _go_on(self, replay: _Replay) -> None:
        """Publish some, and come again for the others: nobody waits for a long replay."""
        if replay.state not in _UNDER_WAY:
            return
        replay.told["State"] = "RUNNING"
        for _ in range(_TOGETHER):
            event = next(replay.events, None)
            if event is None:
                self._end(replay, "COMPLETED")
                return
            self._publish({**event, "replay-name": replay.name}, replay.bus_name, replay.rule_arns)
            replay.told["EventLastReplayedTime"] = happened_at(event)
        self._after(0.0, lambda: self._go_on(replay))

    def _end(self, replay: _Replay, state: str) -> None:
        replay.told |= {"State": state, "ReplayEndTime": self._clock()}

    def _describe(self, params: Params) -> Params:
        replay = self._replay(params)
        return {"ReplayName": replay.name, "ReplayArn": replay.arn, **replay.told}

    def _list(self, params: Params) -> Params:
        prefix, state = params.get("NamePrefix") or "", params.get("State")
        found = [each for each in self._replays.values() if each.name.startswith(prefix)]
        told = [{"ReplayName": each.name, **each.told} for each in found if state in (None, each.state)]
        wanted = params.get("EventSourceArn")
        shown = [each for each in told if wanted in (None, each["EventSourceArn"])]
        return {"Replays": [{name: each[name] for name in each if name != "Destination"} for each in shown]}

    def _cancel(self, params: Params) -> Params:
        replay = self._replay(params)
        if replay.state not in _UNDER_WAY:
            raise AwsError(
                "IllegalStatusException", f"Replay {replay.name} is not in a valid state for this operation."
            )
        self._end(replay, "CANCELLED")
        return {"ReplayArn": replay.arn, "State": "CANCELLING"}

    def _replay(self, params: Params) -> _Replay:
        name = params["ReplayName"]
        if name not in self._replays:
            raise AwsError("ResourceNotFoundException", f"Replay {name} does not exist.")
        return self._replays[name]

    def _source(self, arn: str) -> Shelf:
        for shelf in self._shelves.values():
            if shelf.archive.arn == arn:
                return shelf
        raise AwsError("ResourceNotFoundException", f"Archive {arn.rpartition('archive/')[2]} does not exist.")


def _told(shelf: Shelf) -> dict[str, Any]:
    archive = shelf.archive
    return {
        "ArchiveName": archive.name,
        "EventSourceArn": archive.bus_arn,
        "State": "ENABLED",
        "RetentionDays": archive.retention_days,
        "EventCount": len(shelf),
        "SizeBytes": shelf.size_bytes,
        "CreationTime": 0.0,
    }


def _bus_name(arn: str) -> str:
    return arn.rpartition("event-bus/")[2]


def _invalid(name: str, reason: str) -> AwsError:
    return AwsError("ValidationException", f"Parameter {name} is not valid. Reason: {reason}")
