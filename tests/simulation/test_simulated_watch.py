"""Every invariant that a simulation watches can fail, and holds when it should."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from eachonce.event import Event
from eachonce.journal import pack_outbox

from eachonce_workbench.cloud.history import History
from eachonce_workbench.simulator.watch import Unwatched, Watch


class Unseeing:
    """Books that note which events they were shown."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, event: Mapping[str, Any]) -> None:
        self.seen.append(event["id"])

    def missing(self) -> tuple[str, ...]:
        return ()

    def misbooked(self, scan: object) -> tuple[str, ...]:
        return ()


def happened(watch: Watch, kind: str, **fields: Any) -> None:
    history = History()
    history.subscribe(watch)
    history.record(kind, **fields)


def published(watch: Watch, event_id: str, *, event_type: str = "StockReserved", part: int = 1) -> None:
    data = {"order_id": "o-1", "part": part}
    event = {"id": f"bus-{event_id}", "detail": {"id": event_id, "type": event_type, "data": data}}
    happened(watch, "published", bus="town", event=event)


def row(**attributes: Any) -> Any:
    """Return an item as the store's stream has it."""
    named = {"pk": "post#e-1", "state": "DONE", "fingerprint": "f", **attributes}
    return SimpleNamespace(attrs={name: SimpleNamespace(value=value) for name, value in named.items()})


def journaled(watch: Watch, new: Any, old: Any = None) -> None:
    watch.journaled(SimpleNamespace(new=new, old=old))  # type: ignore[arg-type]


def outbox(event_id: str) -> bytes:
    return pack_outbox([Event(id=event_id, source="post", type="Arrived", data={})])


def broken(watch: Watch) -> list[str]:
    return [violation.invariant for violation in watch.violations]


def test_what_is_published_has_a_cause_that_is_committed() -> None:
    """Before it, and not after."""
    watch = Watch(Unseeing())
    journaled(watch, row(done_at="1", outbox=outbox("e-2")))

    published(watch, "e-2")
    assert broken(watch) == []
    published(watch, "e-3")
    assert broken(watch) == ["every published event's cause is committed"]


def test_what_comes_from_outside_needs_no_cause() -> None:
    """Nobody here committed it."""
    watch = Watch(Unseeing())
    watch.from_outside.add("poison-fails-1")

    published(watch, "poison-fails-1")

    assert broken(watch) == []


def test_what_is_committed_is_published() -> None:
    """Once is enough, and twice is no harm."""
    watch = Watch(Unseeing())
    for event_id in ("e-2", "e-3"):
        journaled(watch, row(done_at="1", outbox=outbox(event_id)))

    published(watch, "e-2")
    published(watch, "e-2")

    assert watch.unpublished() == ["e-3"]


def test_what_is_done_is_not_done_again() -> None:
    """A row that only changes otherwise is no second commit."""
    watch = Watch(Unseeing())
    journaled(watch, row(done_at="1"))
    journaled(watch, row(done_at="1", expires_at="2"), old=row(done_at="1"))
    assert broken(watch) == []

    journaled(watch, row(done_at="2"), old=row(done_at="1"))

    assert broken(watch) == ["no effect twice"]


def test_no_more_attempts_than_failures() -> None:
    """Told once a row."""
    watch = Watch(Unseeing())
    watch.failed("Post-1", "post#e-1", counts=True)
    journaled(watch, row(state="TRIED", attempts=1))
    assert broken(watch) == []

    journaled(watch, row(state="TRIED", attempts=2))
    journaled(watch, row(state="TRIED", attempts=3))

    assert broken(watch) == ["no attempt that the handler didn't fail"]


def test_another_ones_failures_are_no_excuse() -> None:
    """Neither another consumer's nor another event's."""
    watch = Watch(Unseeing())
    watch.failed("Bank-1", "bank#e-1", counts=True)
    watch.failed("Post-1", "post#e-2", counts=True)

    journaled(watch, row(state="TRIED", attempts=1))

    assert broken(watch) == ["no attempt that the handler didn't fail"]


def test_what_the_queue_or_the_bus_gives_up_is_noticed() -> None:
    """Whatever it is."""
    watch = Watch(Unseeing())

    happened(watch, "dead-lettered", body="{}")
    happened(watch, "undelivered", target="a queue")

    assert broken(watch) == ["nothing is received for ever", "nothing is given up on its way"]


def test_books_see_each_innocent_event_that_is_published() -> None:
    """Of a peer, too; poison is nobody's event."""
    observer = Unseeing()
    watch = Unwatched(observer)

    published(watch, "e-1")
    published(watch, "poison-fails-1")

    assert observer.seen == ["e-1"]


def test_an_event_is_settled_by_a_final_row_at_each_consumer_that_got_it() -> None:
    """Else the journal can't say whether it took effect."""
    watch = Watch(Unseeing())
    for event_id in ("e-1", "e-2"):
        published(watch, event_id)
        happened(watch, "delivered", event_id=f"bus-{event_id}", target_arn="a queue")

    journaled(watch, row(pk="post##town#e-1"))
    journaled(watch, row(pk="post##town#e-2", state="TRIED"))

    assert watch.unsettled() == ["e-2"]


def test_a_peer_is_held_to_no_journal() -> None:
    """It has none."""
    watch = Unwatched(Unseeing())

    published(watch, "e-1")
    happened(watch, "dead-lettered", body="{}")
    happened(watch, "delivered", event_id="bus-e-1", target_arn="a queue")

    assert broken(watch) == []
    assert watch.delivered["e-1"] == {"a queue"}


def test_nobody_reads_more_than_a_hundred() -> None:
    """A run that goes wrong goes wrong often."""
    watch = Watch(Unseeing())

    for number in range(200):
        watch.violated("this", f"{number}")

    assert len(watch.violations) == 100
    assert str(watch.violations[0]) == "this: 0"


def test_what_is_not_of_interest_is_passed_over() -> None:
    """And breaks nothing."""
    watch = Watch(Unseeing())

    happened(watch, "log", line="hello")
    journaled(watch, None)
    journaled(watch, row(pk="poison-row-1", attempts=7))

    assert broken(watch) == []
