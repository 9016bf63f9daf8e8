"""Which events a person sees: those that fit what they ask for, kept up to date while they look."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from eachonce_workbench.cloud.history import History
from eachonce_workbench.console import record as module
from eachonce_workbench.console.events.selection import Selection, SelectionError
from eachonce_workbench.console.events.view import View
from eachonce_workbench.console.known import KnownEvent
from eachonce_workbench.console.record import Record
from tests.console.served import bus_event, outcome


def event(**named: Any) -> KnownEvent:
    told: dict[str, Any] = {
        "number": 1,
        "at": 1_767_225_600.0,
        "event_id": "e-1",
        "source": "till",
        "type": "OrderPlaced",
    }
    return KnownEvent(**(told | named))


ORDER = event(subject="Order-7", outcomes={"Track": "done", "Count": "reject"}, body=b'{"country":"Per\xc3\xba"}')


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"type": ["OrderPlaced", "OrderCancelled"]},
        {"without": ["OrderCancelled", "StockMoved"]},
        {"subject": ["order-7"]},
        {"consumer": ["Count"]},
        {"outcome": ["reject"]},
        {"consumer": ["Count"], "outcome": ["reject"]},
        {"since": ["2026-01-01T00:00"], "until": ["2026-01-01T00:00:01"]},
        {"since": ["2026-01-01T01:00+01:00"]},
        {"text": ["per\u00fa"]},
        {"text": ["E-1"]},
        {"type": [""], "text": [" "]},
    ],
)
def test_an_event_fits(asked: dict[str, list[str]]) -> None:
    """Everything that is asked for, and nothing that isn't."""
    assert ORDER in Selection.read(asked)


@pytest.mark.parametrize(
    "asked",
    [
        {"type": ["OrderCancelled"]},
        {"without": ["StockMoved", "OrderPlaced"]},
        {"subject": ["order-8"]},
        {"consumer": ["Notify"]},
        {"consumer": ["Track"], "outcome": ["reject"]},
        {"outcome": ["lost"]},
        {"since": ["2026-01-01T00:01"]},
        {"until": ["2025-12-31T23:59"]},
        {"text": ["chile"]},
    ],
)
def test_an_event_does_not_fit(asked: dict[str, list[str]]) -> None:
    """One thing that it isn't is enough."""
    assert ORDER not in Selection.read(asked)


def test_a_time_that_is_none_is_told() -> None:
    """And which parameter it was."""
    with pytest.raises(SelectionError, match="since: yesterday"):
        Selection.read({"since": ["yesterday"]})


class Town:
    """A record, and events that happen in it."""

    def __init__(self) -> None:
        self.record = Record(now=lambda: 0.0)
        self.history = History()
        self.history.subscribe(self.record)

    def publish(self, *ids: str) -> None:
        for each in ids:
            told = bus_event(each)
            self.history.record("published", event_id=told["id"], bus="town", event=told)

    def handle(self, event_id: str, verdict: str) -> None:
        self.history.record("log", **outcome(event_id, function="Track", request_id="r", verdict=verdict))


def ids(view: View, start: int = 0, count: int = 100) -> list[str]:
    return [row["id"] for row in view.rows(start, count)]


def looked(town: Town, **asked: list[str]) -> View:
    """A view of what there is by now."""

    async def filled() -> View:
        view = View(town.record, Selection.read(asked))
        await view.start()
        return view

    return asyncio.run(filled())


def test_a_view_has_what_there_was_and_what_comes() -> None:
    """The newest first."""
    town = Town()
    town.publish("a", "b")
    view = looked(town)

    town.publish("c")

    assert ids(view) == ["c", "b", "a"]


def test_a_view_gives_some_rows_of_many() -> None:
    """Counted from the newest."""
    town = Town()
    town.publish(*"abcdef")
    view = looked(town)

    assert (ids(view, 1, 2), ids(view, 5, 9), ids(view, 9, 3)) == (["e", "d"], ["a"], [])


def test_an_event_comes_into_view_and_leaves_it() -> None:
    """As its outcome changes."""
    town = Town()
    town.publish("a", "b", "c")
    view = looked(town, outcome=["retry"])

    before = ids(view)
    town.handle("b", "retry")
    meanwhile = ids(view)
    town.handle("b", "done")

    assert (before, meanwhile, ids(view)) == ([], ["b"], [])


def test_what_is_forgotten_is_in_no_view(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor counted."""
    monkeypatch.setattr(module, "MOST_EVENTS", 2)
    town = Town()
    town.publish("a", "b")
    view = looked(town)

    town.publish("c", "d", "e")

    assert (len(view), ids(view)) == (2, ["e", "d"])


def test_a_closed_view_follows_nothing() -> None:
    """And costs nothing."""
    town = Town()
    view = looked(town)

    view.close()
    town.publish("a")

    assert len(view) == 0
