"""The envelope: CloudEvents around data."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from eachonce import Contract, Event
from eachonce.event import RawEvent, decode

NOON = datetime(2010, 12, 1, 12, tzinfo=UTC)


class Noted(Contract, frozen=True, kw_only=True):
    text: str

    @property
    def subject(self) -> str:
        return f"about {self.text}"


def raw(data: str, *, event_type: str = "Noted") -> RawEvent:
    return Event(id="e-1", source="post", type=event_type, data=msgspec.Raw(data.encode()))


def cause(**attributes: object) -> RawEvent:
    return msgspec.structs.replace(raw("{}"), **attributes)


def effect(event: RawEvent, *, by: str = "post", place: int = 0) -> Event[Noted]:
    return event.causes(Noted(text="x"), by=by, place=place, source="post", time=NOON)


def test_an_event_is_written_as_one_cloudevents_object() -> None:
    """CloudEvents' names at the top level, the data as an object, and no attribute that is not set."""
    event = Event(id="e-1", source="post", type="Noted", data=Noted(text="x"), time=NOON, subject="p")

    written = msgspec.json.decode(event.encode())

    assert written == {
        "specversion": "1.0",
        "id": "e-1",
        "source": "post",
        "type": "Noted",
        "data": {"text": "x"},
        "time": "2010-12-01T12:00:00Z",
        "subject": "p",
    }


def test_an_event_survives_being_written_and_read() -> None:
    """All attributes come back, and the data stays the JSON text that it was."""
    event = Event(
        id="e-1",
        source="post",
        type="Noted",
        data=Noted(text="x"),
        time=NOON,
        subject="p",
        dataschema="https://example.org/noted.json",
        tenant="t",
        sequence="7",
        correlationid="c",
        causationid="b",
        hops=3,
    )

    read = decode(event.encode())

    assert read.with_data(Noted.decode(read.data)) == event


def test_an_attribute_that_nobody_knows_is_passed_over() -> None:
    """A publisher may add an extension attribute without breaking anyone."""
    text = b'{"specversion":"1.0","id":"1","source":"s","type":"T","data":1,"colour":"red"}'

    assert decode(text).id == "1"


@pytest.mark.parametrize("missing", ["id", "source", "type", "data"])
def test_an_event_has_an_id_a_source_a_type_and_data(missing: str) -> None:
    """Each of them is required."""
    attributes = {"specversion": "1.0", "id": "1", "source": "s", "type": "T", "data": 1}
    del attributes[missing]

    with pytest.raises(msgspec.ValidationError, match=missing):
        decode(msgspec.json.encode(attributes))


@pytest.mark.parametrize("name", ["id", "source", "type"])
@pytest.mark.parametrize("value", ["", "x" * 257, 5, None])
def test_an_events_names_are_1_to_256_characters(name: str, value: object) -> None:
    """What serves as a key is bounded, so that every row fits DynamoDB's limits."""
    attributes = {"specversion": "1.0", "id": "1", "source": "s", "type": "T", "data": 1, name: value}

    with pytest.raises(msgspec.ValidationError, match=name):
        decode(msgspec.json.encode(attributes))


def test_another_version_of_cloudevents_is_refused() -> None:
    """What a later version means is not known here."""
    with pytest.raises(msgspec.ValidationError, match="specversion"):
        decode(b'{"specversion":"2.0","id":"1","source":"s","type":"T","data":1}')


def test_a_published_event_tells_where_it_comes_from() -> None:
    """Cause, correlation, tenant and the number of hops follow from the event that caused it."""
    first = effect(cause(tenant="t"))
    second = first.causes(Noted(text="y"), by="bank", place=0, source="bank", time=NOON)

    assert (first.causationid, first.correlationid, first.tenant, first.hops) == ("e-1", "e-1", "t", 1)
    assert (second.causationid, second.correlationid, second.tenant, second.hops) == (first.id, "e-1", "t", 2)
    assert (second.type, second.subject, second.source, second.time) == ("Noted", "about y", "bank", NOON)
