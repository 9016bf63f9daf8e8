"""Hostile bodies: each kind in any size, and what the layer does with one before a handler sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Literal

import msgspec
from eachonce import Consumer, Contract, EachonceError
from eachonce.identity import fingerprint
from eachonce.listener import listen
from eachonce.s3 import ObjectCreatedNotification

from tests.forms import s3_records
from tests.records import batch, notification, record

Body = Callable[[int], str]


class Listed(Contract, frozen=True, kw_only=True):
    """A contract that takes nearly anything, so that all of a body is read."""

    value: Any = None
    kind: Literal["a", "b"] = "a"


def event(value: str) -> str:
    """Return an event whose data has a value, given as JSON text."""
    return f'{{"specversion":"1.0","id":"e","source":"s","type":"Listed","data":{{"value":{value}}}}}'


def _plain(detail: str) -> str:
    return f'{{"id":"b","source":"s","detail-type":"Listed","detail":{detail}}}'


def _noted(key: str) -> str:
    return json.dumps(s3_records(key)["Records"][0])


def _pairs(count: int, form: str) -> str:
    return ",".join(form.format(number) for number in range(count))


BODIES: dict[str, Body] = {
    "opening brackets": lambda size: "[" * size,
    "closing brackets": lambda size: event("]" * size),
    "brackets in pairs": lambda size: event("[" + "[]," * (size // 3) + "0]"),
    "brackets that nest 50 deep": lambda size: event("[" + ("[" * 50 + "]" * 50 + ",") * (size // 101) + "0]"),
    "brackets that nest without end": lambda size: event("[" * (size // 2) + "]" * (size // 2)),
    "brackets in a string": lambda size: event('"' + "[" * size + '"'),
    "quotes": lambda size: '"' * size,
    "escaped quotes": lambda size: event('"' + '\\"' * (size // 2) + '"'),
    "backslashes": lambda size: event('"' + "\\\\" * (size // 2) + '"'),
    "backslashes that escape nothing": lambda size: event("\\" * size),
    "quotes and backslashes by turns": lambda size: event('"[\\\\","]",' * (size // 10)),
    "empty strings": lambda size: event("[" + '"",' * (size // 3) + "0]"),
    "escapes": lambda size: event('"' + "\\u00e9" * (size // 6) + '"'),
    "digits": lambda size: event("9" * size),
    "digits with a point": lambda size: event("0." + "1" * size),
    "digits with an exponent": lambda size: event("1" * size + "e5"),
    "an exponent of digits": lambda size: event("1e" + "9" * size),
    "numbers of 20 digits": lambda size: event("[" + "41114111411141114111," * (size // 21) + "0]"),
    "numbers with an exponent": lambda size: event("[" + "1e300," * (size // 6) + "0]"),
    "exponents in decimals": lambda size: event("[" + "1.5e-9," * (size // 7) + "0]"),
    "keys": lambda size: event("{" + _pairs(size // 20, '"k{0:08}":{0}') + "}"),
    "one key": lambda size: event("{" + '"key":1,' * (size // 8) + '"key":2}'),
    "the envelope's own keys": lambda size: event("0")[:-1] + ',"subject":"s"' * (size // 14) + "}",
    "keys nobody knows": lambda size: event("0")[:-1] + "," + _pairs(size // 20, '"k{0:08}":{0}') + "}",
    "one value": lambda size: event("[" + '"value",' * (size // 8) + "0]"),
    "a long text": lambda size: event('"' + "x" * size + '"'),
    "a text of characters of four bytes": lambda size: event('"' + "😀" * (size // 4) + '"'),
    "a value that is none of few": lambda size: event('0,"kind":"' + "x" * size + '"'),
    "what looks like quotes and paths": lambda size: event('0,"kind":"' + "' - at `$.x`" * (size // 12) + '"'),
    "a notification in a notification": lambda size: str(
        msgspec.json.encode(notification(msgspec.json.encode(notification("\\" * (size // 4))).decode())).decode()
    ),
    "events without end": lambda size: "[" + "{}," * (size // 3) + "0]",
    "a thousand events": lambda size: "[" + ",".join([event('"' + "x" * (size // 1000) + '"')] * 1000) + "]",
    "a thousand records": lambda size: '{"Records":[' + ",".join([_noted("x" * (size // 1000))] * 1000) + "]}",
    "a plain event's fields": lambda size: _plain("{" + _pairs(size // 20, '"k{0:08}":{0}') + "}"),
    "a plain event's one field": lambda size: _plain('{"eid":"' + "x" * size + '"}'),
    "spaces": lambda size: event(" " * size + "1"),
    "a wrong specversion": lambda size: f'{{"specversion":"{"x" * size}"}}',
    "characters that no queue takes": lambda size: event('"' + "\uffff" * (size // 3) + '"'),
    "text that is no JSON": lambda size: "x" * size,
}


@cache
def _consumer() -> Consumer:
    consumer = Consumer("listed")
    consumer.on(Listed, identity="eid")(lambda event, work: None)
    consumer.on(ObjectCreatedNotification)(lambda event, work: None)
    return consumer


def take(records: dict[str, Any]) -> None:
    """Do all that the layer does with messages on their way to a handler."""
    for delivery in listen(records, known=_consumer()):
        if delivery.event is not None:
            with suppress(EachonceError):
                fingerprint(delivery.event)
                Listed.decode(delivery.event.data)


def hostile(kind: str, size: int) -> dict[str, Any]:
    """Return a batch of one message of a kind, of about so many bytes."""
    return batch(record(BODIES[kind](size), message_id="m-1"))
