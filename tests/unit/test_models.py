"""Models: a contract may be a class that a bundle has already."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest
from eachonce import Consumer, ContractError, Event, HandlerError, Publisher, Work, describe
from eachonce.description import description_of
from eachonce.identity import fingerprint
from eachonce.journal import unpack_outbox
from eachonce.model import decode, json_schema
from eachonce.publisher import MAX_BYTES

from tests.forms import SOURCE, TYPE, on_the_bus_plain, post
from tests.parcels import Weighed, weighed
from tests.records import Context, batch, cloud_event, record
from tests.store import Store

Make = Callable[..., Consumer]


@dataclasses.dataclass(frozen=True)
class Plain:
    parcel: str
    grams: int = 100
    way: Literal["road", "rail"] = "road"
    subject: str = "an e-mail's, and not a lane"


class Struct(msgspec.Struct, frozen=True):
    parcel: str
    grams: int = 100
    way: Literal["road", "rail"] = "road"


class Line(pydantic.BaseModel):
    amount: Decimal = Decimal(0)


class Model(pydantic.BaseModel):
    parcel: str
    grams: int = pydantic.Field(default=100, alias="weight")
    way: Literal["road", "rail"] = "road"
    named: dict[str, int] = {}
    lines: list[Line] = []

    @pydantic.field_validator("parcel")
    @classmethod
    def _check(cls, parcel: str) -> str:
        if parcel == "flat":
            raise ValueError("a parcel is not flat")
        if parcel.startswith("4111"):
            raise ValueError(f"{parcel} is no parcel")
        if parcel.endswith(" lost"):
            raise KeyError(parcel)
        return parcel


@pydantic.dataclasses.dataclass(frozen=True)
class PydanticData:
    parcel: str
    grams: Annotated[int, pydantic.Field(ge=1)] = 100
    way: Literal["road", "rail"] = "road"


MODELS = [Plain, Struct, Model, PydanticData]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_registered_with_what_its_events_are_called(
    make_consumer: Make, store: Store, context: Context, model: type[Any]
) -> None:
    """It needs no base class, and takes effect once."""
    consumer = Consumer("post", aws=store.aws, settings=store.settings)
    consumer.on(model, type=TYPE, source=SOURCE, identity="parcel")(post)
    body = on_the_bus_plain({"parcel": "p"})

    consumer(batch(record(body), record(body), record(cloud_event(TYPE, {"parcel": "q"}))), context)

    assert {item["parcel"]: item["grams"] for item in store.items("Weights")} == {"p": 100, "q": 100}
    assert consumer.contracts == (model,)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"parcel": 5}', "`$.parcel`"),
        (b'{"parcel": "p", "way": "4111"}', "`$.way`"),
        (b'{"parcel": "p", "way": {"4111": [4111]}}', "`$.way`"),
        (b"{", "not JSON"),
        (b'{"parcel": "\xff"}', ""),
        (b"[" * 100, "more than 64 levels"),
        (b'{"parcel": "p", "x": ' + b"[" * 70 + b"]" * 70 + b"}", "more than 64 levels"),
        (b"[4111]", ""),
        (b"null", ""),
    ],
)
def test_what_breaks_a_model_is_told_by_paths_and_types(model: type[Any], data: bytes, says: str) -> None:
    """And never by a value."""
    with pytest.raises(ContractError) as caught:
        decode(model, data)

    assert says in caught.value.reason
    assert "4111" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"parcel": "flat"}, "a parcel is not flat - at `$.parcel`"),
        ({"parcel": "4111 1111"}, "a check of its contract fails: ValueError at test_models.py:"),
        ({"parcel": "no 4111 lost"}, "a check of its contract fails: KeyError at test_models.py:"),
        ({"parcel": "p", "named": {"4111": "x"}}, "it breaks its contract (int_parsing) - at `$.named[...]`"),
        ({"parcel": "p", "lines": [{"amount": "4111 pounds"}]}, "(decimal_parsing) - at `$.lines[0].amount`"),
        ({"weight": "x"}, "(missing) - at `$.parcel` (and 1 more)"),
    ],
)
def test_a_pydantic_models_checks_speak_in_the_words_of_the_code(data: Any, says: str) -> None:
    """As a contract's do."""
    with pytest.raises(ContractError) as caught:
        decode(Model, json.dumps(data).encode())

    assert says in caught.value.reason
    assert "4111" not in str(caught.value)


@pytest.mark.parametrize("contract", [int, dict, "Model", Model(parcel="p"), None, list[Model]], ids=str)
def test_what_is_no_class_of_data_is_no_contract(contract: Any) -> None:
    """It is refused where it is registered."""
    with pytest.raises(HandlerError, match="for a contract"):
        Consumer("post").on(contract)


def test_what_nobody_describes_is_called_by_its_name() -> None:
    """Like a contract; a word that means nothing here is refused."""
    consumer = Consumer("post")
    consumer.on(Model)(post)

    assert consumer.find("Model") is not None
    with pytest.raises(HandlerError, match="and not colour"):
        consumer.on(Plain, colour="red")(post)


def test_a_model_is_described_once_for_all_who_use_it() -> None:
    """And stays the class that it was; a subclass has a name of its own."""
    described = describe(type=TYPE, source=SOURCE, identity=["parcel"])(type("Told", (Plain,), {}))
    heir = type("Heir", (described,), {})

    assert description_of(described).type == TYPE
    assert (description_of(heir).type, description_of(heir).identity) == ("Heir", ("parcel",))
    assert described("p") == described("p")


@pytest.mark.parametrize("model", MODELS)
def test_a_model_has_a_json_schema(model: type[Any]) -> None:
    """However it is made."""
    assert "parcel" in json.dumps(json_schema(model))


@describe(type=TYPE, source=SOURCE, identity="parcel", plain=True, subject="parcel")
class Told(pydantic.BaseModel):
    parcel: str
    grams: int = pydantic.Field(default=100, serialization_alias="weight")


@describe(type="parcel.weighed", identity=("parcel", "at.hour"), plain=True)
@dataclasses.dataclass(frozen=True)
class Timed:
    parcel: str
    at: dict[str, int]


def publishing(data: Any) -> Callable[..., None]:
    def handle(event: Event[Weighed], work: Work) -> None:
        work.publish(data)

    return handle


@pytest.mark.parametrize(
    ("data", "detail", "source"),
    [
        (Told(parcel="p"), {"parcel": "p", "weight": 100}, SOURCE),
        (Timed("p", {"hour": 7}), {"parcel": "p", "at": {"hour": 7}}, "post"),
    ],
    ids=["pydantic", "dataclass"],
)
def test_a_plain_contracts_events_are_published_as_plain_ones(
    make_consumer: Make, store: Store, bus: str, context: Context, data: Any, detail: dict[str, Any], source: str
) -> None:
    """Their detail is the data alone, from a handler through the outbox, and without one."""
    make_consumer((Weighed, publishing(data)))(batch(record(weighed())), context)
    outbox = unpack_outbox(bytes(store.journal("post")["outbox"]))
    publisher = Publisher(store.aws.events, str(store.settings.bus))

    publisher.publish(bytes(event) for event in outbox)
    publisher.publish([Event(id="e", source=source, type=description_of(type(data)).type, data=data)])

    bodies = [json.loads(message["Body"]) for message in store.messages(bus)]
    assert [body["detail"] for body in bodies] == [detail, detail]
    assert {(body["source"], body["detail-type"]) for body in bodies} == {(source, description_of(type(data)).type)}


def test_what_is_published_plain_is_told_downstream_by_its_fields(
    make_consumer: Make, store: Store, bus: str, context: Context
) -> None:
    """The relay may publish it twice: the same contract tells the copy."""
    make_consumer((Weighed, publishing(Timed("p", {"hour": 7}))), name="scales")(batch(record(weighed())), context)
    outbox = [bytes(event) for event in unpack_outbox(bytes(store.journal("scales")["outbox"]))]
    Publisher(store.aws.events, str(store.settings.bus)).publish(outbox * 2)

    def count(event: Event[Timed], work: Work) -> None:
        work.add("Weights", {"parcel": event.data.parcel}, grams=1)

    consumer = make_consumer((Timed, count))
    for message in store.messages(bus):
        consumer(batch(record(message["Body"])), context)

    assert store.item("Weights", parcel="p")["grams"] == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (Timed("p", {}), "it has no identity: Object missing required field `hour` - at `$.at`"),
        (Timed("", {"hour": 1}), "it has no identity: Expected `str` of length >= 1 - at `$.parcel`"),
        (Timed("p\uffff", {"hour": 1}), "U+FFFE or U+FFFF"),
    ],
)
def test_a_plain_event_that_nobody_could_tell_is_not_committed(
    make_consumer: Make, store: Store, context: Context, data: Any, says: str
) -> None:
    """Once it is, nobody could publish it."""
    make_consumer((Weighed, publishing(data)))(batch(record(weighed())), context)

    (dead,) = store.dead_letters()
    assert says in dead["notes"]["reason"]
    assert store.journal("post")["state"] == "REJECTED"


def test_a_plain_events_size_is_that_of_its_entry(make_consumer: Make, store: Store, context: Context) -> None:
    """Its envelope counts on the bus, and the outbox's own doesn't."""
    data = Timed("p" * MAX_BYTES, {"hour": 1})

    make_consumer((Weighed, publishing(data)))(batch(record(weighed())), context)

    (dead,) = store.dead_letters()
    assert "split the event" in dead["notes"]["reason"]


@pytest.mark.parametrize("data", [{"parcel": "p"}, [], "text", None], ids=str)
def test_what_is_published_has_a_contract(make_consumer: Make, store: Store, context: Context, data: Any) -> None:
    """Its author is to mend it."""
    make_consumer((Weighed, publishing(data)), max_attempts=1)(batch(record(weighed())), context)

    (dead,) = store.dead_letters()
    assert "what is published is a contract" in dead["notes"]["reason"]


def test_numbers_that_are_written_alike_or_not_are_one_content() -> None:
    """The fingerprint is of the JSON, and not of what a model makes of it."""
    events = [
        Event(id="e", source="s", type="Model", data=msgspec.Raw(data))
        for data in (b'{"parcel":"p","weight":1}', b'{"weight":1.0,"parcel":"p"}', b'{"weight":"1","parcel":"p"}')
    ]

    one, same, other = map(fingerprint, events)

    assert one == same != other


def test_pydantic_is_imported_by_nobody_but_its_user() -> None:
    """Who has none pays nothing for it."""
    probe = (
        "import sys, dataclasses; from eachonce import Consumer, Contract\n"
        "Consumer('a').on(dataclasses.make_dataclass('D', ['x']))(lambda event, work: None)\n"
        "print([name for name in sys.modules if name.startswith('pydantic')])"
    )
    path = str(__import__("pathlib").Path(__file__).parents[2] / "layers" / "eachonce")

    done = subprocess.run(
        [sys.executable, "-c", probe], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
