"""The envelope: CloudEvents around data, ids that are derived, fingerprints."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from eachonce import Contract, ContractError, Event
from eachonce.event import RawEvent, decode, fingerprint

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


def test_a_published_events_id_is_derived() -> None:
    """The same cause, consumer and place give the same id, so that a handler that runs again publishes copies."""
    assert effect(cause()).id == effect(cause(time=NOON, hops=4)).id


def test_derived_ids_differ_by_cause_consumer_and_place() -> None:
    """No two published events share an id."""
    ids = {
        effect(cause()).id,
        effect(cause(id="e-2")).id,
        effect(cause(), by="bank").id,
        effect(cause(), place=1).id,
    }

    assert len(ids) == 4


def test_derived_ids_never_change() -> None:
    """An id in a journal of last month is found again: the derivation is pinned."""
    assert effect(cause()).id == "5c0f5829-1040-5daa-bcaf-e424c10c30d0"


def test_a_published_event_tells_where_it_comes_from() -> None:
    """Cause, correlation, tenant and the number of hops follow from the event that caused it."""
    first = effect(cause(tenant="t"))
    second = first.causes(Noted(text="y"), by="bank", place=0, source="bank", time=NOON)

    assert (first.causationid, first.correlationid, first.tenant, first.hops) == ("e-1", "e-1", "t", 1)
    assert (second.causationid, second.correlationid, second.tenant, second.hops) == (first.id, "e-1", "t", 2)
    assert (second.type, second.subject, second.source, second.time) == ("Noted", "about y", "bank", NOON)


def test_the_way_json_is_written_does_not_count() -> None:
    """A bus may write the same JSON anew: key order and white space are no difference."""
    assert fingerprint(raw('{"a": 1, "b": [1,2]}')) == fingerprint(raw('{"b":[1, 2],\n"a":1}'))


@pytest.mark.parametrize("other", ['{"a":2}', '{"a":"1"}', '{"b":1}', '{"a":1,"b":null}', "[1]", '{"a":true}'])
def test_other_data_has_another_fingerprint(other: str) -> None:
    """Whatever differs in the data differs in the fingerprint."""
    assert fingerprint(raw(other)) != fingerprint(raw('{"a":1}'))


def test_the_order_of_an_array_counts() -> None:
    """An array's order is part of what it says."""
    assert fingerprint(raw("[1,2]")) != fingerprint(raw("[2,1]"))


def test_another_type_has_another_fingerprint() -> None:
    """The same data means something else under another type."""
    assert fingerprint(raw("{}")) != fingerprint(raw("{}", event_type="Other"))


@pytest.mark.parametrize("data", ['{"a":1e999}', f'{{"a":{"9" * 5000}}}', "[" * 100_000 + "]" * 100_000])
def test_data_that_is_json_but_can_not_be_read_breaks_its_contract(data: str) -> None:
    """A number beyond all numbers, or nesting beyond all depth, is an error of the event's, not of its handler's."""
    with pytest.raises(ContractError):
        fingerprint(raw(data))
