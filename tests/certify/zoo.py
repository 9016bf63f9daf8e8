"""Handlers of a post office, each with a mistake that shows only with the right events; `SOUND` says it right."""

from __future__ import annotations

import hashlib
import io
import os
import re
import socket
import tempfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import boto3
from eachonce import Consumer, Event, Reject, Wait, Work

from tests.certify.post import Cleaned, Closed, Lotted, Notice, Opened, Packed, Paid, Posted, Weighed

BROKEN: dict[str, Consumer] = {}
SOUND: dict[str, Consumer] = {}
F = TypeVar("F", bound=Callable[..., None])


def _into(zoo: dict[str, Consumer], kind: str, contract: type[Any], **told: Any) -> Callable[[F], F]:
    def register(handle: F) -> F:
        zoo.setdefault(kind, Consumer("post")).on(contract, **told)(handle)
        return handle

    return register


def broken(kind: str, contract: type[Any], **told: Any) -> Callable[[F], F]:
    return _into(BROKEN, kind, contract, **told)


def sound(kind: str, contract: type[Any], **told: Any) -> Callable[[F], F]:
    return _into(SOUND, kind, contract, **told)


# Keys that must meet.


@broken("a key of three texts", Posted)
def last_note(event: Event[Posted], work: Work) -> None:
    data = event.data
    key = {"place": f"{data.sender}/{data.receiver}/{data.town}"}
    work.read("Places", key)
    work.put("Places", key, note=data.note)


@sound("a key of three texts", Posted)
def greatest_note(event: Event[Posted], work: Work) -> None:
    data = event.data
    key = {"place": f"{data.sender}/{data.receiver}/{data.town}"}
    work.put("Places", key, newer_than="note", note=data.note)


@broken("a patterned key", Lotted)
def first_shelf(event: Event[Lotted], work: Work) -> None:
    if work.read("Lots", {"lot": event.data.lot}) is None:
        work.create("Lots", {"lot": event.data.lot}, shelf=event.data.shelf)


@sound("a patterned key", Lotted)
def count_shelf(event: Event[Lotted], work: Work) -> None:
    work.add("Lots", {"lot": event.data.lot}, parcels=1)


@broken("a key that is cut", Posted)
def by_prefix(event: Event[Posted], work: Work) -> None:
    key = {"receiver": event.data.receiver[:6]}
    if work.read("Receivers", key) is None:
        work.create("Receivers", key, name=event.data.receiver)


@sound("a key that is cut", Posted)
def by_prefix_counted(event: Event[Posted], work: Work) -> None:
    work.add("Receivers", {"receiver": event.data.receiver[:6]}, parcels=1)


@broken("a key joined without a separator", Posted)
def joined(event: Event[Posted], work: Work) -> None:
    key = {"pair": event.data.sender + event.data.receiver}
    if work.read("Pairs", key) is None:
        work.create("Pairs", key, sender=event.data.sender)


@sound("a key joined without a separator", Posted)
def joined_by_a_bar(event: Event[Posted], work: Work) -> None:
    key = {"pair": f"{len(event.data.sender)}|{event.data.sender}|{event.data.receiver}"}
    if work.read("Pairs", key) is None:
        work.create("Pairs", key, sender=event.data.sender)


@broken("a key folded to small letters", Opened)
def folded(event: Event[Opened], work: Work) -> None:
    key = {"clerk": event.data.clerk.lower()}
    if work.read("Clerks", key) is None:
        work.create("Clerks", key, name=event.data.clerk)


@sound("a key folded to small letters", Opened)
def folded_name(event: Event[Opened], work: Work) -> None:
    key = {"clerk": event.data.clerk.lower()}
    if work.read("Clerks", key) is None:
        work.create("Clerks", key, name=event.data.clerk.lower())


@broken("a key of a rounded number", Weighed)
def by_class(event: Event[Weighed], work: Work) -> None:
    key = {"class": event.data.scale // 100}
    if work.read("Classes", key) is None:
        work.create("Classes", key, scale=event.data.scale)


@sound("a key of a rounded number", Weighed)
def counted_by_class(event: Event[Weighed], work: Work) -> None:
    work.add("Classes", {"class": event.data.scale // 100}, parcels=1)


@broken("a key of an id that is cut", Opened)
def by_short_id(event: Event[Opened], work: Work) -> None:
    key = {"shift": event.id[:20]}
    if work.read("Shifts", key) is None:
        work.create("Shifts", key, clerk=event.data.clerk)


@sound("a key of an id that is cut", Opened)
def by_id(event: Event[Opened], work: Work) -> None:
    work.create("Shifts", {"shift": event.id}, clerk=event.data.clerk)


@broken("a key hashed into a few", Opened)
def by_bucket(event: Event[Opened], work: Work) -> None:
    key = {"drawer": zlib.crc32(event.data.clerk.encode()) % 4}
    work.read("Drawers", key)
    work.put("Drawers", key, clerk=event.data.clerk)


@sound("a key hashed into a few", Opened)
def counted_by_bucket(event: Event[Opened], work: Work) -> None:
    work.add("Drawers", {"drawer": zlib.crc32(event.data.clerk.encode()) % 4}, opened=1)


# What is behind a value.


def _keep_last(event: Event[Any], work: Work, value: Any) -> None:
    work.read("Last", {"of": "all"})
    work.put("Last", {"of": "all"}, value=value)


@broken("behind a large amount", Paid)
def large_amount(event: Event[Paid], work: Work) -> None:
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)
    if event.data.pence > 100_000:
        _keep_last(event, work, event.data.pence)


@sound("behind a large amount", Paid)
def large_amount_counted(event: Event[Paid], work: Work) -> None:
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)
    if event.data.pence > 100_000:
        work.add("Last", {"of": "all"}, large=1)


@broken("behind a word", Posted)
def express(event: Event[Posted], work: Work) -> None:
    if event.data.note == "EXPRESS":
        _keep_last(event, work, event.data.sender)
    else:
        work.add("Towns", {"town": event.data.town}, parcels=1)


@sound("behind a word", Posted)
def express_counted(event: Event[Posted], work: Work) -> None:
    name = "express" if event.data.note == "EXPRESS" else "parcels"
    work.add("Towns", {"town": event.data.town}, **{name: 1})


@broken("behind the beginning of a word", Posted)
def abroad(event: Event[Posted], work: Work) -> None:
    work.add("Towns", {"town": event.data.town}, parcels=1)
    if event.data.town.startswith("over "):
        _keep_last(event, work, event.data.sender)


@sound("behind the beginning of a word", Posted)
def abroad_counted(event: Event[Posted], work: Work) -> None:
    work.add("Towns", {"town": event.data.town}, parcels=2 if event.data.town.startswith("over ") else 1)


@broken("behind a month", Paid)
def in_december(event: Event[Paid], work: Work) -> None:
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)
    if event.data.at.month == 12:
        _keep_last(event, work, event.data.pence)


@sound("behind a month", Paid)
def in_december_counted(event: Event[Paid], work: Work) -> None:
    name = "christmas" if event.data.at.month == 12 else "pence"
    work.add("Accounts", {"account": event.data.account}, **{name: event.data.pence})


@broken("behind a check of digits", Posted)
def checked(event: Event[Posted], work: Work) -> None:
    work.add("Towns", {"town": event.data.town}, parcels=1)
    if sum(map(ord, event.data.receiver)) % 7 == 3:
        _keep_last(event, work, event.data.sender)


@sound("behind a check of digits", Posted)
def checked_and_counted(event: Event[Posted], work: Work) -> None:
    work.add("Towns", {"town": event.data.town}, parcels=1 + sum(map(ord, event.data.receiver)) % 7 // 6)


@broken("behind a negative number", Paid)
def paid_back(event: Event[Paid], work: Work) -> None:
    if event.data.pence < 0:
        work.read("Accounts", {"account": event.data.account})
        work.put("Accounts", {"account": event.data.account}, back=event.data.pence)
    else:
        work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)


@sound("behind a negative number", Paid)
def paid_in_or_back(event: Event[Paid], work: Work) -> None:
    name = "back" if event.data.pence < 0 else "pence"
    work.add("Accounts", {"account": event.data.account}, **{name: abs(event.data.pence)})


@broken("behind a long text", Posted)
def long_note(event: Event[Posted], work: Work) -> None:
    work.add("Towns", {"town": event.data.town}, parcels=1)
    if len(event.data.note) > 20:
        _keep_last(event, work, event.data.note)


@sound("behind a long text", Posted)
def long_note_counted(event: Event[Posted], work: Work) -> None:
    work.add("Towns", {"town": event.data.town}, parcels=1, long=int(len(event.data.note) > 20))


@broken("behind two fields that differ", Posted)
def to_another(event: Event[Posted], work: Work) -> None:
    work.add("Towns", {"town": event.data.town}, parcels=1)
    if event.data.sender != event.data.receiver:
        _keep_last(event, work, event.data.receiver)


@sound("behind two fields that differ", Posted)
def to_another_counted(event: Event[Posted], work: Work) -> None:
    name = "own" if event.data.sender == event.data.receiver else "others"
    work.add("Towns", {"town": event.data.town}, **{name: 1})


@broken("behind a limit of the contract", Weighed)
def at_the_limit(event: Event[Weighed], work: Work) -> None:
    work.add("Scales", {"parcel": event.data.parcel}, kilos=event.data.kilos)
    if event.data.scale == 900:
        _keep_last(event, work, event.data.kilos)


@sound("behind a limit of the contract", Weighed)
def at_the_limit_counted(event: Event[Weighed], work: Work) -> None:
    work.add("Scales", {"parcel": event.data.parcel}, kilos=event.data.kilos, full=int(event.data.scale == 900))


HOLIDAYS = {"2026-12-24", "2026-12-31"}


@broken("behind two conditions, one within the other", Posted)
def heavy_and_abroad(event: Event[Posted], work: Work) -> None:
    work.add("Towns", {"town": event.data.town}, grams=event.data.grams)
    if event.data.town == "Basel" and event.data.grams > 6_500:
        _keep_last(event, work, event.data.receiver)


@sound("behind two conditions, one within the other", Posted)
def heavy_and_abroad_counted(event: Event[Posted], work: Work) -> None:
    duty = int(event.data.town == "Basel" and event.data.grams > 6_500)
    work.add("Towns", {"town": event.data.town}, grams=event.data.grams, duty=duty)


STAMP = re.compile(r"^(?P<office>[A-Z]{2})-(?P<number>[0-9]{3})$")


@broken("behind a pattern of the code", Posted)
def stamped(event: Event[Posted], work: Work) -> None:
    stamp = STAMP.match(event.data.note)
    if stamp is None:
        work.add("Towns", {"town": event.data.town}, parcels=1)
    else:
        _keep_last(event, work, f"{stamp['number']} by {event.data.sender}")


@sound("behind a pattern of the code", Posted)
def stamped_and_counted(event: Event[Posted], work: Work) -> None:
    stamp = STAMP.match(event.data.note)
    if stamp is None:
        raise Reject("it has no stamp")
    work.add("Offices", {"office": stamp["office"]}, parcels=1, numbers=int(stamp["number"]))


@broken("behind a number of lines", Packed)
def large_packet(event: Event[Packed], work: Work) -> None:
    work.add("Towns", {"town": event.data.town}, parcels=len(event.data.parcels))
    if len(event.data.parcels) > 5:
        _keep_last(event, work, event.data.parcels[0])


@sound("behind a number of lines", Packed)
def large_packet_counted(event: Event[Packed], work: Work) -> None:
    large = int(len(event.data.parcels) > 5)
    work.add("Towns", {"town": event.data.town}, parcels=len(event.data.parcels), large=large)


@broken("behind a table of the module", Paid)
def on_a_holiday(event: Event[Paid], work: Work) -> None:
    if event.data.at.date().isoformat() in HOLIDAYS:
        _keep_last(event, work, event.data.account)
    else:
        work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)


@sound("behind a table of the module", Paid)
def on_a_holiday_counted(event: Event[Paid], work: Work) -> None:
    holiday = event.data.at.date().isoformat() in HOLIDAYS
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence, holidays=int(holiday))


# Order under guard.


@broken("a sum with a floor", Paid)
def with_a_floor(event: Event[Paid], work: Work) -> None:
    known = work.read("Accounts", {"account": event.data.account}) or {"pence": 0}
    work.put("Accounts", {"account": event.data.account}, pence=max(0, known["pence"] + event.data.pence))


@sound("a sum with a floor", Paid)
def without_a_floor(event: Event[Paid], work: Work) -> None:
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)


@broken("two stocks of which one must suffice", Paid)
def from_either(event: Event[Paid], work: Work) -> None:
    one = work.read("Accounts", {"account": event.data.account}) or {"pence": Decimal(0)}
    other = work.read("Reserve", {"of": "all"}) or {"pence": Decimal(0)}
    if one["pence"] + event.data.pence >= 0:
        work.put("Accounts", {"account": event.data.account}, pence=one["pence"] + event.data.pence)
    elif other["pence"] + event.data.pence >= -2:
        work.put("Reserve", {"of": "all"}, pence=other["pence"] + event.data.pence)
    else:
        raise Reject("there is not enough")


@sound("two stocks of which one must suffice", Paid)
def from_both(event: Event[Paid], work: Work) -> None:
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)
    work.add("Reserve", {"of": "all"}, pence=-event.data.pence)


@broken("whoever comes first claims it", Opened)
def claim(event: Event[Opened], work: Work) -> None:
    if work.read("Counters", {"counter": event.data.counter}) is None:
        work.put("Counters", {"counter": event.data.counter}, claimed_by=work.idempotency_key)


@sound("whoever comes first claims it", Opened)
def claimed_by_the_last_name(event: Event[Opened], work: Work) -> None:
    work.put("Counters", {"counter": event.data.counter}, newer_than="clerk", clerk=event.data.clerk)


@broken("an alarm above a limit", Paid)
def alarm(event: Event[Paid], work: Work) -> None:
    known = work.read("Accounts", {"account": event.data.account}) or {"pence": Decimal(0)}
    sum_of_all = known["pence"] + event.data.pence
    work.put("Accounts", {"account": event.data.account}, pence=sum_of_all)
    if known["pence"] <= 5_000 < sum_of_all:
        work.publish(Notice(about=event.data.account))


@sound("an alarm above a limit", Paid)
def alarm_by_itself(event: Event[Paid], work: Work) -> None:
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)
    if event.data.pence > 5_000:
        work.publish(Notice(about=event.data.account))


@broken("a limit that the last one breaks", Paid)
def up_to_a_limit(event: Event[Paid], work: Work) -> None:
    known = work.read("Accounts", {"account": event.data.account}) or {"pence": Decimal(0)}
    if known["pence"] + event.data.pence > 700:
        raise Reject("it would be too much")
    work.put("Accounts", {"account": event.data.account}, pence=known["pence"] + event.data.pence)


@sound("a limit that the last one breaks", Paid)
def each_up_to_a_limit(event: Event[Paid], work: Work) -> None:
    if event.data.pence > 700:
        raise Reject("it would be too much")
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)


@broken("an answer that tells the order", Paid)
def answered(event: Event[Paid], work: Work) -> None:
    known = work.read("Accounts", {"account": event.data.account}) or {"pence": Decimal(0)}
    work.put("Accounts", {"account": event.data.account}, pence=known["pence"] + event.data.pence)
    work.result = {"before": str(known["pence"])}


@sound("an answer that tells the order", Paid)
def answered_by_itself(event: Event[Paid], work: Work) -> None:
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)
    work.result = {"paid": event.data.pence}


@sound("three types that only together show it", Opened)
@broken("three types that only together show it", Opened)
def open_counter(event: Event[Opened], work: Work) -> None:
    work.add("Counters", {"counter": event.data.counter}, opened=1)


@sound("three types that only together show it", Closed)
@broken("three types that only together show it", Closed)
def close_counter(event: Event[Closed], work: Work) -> None:
    work.add("Counters", {"counter": event.data.counter}, closed=1)


@broken("three types that only together show it", Cleaned)
def clean_counter(event: Event[Cleaned], work: Work) -> None:
    known = work.read("Counters", {"counter": event.data.counter}) or {}
    if "opened" in known and "closed" in known:
        work.create("Cleanings", {"cleaning": event.id})


@sound("three types that only together show it", Cleaned)
def clean_it(event: Event[Cleaned], work: Work) -> None:
    work.create("Cleanings", {"cleaning": event.id})


# Nothing was ever done.


@broken("always fails", Opened)
def always_fails(event: Event[Opened], work: Work) -> None:
    work.add("Counters", {"counter": event.data.county}, opened=1)  # type: ignore[attr-defined]


@sound("always fails", Opened)
def does_not_fail(event: Event[Opened], work: Work) -> None:
    work.add("Counters", {"counter": event.data.counter}, opened=1)


@broken("waits for what nobody writes", Opened)
def waits(event: Event[Opened], work: Work) -> None:
    if work.read("Keys", {"counter": event.data.counter}) is None:
        raise Wait("the key", up_to=timedelta(days=2))
    work.add("Counters", {"counter": event.data.counter}, opened=1)


@sound("waits for what nobody writes", Opened)
def waits_for_closing(event: Event[Opened], work: Work) -> None:
    if work.read("Closings", {"counter": event.data.counter, "clerk": event.data.clerk}) is None:
        raise Wait("the closing", up_to=timedelta(days=2))
    work.add("Counters", {"counter": event.data.counter}, opened=1)


@sound("waits for what nobody writes", Closed)
def closing(event: Event[Closed], work: Work) -> None:
    key = {"counter": event.data.counter, "clerk": event.data.clerk}
    if work.read("Closings", key) is None:
        work.create("Closings", key)


@broken("puts blindly", Opened)
def puts_blindly(event: Event[Opened], work: Work) -> None:
    work.put("Counters", {"counter": event.data.counter}, clerk=event.data.clerk)


@sound("puts blindly", Opened)
def puts_the_newest(event: Event[Opened], work: Work) -> None:
    work.put("Counters", {"counter": event.data.counter}, newer_than="clerk", clerk=event.data.clerk)


@broken("puts blindly in one case", Paid)
def puts_back_blindly(event: Event[Paid], work: Work) -> None:
    if event.data.pence < 0:
        work.put("Accounts", {"account": event.data.account}, back=event.data.pence)
    else:
        work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)


@sound("puts blindly in one case", Paid)
def never_puts_back(event: Event[Paid], work: Work) -> None:
    if event.data.pence < 0:
        raise Reject("nothing is paid back")
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)


def _steps(event: Event[Opened], work: Work) -> Iterator[None]:
    work.add("Counters", {"counter": event.data.counter}, opened=1)
    yield


@broken("begins what it never runs", Opened)
def begins(event: Event[Opened], work: Work) -> None:
    _steps(event, work)


@sound("begins what it never runs", Opened)
def runs_all(event: Event[Opened], work: Work) -> None:
    for _ in _steps(event, work):
        pass


@broken("a thread that nobody joins", Opened)
def in_a_thread(event: Event[Opened], work: Work) -> None:
    begin = threading.Event()

    def later() -> None:
        begin.wait(0.01)
        work.add("Counters", {"counter": event.data.counter}, opened=1)

    threading.Thread(target=later, daemon=True).start()


@sound("a thread that nobody joins", Opened)
def in_a_joined_thread(event: Event[Opened], work: Work) -> None:
    def now() -> None:
        work.add("Counters", {"counter": event.data.counter}, opened=1)

    thread = threading.Thread(target=now)
    thread.start()
    thread.join()


@broken("behind a row that is there already", Opened)
def with_a_tariff(event: Event[Opened], work: Work) -> None:
    tariff = work.read("Tariffs", {"of": "counters"})
    if tariff is None:
        raise Reject("there is no tariff")
    known = work.read("Counters", {"counter": event.data.counter}) or {"left": tariff["places"]}
    if known["left"] <= 0:
        raise Reject("it is full")
    work.put("Counters", {"counter": event.data.counter}, left=known["left"] - 1)


@sound("behind a row that is there already", Opened)
def with_a_tariff_of_its_own(event: Event[Opened], work: Work) -> None:
    work.add("Counters", {"counter": event.data.counter}, left=-1)


@broken("each waits for the other", Opened)
def waits_for_close(event: Event[Opened], work: Work) -> None:
    if work.read("Closings", {"counter": event.data.counter}) is None:
        raise Wait("the closing", up_to=timedelta(days=2))
    work.add("Openings", {"counter": event.data.counter}, times=1)


@broken("each waits for the other", Closed)
def waits_for_open(event: Event[Closed], work: Work) -> None:
    if work.read("Openings", {"counter": event.data.counter}) is None:
        raise Wait("the opening", up_to=timedelta(days=2))
    work.add("Closings", {"counter": event.data.counter}, times=1)


@sound("each waits for the other", Opened)
def opens_at_once(event: Event[Opened], work: Work) -> None:
    work.add("Openings", {"counter": event.data.counter}, times=1)


@sound("each waits for the other", Closed)
def closes_at_once(event: Event[Closed], work: Work) -> None:
    work.add("Closings", {"counter": event.data.counter}, times=1)


# Hidden inputs.

_process = os.getpid()


@broken("the number of the process", Opened)
def by_process(event: Event[Opened], work: Work) -> None:
    work.create("Openings", {"opening": event.id}, process=_process)


@sound("the number of the process", Opened)
def by_nothing(event: Event[Opened], work: Work) -> None:
    work.create("Openings", {"opening": event.id})


@broken("hash", Opened)
def hashed(event: Event[Opened], work: Work) -> None:
    work.add("Drawers", {"drawer": hash(event.data.clerk) % 7}, opened=1)


@sound("hash", Opened)
def digested(event: Event[Opened], work: Work) -> None:
    drawer = hashlib.sha256(event.data.clerk.encode()).digest()[0] % 7
    work.add("Drawers", {"drawer": drawer}, opened=1)


@broken("the order of a set", Opened)
def of_a_set(event: Event[Opened], work: Work) -> None:
    names = {event.data.clerk, event.data.counter, "clerk", "counter", "key"}
    work.create("Openings", {"opening": event.id}, first=next(iter(names)))


@sound("the order of a set", Opened)
def of_a_sorted_set(event: Event[Opened], work: Work) -> None:
    names = {event.data.clerk, event.data.counter, "clerk", "counter", "key"}
    work.create("Openings", {"opening": event.id}, first=min(names))


_opened: list[str] = []


@broken("every dozenth", Opened)
def dozenth(event: Event[Opened], work: Work) -> None:
    _opened.append(event.id)
    work.create("Openings", {"opening": event.id}, prize=int(len(_opened) > 30))


@sound("every dozenth", Opened)
def none_is_counted(event: Event[Opened], work: Work) -> None:
    work.create("Openings", {"opening": event.id}, prize=0)


_turns = {"of": 0}


@broken("every twelfth, again and again", Opened)
def twelfth(event: Event[Opened], work: Work) -> None:
    _turns["of"] = (_turns["of"] + 1) % 12
    work.add("Counters", {"counter": event.data.counter}, opened=1, prizes=int(_turns["of"] == 11))


@sound("every twelfth, again and again", Opened)
def twelfths_are_only_told(event: Event[Opened], work: Work) -> None:
    _turns["of"] = (_turns["of"] + 1) % 12
    work.add("Counters", {"counter": event.data.counter}, opened=1)


_names: OrderedDict[str, int] = OrderedDict()


def _length(name: str, *, most: int, of_others: int) -> int:
    while name not in _names and len(_names) >= most:
        if of_others:
            return of_others
        _names.popitem(last=False)
    return _names.setdefault(name, len(name))


@broken("a cache that is full", Opened)
def cached_while_there_is_room(event: Event[Opened], work: Work) -> None:
    work.add("Clerks", {"clerk": event.data.clerk}, letters=_length(event.data.clerk, most=25, of_others=-1))


@sound("a cache that is full", Opened)
def cached_or_counted_again(event: Event[Opened], work: Work) -> None:
    work.add("Clerks", {"clerk": event.data.clerk}, letters=_length(event.data.clerk, most=5, of_others=0))


_book = io.StringIO()


@broken("a file in memory", Opened)
def after_so_many(event: Event[Opened], work: Work) -> None:
    _book.write(event.data.clerk)
    work.create("Openings", {"opening": event.id}, written=len(_book.getvalue()))


@sound("a file in memory", Opened)
def on_a_new_page(event: Event[Opened], work: Work) -> None:
    _book.seek(0)
    _book.truncate()
    _book.write(event.data.clerk)
    work.create("Openings", {"opening": event.id}, written=len(_book.getvalue()))


@broken("the name of the host", Opened)
def by_host(event: Event[Opened], work: Work) -> None:
    work.create("Openings", {"opening": event.id}, host=socket.gethostname())


@sound("the name of the host", Opened)
def by_no_host(event: Event[Opened], work: Work) -> None:
    work.create("Openings", {"opening": event.id}, host="post")


@broken("a look-up that nobody declared", Opened)
def looks_up(event: Event[Opened], work: Work) -> None:
    known = boto3.client("ssm").get_parameter(Name="tariff")["Parameter"]["Value"]
    work.add("Counters", {"counter": event.data.counter}, pence=int(known))


@sound("a look-up that nobody declared", Opened, reads="ssm")
def looks_up_as_it_says(event: Event[Opened], work: Work) -> None:
    known = boto3.client("ssm").get_parameter(Name="tariff")["Parameter"]["Value"]
    work.add("Counters", {"counter": event.data.counter}, pence=int(known))


# Files.


def _at(name: str) -> Path:
    """Return a file of this process: others try the same at the same time."""
    return Path(tempfile.gettempdir()) / f"post-{os.getpid()}-{name}"


@broken("a scratch file that stays", Opened)
def leaves_a_scratch(event: Event[Opened], work: Work) -> None:
    _at("scratch").write_text(event.data.clerk)
    work.add("Clerks", {"clerk": event.data.clerk}, letters=len(_at("scratch").read_text()))


@sound("a scratch file that stays", Opened)
def takes_its_scratch_away(event: Event[Opened], work: Work) -> None:
    _at("scratch").write_text(event.data.clerk)
    letters = len(_at("scratch").read_text())
    _at("scratch").unlink()
    work.add("Clerks", {"clerk": event.data.clerk}, letters=letters)


@broken("a line that tells the order", Opened, external=True)
def numbered_line(event: Event[Opened], work: Work) -> None:
    known = _at("lines").read_text().splitlines() if _at("lines").exists() else []
    with _at("lines").open("a") as lines:
        lines.write(f"{len(known)} {event.data.clerk} {work.idempotency_key}\n")


@sound("a line that tells the order", Opened, external=True)
def line_once(event: Event[Opened], work: Work) -> None:
    line = f"{event.data.clerk} {work.idempotency_key}"
    known = _at("lines").read_text().splitlines() if _at("lines").exists() else []
    if line not in known:
        with _at("lines").open("a") as lines:
            lines.write(f"{line}\n")


@broken("a page that the last one writes", Opened, external=True)
def last_page(event: Event[Opened], work: Work) -> None:
    _at("page").write_text(f"{event.data.clerk} {work.idempotency_key}")


@sound("a page that the last one writes", Opened, external=True)
def own_page(event: Event[Opened], work: Work) -> None:
    name = hashlib.sha256(work.idempotency_key.encode()).hexdigest()
    _at(f"page-{name}").write_text(event.data.clerk)


# External effects.


def _send(group: str, text: str, key: str) -> None:
    boto3.client("sqs").send_message(
        QueueUrl="https://sqs.eu-west-1.amazonaws.com/123456789012/letters.fifo",
        MessageBody=text,
        MessageGroupId=group,
        MessageDeduplicationId=key,
    )


@broken("an effect without its key", Opened, external=True)
def without_key(event: Event[Opened], work: Work) -> None:
    _send("all", event.data.clerk, "letter")


@sound("an effect without its key", Opened, external=True)
def with_key(event: Event[Opened], work: Work) -> None:
    _send("all", event.data.clerk, hashlib.sha256(work.idempotency_key.encode()).hexdigest())


@broken("an effect under a key by chance", Opened, external=True)
def by_chance(event: Event[Opened], work: Work) -> None:
    _send("all", event.data.clerk, work.idempotency_key + os.urandom(4).hex())


@sound("an effect under a key by chance", Opened, external=True)
def by_its_key(event: Event[Opened], work: Work) -> None:
    _send("all", event.data.clerk, work.idempotency_key)


@broken("an effect that tells the order", Opened, external=True)
def telling(event: Event[Opened], work: Work) -> None:
    known = work.read("Counters", {"counter": event.data.counter}) or {"times": 0}
    work.put("Counters", {"counter": event.data.counter}, times=known["times"] + 1)
    _send("all", f"{event.data.clerk} is number {known['times']}", work.idempotency_key)


@sound("an effect that tells the order", Opened, external=True)
def telling_nothing(event: Event[Opened], work: Work) -> None:
    work.add("Counters", {"counter": event.data.counter}, times=1)
    _send("all", event.data.clerk, work.idempotency_key)


# What a contract says.


@broken("a number that many have", Closed)
def enter(event: Event[Closed], work: Work) -> None:
    work.create("Entries", {"entry": event.data.counter}, clerk=event.data.clerk)


@sound("a number that many have", Closed, identity="counter")
def enter_by_identity(event: Event[Closed], work: Work) -> None:
    work.create("Entries", {"entry": event.data.counter}, clerk=event.data.clerk)
