"""What operators see: one structured log line and one metric an outcome."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from eachonce.event import RawEvent
from eachonce.outcome import Hold, Outcome, Verdict
from eachonce.settings import NAMESPACE
from eachonce.trace import trace_of
from eachonce.wording import MAX_NAME, short

_METRICS = {
    Verdict.DONE: "Done",
    Verdict.DUPLICATE: "Duplicate",
    Verdict.STALE: "Stale",
    Verdict.IGNORED: "Ignored",
    Verdict.REJECT: "Rejected",
    Verdict.RETRY: "Retried",
    Verdict.WAIT: "Waiting",
    Verdict.ABANDONED: "Abandoned",
}
# Nothing went wrong with what is held back, so it is no retry; an alarm on either says which of them it is.
_HELD_METRICS = {Hold.RATE: "OverRate", Hold.BREAKER: "Unavailable"}
MOST_OF_A_TRACE = 16 * 1024  # characters
_QUIET = frozenset({Verdict.DONE, Verdict.DUPLICATE, Verdict.STALE, Verdict.IGNORED})


class Report:
    """Tells a consumer's outcomes to CloudWatch: logs as JSON, metrics in the embedded metric format.

    No value of a payload is logged: ids, types and reasons only, each of a length that a person reads. So a traceback
    is without its exceptions' messages, unless the log level is DEBUG, and without them even then where handlers have
    read personal fields.
    """

    def __init__(self, consumer: str, *, personal: bool = False, namespace: str = NAMESPACE) -> None:
        self._personal = personal
        self._logger = Logger(service=consumer)
        self._metrics = EphemeralMetrics(namespace=namespace, service=consumer)

    def log(self, outcome: Outcome, event: RawEvent | None, **fields: object) -> None:
        """Log one outcome: a warning where the event was not finished, with the traceback where its handler failed.

        What is held back is no warning: it is as somebody has set it, and may be all of a backlog.
        """
        quiet = outcome.verdict in _QUIET or outcome.held is not None
        if self._logger.log_level > (logging.INFO if quiet else logging.WARNING):
            return
        if event is not None:
            fields |= {
                "event_id": event.id,
                "event_type": event.type,
                "subject": event.subject,
                "causationid": event.causationid,
                "trace_id": event.trace_id,
                "age_seconds": _age_seconds(event),
            }
        fields |= {"error": outcome.error, "attempts": outcome.attempts}
        extra = {name: _cut(value) for name, value in fields.items() if value is not None}
        if outcome.reason is not None:
            extra["reason"] = short(outcome.reason)
        if outcome.cause is not None:
            extra |= {"exception": self._trace(outcome.cause), "exception_name": _cut(type(outcome.cause).__name__)}
        log = self._logger.info if quiet else self._logger.warning
        log(outcome.verdict.value, extra=extra)

    def warn(self, message: str, **fields: str) -> None:
        """Log what is no event's own, in words of the code's."""
        self._logger.warning(message, extra=fields)

    def _trace(self, error: Exception) -> str:
        """Return a trace with the exception itself: not Powertools' own, lost where an exception has no text."""
        if self._personal or self._logger.log_level > logging.DEBUG:
            return trace_of(error)[:MOST_OF_A_TRACE]  # the latest first
        return "".join(map(short, traceback.format_exception(error)))[-MOST_OF_A_TRACE:]

    def count(self, outcomes: Iterable[Outcome]) -> None:
        """Count outcomes by verdict, and what was held back by what held it; no outcome, no metric."""
        counts = Counter(map(_metric, outcomes))
        for name, count in counts.items():
            self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
        if counts:
            self._metrics.flush_metrics()


def _metric(outcome: Outcome) -> str:
    return _METRICS[outcome.verdict] if outcome.held is None else _HELD_METRICS[outcome.held]


def _age_seconds(event: RawEvent) -> float | None:
    """Return how long ago the event happened, where it says so with a zone."""
    if event.time is None or event.time.tzinfo is None:
        return None
    return round((datetime.now(UTC) - event.time).total_seconds(), 3)


def _cut(value: object) -> object:
    return short(value, MAX_NAME) if isinstance(value, str) else value
