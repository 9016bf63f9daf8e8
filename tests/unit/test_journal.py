"""The journal's rows."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from eachonce import Event
from eachonce.event import decode
from eachonce.journal import (
    RETENTION,
    Mark,
    State,
    done_row,
    pack_outbox,
    result_of,
    unpack_outbox,
)
from hypothesis import example, given
from hypothesis import strategies as st

from tests.parcels import Arrived

NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)
MARK = Mark("post", "post", "e-1", "f" * 24)

names = st.text(st.sampled_from("ab#%"), min_size=1, max_size=4)


def published(parcel: str, *, event_id: str = "x") -> Event[Any]:
    return Event(id=event_id, source="post", type="Arrived", data=Arrived(parcel=parcel))


def test_a_row_belongs_to_one_consumer_and_one_event() -> None:
    """Each consumer has its own mark for the same event."""
    assert MARK.pk == "post##post#e-1"
    assert str(MARK) == f"post##post#e-1#{'f' * 24}"
    assert str(MARK).startswith(MARK.prefix)


@given(names, names)
@example("a", "a#b")
@example("a#", "a")
@example("a#b", "a%23b")
def test_no_events_marks_look_like_anothers(one: str, other: str) -> None:
    """An event's prefix begins the marks of its own contents and of no other event, whatever its id is made of."""
    mark, theirs = Mark("post", "post", one, "0" * 24), Mark("post", "post", other, "1" * 24)

    assert str(theirs).startswith(mark.prefix) == (one == other)


def test_a_done_row_tells_what_happened_and_when() -> None:
    """And how long it is kept, in seconds since 1970, as DynamoDB's time to live asks for it."""
    row = done_row(MARK, at=NOON)

    assert row == {
        "pk": "post##post#e-1",
        "state": State.DONE,
        "fingerprint": "f" * 24,
        "done_at": "2010-12-01T12:00:00+00:00",
        "expires_at": int((NOON + timedelta(days=35)).timestamp()),
    }


def test_a_row_outlives_every_copy_of_its_event() -> None:
    """A queue and its dead-letter queue hold a message 14 days each; the bus retries for one."""
    assert timedelta(days=14 + 14 + 1) < RETENTION


@pytest.mark.parametrize("result", [{"order_id": "1", "parts": 2}, {}, [], 0, "", False])
def test_a_result_is_answered_again(result: Any) -> None:
    """Whatever it is, as long as it is something."""
    assert result_of(done_row(MARK, at=NOON, result=result)) == result


def test_no_result_is_none() -> None:
    """And leaves nothing in the row."""
    row = done_row(MARK, at=NOON)

    assert result_of(row) is None
    assert "result" not in row


@pytest.mark.parametrize("count", [1, 2, 200])
def test_an_outbox_holds_its_events_in_order(count: int) -> None:
    """As CloudEvents objects, whether or not it was compressed."""
    events = [published(f"p-{number}", event_id=str(number)) for number in range(count)]

    row = done_row(MARK, at=NOON, outbox=events)

    assert [decode(event).id for event in unpack_outbox(row["outbox"])] == [str(number) for number in range(count)]
    assert [msgspec.json.decode(event)["data"]["parcel"] for event in unpack_outbox(row["outbox"])] == [
        f"p-{number}" for number in range(count)
    ]


def test_no_events_no_outbox() -> None:
    """The stream's filter asks whether the row has one."""
    assert "outbox" not in done_row(MARK, at=NOON)


def test_a_large_outbox_is_compressed() -> None:
    """A write unit is a kilobyte: a long outbox costs less when packed, a short one nothing more."""
    events = [published("p")] * 100

    assert len(pack_outbox(events)) < 1024
    assert pack_outbox([published("p")]).startswith(b"[{")


@pytest.mark.parametrize(
    "packed",
    [b"", b"nonsense", b"[{]", b"[" * 5000, zlib.compress(b"{}"), zlib.compress(b"[1"), zlib.compress(b"[" * 5000)],
)
def test_what_is_no_outbox_can_not_be_unpacked(packed: bytes) -> None:
    """One of two errors says so."""
    with pytest.raises((zlib.error, msgspec.DecodeError)):
        unpack_outbox(packed)
