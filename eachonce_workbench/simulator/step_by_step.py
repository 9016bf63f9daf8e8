"""The record of one simulation, step by step: what happens, in order, and what it leaves in tables and queues."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import msgspec

from eachonce_workbench.simulator.recorder import Recorder
from eachonce_workbench.simulator.steps import Kind, Left, Step

if TYPE_CHECKING:
    from eachonce_workbench.cloud.history import Happening, History
    from eachonce_workbench.cloud.local_cloud import LocalCloud
    from eachonce_workbench.cloud.store.protocol import Response
    from eachonce_workbench.cloud.store.tables.writes import Change
    from eachonce_workbench.run.books import Input
    from eachonce_workbench.simulator.call import Call
    from eachonce_workbench.simulator.watch import Violation

MOST_STEPS = 2_000
"""What a person can follow is far less; of what comes after these only broken promises are kept."""

_MOST_CHARACTERS = 1_000
_MOST_OF_A_ROW = 4_000


class StepByStep(Recorder):
    """Keeps the steps of one simulation; `left_out` is how many there were beside them."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.left_out = 0
        self._names: Mapping[str, str] = {}
        self._depths: Callable[[], Mapping[str, str]] = dict
        self._known: dict[str, str] = {}
        self._events: dict[str, str] = {}
        self._messages: dict[str, str] = {}
        self._readers: dict[str, Callable[[Mapping[str, Any]], tuple[Kind, str]]] = {
            "published": self._published,
            "lost": lambda told: ("event", f"{self._event(told)} is lost: there is no bus {told['bus']}"),
            "announced": lambda told: ("event", f"the topic {_name(told['topic'])} takes a message"),
            "notified": lambda told: ("event", f"the bucket {told['bucket']} tells of a change"),
            "fired": lambda told: ("event", f"the time of the schedule {told['schedule']} has come"),
            "delivered": self._delivered,
            "undelivered": lambda told: ("event", f"{self._event(told)} is given up on its way: {told.get('reason')}"),
            "invoked": self._invoked,
            "attempted": lambda told: ("ended", f"{told['function']} {_ending(told)}"),
            "acknowledged": lambda told: ("message", f"{self._message(told)} leaves its queue"),
            "returned": lambda told: ("message", f"{self._message(told)} goes back to its queue"),
            "dead-lettered": lambda told: ("message", f"{self._message(told)} is put aside by its queue"),
            "retried": lambda told: ("message", f"{told['function']} failed, and will be tried again"),
            "refused": lambda told: ("call", f"{told['function']} tried to {told['what']}: refused"),
        }

    def document(self) -> dict[str, Any]:
        """Return the steps as JSON's values."""
        return {"steps": msgspec.to_builtins(self.steps), "left_out": self.left_out}

    def follow(self, history: History) -> None:
        """Hear of what a history tells."""
        history.subscribe(self)

    @contextlib.contextmanager
    def seeing(self, cloud: LocalCloud) -> Iterator[None]:
        """See what is written to a cloud's tables, and how many messages its queues hold."""
        from eachonce_workbench.cloud.store.tables.writes import Change

        queues = {queue.arn: queue.logical_id or queue.name for queue in cloud.topology.queues}
        self._names = {table.name: table.logical_id for table in cloud.topology.tables}
        self._depths = lambda: {f"queue {name}": _depth(cloud, arn) for arn, name in queues.items()}
        self._known = dict(self._depths())
        plain = Change.apply

        def apply(change: Change, *, by: str | None = None) -> None:
            plain(change, by=by)
            self._written(change)

        with patch.object(Change, "apply", apply):
            yield
            self._count()
        self._depths = dict

    def __call__(self, happening: Happening) -> None:
        """Take what the local cloud tells."""
        reader = self._readers.get(happening.kind)
        if reader is not None:
            kind, told = reader(happening.fields)
            self._add(kind, told, who=happening.fields.get("request_id") or "")

    def sent(self, given: Input) -> None:
        """Note that an input is sent."""
        self._add("input", f"{given.name} is sent to the {given.kind} {_name(given.target)}")

    def fault(self, name: str) -> None:
        """Note that a fault happens."""
        self._add("fault", name)

    def broken(self, violation: Violation) -> None:
        """Note that a promise is broken."""
        self._add("broken", str(violation))

    def arrives(self, call: Call) -> None:
        """Note that a call arrives: what is written next it has written."""
        first, *rest = call.about
        self._add("call", f"{call.site}: {' '.join((self._names.get(first, first), *rest))}", who=call.who)

    def answered(self, response: Response) -> None:
        """Note what is answered to the call that arrived last, where that is no success."""
        status, _, content = response
        if status >= 400 and not self.left_out and self.steps[-1].kind == "call":
            self.steps[-1].told += f", which is answered with {_code(content) or status}"
        self._count()

    def _add(self, kind: Kind, told: str, *, who: str = "") -> None:
        if len(self.steps) >= MOST_STEPS and kind != "broken":
            self.left_out += 1
            return
        self.steps.append(Step(at=self._time(), kind=kind, told=_cut(told, _MOST_CHARACTERS), who=who))
        self._count()

    def _time(self) -> float:
        try:
            return round(asyncio.get_running_loop().time(), 3)
        except RuntimeError:  # it is over, and what is left is being judged
            return self.steps[-1].at if self.steps else 0.0

    def _count(self) -> None:
        """Note on the last step how many messages there are in each queue, where that has changed.

        The local cloud tells of what has been done; only a call is told of before.
        """
        for where, now in self._depths().items():
            if self._known.get(where) != now:
                self._known[where] = now
                self._leave(where, now)

    def _written(self, change: Change) -> None:
        from eachonce_workbench.cloud.store.tables.attributes import wire_item

        some = change.new if change.new is not None else change.old
        if some is None:
            return
        keys = (f"{name}={_plain(wire_item(some)[name])}" for name in change.table.table_key_attrs)
        table = self._names.get(change.table.name, change.table.name)
        now = "" if change.new is None else _row(wire_item(change.new))
        self._leave(_cut(f"{table} {' '.join(keys)}", _MOST_CHARACTERS), now)

    def _leave(self, where: str, now: str) -> None:
        if self.steps and not self.left_out:
            self.steps[-1].left.append(Left(where=where, now=now))

    def _published(self, told: Mapping[str, Any]) -> tuple[Kind, str]:
        event = told["event"]
        detail = event["detail"] if isinstance(event["detail"], dict) else {}
        kind = detail.get("type", event["detail-type"])
        self._events[told["event_id"]] = name = f"{kind} {detail.get('id', told['event_id'])}"
        return "event", f"{name} is published on the bus {told['bus']}"

    def _delivered(self, told: Mapping[str, Any]) -> tuple[Kind, str]:
        if message := told.get("message_id"):
            self._messages[message] = self._event(told)
        return "event", f"{self._event(told)} comes to {_name(told['target_arn'])}"

    def _invoked(self, told: Mapping[str, Any]) -> tuple[Kind, str]:
        held = ", ".join(told.get("event_ids", ()))
        return "invoked", f"{told['function']} is called" + (f" with {held}" if held else "")

    def _event(self, told: Mapping[str, Any]) -> str:
        return self._events.get(told.get("event_id", ""), f"event {told.get('event_id', '')}")

    def _message(self, told: Mapping[str, Any]) -> str:
        return self._messages.get(told["message_id"], f"message {told['message_id']}") + (
            f" of {_name(told['queue_arn'])}" if told.get("queue_arn") else ""
        )


def _depth(cloud: LocalCloud, queue_arn: str) -> str:
    depth = cloud.store.queues.depth(queue_arn)
    return f"{depth.visible + depth.delayed} waiting, {depth.in_flight} in flight"


def _ending(told: Mapping[str, Any]) -> str:
    if told["status"] == "ok":
        return "returns"
    error = ": ".join(filter(None, (told["error_type"], told["error_message"])))
    return f"ends with {told['status']}" + (f", {error}" if error else "")


def _code(content: bytes) -> str:
    try:
        answer = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return str(answer.get("__type", "")).rpartition("#")[2] if isinstance(answer, dict) else ""


def _row(item: Mapping[str, Any]) -> str:
    """Return an item as people read it: `sold: 3`, an attribute a line."""
    return _cut("\n".join(f"{name}: {_plain(value)}" for name, value in sorted(item.items())), _MOST_OF_A_ROW)


def _plain(value: Mapping[str, Any]) -> str:
    """Return an attribute value of DynamoDB's JSON as a text."""
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return f"{len(content) * 3 // 4} bytes"
        case "NULL":
            return "null"
        case "M":
            return "{" + ", ".join(f"{name}: {_plain(each)}" for name, each in content.items()) + "}"
        case "L":
            return "[" + ", ".join(map(_plain, content)) + "]"
        case "SS" | "NS":
            return "{" + ", ".join(map(str, content)) + "}"
    return str(content)


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
