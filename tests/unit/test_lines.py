"""The log lines: the very text that Powertools would write, whatever it is."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from eachonce.lines import Lines
from eachonce.outcome import Verdict

WORDS = frozenset(Verdict)

TEXTS = [
    "",
    "plain",
    'a "quoted" \\ text',
    "\x00\x1f\x7f\n\t\b\f\r",
    "ü☃\U0001f600",
    "\u2028\ufffe",
    "1",
    "true",
    "</a>",
]
VALUES = [*TEXTS, 0, -1, 2**63, 10**30, 0.5, 1.25, True, False, None]
ODD = [Decimal("0.1"), datetime(2026, 1, 1, tzinfo=UTC), b"b", {"a": 1}, [1, "b"], (1,), Verdict.DONE, "\ud800", {1}]


def record(message: object = "done", level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    """Return a record as the report makes it."""
    made = logging.getLogger("post").makeRecord(
        "post", level, "report.py", 84, message, (), None, func="log", extra=extra or None
    )
    made.created, made.msecs = 1_767_225_600.5, 7.9
    return made


def both(**keys: Any) -> tuple[Lines, LambdaPowertoolsFormatter]:
    """Return the layer's formatter and Powertools' own, of the same keys."""
    made = Lines(WORDS, service="post"), LambdaPowertoolsFormatter(service="post")
    for each in made:
        each.append_keys(**keys)
    return made


def same(ours: Lines, theirs: LambdaPowertoolsFormatter, *given: logging.LogRecord) -> None:
    """Assert that each record is the same line of both, the first time and again."""
    for one in (*given, *given):
        assert ours.format(one) == theirs.format(one)


@pytest.mark.parametrize("word", sorted(WORDS))
@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_a_line_is_that_of_powertools(word: str, level: int) -> None:
    """To the order of its keys."""
    same(*both(), record(word, level, event_id="e-1", age_seconds=0.25, attempts=3))


@pytest.mark.parametrize("value", [*VALUES, *ODD], ids=repr)
@pytest.mark.parametrize("where", ["a field", "a key", "a key of a thread"])
def test_any_value_is_written_as_powertools_writes_it(value: Any, where: str) -> None:
    """What has no simple form is left to it."""
    ours, theirs = both(**({"order": value} if where == "a key" else {}))
    if where == "a key of a thread":
        ours.thread_safe_append_keys(order=value)

    try:
        same(ours, theirs, record(**({"order": value} if where == "a field" else {})))
    finally:
        ours.thread_safe_clear_keys()


@pytest.mark.parametrize(
    "message", ["plain words", "100%", '{"a": 1}', "true", "17", {"a": 1}, ["a"], 5, None], ids=repr
)
def test_any_other_message_is_left_to_powertools(message: object) -> None:
    """A text that is JSON is shown as what it says."""
    same(*both(), record(message))


@pytest.mark.parametrize(
    "keys",
    [
        {"level": "[%(levelname)s]"},
        {"location": "%(pathname)s"},
        {"location": None},
        {"timestamp": ""},
        {"process": "%(process)d"},
        {"xray_trace_id": None},
        {"message": "mine"},
        {"function_name": "post", "cold_start": True, "function_memory_size": 128},
    ],
    ids=repr,
)
@pytest.mark.parametrize("trace", [None, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"])
def test_keys_that_somebody_sets_are_in_the_line(
    monkeypatch: pytest.MonkeyPatch, keys: dict[str, Any], trace: str | None
) -> None:
    """A logger of the same service shares its keys with this one; Lambda names the trace."""
    if trace is not None:
        monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)

    same(*both(**keys), record(event_id="e-1"))


def test_an_exception_is_left_to_powertools() -> None:
    """With its trace."""
    error = ValueError("broken")
    failed = record()
    failed.exc_info = type(error), error, None

    same(*both(), failed)


@pytest.fixture
def development(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Powertools write for a person at a screen."""
    monkeypatch.setenv("POWERTOOLS_DEV", "true")


@pytest.mark.filterwarnings("ignore:POWERTOOLS_DEV")
@pytest.mark.usefixtures("development")
def test_lines_for_development_are_indented() -> None:
    """As Powertools does it."""
    same(*both(), record(event_id="e-1"))


@pytest.mark.parametrize("created", [0.0, 0.999, 1.0, 1_767_225_599.999, 1_767_225_600.0])
def test_each_line_has_its_own_time(created: float) -> None:
    """Though all of a second have most of it in common."""
    ours, theirs = both()
    later = [record(), record()]
    later[1].created, later[1].msecs = created, created % 1 * 1000

    same(ours, theirs, *later)
