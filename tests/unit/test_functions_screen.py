"""A person sees an outcome a line, and everything that functions print."""

from __future__ import annotations

import json
from typing import Any

import pytest

from eachonce_workbench.cli.screens.functions import FunctionsScreen
from eachonce_workbench.cloud.history import History
from tests.topologies import function, topology


class Looking:
    """A screen, without its clock."""

    def __init__(self) -> None:
        self.history = History()
        self._lines: list[str] = []
        self.history.subscribe(FunctionsScreen(topology(functions=(function("Mail"),)), self._lines.append))

    def log(self, line: str | dict[str, Any], request_id: str = "r") -> None:
        text = line if isinstance(line, str) else json.dumps(line)
        self.history.record("log", function="Mail", stream="s", request_id=request_id, line=text)

    def ended(self, status: str = "ok", error: str | None = None, message: str = "") -> None:
        self.history.record(
            "attempted",
            function="Mail",
            request_id="r",
            status=status,
            error_type=error,
            error_message=message,
            duration_ms=12.3,
        )

    @property
    def seen(self) -> list[str]:
        return [" ".join(line.split()[1:]) for line in self._lines]


@pytest.fixture
def looking() -> Looking:
    return Looking()


def test_an_outcome_is_a_line_with_its_verdict_and_reason(looking: Looking) -> None:
    """As the layer's log tells it, event by event; the invocation adds nothing."""
    looking.log({"message": "done", "event_id": "e-1", "event_type": "OrderPlaced", "level": "INFO"})
    looking.log({"message": "reject", "event_id": "e-2", "reason": "the item exists already"})
    looking.log({"message": "retry", "event_id": "e-3", "error": "ValueError", "attempts": 2, "exception": "a\nb"})
    looking.log({"message": "reject", "message_id": "m-4", "reason": "the body is no JSON"})
    looking.ended()

    assert looking.seen == [
        "Mail done e-1 OrderPlaced",
        "Mail reject e-2 the item exists already",
        "Mail retry e-3 ValueError (attempt 2)",
        "Mail | a",
        "Mail | b",
        "Mail reject m-4 the body is no JSON",
    ]


def test_a_plain_functions_invocation_is_the_outcome(looking: Looking) -> None:
    """After what it printed, line by line."""
    looking.log("hello")
    looking.ended()
    looking.log("[ERROR] ValueError: no\nTraceback (most recent call last):")
    looking.ended("error", "ValueError", "no")

    assert looking.seen == [
        "Mail | hello",
        "Mail ok r (12 ms)",
        "Mail | [ERROR] ValueError: no",
        "Mail | Traceback (most recent call last):",
        "Mail error r ValueError: no (12 ms)",
    ]


def test_a_crash_is_told_even_after_outcomes(looking: Looking) -> None:
    """What was told before it holds; the rest of the batch comes again."""
    looking.log({"message": "done", "event_id": "e-1"})
    looking.ended("crash", "Runtime.ExitError", "signal: killed")

    assert looking.seen == ["Mail done e-1", "Mail crash r Runtime.ExitError: signal: killed (12 ms)"]


def test_json_that_is_no_outcome_is_printed_as_it_is(looking: Looking) -> None:
    """But for its traceback, which is printed line by line below it."""
    looking.log({"level": "ERROR", "message": "odd", "exception": "Traceback:\n  line 1"})
    looking.log("[1, 2]")
    looking.log("{broken")

    assert looking.seen == [
        'Mail | {"level":"ERROR","message":"odd"}',
        "Mail | Traceback:",
        "Mail | line 1",
        "Mail | [1, 2]",
        "Mail | {broken",
    ]


def test_a_terminal_is_not_to_obey_a_function(looking: Looking) -> None:
    """Control characters are shown, not sent; a very long line is cut."""
    looking.log("\x1b[2Jcleared\x9b\r" + "x" * 20_000)

    (seen,) = looking.seen
    assert seen.startswith("Mail | \\x1b[2Jcleared\\x9b")
    assert "\x1b" not in seen
    assert len(seen) < 11_000


def test_what_becomes_of_an_asynchronous_invocation_is_told(looking: Looking) -> None:
    """Its next try, and its end."""
    looking.history.record("retried", function="Mail", request_id="r", in_seconds=1.0)
    looking.history.record(
        "concluded", function="Mail", request_id="r", condition="RetriesExhausted", told=["arn:q"], refused={}
    )
    looking.history.record(
        "concluded", function="Mail", request_id="r", condition="RetriesExhausted", told=[], refused={}
    )
    looking.history.record("concluded", function="Mail", request_id="r", condition="Success", told=[], refused={})

    assert looking.seen == [
        "Mail again r in 1 s",
        "Mail concluded r RetriesExhausted; told arn:q",
        "Mail concluded r RetriesExhausted; nobody is told",
    ]


def test_a_call_that_met_a_fault_is_told(looking: Looking) -> None:
    """Which, and where it comes from."""
    looking.history.record(
        "faulted", function="Mail", request_id="r", site="ledger.begin UpdateItem", fault="answer lost", body=b"{}"
    )

    assert looking.seen == ["Mail faulted ledger.begin UpdateItem answer lost"]


def test_what_reaches_nobody_is_told(looking: Looking) -> None:
    """A message that is moved to a dead-letter queue, and an event that its target doesn't take."""
    looking.history.record("dead-lettered", queue_arn="a:b:orders", message_id="m", receives=3, body="{}")
    looking.history.record(
        "undelivered", event_id="e", rule="orders", target_arn="a:q", reason="NO_RESOURCE", message="gone"
    )

    assert looking.seen == ["orders dead-lettered m received 3 times", "orders undelivered e a:q NO_RESOURCE gone"]


def test_an_event_for_a_bus_that_is_not_there_is_told(looking: Looking) -> None:
    """Its publisher hears of a success."""
    looking.history.record("lost", event_id="e", bus="nowhere", event={})

    assert looking.seen == ["nowhere lost e there is no such bus; EventBridge doesn't tell"]
