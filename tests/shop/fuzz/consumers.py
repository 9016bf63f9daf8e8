"""The consumers under test: the shop's own handlers, and a post office's that do all that a handler may, and worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from eachonce import Aws, Consumer, Contract, Event, Reject, Retry, Settings, Wait, Work
from eachonce.s3 import ObjectCreatedNotification

from tests.parcels import Registered, Seen, Weighed, register, see, weigh_and_announce
from tests.shop.functions import imported
from tests.shop.fuzz.samples import FIFO_POST, IDENTITY, POST, RAW_POST

SHOP = ("notify_customer", "reserve_stock", "tally_sales", "track_customer")


class Neighbour(Contract, frozen=True, kw_only=True):
    """A good event, whatever comes beside it."""

    name: str

    @property
    def subject(self) -> str:
        return self.name


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    age: Annotated[int, msgspec.Meta(ge=0, le=150)]


class Paid(Contract, frozen=True, kw_only=True):
    """A contract of many types, whose checks say what they have seen."""

    card: str
    amount: Decimal
    at: datetime
    kind: Literal["card", "cash"]
    ident: UUID
    raw: bytes
    tags: list[str]
    by: Person
    more: dict[str, Any]
    level: int = 0

    def __post_init__(self) -> None:
        if self.amount < 0 or len(self.tags) > 10:
            raise ValueError(f"{self.card} pays {self.amount} for {self.tags}")
        if self.level > 9:
            raise KeyError(self.card)
        if not self.card.isprintable():
            raise ExceptionGroup(self.card, [ValueError(self.card)])
        int(self.more.get("a", 1))  # whose own error repeats what it can't read


class Kept(Contract, frozen=True, kw_only=True):
    """What is to be kept as it is."""

    parcel: str
    value: Any
    named: dict[str, int]


class Told(Contract, frozen=True, kw_only=True):
    """What is told on, in an event of its own."""

    text: str
    value: Any


class Moody(Contract, frozen=True, kw_only=True):
    """What its handler raises is up to the event."""

    mood: int = 0
    text: str = ""


class UnspeakableError(Exception):
    """An error without a text."""

    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


def keep(event: Event[Kept], work: Work) -> None:
    known = work.read("Parcels", {"parcel": event.data.parcel})
    work.put("Parcels", {"parcel": event.data.parcel}, value=event.data.value, known=known is not None)
    work.add("Weights", {"parcel": event.data.parcel}, **event.data.named)


def tell(event: Event[Told], work: Work) -> None:
    work.publish(event.data)


def sulk(event: Event[Moody], work: Work) -> None:
    """Raise something with the event's own words in it; a Reject's words are the handler's own responsibility."""
    text = event.data.text
    error = MOODS[event.data.mood % len(MOODS)](text)
    error.__notes__ = [text]
    error.__cause__ = LookupError(text)
    error.__cause__.__context__ = ValueError(text)
    raise error


def deep(text: str) -> Exception:
    error: Exception = ValueError(text)
    for _ in range(50):
        error = ExceptionGroup(text, [error])
    return error


def named(text: str) -> Exception:
    return type("E" * 2000, (Exception,), {"__module__": "m" * 2000})(text)


def changed(error: Exception, **attributes: Any) -> Exception:
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


MOODS: tuple[Callable[[str], Exception], ...] = (
    ValueError,
    lambda text: KeyError(text, [text], {text: text}),
    lambda text: UnicodeDecodeError("utf-8", text.encode(errors="replace"), 0, 1, text),
    lambda _: UnspeakableError(),
    lambda _: Reject("no parcels on Sundays"),
    lambda _: Reject("\ud800\x00\uffff"),
    lambda _: Reject(""),
    lambda _: Reject("long " * 10_000),
    lambda text: changed(Reject("why"), reason=[text]),
    lambda _: Retry(after=1e308),
    lambda _: Retry(after=-1),
    lambda _: Retry(after=timedelta.max, counted=False),
    lambda text: changed(Retry("why"), after=text),
    lambda _: Wait("the postman", up_to=1e308),
    lambda _: Wait("the postman", up_to=-1),
    lambda text: changed(Wait("the postman", up_to=1), up_to=text),
    lambda text: ExceptionGroup(text, [ValueError(text), Reject("one of two")]),
    deep,
    named,
    lambda text: MemoryError(text),
    lambda text: RecursionError(text),
    lambda text: StopIteration(text),
    lambda text: OSError(2, text, text),
    lambda text: SyntaxError(text, (text, 1, 1, text)),
    lambda text: msgspec.ValidationError(text),
    lambda text: AssertionError(),
)


def consumers(aws: Aws, settings: Settings) -> dict[str, Consumer]:
    """Return all of them by name; each has a handler for its good neighbours, too."""
    fifo = replace(
        settings, queue_url=f"{settings.queue_url}.fifo", dead_letter_queue_url=f"{settings.dead_letter_queue_url}.fifo"
    )
    made = {name: Consumer(name, aws=aws, settings=settings) for name in (POST, RAW_POST)}
    made[FIFO_POST] = Consumer(FIFO_POST, aws=aws, settings=fifo)
    for contract, handle in _OF_THE_POST.items():
        made[POST].on(contract, identity=IDENTITY)(handle)
        made[FIFO_POST].on(contract, identity=IDENTITY, subject="parcel")(handle)
    made[RAW_POST].on(Kept, source="post", identity=IDENTITY, raw=True)(keep)
    made[RAW_POST].on(ObjectCreatedNotification)(lambda event, work: work.add("Weights", {"parcel": "s3"}, grams=1))
    for function in SHOP:
        with imported(function) as app:
            name = app.consumer.name
            made[name] = Consumer(name, aws=aws, settings=settings)
            for contract in app.consumer.contracts:
                handler = app.consumer[contract.event_type()]
                made[name].on(contract, external=handler.external, uncertain=handler.uncertain, identity=IDENTITY)(
                    handler.handle
                )
    for consumer in made.values():
        consumer.on(Neighbour)(_greet)
    return made


def _greet(event: Event[Neighbour], work: Work) -> None:
    work.add("Neighbours", {"name": event.data.name}, times=1)


_OF_THE_POST: dict[type[Contract], Callable[..., None]] = {
    Registered: register,
    Seen: see,
    Weighed: weigh_and_announce,
    Paid: lambda event, work: work.add("Weights", {"parcel": event.data.ident.hex}, paid=event.data.amount),
    Kept: keep,
    Told: tell,
    Moody: sulk,
}
