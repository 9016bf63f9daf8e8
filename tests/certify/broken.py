"""Handlers that depend on more than their event and their reads, each in another way; sound.py says it right."""

from __future__ import annotations

import os
import urllib.request
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count, cycle
from pathlib import Path
from typing import Any

import boto3
from eachonce import Consumer, Event, Publisher, Reject, Work

from eachonce_workbench.certify.witness import Cause
from tests.certify.stall import Priced, Receipt, Received, Reduced, Sold

BROKEN: dict[str, tuple[Consumer, Cause]] = {}


def broken(kind: str, cause: Cause) -> Consumer:
    consumer = Consumer("stall")
    BROKEN[kind] = consumer, cause
    return consumer


increment = broken("increment through boto3", Cause.EFFECT)


@increment.on(Sold)
def count_pieces(event: Event[Sold], work: Work) -> None:
    boto3.client("dynamodb").update_item(
        TableName="Stock",
        Key={"item": {"S": event.data.item}},
        UpdateExpression="ADD sold :pieces",
        ExpressionAttributeValues={":pieces": {"N": str(event.data.pieces)}},
    )


unchecked = broken("read-modify-write without a check", Cause.EFFECT)


@unchecked.on(Sold)
def add_up(event: Event[Sold], work: Work) -> None:
    stock = boto3.resource("dynamodb").Table("Stock")
    known = stock.get_item(Key={"item": event.data.item}).get("Item", {"sold": 0})
    stock.put_item(Item={"item": event.data.item, "sold": known["sold"] + event.data.pieces})


arrival = broken("last writer by arrival", Cause.ORDER)


@arrival.on(Priced)
def overwrite(event: Event[Priced], work: Work) -> None:
    work.read("Prices", {"item": event.data.item})
    work.put("Prices", {"item": event.data.item}, price=event.data.price)


early = broken("publish before commit", Cause.EFFECT)


@early.on(Sold)
def announce(event: Event[Sold], work: Work) -> None:
    receipt = Receipt(item=event.data.item, price=event.data.price)
    Publisher(boto3.client("events"), "stall").publish(
        [event.causes(receipt, by="stall", place=0, source="stall", time=datetime(2026, 1, 1, tzinfo=UTC))]
    )
    work.add("Stock", {"item": event.data.item}, sold=event.data.pieces)


hasty = broken("time in the state", Cause.CLOCK)


@hasty.on(Sold)
def stamp(event: Event[Sold], work: Work) -> None:
    work.create("Sales", {"sale": event.id}, at=datetime.now(UTC).isoformat())


lucky = broken("chance in the state", Cause.CHANCE)


@lucky.on(Sold)
def number(event: Event[Sold], work: Work) -> None:
    work.create("Sales", {"sale": str(uuid.uuid4())}, price=event.data.price)


global_memory = broken("memory of the module", Cause.MEMORY)
_sold: dict[str, int] = {}


@global_memory.on(Sold)
def keep_total(event: Event[Sold], work: Work) -> None:
    _sold[event.data.item] = _sold.get(event.data.item, 0) + event.data.pieces
    work.create("Sales", {"sale": event.id}, total=_sold[event.data.item])


class Till:
    """Numbers its receipts, and forgets how far it was when its worker ends."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def ring(self, event: Event[Sold], work: Work) -> None:
        work.create("Sales", {"sale": event.id}, number=next(self._numbers))


object_memory = broken("memory of an object", Cause.MEMORY)
object_memory.on(Sold)(Till().ring)

iterator_memory = broken("memory of an iterator", Cause.MEMORY)
_tills = cycle("ABC")


@iterator_memory.on(Sold)
def next_till(event: Event[Sold], work: Work) -> None:
    work.create("Sales", {"sale": event.id}, till=next(_tills))


function_memory = broken("memory of a function", Cause.MEMORY)


@function_memory.on(Sold)
def seen_before(event: Event[Sold], work: Work) -> None:
    seen = seen_before.__dict__.setdefault("seen", set())
    if event.id not in seen:
        seen.add(event.id)
        work.add("Stock", {"item": event.data.item}, sold=event.data.pieces)


first_memory = broken("memory of the first event", Cause.MEMORY)
_base: list[str] = []


@first_memory.on(Sold)
def compare_with_first(event: Event[Sold], work: Work) -> None:
    _base[:] = _base or [event.data.item]
    work.create("Sales", {"sale": event.id}, since=_base[0])


rounding = broken("float sums", Cause.ORDER)


@rounding.on(Sold)
def take_money(event: Event[Sold], work: Work) -> None:
    known = work.read("Takings", {"item": event.data.item})
    before = 0.0 if known is None else float(known["pounds"])
    work.put("Takings", {"item": event.data.item}, pounds=str(before + float(event.data.price)))


inexact = broken("a float in the work", Cause.FLOAT)


@inexact.on(Sold)
def take_about(event: Event[Sold], work: Work) -> None:
    pounds: Any = float(event.data.price)
    work.add("Takings", {"item": event.data.item}, pounds=pounds)


anew = broken("delete then insert", Cause.EFFECT)


@anew.on(Priced)
def replace(event: Event[Priced], work: Work) -> None:
    prices = boto3.resource("dynamodb").Table("Prices")
    prices.delete_item(Key={"item": event.data.item})
    prices.put_item(Item={"item": event.data.item, "price": event.data.price})


first = broken("first event initialises", Cause.ORDER)


@first.on(Priced)
def first_price(event: Event[Priced], work: Work) -> None:
    if work.read("Prices", {"item": event.data.item}) is None:
        work.put("Prices", {"item": event.data.item}, list_price=event.data.price)


two_guards = broken("a guard on the wrong attribute", Cause.ORDER)


@two_guards.on(Priced)
def by_version(event: Event[Priced], work: Work) -> None:
    data = event.data
    work.put("Prices", {"item": data.item}, newer_than="version", version=data.version, price=data.price)


@two_guards.on(Reduced)
def by_sale(event: Event[Reduced], work: Work) -> None:
    data = event.data
    work.put("Prices", {"item": data.item}, newer_than="sale", sale=data.sale, price=data.price)


in_stock = broken("an invariant that only one order keeps", Cause.ORDER)


@in_stock.on(Received)
def put_on_shelf(event: Event[Received], work: Work) -> None:
    work.add("Stock", {"item": event.data.item}, pieces=event.data.pieces)


@in_stock.on(Sold)
def take_from_shelf(event: Event[Sold], work: Work) -> None:
    known = work.read("Stock", {"item": event.data.item})
    left = (Decimal(0) if known is None else known["pieces"]) - event.data.pieces
    if left < 0:
        raise Reject("it is sold out")
    work.put("Stock", {"item": event.data.item}, pieces=left)


taken = broken("a key that two events create", Cause.ORDER)


@taken.on(Priced)
def enter(event: Event[Priced], work: Work) -> None:
    work.create("Prices", {"item": event.data.item}, price=event.data.price)


so_far = broken("a running total that is published", Cause.ORDER)


@so_far.on(Sold)
def announce_total(event: Event[Sold], work: Work) -> None:
    known = work.read("Takings", {"item": event.data.item})
    total = event.data.price + (Decimal(0) if known is None else known["pounds"])
    work.put("Takings", {"item": event.data.item}, pounds=total)
    work.publish(Receipt(item=event.data.item, price=total))


prize = broken("a row for whoever is first", Cause.ORDER)


@prize.on(Sold)
def give_prize(event: Event[Sold], work: Work) -> None:
    if work.read("Stock", {"item": event.data.item}) is None:
        work.create("Prizes", {"sale": event.id})
    work.add("Stock", {"item": event.data.item}, sold=1)


on_paper = broken("a file beside the work", Cause.EFFECT)


@on_paper.on(Sold)
def write_down(event: Event[Sold], work: Work) -> None:
    with Path(os.environ["RECEIPTS"], "receipts.txt").open("a", encoding="utf-8") as receipts:
        receipts.write(f"{event.data.item}\n")


by_phone = broken("a call beside the work", Cause.EFFECT)


@by_phone.on(Sold)
def ring_up(event: Event[Sold], work: Work) -> None:
    urllib.request.urlopen(f"http://127.0.0.1:9/sold/{event.data.item}")


in_order = Consumer("stall-in-order", ordered=True)
in_order.on(Priced)(overwrite)
