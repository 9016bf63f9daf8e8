"""The watch: what must hold at every moment of a simulation, and at its end."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from eachonce.journal import unpack_outbox

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.cloud.store.tables.streams import Entry
from eachonce_workbench.simulator.call import Call
from eachonce_workbench.simulator.conduct import Conduct
from eachonce_workbench.simulator.poison import is_poison
from eachonce_workbench.simulator.revision import without_revision
from eachonce_workbench.simulator.row import Row
from eachonce_workbench.simulator.trial import Observer

# A run that goes wrong goes wrong often, and nobody reads more.
_MOST_TOLD = 100

# The keys of the journal's rows in a call.
_PK = re.compile(rb'"pk": ?{"S": ?"([^"]+)"}')


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold: its name, and what was seen."""

    invariant: str
    seen: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.seen}"


class Watch:
    """Watches one simulation; subscribe it to a History, and call `journaled` after each write of the journal.

    `from_outside` are the ids of events that no commit is the cause of, `poisonous` of those that nobody can handle,
    and `reused` are those that were used again. `innocent` are the events that were published, by id, each with its
    bus. `conduct` is told what invocations do, and `speaker` is the one whose call is being answered.
    """

    def __init__(self, observer: Observer, *, told: Callable[[Violation], object] = lambda _: None) -> None:
        """`observer` is shown each innocent event that is published; `told` hears of each violation."""
        self._observer = observer
        self._told = told
        self.violations: list[Violation] = []
        self.committed: dict[str, str] = {}
        self.published: Counter[str] = Counter()
        self.delivered: dict[str, set[str]] = defaultdict(set)
        self.failures: Counter[str] = Counter()
        self.conduct = Conduct(self.violated)
        self.speaker: str | None = None
        self.innocent: dict[str, tuple[str, dict[str, Any]]] = {}
        self.reused: set[str] = set()
        self.from_outside: set[str] = set()
        self.poisonous: set[str] = set()
        self.settled: dict[str, set[str]] = defaultdict(set)
        self._ids: dict[str, str] = {}
        self._overcounted: set[str] = set()

    def __call__(self, happening: Happening) -> None:
        """Look at what happened."""
        match happening.kind:
            case "published":
                self._published(happening.fields["bus"], happening.fields["event"])
            case "delivered":
                event_id = self._ids.get(happening.fields["event_id"])
                if event_id is not None:  # else it is no event of a bus
                    self.delivered[event_id].add(happening.fields["target_arn"])
            case "dead-lettered":
                self.violated("nothing is received for ever", f"{happening.fields['body'][:300]}")
            case "undelivered":
                self.violated("nothing is given up on its way", f"{happening.fields}")

    def violated(self, invariant: str, seen: str) -> None:
        """Note a violation."""
        if len(self.violations) < _MOST_TOLD:
            self.violations.append(Violation(invariant, seen))
            self._told(self.violations[-1])

    def failed(self, invocation_id: str, pk: str, *, counts: bool) -> None:
        """Note that the handler of an event has failed, by its row's key.

        Where it `counts`, the layer is to count it; else that is up to the layer.
        """
        self.failures[pk] += 1
        self.conduct.failed(invocation_id, pk, counts=counts)

    def invoked(self, invocation_id: str, function: str, batch: Any, *, deadline: float) -> None:
        """Note that a function is given a batch."""
        self.conduct.invoked(invocation_id, function, batch, deadline=deadline)

    def called(self, call: Call, site: str, fault: CallFault | None) -> None:
        """Note that an invocation makes a call, and whether it meets a fault; look at what it would write."""
        for write in without_revision(call, site):
            self.violated("every write leaves its revision", f"{call.who} writes {write} without")
        faulty = fault is not None
        if faulty or self.conduct.is_troubled(call.who):
            pks = [found.decode() for found in _PK.findall(call.body)]
            self.conduct.called(call.who, site, pks, faulty=faulty)

    def told(self, call: Call) -> None:
        """Look at what an invocation has told a queue."""
        match call.operation:
            case "SendMessageBatch":
                self.conduct.buried(call.who, call.params["Entries"])
            case "DeleteMessageBatch":
                self.conduct.let_go(call.who, {entry["ReceiptHandle"] for entry in call.params["Entries"]})

    def ended(self, invocation_id: str, returned: Any, *, well: bool) -> None:
        """Look at what an invocation has left undone."""
        self.conduct.ended(invocation_id, returned, well=well)

    def journaled(self, entry: Entry) -> None:
        """Look at a write of the journal."""
        row = Row.of(entry.new)
        if row is None or is_poison(row.pk):
            return
        old, pk = Row.of(entry.old), row.pk
        if old is not None and old.done and row.done_at != old.done_at:
            self.violated("no effect twice", f"{pk} was committed at {old.done_at} and at {row.done_at}")
        counted, made = row.attempts, self.failures[pk]
        if counted > made and pk not in self._overcounted:
            self._overcounted.add(pk)
            self.violated("no attempt that the handler didn't fail", f"{pk} has {counted} attempts of {made} failures")
        if row.final:
            self.settled[row.event_id].add(row.consumer)
        for event in unpack_outbox(row.outbox) if row.outbox is not None else ():
            self.committed[_Id.of(event)] = pk
        self.conduct.written(self.speaker, old, row)

    def unpublished(self) -> list[str]:
        """Return the ids of committed events that were never published."""
        return [event_id for event_id in self.committed if not self.published[event_id]]

    def unsettled(self) -> list[str]:
        """Return the ids of events that came to more queues than consumers have a final row of in the journal.

        A single guarded write needs none: whether these took effect, the journal can't say.
        """
        innocent = self.delivered.keys() - self.poisonous
        return sorted(each for each in innocent if len(self.settled[each]) < len(self.delivered[each]))

    def _noted(self, bus: str, event: dict[str, Any]) -> str:
        detail = event["detail"]
        event_id = self._ids[event["id"]] = str(detail.get("id"))
        self.published[event_id] += 1
        if "type" in detail and not is_poison(event_id):
            self._observer(detail)
            self.innocent.setdefault(event_id, (bus, event))
        return event_id

    def _published(self, bus: str, event: dict[str, Any]) -> None:
        event_id = self._noted(bus, event)
        if event_id not in self.committed and event_id not in self.from_outside:
            self.violated("every published event's cause is committed", f"nothing that published {event_id} is")


class Unwatched(Watch):
    """Looks only at what any consumer must keep, whoever wrote it."""

    def __call__(self, happening: Happening) -> None:
        """Look at where events go, and at nothing else."""
        match happening.kind:
            case "published":
                self._noted(happening.fields["bus"], happening.fields["event"])
            case "delivered":
                super().__call__(happening)

    def invoked(self, invocation_id: str, function: str, batch: Any, *, deadline: float) -> None:
        """What the invocations of others owe, nobody knows."""


class _Id(msgspec.Struct):
    id: str

    @staticmethod
    def of(event: msgspec.Raw) -> str:
        return msgspec.json.decode(event, type=_Id).id
