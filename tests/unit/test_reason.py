"""Reasons: what is wrong with text, and nothing of what it says."""

from __future__ import annotations

import enum
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import msgspec
import pytest
from eachonce import Contract, ContractError, Reject
from eachonce.reason import reason_of
from msgspec import Meta

CARD = "4111"

Zoned = Annotated[datetime, Meta(tz=True)]


class Card(msgspec.Struct, tag="card", forbid_unknown_fields=True):
    number: int = 0


class Cash(msgspec.Struct, tag="cash"):
    pounds: int


class Colour(enum.Enum):
    RED = "red"

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise ValueError(f"{value} is no colour")


class Level(enum.IntEnum):
    ONE = 1


class Pair(NamedTuple):
    first: int


class Named(TypedDict):
    number: int


def reason(data: Any, kind: Any) -> str:
    """Return the reason for which a contract's field `a` can't be of this kind."""
    contract = msgspec.defstruct("Paid", [("a", kind)], bases=(Contract,), frozen=True)
    text = data if isinstance(data, bytes) else msgspec.json.encode({"a": data})
    with pytest.raises(ContractError) as raised:
        contract.decode(text)
    assert str(raised.value) == f"Paid: {raised.value.reason}"
    return raised.value.reason


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (CARD, int, "Expected `int`, got `str` - at `$.a`"),
        ([CARD], int | bool | None, "Expected `bool | int | null`, got `array` - at `$.a`"),
        ({CARD: 1}, dict[int, str], "Expected `str`, got `int` - at `$.a[...]`"),
        ({"x4111": 1}, dict[int, int], "Expected `int`, got `str` - at `key` in `$.a`"),
        ({"x4111": 1}, dict[UUID, int], "Invalid UUID - at `key` in `$.a`"),
        ([[CARD]], list[tuple[int]], "Expected `int`, got `str` - at `$.a[0][0]`"),
        ([CARD], Pair, "Expected `int`, got `str` - at `$.a[0]`"),
        ({"number": CARD}, Named, "Expected `int`, got `str` - at `$.a.number`"),
        ({"number": CARD, "type": "card"}, Card, "Expected `int`, got `str` - at `$.a.number`"),
        (3, Annotated[int, Meta(ge=7)], "Expected `int` >= 7 - at `$.a`"),
        (4111, Annotated[float, Meta(multiple_of=2.5)], "Expected `float` that's a multiple of 2.5 - at `$.a`"),
        (CARD, Annotated[str, Meta(max_length=3)], "Expected `str` of length <= 3 - at `$.a`"),
        (CARD, Annotated[str, Meta(pattern="^[a-z' ]+$")], "Expected `str` matching regex \"^[a-z' ]+$\" - at `$.a`"),
        (CARD, datetime, "Invalid RFC3339 encoded datetime - at `$.a`"),
        (CARD, date, "Invalid RFC3339 encoded date - at `$.a`"),
        (CARD, timedelta, "Invalid ISO8601 duration - at `$.a`"),
        (f"{CARD}!", bytes, "Invalid base64 encoded string - at `$.a`"),
        (f"{CARD}!", Decimal, "Invalid decimal string - at `$.a`"),
        (b'{"a": 41119' + b"9" * 5000 + b"}", int, "Integer value out of range - at `$.a`"),
        (b'{"a": 4111e999}', float, "Number out of range - at `$.a`"),
        (b'{"a": 4111e999}', Any, "Number out of range - at `$.a`"),
        ("1999-01-01T00:00:00", Zoned, "Expected `datetime` with a timezone component - at `$.a`"),
        ([], Annotated[list[int], Meta(min_length=1)], "Expected `array` of length >= 1 - at `$.a`"),
        (b"{}", int, "Object missing required field `a`"),
        (b"[4111]", int, "Expected `object`, got `array`"),
        (b'{"a": 4111', int, "it is not JSON: Input data was truncated"),
        (b'{"a" 4111}', int, "it is not JSON: expected ':' (byte 5)"),
        (b'{"a": "\xff4111"}', str, "it is not valid UTF-8 (invalid start byte)"),
        (b'{"a": ' + b"[" * 65 + b"4111", Any, "it nests more than 64 levels deep"),
        ([[4111]], set, "a value can't be what it is to be (TypeError)"),
    ],
)  # fmt: skip
def test_a_reason_is_made_of_paths_types_and_the_contracts_words(data: Any, kind: Any, says: str) -> None:
    """It is for the person who reads the dead-letter queue."""
    assert reason(data, kind) == says


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (CARD, Literal["card", "cash"], "Invalid enum value - at `$.a`"),
        (4111, Literal[1, 2], "Invalid enum value - at `$.a`"),
        (4111, Level, "Invalid enum value - at `$.a`"),
        ([CARD], list[Colour], "Invalid enum value - at `$.a[0]`"),
        ({"type": CARD}, Card | Cash, "Invalid value - at `$.a.type`"),
        ({"type": "card", CARD: 1}, Card, "Object contains unknown field"),
        ({"type": "card", f"x` - at `$.a.{CARD}": 1}, Card, "Object contains unknown field"),
    ],
)
@pytest.mark.parametrize(
    "hidden", [CARD, "O'4111", "O' 4111 'O", "an \"4111\" and '4111'", "'\\n4111", "x' - at `$.4111`"]
)
def test_a_value_that_the_decoder_quotes_is_not_repeated(data: Any, kind: Any, says: str, hidden: str) -> None:
    """Whatever it looks like."""
    text = msgspec.json.encode({"a": data}).replace(b'"4111"', msgspec.json.encode(hidden))

    assert reason(text, kind) == says


@pytest.mark.parametrize("hidden", ["x - at `$.4111`", "' - at `$.4111`", "`", "4111"])
def test_what_looks_like_a_path_is_none(hidden: str) -> None:
    """At the root there is no path to follow a value."""

    class Paid(Contract, frozen=True, forbid_unknown_fields=True, tag="paid"):
        pass

    for data in ({"type": hidden}, {"type": "paid", hidden: 1}):
        with pytest.raises(ContractError) as raised:
            Paid.decode(msgspec.json.encode(data))

        assert "4111" not in str(raised.value)


class Checked(msgspec.Struct, frozen=True):
    how: str
    card: str = CARD

    def __post_init__(self) -> None:
        CHECKS[self.how](self.card)


def _literally(card: str) -> None:
    raise ValueError("a card has a number")


def _with_value(card: str) -> None:
    raise ValueError(f"{card} is no number of a card")


def _as_a_decoder(card: str) -> None:
    raise msgspec.ValidationError(f"Expected `{card}`")


def _by_decoding(card: str) -> None:
    msgspec.convert(card, Literal["1234"])


def _by_accident(card: str) -> None:
    raise KeyError(card)


def _in_a_library(card: str) -> None:
    UUID(card)


def _of_its_value(card: str) -> None:
    raise ValueError(card)


def _in_words(card: str) -> None:
    raise Reject("no cards on Sundays")


def _with_a_cause(card: str) -> None:
    try:
        _with_value(card)
    except ValueError as error:
        raise TypeError(f"not {card}") from error


CHECKS = {
    "literally": _literally,
    "with value": _with_value,
    "as a decoder": _as_a_decoder,
    "by decoding": _by_decoding,
    "by accident": _by_accident,
    "in a library": _in_a_library,
    "of its value": _of_its_value,
    "in words": _in_words,
    "with a cause": _with_a_cause,
}


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("literally", r"a card has a number - at `\$\.a\[0\]`"),
        ("in words", "no cards on Sundays"),
        ("with value", r"a check of its contract fails: ValueError at test_reason\.py:\d+ - at `\$\.a\[0\]`"),
        ("of its value", r"a check of its contract fails: ValueError at test_reason\.py:\d+ - at `\$\.a\[0\]`"),
        ("in a library", r"badly formed hexadecimal UUID string - at `\$\.a\[0\]`"),
        ("with a cause", r"a check of its contract fails: TypeError at test_reason\.py:\d+ - at `\$\.a\[0\]`"),
        ("as a decoder", r"a check of its contract fails: ValidationError at test_reason\.py:\d+"),
        ("by decoding", r"a check of its contract fails: ValidationError at test_reason\.py:\d+"),
        ("by accident", r"a check of its contract fails: KeyError at test_reason\.py:\d+"),
    ],
)
def test_a_contracts_own_check_speaks_in_words_that_its_code_has(how: str, says: str) -> None:
    """What it makes of a value is not told: only which exception it raised, where, and about which field."""
    said = reason([{"how": how, "card": "41114111"}], list[Checked])

    assert re.fullmatch(says, said)


def test_a_reason_takes_time_in_proportion_to_the_message() -> None:
    """A contract that repeats a value in its own message, and a value of quotes, took seconds once."""
    said = reason([{"how": "with value", "card": " 'a" * 300_000}], list[Checked])

    assert said.startswith("a check of its contract fails: ValueError at ")


def test_what_nobody_knows_is_told_by_its_kind() -> None:
    """A later decoder may say what this one doesn't."""
    assert reason_of(msgspec.ValidationError("4111 is odd")) == "it breaks its contract"
    assert reason_of(OSError("4111")) == "a value can't be what it is to be (OSError)"
