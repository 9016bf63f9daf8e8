"""An event's way from its publication to its commits, as bars over one span of time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from eachonce_workbench.console.known import FINAL, Handling, KnownEvent

WIDTH = 1000
"""The units that the whole span has."""

_LEAST_SPAN_SECONDS = 0.001
_LEAST_WIDTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One thing that happened: `what`, where (`who`), and what is to be said of it.

    It was waited for from `since` on, it began at `began`, and it ended at `ended`: seconds after the first of it all.
    `idle` and `busy` are where that is drawn, as (x, width) of WIDTH; `idle` is None where nothing waited.
    """

    what: str
    who: str
    told: str
    since: float
    began: float
    ended: float
    idle: tuple[float, float] | None = None
    busy: tuple[float, float] = (0.0, 0.0)


def waterfall(event: KnownEvent, queues: Mapping[str, Collection[str]], now: float) -> list[Bar]:
    """Return what happened to an event, in the order in which it began.

    `queues` are the names of those that each consumer reads, and `now` is until when it waits for what is to come.
    """
    bars = sorted(_bars(event, queues, now), key=lambda bar: (bar.since, bar.began))
    # Who sends an event to a function directly is heard of at its outcome, and it began before that.
    first = min([0.0, *(bar.since for bar in bars)])
    span = max([_LEAST_SPAN_SECONDS, *(bar.ended - first for bar in bars)])
    return [_drawn(bar, first, span) for bar in bars]


def _bars(event: KnownEvent, queues: Mapping[str, Collection[str]], now: float) -> Iterator[Bar]:
    told = {(each.outcome, each.consumer) for each in event.handlings}
    # A rule that led somewhere is told with what it led to.
    told |= {("matched", step.told) for step in event.steps if step.kind == "delivered"}
    for step in event.steps:
        if (step.kind, step.who) not in told:
            at = step.at - event.at
            yield Bar(what=step.kind, who=step.who, told=step.told, since=at, began=at, ended=at)
    for consumer in dict.fromkeys([*(each.consumer for each in event.handlings), *event.outcomes]):
        yield from _at_consumer(event, consumer, queues.get(consumer, ()), now)


def _at_consumer(event: KnownEvent, consumer: str, queues: Collection[str], now: float) -> Iterator[Bar]:
    """Yield each handling, with how long the event lay in the queue before it."""
    handlings = [each for each in event.handlings if each.consumer == consumer]
    arrived = next((step.at for step in event.steps if step.kind == "delivered" and step.who in queues), None)
    for each in handlings:
        began = _began(each)
        since = began if arrived is None else min(arrived, began)
        yield Bar(
            what=each.outcome,
            who=consumer,
            told=each.reason,
            since=since - event.at,
            began=began - event.at,
            ended=each.ended - event.at,
        )
        arrived = each.ended
    if event.outcomes.get(consumer, "done") not in FINAL:
        since = (event.at if arrived is None else arrived) - event.at
        yield Bar(what="waiting", who=consumer, told="", since=since, began=now - event.at, ended=now - event.at)


def _began(handling: Handling) -> float:
    return handling.began or handling.ended


def _drawn(bar: Bar, first: float, span: float) -> Bar:
    since, began, ended = bar.since - first, bar.began - first, bar.ended - first
    scale = WIDTH / span
    return replace(
        bar,
        since=since,
        began=began,
        ended=ended,
        idle=None if began <= since else _segment(since * scale, (began - since) * scale),
        busy=_segment(began * scale, (ended - began) * scale),
    )


def _segment(x: float, width: float) -> tuple[float, float]:
    """Return a stretch that can be seen, and doesn't leave the drawing."""
    wide = min(WIDTH, max(_LEAST_WIDTH, width))
    return round(max(0.0, min(x, WIDTH - wide)), 1), round(wide, 1)
