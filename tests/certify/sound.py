"""What broken.py wants, said such that each event is by itself: under the same names."""

from __future__ import annotations

import os
from pathlib import Path

from eachonce import Consumer, Event, Work

from tests.certify.stall import Priced, Receipt, Received, Reduced, Sold

SOUND: dict[str, Consumer] = {}


def sound(*kinds: str) -> Consumer:
    consumer = Consumer("stall")
    SOUND.update(dict.fromkeys(kinds, consumer))
    return consumer


added = sound("increment through boto3")


@added.on(Sold)
def count_pieces(event: Event[Sold], work: Work) -> None:
    work.add("Stock", {"item": event.data.item}, sold=event.data.pieces)


checked = sound("read-modify-write without a check")


@checked.on(Sold)
def add_up(event: Event[Sold], work: Work) -> None:
    known = work.read("Stock", {"item": event.data.item}) or {"sold": 0}
    work.put("Stock", {"item": event.data.item}, sold=known["sold"] + event.data.pieces)


newest = sound("last writer by arrival", "delete then insert")


@newest.on(Priced)
def if_newer(event: Event[Priced], work: Work) -> None:
    data = event.data
    work.put("Prices", {"item": data.item}, newer_than="version", version=data.version, price=data.price)


published = sound("publish before commit", "a call beside the work", "a running total that is published")


@published.on(Sold)
def announce(event: Event[Sold], work: Work) -> None:
    work.publish(Receipt(item=event.data.item, price=event.data.price))
    work.add("Stock", {"item": event.data.item}, sold=event.data.pieces)


dated = sound("time in the state", "chance in the state", "a row for whoever is first")


@dated.on(Sold)
def stamp(event: Event[Sold], work: Work) -> None:
    at = "" if event.time is None else event.time.isoformat()
    work.create("Sales", {"sale": event.id}, at=at, price=event.data.price)


total = sound(
    "memory of the module",
    "memory of an object",
    "memory of an iterator",
    "memory of a function",
    "memory of the first event",
)


@total.on(Sold)
def keep_total(event: Event[Sold], work: Work) -> None:
    work.add("Stock", {"item": event.data.item}, sold=event.data.pieces, receipts=1)


exact = sound("float sums", "a float in the work")


@exact.on(Sold)
def take_money(event: Event[Sold], work: Work) -> None:
    work.add("Takings", {"item": event.data.item}, pounds=event.data.price)


earliest = sound("first event initialises")


@earliest.on(Priced)
def first_price(event: Event[Priced], work: Work) -> None:
    data = event.data
    work.put("Prices", {"item": data.item}, newer_than="before", before=-data.version, list_price=data.price)


apart = sound("a guard on the wrong attribute")


@apart.on(Priced)
def by_version(event: Event[Priced], work: Work) -> None:
    data = event.data
    work.put("Prices", {"item": data.item}, newer_than="version", version=data.version, price=data.price)


@apart.on(Reduced)
def by_sale(event: Event[Reduced], work: Work) -> None:
    data = event.data
    work.put("Prices", {"item": data.item}, newer_than="sale", sale=data.sale, reduced=data.price)


owing = sound("an invariant that only one order keeps")


@owing.on(Received)
def put_on_shelf(event: Event[Received], work: Work) -> None:
    work.add("Stock", {"item": event.data.item}, pieces=event.data.pieces)


@owing.on(Sold)
def take_from_shelf(event: Event[Sold], work: Work) -> None:
    work.add("Stock", {"item": event.data.item}, pieces=-event.data.pieces)


entered = sound("a key that two events create")


@entered.on(Priced)
def enter(event: Event[Priced], work: Work) -> None:
    work.create("Prices", {"item": event.data.item, "by": event.id}, price=event.data.price)


class Clerk:
    """Writes a receipt under the event's own key, so that a second one is the first one."""

    def write(self, event: Event[Sold], work: Work) -> None:
        Path(os.environ["RECEIPTS"], work.idempotency_key.replace("/", "-")).write_text(event.data.item)


on_paper = sound("a file beside the work")
on_paper.on(Sold, external=True)(Clerk().write)
