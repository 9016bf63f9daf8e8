"""Mutations: one change of a record, drawn from a random source; the same source makes the same change."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from tests.shop.fuzz.junk import CANARY, CANARY_NUMBER, TEXTS, TWICE, VALUES, WRITTEN, in_place_of, written

Record = dict[str, Any]

# What only a caller in Python hands over, and what a queue says of a message when it is out of its mind.
_OUTLANDISH = (
    10**5000,
    -(10**5000),
    float("nan"),
    float("inf"),
    CANARY.encode(),
    CANARY_NUMBER,
    "253402300800000",
    "1291191960000",
    "1",
    "2",
    "3",
    "1000000000",
    "\u0661",
    "1\n",
    f"arn:aws:sqs:eu-west-1:123456789012:{CANARY}.fifo",
    "aws:kinesis",
)
_NOISE = (b"\x00", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbf\xbf", b'"', b"\\", b"[", b"{", b"]", b"}", b",")


def changed(record: Any, random: Random) -> Any:
    """Return a record with one change; what is no record any more stays as it is."""
    if not isinstance(record, dict):
        return record
    (change,) = random.choices(_CHANGES, _WEIGHTS)
    return change(record, random)


def _json_changed(record: Record, random: Random) -> Record:
    """Change a value in the JSON of the body, or of what is wrapped in it, at any depth."""
    try:
        value = json.loads(record["body"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return _text_changed(record, random)
    return {**record, "body": written(_value_changed(value, random))}


def _text_changed(record: Record, random: Random) -> Record:
    """Change some bytes of the body, whatever they mean."""
    body = record.get("body")
    if not isinstance(body, str):
        return _member_changed(record, random)
    text = body.encode(errors="surrogatepass")
    begin = random.randrange(len(text) + 1)
    end = min(len(text), begin + random.choice((1, 1, 1, 2, 8, 100)))
    change = random.choice(("flip", "cut", "drop", "again", "noise"))
    if change == "flip":
        middle = bytes(byte ^ (1 << random.randrange(8)) for byte in text[begin:end])
    else:
        middle = {"cut": b"", "drop": b"", "again": text[begin:end] * 2, "noise": random.choice(_NOISE)}[change]
    left = b"" if change == "cut" else text[end:]
    errors = random.choice(("surrogateescape", "surrogateescape", "replace", "ignore"))
    return {**record, "body": (text[:begin] + middle + left).decode(errors=errors)}


def _member_changed(record: Record, random: Random) -> Record:
    """Change what the queue says of a message, or leave it out."""
    if isinstance(said := record.get("messageAttributes"), dict) and said and random.random() < 0.6:
        return {**record, "messageAttributes": _said_changed(said, random)}
    if isinstance(record.get("attributes"), dict) and random.random() < 0.5:
        return {**record, "attributes": _without_or_junk(record["attributes"], random)}
    return _without_or_junk(record, random)


def _said_changed(said: Record, random: Random) -> Record:
    """Change an attribute of who sent the message, or the text of one."""
    name = random.choice(list(said))
    if isinstance(said[name], dict) and random.random() < 0.6:
        return {**said, name: {**said[name], "stringValue": random.choice((*VALUES, *_OUTLANDISH))}}
    return _without_or_junk(said, random)


def _without_or_junk(members: Record, random: Random) -> Record:
    name = random.choice([*members, "MessageGroupId", "eventSourceARN"])
    if random.random() < 0.3:
        return {each: value for each, value in members.items() if each != name}
    return {**members, name: random.choice((*VALUES, *_OUTLANDISH))}


def _replaced(_: Record, random: Random) -> Any:
    """Put something in the place of the whole record."""
    return random.choice((*VALUES, *_OUTLANDISH))


def _value_changed(value: Any, random: Random) -> Any:
    inner = _inner(value)
    if inner is not None and random.random() < 0.7:
        return {**value, "Message": written(_value_changed(inner, random))}
    places = list(_places(value))
    if not places or random.random() < 0.01:
        return _drawn(random)
    holder, name = random.choice(places)
    _CHANGES_OF_A_VALUE[random.randrange(len(_CHANGES_OF_A_VALUE))](holder, name, random)
    return value


def _inner(value: Any) -> Any:
    """Return what an SNS notification holds."""
    try:
        return json.loads(value["Message"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place that a value can be in, at any depth."""
    left = [value]
    while left:
        holder = left.pop()
        names = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for name in names:
            yield holder, name
            left.append(holder[name])


def _drawn(random: Random) -> Any:
    if random.random() < 0.4:
        return in_place_of(random.randrange(len(WRITTEN)))
    return json.loads(json.dumps(random.choice(VALUES)))  # its own, since it may be changed again


def _taken_out(holder: Any, name: Any, random: Random) -> None:
    del holder[name]


def _retyped(holder: Any, name: Any, random: Random) -> None:
    holder[name] = _drawn(random)


def _doubled(holder: Any, name: Any, random: Random) -> None:
    if isinstance(holder, list):
        holder.insert(name, holder[name])
    else:
        holder[f"{name}{TWICE}"] = _drawn(random)


def _renamed(holder: Any, name: Any, random: Random) -> None:
    value = holder[name]
    del holder[name]
    if isinstance(holder, dict):
        holder[random.choice((*TEXTS, name.upper(), f"{name} ", "specversion", "data", "detail", "Message"))] = value


def _nested(holder: Any, name: Any, random: Random) -> None:
    for _ in range(random.choice((1, 3, 61, 64, 70))):
        holder[name] = [holder[name]] if random.random() < 0.5 else {CANARY: holder[name]}


def _inside_changed(holder: Any, name: Any, random: Random) -> None:
    """Change what is inside of base64, or the text itself."""
    value = holder[name]
    if not isinstance(value, str):
        return _retyped(holder, name, random)
    try:
        inside = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        holder[name] = value[: random.randrange(len(value) + 1)] + random.choice(TEXTS)
    else:
        place = random.randrange(len(inside) + 1)
        inside = inside[:place] + random.choice(_NOISE) + inside[place + random.randrange(3) :]
        holder[name] = base64.b64encode(inside).decode()
    return None


Change = Callable[[Record, Random], Any]
_CHANGES: tuple[Change, ...] = (_json_changed, _text_changed, _member_changed, _replaced)
_WEIGHTS = (70, 15, 14, 1)
_CHANGES_OF_A_VALUE = (_taken_out, _retyped, _retyped, _retyped, _doubled, _renamed, _nested, _inside_changed)
