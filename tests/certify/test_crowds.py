"""Events are made up from their contracts: valid, the same every time, and such that they meet."""

from __future__ import annotations

import enum
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
import pytest
from eachonce import Contract

from eachonce_workbench.certify.crowd import crowds
from eachonce_workbench.certify.sample import NoSampleError
from tests.parcels import Seen, Weighed


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct, frozen=True):
    number: Annotated[int, msgspec.Meta(gt=10, le=12)]


class Rich(Contract, frozen=True, kw_only=True):
    """A field of every kind that JSON and msgspec have in common."""

    text: Annotated[str, msgspec.Meta(min_length=3, max_length=4)]
    code: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}[0-9]$")]
    whole: Annotated[int, msgspec.Meta(ge=7, multiple_of=7)]
    part: Annotated[float, msgspec.Meta(lt=0)]
    exact: Decimal
    flag: bool
    colour: Colour
    size: Literal["s", "m"]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    day: date
    hour: time
    lasts: timedelta
    id: uuid.UUID
    raw: bytes
    many: Annotated[list[Inner], msgspec.Meta(min_length=1)]
    pair: tuple[int, str]
    kinds: set[str]
    named: dict[str, int]
    maybe: Inner | None = None


class Parts(Contract, frozen=True, kw_only=True):
    """A rule that no schema tells."""

    part: int
    parts: int

    def __post_init__(self) -> None:
        if not 1 <= self.part <= self.parts:
            raise ValueError("a part is one of the parts")


class Tree(Contract, frozen=True, kw_only=True):
    """A contract that can't end."""

    child: Tree


@pytest.mark.parametrize("contract", [Weighed, Seen, Rich, Parts])
def test_what_is_made_up_keeps_the_contract(contract: type[Contract]) -> None:
    """It decodes from its own JSON, so every bound and every rule holds."""
    drawn = [event for crowd in crowds([contract], size=3, count=6, chosen_by=1) for event in crowd]

    assert len(drawn) >= 9
    for event in drawn:
        assert contract.decode(msgspec.json.encode(event.data)) == event.data


def test_the_same_seed_makes_up_the_same_events() -> None:
    """And another seed others."""
    first, again, other = (crowds([Weighed], size=3, count=8, chosen_by=seed) for seed in (5, 5, 6))

    assert first == again
    assert first != other


def test_some_crowds_meet_in_one_place_and_some_do_not() -> None:
    """The first crowd differs in numbers only, the second in places."""
    near, apart, *mixed = crowds([Weighed], size=3, count=8, chosen_by=0)

    assert {event.data.parcel for event in near} == {"a"}
    assert len({event.data.grams for event in near}) == 3
    assert len({event.data.parcel for event in apart}) == 3
    assert any(len({event.data.parcel for event in crowd}) == 2 for crowd in mixed)


def test_two_types_take_turns() -> None:
    """Every crowd of two types has both."""
    for crowd in crowds([Weighed, Parts], size=3, count=4, chosen_by=0):
        assert [event.type for event in crowd] == ["Weighed", "Parts", "Weighed"]


def test_a_contract_that_nothing_can_be_made_up_for_is_named() -> None:
    """It says what to do instead."""
    with pytest.raises(NoSampleError, match=r"Tree\.child\.child"):
        crowds([Tree], size=1, count=1, chosen_by=0)
