"""The envelope: CloudEvents around data."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from eachonce import Contract, ContractError, Event, MalformedMessageError
from eachonce.event import RawEvent, decode
from eachonce.identity import fingerprint

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


@pytest.mark.parametrize("missing", ["id", "source", "type"])
def test_an_event_has_an_id_a_source_and_a_type(missing: str) -> None:
    """Each of them is required."""
    attributes = {"specversion": "1.0", "id": "1", "source": "s", "type": "T", "data": 1}
    del attributes[missing]

    with pytest.raises(MalformedMessageError, match=missing):
        decode(msgspec.json.encode(attributes))


@pytest.mark.parametrize("extension", [None, True, 5, "text", [1, {"a": []}], {"data": 1}], ids=repr)
def test_an_attribute_that_nobody_knows_may_be_anything(extension: object) -> None:
    """Whatever its type is."""
    attributes = {"specversion": "1.0", "id": "1", "source": "s", "type": "T", "data": 1, "colour": extension}

    assert decode(msgspec.json.encode(attributes)).id == "1"


OPTIONAL = ["time", "subject", "dataschema", "tenant", "sequence", "correlationid", "causationid", "hops"]


@pytest.mark.parametrize("name", [*OPTIONAL, "data_base64", "datacontenttype", "detail"])
def test_an_optional_attribute_that_is_null_is_not_set(name: str) -> None:
    """As CloudEvents' JSON has it.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#22-type-system-mapping
    """
    attributes = {"specversion": "1.0", "id": "1", "source": "s", "type": "T", "data": {"a": 1}}

    assert decode(msgspec.json.encode({**attributes, name: None})) == decode(msgspec.json.encode(attributes))


@pytest.mark.parametrize(
    "data", ["", ',"data_base64":null', ',"data_base64":"e30="', ',"data":null,"data_base64":"e30="']
)
def test_an_event_needs_no_data(data: str) -> None:
    """Then there is nothing in it: a contract that asks for nothing is content."""

    class Nothing(Contract, frozen=True):
        times: int = 1

    event = decode(f'{{"specversion":"1.0","id":"1","source":"s","type":"T"{data}}}'.encode())

    assert Nothing.decode(event.data) == Nothing()
    assert fingerprint(event) == fingerprint(raw("{}", event_type="T"))


@pytest.mark.parametrize("kind", [None, "application/json", "application/vnd.note+json; charset=utf-8", "text/plain"])
def test_data_may_come_as_base64(kind: str | None) -> None:
    """JSON is found in it, whatever it says that it is."""
    text = b'{"text": "caf\xc3\xa9"}'
    attributes = {"specversion": "1.0", "id": "1", "source": "s", "type": "Noted", "datacontenttype": kind}

    event = decode(msgspec.json.encode({**attributes, "data_base64": text}))

    assert Noted.decode(event.data) == Noted(text="café")
    assert fingerprint(event) == fingerprint(raw(text.decode()))


def test_base64_that_is_no_json_breaks_the_contract() -> None:
    """A picture is no data of a contract."""
    event = decode(b'{"specversion":"1.0","id":"1","source":"s","type":"Noted","data_base64":"R0lGODlh"}')

    with pytest.raises(ContractError, match="it is not JSON"):
        Noted.decode(event.data)


@pytest.mark.parametrize("name", ["id", "source", "type"])
@pytest.mark.parametrize("value", ["", "x" * 257, 5, None])
def test_an_events_names_are_1_to_256_characters(name: str, value: object) -> None:
    """What serves as a key is bounded, so that every row fits DynamoDB's limits."""
    attributes = {"specversion": "1.0", "id": "1", "source": "s", "type": "T", "data": 1, name: value}

    with pytest.raises(MalformedMessageError, match=name):
        decode(msgspec.json.encode(attributes))


def test_another_version_of_cloudevents_is_refused() -> None:
    """What a later version means is not known here."""
    with pytest.raises(MalformedMessageError, match="specversion"):
        decode(b'{"specversion":"2.0","id":"1","source":"s","type":"T","data":1}')


def test_a_published_event_tells_where_it_comes_from() -> None:
    """Cause, correlation, tenant and the number of hops follow from the event that caused it."""
    first = effect(cause(tenant="t"))
    second = first.causes(Noted(text="y"), by="bank", place=0, source="bank", time=NOON)

    assert (first.causationid, first.correlationid, first.tenant, first.hops) == ("e-1", "e-1", "t", 1)
    assert (second.causationid, second.correlationid, second.tenant, second.hops) == (first.id, "e-1", "t", 2)
    assert (second.type, second.subject, second.source, second.time) == ("Noted", "about y", "bank", NOON)
