"""A market stall, to show what makes a handler's events depend on each other: its events."""

from __future__ import annotations

from decimal import Decimal

from eachonce import Contract


class Sold(Contract, frozen=True, kw_only=True):
    """Pieces of a thing were sold, for so much altogether."""

    item: str
    pieces: int
    price: Decimal


class Priced(Contract, frozen=True, kw_only=True):
    """A thing has a new price; the highest version is the one that counts."""

    item: str
    version: int
    price: Decimal


class Reduced(Contract, frozen=True, kw_only=True):
    """A thing is in the sale; sales are counted by themselves."""

    item: str
    sale: int
    price: Decimal


class Received(Contract, frozen=True, kw_only=True):
    """Pieces of a thing came in."""

    item: str
    pieces: int


class Receipt(Contract, frozen=True, kw_only=True):
    """What the stall says when it has sold something."""

    item: str
    price: Decimal


def sold(item: str = "a", pieces: int = 1) -> Sold:
    return Sold(item=item, pieces=pieces, price=Decimal(1))


def priced(version: int, price: str = "1") -> Priced:
    return Priced(item="a", version=version, price=Decimal(price))
