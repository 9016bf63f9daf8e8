"""What a person sees of the functions in a local cloud: a line an outcome, and what they print."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.template.topology import Topology

_MAX_CHARACTERS = 10_000
# A terminal obeys these; what a function prints is to be read only.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_REASON_FIELDS = ("reason", "error")

Print = Callable[[str], None]


class FunctionsScreen:
    """Prints what functions do, as it happens; subscribe it to a History.

    An outcome is an event's, as the layer's log tells it; where it tells none, it is the invocation's.
    """

    def __init__(self, topology: Topology, show: Print) -> None:
        self._width = max((len(function.logical_id) for function in topology.functions), default=0)
        self._show = show
        self._told: set[str] = set()

    def __call__(self, happening: Happening) -> None:
        """Print what a person should see of it."""
        fields = happening.fields
        match happening.kind:
            case "log":
                self._log(fields)
            case "attempted":
                self._attempted(fields)
            case "retried":
                self._line(fields["function"], "again", fields["request_id"], f"in {fields['in_seconds']:g} s")
            case "concluded" if fields["condition"] != "Success" or fields["told"] or fields["refused"]:
                self._line(fields["function"], "concluded", fields["request_id"], _conclusion(fields))
            case "dead-lettered":
                source = str(fields["queue_arn"]).rpartition(":")[2]
                self._line(source, "dead-lettered", fields["message_id"], f"received {fields['receives']} times")
            case "lost":
                self._line(fields["bus"], "lost", fields["event_id"], "there is no such bus; EventBridge doesn't tell")
            case "malformed":
                self._line(fields["function"], "malformed", fields["route"], fields["reason"])
            case "undelivered":
                self._line(_sender(fields), "undelivered", *_undelivered(fields))
            case "faulted":
                self._line(fields["function"], "faulted", fields["site"], fields["fault"])
            case "switched":
                self._line(fields["function"], "resumed" if fields["state"] == "Enabled" else "paused", "", "")
            case "fired":
                self._line(fields["schedule"], "fired", fields["event_id"], "")

    def _log(self, fields: Mapping[str, Any]) -> None:
        document = _document(fields["line"])
        # What is no event at all has the id of its message only.
        subject = document.get("event_id") or document.get("message_id")
        if subject and document.get("message") in _verdicts():
            if fields["request_id"] is not None:
                self._told.add(fields["request_id"])
            about = f"{subject} {document.get('event_type', '')}".rstrip()
            self._line(fields["function"], document["message"], about, _reason(document))
        else:
            self._say(fields["function"], _without_traceback(document) if document else fields["line"])
        if isinstance(traceback := document.get("exception"), str):
            self._say(fields["function"], traceback)

    def _attempted(self, fields: Mapping[str, Any]) -> None:
        if fields["request_id"] in self._told:
            self._told.discard(fields["request_id"])
            if fields["status"] == "ok":
                return
        told = (fields["error_type"], fields.get("error_message"))
        reason = ": ".join(str(each) for each in told if each)
        took = f"({fields['duration_ms']:.0f} ms)"
        self._line(fields["function"], fields["status"], fields["request_id"], f"{reason} {took}".strip())

    def _line(self, who: str, what: str, about: str, why: str) -> None:
        first, *more = f"{what:<9}  {about}  {why}".rstrip().split("\n")
        self._print(who, "", first)
        for line in more:
            self._print(who, "|", line)

    def _say(self, who: str, text: str) -> None:
        for line in text.split("\n"):
            self._print(who, "|", line)

    def _print(self, who: str, mark: str, text: str) -> None:
        moment = time.strftime("%H:%M:%S")
        self._show(f"{moment}  {who:<{self._width}}  {mark:<1} {_readable(text)}".rstrip())


@cache
def _verdicts() -> frozenset[str]:
    from eachonce.outcome import Verdict  # which imports the whole layer: when it is needed, and not before

    return frozenset(Verdict)


def _document(line: str) -> Mapping[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        document = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _without_traceback(document: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in document.items() if name not in ("exception", "stack_trace")}
    return msgspec.json.encode(kept).decode()


def _reason(document: Mapping[str, Any]) -> str:
    told = [str(document[name]) for name in _REASON_FIELDS if document.get(name)]
    attempts = document.get("attempts")
    return " ".join([*told, *([f"(attempt {attempts})"] if attempts else [])])


def _conclusion(fields: Mapping[str, Any]) -> str:
    told = [f"told {arn}" for arn in fields["told"]]
    refused = [f"{arn} refused: {reason}" for arn, reason in fields["refused"].items()]
    return "; ".join([fields["condition"], *(told + refused or ["nobody is told"])])


def _sender(fields: Mapping[str, Any]) -> str:
    names = ("rule", "function", "subscription", "bucket", "schedule", "pipe")
    return next((str(fields[name]) for name in names if fields.get(name)), "")


def _undelivered(fields: Mapping[str, Any]) -> Iterator[str]:
    yield str(fields.get("event_id") or fields.get("table", ""))
    told = [fields.get(name) for name in ("target_arn", "condition", "reason", "message")]
    yield " ".join(str(each) for each in told if each)


def _readable(text: str) -> str:
    shown = _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text[:_MAX_CHARACTERS])
    return shown if len(text) <= _MAX_CHARACTERS else f"{shown} ... and {len(text) - _MAX_CHARACTERS} characters more"
