"""The screen that sends: forms of contracts, what they come to, and where it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eachonce import Contract

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.console.send.contracts import Known, Told
from eachonce_workbench.console.send.fields import data_of, field_of, fields_of, texts_of
from eachonce_workbench.console.send.kept import Kept
from eachonce_workbench.console.send.letter import Letter, LetterError, killing, letter_of
from eachonce_workbench.console.send.offers import Offer, event_in, offers
from eachonce_workbench.run.books import Input
from tests.console.asking import ask
from tests.console.served import served
from tests.topologies import function, queue, topology

HOSTILE = "<script>alert(1)</script>\x00\u202e'\"&/?#"


class Line(msgspec.Struct):
    sku: str
    quantity: int


class Ordered(Contract, kw_only=True):
    """An order."""

    order: str
    lines: list[Line]
    gift: bool = False
    weight: float | None = None
    note: str | None = None
    colour: str = "red"


FIELDS = fields_of(Ordered.json_schema())
KINDS = {"order": "text", "lines": "json", "gift": "truth", "weight": "number", "note": "text", "colour": "text"}


def test_a_contract_has_a_field_for_each_property() -> None:
    """Of the kind that its JSON is of, whatever it may be null or left out."""
    assert {field.name: field.kind for field in FIELDS} == KINDS
    assert [field.name for field in FIELDS if field.required] == ["order", "lines"]


@pytest.mark.parametrize(
    "schema", [{}, {"type": "string"}, {"$ref": "#/$defs/nowhere"}, {"$ref": "#"}, {"$ref": "http://x"}]
)
def test_what_is_no_object_has_none(schema: Any) -> None:
    """Its JSON is all that there is."""
    assert fields_of(schema) == ()


def test_fields_say_what_their_json_does() -> None:
    """There and back again, with numbers as they were written."""
    data = '{"order": "5", "lines": [{"sku": "a", "quantity": 9007199254740993}], "gift": true, "weight": 1.10}'

    texts = texts_of(FIELDS, data)

    assert (texts["order"], texts["gift"], texts["weight"]) == ("5", "true", "1.10")
    assert msgspec.json.format(data_of(FIELDS, texts).encode(), indent=-1) == msgspec.json.format(
        data.encode(), indent=-1
    )


def test_what_is_wrong_is_left_for_the_contract_to_refuse() -> None:
    """Nothing is corrected, and what is empty is left out, but for a text that is needed."""
    said = data_of(FIELDS, {"order": "", "lines": "[1", "gift": "perhaps", "weight": "1,5", "note": "", "colour": "1"})

    assert json.loads(said) == {"order": "", "lines": "[1", "gift": "perhaps", "weight": "1,5", "colour": "1"}


@pytest.mark.parametrize(
    ("reason", "field"),
    [
        ("Expected `int`, got `str` - at `$.gift`", "gift"),
        ("Expected `int`, got `str` - at `$.lines[0].quantity`", "lines"),
        ("Object missing required field `order`", "order"),
        ("Object missing required field `sku` - at `$.lines[0]`", "lines"),
        ("it is not JSON: trailing characters", None),
        (HOSTILE, None),
    ],
)
def test_a_reason_is_told_at_its_field(reason: str, field: str | None) -> None:
    """Where it names one."""
    assert field_of(reason) == field


def offer(**named: Any) -> Offer:
    return Offer(**({"name": "n", "title": "t", "group": "g", "way": "bus", "target": "town"} | named))


def letter(texts: Mapping[str, str], **named: Any) -> Letter:
    envelope = {"id": "e-1", "source": "till", "type": "Ordered", "data": "{}"}
    return letter_of(offer(enveloped=True, **named), envelope | texts, number=1, sent_at="2026-01-01T00:00:00Z")


def test_an_event_is_put_into_its_envelope() -> None:
    """And that into the bus's entry; what isn't said isn't there."""
    sent = letter({"data": '{"order": "\\ud800"}', "subject": "5", "twice": "1"})

    entry = json.loads(sent.given.payload)
    assert (entry["Source"], entry["DetailType"]) == ("till", "Ordered")
    assert json.loads(entry["Detail"]) == {
        "specversion": "1.0",
        "id": "e-1",
        "source": "till",
        "type": "Ordered",
        "time": "2026-01-01T00:00:00Z",
        "subject": "5",
        "data": {"order": "\ud800"},
    }
    assert sent.copies == 2


def test_data_are_sent_as_they_are() -> None:
    """JSON or not: to be refused is what they may be for."""
    sent = letter({"data": '{"order": 1.10, "order": tru'}, way="queue")

    assert sent.given.payload.endswith(b'"data": {"order": 1.10, "order": tru}')


@pytest.mark.parametrize("wrong", [{"id": ""}, {"source": ""}, {"late": "-1"}, {"late": "901"}, {"late": "soon"}])
def test_what_can_not_be_sent_is_told(wrong: dict[str, str]) -> None:
    """An event without a name, and what would never come."""
    with pytest.raises(LetterError):
        letter(wrong)


def test_a_worker_is_killed_after_the_commit_of_that_event() -> None:
    """Of any, where its function has no layer that would write the event's id."""
    sent = letter({"id": 'e"1'})
    with_layer, without = (killing("Pack", sent, layered=layered) for layered in (True, False))

    assert {with_layer.kind, without.kind} == {CallFault.KILLED_AFTER}
    assert with_layer.holding == b'e\\"1'
    assert "committer.commit TransactWriteItems" in with_layer.sites
    assert (without.holding, "Pack PutItem" in without.sites) == (b"", True)


def test_a_sample_is_found_in_whatever_holds_it() -> None:
    """A message's body, what EventBridge hands on, or an entry for it."""
    event = {"specversion": "1.0", "id": "1", "source": "till", "type": "Ordered", "data": {"weight": 1}}
    held = [event, {"detail": event, "detail-type": "x"}, {"Detail": json.dumps(event)}]

    assert [found.type for each in held if (found := event_in(json.dumps(each).encode()))] == ["Ordered"] * 3
    for text in (b"", b"[]", b'{"detail": 1}', b"\xff", b'{"Detail": "{"}', b"[" * 100_000):
        assert event_in(text) is None


def test_contracts_come_first_and_then_anything() -> None:
    """A contract's form begins with the sample of the bundle's, else with one that its types allow."""
    orders = queue("Orders")
    here = topology(functions=(function("Pack"),), queues=(orders,))
    known = Known(kind="event", type="Ordered", functions=("Pack",), schema={}, sample='{"drawn": 1}')
    event = {"specversion": "1.0", "id": "1", "source": "till", "type": "Ordered", "data": {"weight": 1.10}}
    sample = Input(name="pack/one.json", kind="queue", target=orders.arn, payload=json.dumps(event).encode())

    drawn, *_ = offers(here, Told(known=(known,)), [])
    shown, *others = offers(here, Told(known=(known,)), [sample])

    assert (drawn.texts["data"], drawn.texts["source"], drawn.way) == ('{"drawn": 1}', "console", "function")
    assert (json.loads(shown.texts["data"]), shown.texts["source"]) == ({"weight": 1.1}, "till")
    assert [each.name for each in others] == ["sample pack/one.json", "queue Orders", "function Pack"]


def test_the_last_one_is_kept_in_the_bundle_s_folder(tmp_path: Path) -> None:
    """From one start to the next; a file that nobody can read is none."""
    kept = Kept(tmp_path)
    kept.keep("event Ordered", {"data": HOSTILE})
    kept.keep("event Large", {"data": "x" * 1_000_000})
    kept.save()

    assert Kept(tmp_path).last("event Ordered") == {"data": HOSTILE}
    assert Kept(tmp_path).last("event Large") is None
    (tmp_path / ".run" / "console" / "sent.json").write_bytes(b"\xff{")
    assert Kept(tmp_path).last("event Ordered") is None


def test_on_aws_nothing_is_sent() -> None:
    """The page says where it is."""
    with served() as here:
        assert "eachonce serve" in ask(here.endpoint, "send")[1]
        assert "eachonce serve" in ask(here.endpoint, "send", what="bus default", data="{}")[1]
