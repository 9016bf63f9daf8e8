"""Contracts: decoded and validated in one pass."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
import pytest
from eachonce import Contract, ContractError


class Line(msgspec.Struct, frozen=True):
    sku: str
    price: Decimal


class Bought(Contract, frozen=True, kw_only=True):
    order_id: Annotated[str, msgspec.Meta(min_length=1)]
    lines: tuple[Line, ...] = ()
    note: str | None = None


def test_data_is_decoded_to_its_contract() -> None:
    """Nested values too; money is exact."""
    data = b'{"order_id": "536365", "lines": [{"sku": "85123A", "price": "2.55"}]}'

    assert Bought.decode(data) == Bought(order_id="536365", lines=(Line("85123A", Decimal("2.55")),))


def test_raw_json_is_decoded_too() -> None:
    """The envelope leaves the data as text; nothing is copied on the way."""
    assert Bought.decode(msgspec.Raw(b'{"order_id": "1"}')).order_id == "1"


def test_an_unknown_field_is_passed_over() -> None:
    """A publisher may add a field before its consumers know it."""
    assert Bought.decode(b'{"order_id": "1", "colour": "red"}') == Bought(order_id="1")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{}", "order_id"),
        (b'{"order_id": 5}', r"\$\.order_id"),
        (b'{"order_id": ""}', r"\$\.order_id"),
        (b'{"order_id": null}', r"\$\.order_id"),
        (b'{"order_id": "1", "lines": {}}', r"\$\.lines"),
        (b'{"order_id": "1", "lines": [{"sku": "a", "price": "dear"}]}', r"\$\.lines\[0\]\.price"),
        (b'{"order_id": "1", "lines": [{"sku": "a", "price": true}]}', r"\$\.lines\[0\]\.price"),
        (b"[]", "array"),
        (b"null", "null"),
    ],
)
def test_data_that_breaks_its_contract_is_refused_with_the_place(data: bytes, says: str) -> None:
    """The reason names the field, for the person who reads the dead-letter queue."""
    with pytest.raises(ContractError, match=says) as raised:
        Bought.decode(data)

    assert raised.value.contract == "Bought"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"order_id": NaN}',
        b'{"order_id": "\xff"}',
        b'{"order_id": "\\ud800"}',
        b'{"order_id": "1", "lines": ' + b"[" * 100_000,
        b'{"order_id": "1", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"order_id": "1"} and more',
    ],
    ids=["empty", "truncated", "NaN", "invalid UTF-8", "lone surrogate", "deep", "deep and unknown", "trailing"],
)
def test_what_is_no_json_breaks_the_contract(data: bytes) -> None:
    """Whatever the text is, the one error is ContractError."""
    with pytest.raises(ContractError):
        Bought.decode(data)


def test_the_class_is_the_type() -> None:
    """An event's type is the name of its contract."""
    assert Bought.event_type() == "Bought"


def test_data_has_no_subject_of_its_own() -> None:
    """Events stand alone, unless their contract says otherwise."""
    assert Bought(order_id="1").subject is None


def test_data_does_not_change() -> None:
    """A handler that runs again sees the same event."""
    with pytest.raises((AttributeError, dataclasses.FrozenInstanceError)):
        Bought(order_id="1").order_id = "2"  # type: ignore[misc]


def test_a_contract_has_a_json_schema() -> None:
    """Other languages can read what a contract asks for."""
    schema = Bought.json_schema()

    assert schema["$defs"]["Bought"]["required"] == ["order_id"]
    assert schema["$defs"]["Bought"]["properties"]["order_id"] == {"type": "string", "minLength": 1}


@pytest.mark.parametrize("value", ["4111 1111", "O'4111", "O' 4111 'O", "an \"4111\" and '4111'", "'\\n4111"])
def test_a_reason_quotes_no_value_of_the_data(value: str) -> None:
    """It is kept in attributes and logs, where many may read it."""

    class Paid(Contract, frozen=True, kw_only=True):
        method: Literal["card", "cash"]

    with pytest.raises(ContractError) as caught:
        Paid.decode(msgspec.json.encode({"method": value}))

    assert "4111" not in str(caught.value)
    assert "method" in caught.value.reason
