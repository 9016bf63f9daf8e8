"""What the local cloud's history told of each event, kept within bounds."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.console.chaos.about import events_of
from eachonce_workbench.console.known import ACKNOWLEDGED, FINAL, WAITING, Handling, KnownEvent, Step
from eachonce_workbench.console.outcome_line import OutcomeLine
from eachonce_workbench.template.topology import Topology

MOST_EVENTS = 100_000
MOST_BODY_BYTES = 64 * 1024 * 1024
_MOST_BATCHES = 20_000
_MOST_MESSAGES = 200_000
_MOST_HANDLINGS = 50

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Batch(msgspec.Struct, kw_only=True):
    """One invocation of a function, and whom it held: the numbers of its events."""

    function: str
    began: float
    status: str = ""
    duration_ms: float = 0.0
    error: str = ""
    numbers: list[int] = []


class Record:
    """Listens to a History, or to several, one after the other; not thread-safe: all of it is the loop's.

    Bounds: MOST_EVENTS events and MOST_BODY_BYTES of their bodies, of which the oldest go first. `since` is when it
    began to listen (seconds since 1970).
    """

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.since = now()
        self.events: OrderedDict[int, KnownEvent] = OrderedDict()
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.batches: OrderedDict[str, Batch] = OrderedDict()
        self.forgotten = 0
        self._last = 0
        self._body_bytes = 0
        self._by_identity: dict[tuple[str, str], KnownEvent] = {}
        self._by_id: dict[str, KnownEvent] = {}
        # By number, so that what is forgotten is not held here.
        self._by_bus_id: OrderedDict[str, int] = OrderedDict()
        self._by_message: OrderedDict[str, int] = OrderedDict()
        self._under_way: OrderedDict[int, KnownEvent] = OrderedDict()
        self._watchers: list[Callable[[KnownEvent], None]] = []
        self._readers_of: dict[str, list[str]] = {}
        self.paused: dict[str, bool] = {}
        self.changes = 0
        self._readers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "published": self._published,
            "lost": self._published_to_nobody,
            "matched": self._matched,
            "delivered": self._delivered,
            "undelivered": self._undelivered,
            "invoked": self._invoked,
            "attempted": self._attempted,
            "log": self._logged,
            "acknowledged": self._acknowledged,
            "returned": self._returned,
            "dead-lettered": self._dead_lettered,
            "switched": self._switched,
            "faulted": self._faulted,
        }

    def follow(self, topology: Topology) -> None:
        """Know from now on which functions get what reaches a queue, or themselves."""
        self._readers_of = {function.arn: [function.logical_id] for function in topology.functions}
        for mapping in topology.queue_mappings:
            self._readers_of.setdefault(mapping.queue_arn, []).append(mapping.function)

    def __call__(self, happening: Happening) -> None:
        """Take what happened."""
        reader = self._readers.get(happening.kind)
        if reader is not None:
            self.changes += 1
            reader(happening.fields)

    def watch(self, watcher: Callable[[KnownEvent], None]) -> Callable[[], None]:
        """Call `watcher` with every event that is new or has changed; return what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    @property
    def newest(self) -> KnownEvent | None:
        """The event that was first heard of last."""
        return next(reversed(self.events.values()), None)

    def find(self, source: str, event_id: str) -> KnownEvent | None:
        """Return an event by its identity."""
        return self._by_identity.get((source, event_id))

    def called(self, event_id: str) -> KnownEvent | None:
        """Return the event that last had an id, whatever its source."""
        return self._by_id.get(event_id)

    @property
    def knows_since(self) -> float:
        """Since when (seconds since 1970) it knows every event that was published."""
        oldest = next(iter(self.events.values()), None)
        return oldest.at if self.forgotten and oldest is not None else self.since

    def led_to(self, event: KnownEvent) -> Iterator[KnownEvent]:
        """Yield the events that an event caused, oldest first."""
        return (each for each in self.events.values() if each.cause_id == event.event_id)

    def batch(self, request_id: str) -> list[KnownEvent]:
        """Return those of an invocation's events that are still kept."""
        held = self.batches.get(request_id)
        return [] if held is None else [self.events[each] for each in held.numbers if each in self.events]

    def oldest_under_way(self) -> dict[str, float]:
        """Return since when (seconds since 1970) each consumer's oldest event waits for its last word."""
        oldest: dict[str, float] = {}
        for event in self._under_way.values():
            for consumer, outcome in event.outcomes.items():
                if outcome not in FINAL:
                    oldest.setdefault(consumer, event.at)
        return oldest

    @property
    def under_way(self) -> int:
        """How many events some consumer has not said its last word on."""
        return len(self._under_way)

    # What the history tells.

    def _published(self, fields: Mapping[str, Any]) -> None:
        event = self._known(fields["event"])
        event.copies += 1
        event.bus = fields["bus"]
        self._by_bus_id[fields["event_id"]] = event.number
        _shorten(self._by_bus_id, _MOST_MESSAGES)
        self.counts["published", event.bus, event.type] += 1
        self._step(event, "published", event.bus)

    def _published_to_nobody(self, fields: Mapping[str, Any]) -> None:
        event = self._known(fields["event"])
        event.copies += 1
        event.lost = True
        self.counts["lost", fields["bus"]] += 1
        self._step(event, "lost", fields["bus"], "there is no such bus; EventBridge doesn't tell")

    def _matched(self, fields: Mapping[str, Any]) -> None:
        self.counts["matched", fields["rule"]] += 1
        event = self._on_bus(fields)
        if event is not None:
            if fields["rule"] not in event.rules:
                event.rules.append(fields["rule"])
            self._step(event, "matched", fields["rule"])

    def _delivered(self, fields: Mapping[str, Any]) -> None:
        sender = _sender(fields)
        self.counts["delivered", sender, fields["target_arn"]] += 1
        event = self._on_bus(fields)
        if event is not None:
            if fields.get("message_id"):
                self._by_message[fields["message_id"]] = event.number
                _shorten(self._by_message, _MOST_MESSAGES)
            for function in self._readers_of.get(fields["target_arn"], ()):
                event.outcomes.setdefault(function, WAITING)
            self._step(event, "delivered", _name(fields["target_arn"]), sender)

    def _undelivered(self, fields: Mapping[str, Any]) -> None:
        kept = fields.get("dead_letter_arn") or fields.get("destination")
        self.counts["undelivered" if kept else "dropped", _sender(fields)] += 1
        event = self._on_bus(fields)
        if event is not None:
            event.lost = event.lost or not kept
            told = f"{fields.get('reason')}: {fields.get('message')}" + (f"; kept in {_name(kept)}" if kept else "")
            self._step(event, "undelivered", _name(fields.get("target_arn", "")), told)

    def _invoked(self, fields: Mapping[str, Any]) -> None:
        self.counts["invoked", fields["function"]] += 1
        self.batches[fields["request_id"]] = Batch(function=fields["function"], began=self._now())
        _shorten(self.batches, _MOST_BATCHES)

    def _attempted(self, fields: Mapping[str, Any]) -> None:
        self.counts["attempted", fields["function"], fields["status"]] += 1
        batch = self.batches.get(fields["request_id"])
        if batch is not None:
            batch.status, batch.duration_ms = fields["status"], fields["duration_ms"]
            batch.error = ": ".join(filter(None, (fields["error_type"], fields["error_message"])))

    def _logged(self, fields: Mapping[str, Any]) -> None:
        line = OutcomeLine.read(fields["line"])
        if line is None:
            return
        self.counts["outcome", fields["function"], line.verdict] += 1
        if line.event_id:
            event = self._by_id.get(line.event_id) or self._heard_of(line)
            event.trace_id = event.trace_id or line.trace_id
            self._handled(event, fields["function"], fields["request_id"], line.handling())

    def _acknowledged(self, fields: Mapping[str, Any]) -> None:
        event = self.events.get(self._by_message.pop(fields["message_id"], 0))
        if event is not None and not fields.get("filtered"):
            self._ended(event, fields, ACKNOWLEDGED)

    def _returned(self, fields: Mapping[str, Any]) -> None:
        event = self.events.get(self._by_message.get(fields["message_id"], 0))
        if event is not None:
            self._ended(event, fields, "returned")

    def _dead_lettered(self, fields: Mapping[str, Any]) -> None:
        queue = _name(fields["queue_arn"])
        self.counts["dead-lettered", queue] += 1
        event = self.events.get(self._by_message.pop(fields["message_id"], 0))
        if event is not None:
            self._step(event, "dead-lettered", queue, f"received {fields['receives']} times")

    def _switched(self, fields: Mapping[str, Any]) -> None:
        self.paused[fields["function"]] = fields["state"] != "Enabled"

    def _faulted(self, fields: Mapping[str, Any]) -> None:
        function, site, fault = fields["function"], fields["site"], fields["fault"]
        self.counts["faulted", function, site, fault] += 1
        for source, event_id in events_of(fields["body"]):
            event = self.called(event_id) if source is None else self.find(source, event_id)
            if event is not None:
                self._step(event, "faulted", function, f"{fault}: {site}")

    # What that makes of events.

    def _on_bus(self, fields: Mapping[str, Any]) -> KnownEvent | None:
        return self.events.get(self._by_bus_id.get(fields.get("event_id", ""), 0))

    def _known(self, told: Mapping[str, Any]) -> KnownEvent:
        """Return the event that the bus was given, anew or as it is known."""
        source, event_id = _identity(told)
        event = self._by_identity.get((source, event_id))
        if event is not None:
            return event
        detail = told["detail"] if _is_cloud_event(told["detail"]) else {}
        event = self._kept(
            event_id,
            source,
            type=_text(detail.get("type")) or _text(told["detail-type"]),
            subject=_text(detail.get("subject")),
            tenant=_text(detail.get("tenant")),
            cause_id=_text(detail.get("causationid")),
            body=_encode(told),
        )
        self._body_bytes += len(event.body)
        while self._body_bytes > MOST_BODY_BYTES:
            self._forget_oldest()
        return event

    def _heard_of(self, line: OutcomeLine) -> KnownEvent:
        """Return an event that no bus was given: somebody sent it to a queue."""
        return self._kept(line.event_id, "", type=line.event_type, subject=line.subject, cause_id=line.causationid)

    def _kept(self, event_id: str, source: str, **named: Any) -> KnownEvent:
        self._last += 1
        event = KnownEvent(number=self._last, at=self._now(), event_id=event_id, source=source, **named)
        self.events[event.number] = event
        self._by_identity[source, event_id] = event
        self._by_id[event_id] = event
        if len(self.events) > MOST_EVENTS:
            self._forget_oldest()
        return event

    def _forget_oldest(self) -> None:
        number, event = self.events.popitem(last=False)
        self._body_bytes -= len(event.body)
        self._under_way.pop(number, None)
        self._by_identity.pop((event.source, event.event_id), None)
        if self._by_id.get(event.event_id) is event:
            del self._by_id[event.event_id]
        self.forgotten += 1

    def _handled(self, event: KnownEvent, consumer: str, request_id: str | None, handling: Handling) -> None:
        batch = self.batches.get(request_id or "")
        if batch is not None:
            handling.began = batch.began
            if event.number not in batch.numbers:
                batch.numbers.append(event.number)
        handling.ended = self._now()
        handling.consumer, handling.request_id = consumer, request_id
        # The layer says of a copy that it is one; a function that says nothing may have done it again.
        if handling.outcome == ACKNOWLEDGED and event.outcomes.get(consumer) == ACKNOWLEDGED:
            self.counts["handled again", consumer] += 1
        if len(event.handlings) < _MOST_HANDLINGS:
            event.handlings.append(handling)
        if handling.outcome != "duplicate" or consumer not in event.outcomes or event.outcomes[consumer] == WAITING:
            event.outcomes[consumer] = handling.outcome
        self._step(event, handling.outcome, consumer, handling.reason)

    def _ended(self, event: KnownEvent, fields: Mapping[str, Any], how: str) -> None:
        """Note what became of a message, where its function has not told by itself."""
        function, request_id = fields["function"], fields.get("request_id")
        if any(each.request_id == request_id and each.consumer == function for each in event.handlings):
            return
        self.counts["outcome", function, how] += 1
        batch = self.batches.get(request_id or "")
        handling = Handling(
            consumer=function,
            request_id=request_id,
            began=self._now(),
            ended=self._now(),
            outcome=how,
            reason="" if batch is None else batch.error,
            told_by_layer=False,
        )
        self._handled(event, function, request_id, handling)

    def _step(self, event: KnownEvent, kind: str, who: str, told: str = "") -> None:
        event.add(Step(at=self._now(), kind=kind, who=who, told=told))
        if event.under_way:
            self._under_way[event.number] = event
        else:
            self._under_way.pop(event.number, None)
        for watcher in self._watchers:
            watcher(event)


def _identity(told: Mapping[str, Any]) -> tuple[str, str]:
    """Return the source and the id of an event: its own, or the bus's where it has none."""
    detail = told["detail"]
    if _is_cloud_event(detail):
        return str(detail["source"]), str(detail["id"])
    return str(told["source"]), str(told["id"])


def _is_cloud_event(detail: Any) -> bool:
    return isinstance(detail, Mapping) and "specversion" in detail and "id" in detail and "source" in detail


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]


def _sender(fields: Mapping[str, Any]) -> str:
    names = ("rule", "subscription", "schedule", "pipe", "bucket", "function")
    return next((str(fields[name]) for name in names if fields.get(name)), "")


def _shorten(kept: OrderedDict[str, Any], most: int) -> None:
    if len(kept) > most:
        kept.popitem(last=False)
