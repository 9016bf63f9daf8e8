"""Hostile patterns, events and templates for what matches them: each is made from a seed alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

KEYS = ("a", "b", "c", "a.b", "a.b.c", "detail", "body", "é", "😀")
ODD_KEYS = ("", "$or", "numeric", "prefix", "a" * 400, "\x00", "a.", ".a")
TEXTS = ("", "a", "b", "ab", "ß", "SS", "10.0.0.1", "::1", "::ffff:10.0.0.1", "010.0.0.1", "a" * 60, "😀", "\x00")
WILDCARDS = ("*", "a*", "*a*a*a*", "\\*", "*ab*abab*b", "*a*b*")
ODD_WILDCARDS = ("**", "\\a", "*" + "ab" * 20 + "*", "*:*:*:*:*:*:*:*:*:*:*:*", "*" + "a" * 1500, "\\")
BLOCKS = ("10.0.0.0/8", "::/0", "0.0.0.0/0", "10.0.0.0/+008", "2001:db8::/127")
ODD_BLOCKS = ("10.0.0.1/32", "1.2.3.4", "10.0.0.0/-1", "x/8", "10.0.0.0/" + "9" * 50, "/", "::ffff:10.0.0.0/100")
# As JSON writes them, and as it doesn't.
NUMBERS = ("0", "-0", "1", "1.0", "1e0", "5.0e9", "2", "-3.5", "1e308")
ODD_NUMBERS = ("1e400", "-1e-400", "1e999999999", "1e" + "9" * 30, "0.1" + "0" * 300, "9007199254740993")
LONG = ("9" * 400, "0." + "1" * 400, "-" + "7" * 5000)
BROKEN = ("NaN", "Infinity", "01", "+1", "tru", "'a'", '"a', "{", "]", "", "\ufeff1", "[" * 3000, "{" * 3000)
VARIABLES = ("a", "b", "x-y", "aws.events.event", "aws.events.event.json", "aws.events.rule-name", "aws.events.never")
PATHS = ("$", "$.a", "$.a.b", "$.a[0]", "$.a[*].b", "$..a", "$.*", "$[", "a", "$.a[-1]", "$.a[" + "9" * 5000 + "]", "")


def pattern(random: Random) -> str:
    """Return the text of a pattern, or of what is nearly one."""
    return _spoilt(_fields(random, random.choice((1, 1, 2, 2, 3))), random)


def event(random: Random) -> str:
    """Return the text of an event with fields of the same names; an object may name one again and again."""
    return _spoilt(_object(random, random.choice((1, 2, 3, 4))), random)


def target(random: Random) -> Any:
    """Return what a rule says of the input of a target."""
    kind = random.choice(("Input", "InputPath", "InputTransformer", "InputTransformer"))
    if random.random() < 0.05:
        return {kind: random.choice((None, 7, [], {}, "", [1], True))}
    if kind == "Input":
        return {kind: event(random)}
    if kind == "InputPath":
        return {kind: _path(random)}
    names = random.sample(VARIABLES, random.randrange(4))
    paths: Any = {name: _path(random) for name in names}
    if random.random() < 0.05:
        paths = random.choice(([1], "a", 7, {"a": None}, {"a": 1}))
    return {kind: {"InputPathsMap": paths, "InputTemplate": template(random)}}


def template(random: Random) -> str:
    """Return a template, with variables in and out of quotes."""
    parts = [
        f"<{random.choice(VARIABLES)}>",
        f'"<{random.choice(VARIABLES)}>"',
        f'"x <{random.choice(VARIABLES)}"',
        "1",
    ]
    some = ",".join(random.choice((*parts, *parts, *NUMBERS)) for _ in range(random.choice((1, 1, 2, 5, 50))))
    return _spoilt(random.choice(('{{"k":[{}]}}', "[{}]", "{}", '{{"k":{}}}')).format(some), random)


def _path(random: Random) -> Any:
    return random.choice(PATHS) + random.choice(
        ("", "", ".a", "[*]" * random.randrange(4), ".b" * random.randrange(40))
    )


def _drawn(random: Random, usual: Sequence[str], odd: Sequence[str]) -> str:
    return random.choice(odd if random.random() < 0.03 else usual)


def _fields(random: Random, levels: int) -> str:
    members = [_field(random, levels) for _ in range(random.choice((1, 1, 2, 3)))]
    if levels > 1 and random.random() < 0.3:
        options = ",".join(
            _fields(random, levels - 1) for _ in range(random.choice((2, 2, 3)) if random.random() < 0.97 else 9)
        )
        members.append(f'"$or":[{options}]')
    return _braces(members)


def _field(random: Random, levels: int) -> str:
    return f"{_text(_drawn(random, KEYS, ODD_KEYS))}:{_wanted(random, levels - 1)}"


def _wanted(random: Random, levels: int) -> str:
    if levels > 0 and random.random() < 0.6:
        return _fields(random, levels)
    some = random.choice((1, 1, 1, 2, 3)) if random.random() < 0.97 else random.choice((0, 60))
    return f"[{','.join(_leaf(random) for _ in range(some))}]"


def _leaf(random: Random) -> str:
    if random.random() < 0.4:
        return _scalar(random)
    kind = _drawn(random, _OPERATORS, _ODD_OPERATORS)
    return f"{{{_text(kind)}:{_argument(kind, random)}}}"


_REFUSABLE = ("prefix", "suffix", "equals-ignore-case", "wildcard")
_OPERATORS = (*_REFUSABLE, "anything-but", "anything-but", "exists", "numeric", "cidr", "exactly")
_ODD_OPERATORS = ("regex", "", "not-wildcard", "$or", "Prefix")


def _argument(kind: str, random: Random) -> str:
    if random.random() < 0.03:
        return random.choice((_scalar(random), "[]", "{}", "[[]]", "[" * 300 + "]" * 300, '{"prefix":{"prefix":"a"}}'))
    match kind:
        case "wildcard":
            return _text(_drawn(random, WILDCARDS, ODD_WILDCARDS))
        case "cidr":
            return _text(_drawn(random, BLOCKS, ODD_BLOCKS))
        case "exists":
            return _drawn(random, ("true", "false"), ("1", '"true"'))
        case "numeric":
            return _drawn(random, _RANGES, _ODD_RANGES)
        case "anything-but":
            return _anything_but(random)
        case "prefix" | "suffix" if random.random() < 0.5:
            return f'{{"equals-ignore-case":{_text(random.choice(TEXTS))}}}'
    return _text(random.choice(TEXTS))


_RANGES = ('["=",1]', '[">",0]', '["<=",5.0e9]', '[">",-1,"<=",2]', '[">=",0,"<",1e308]')
_ODD_RANGES = ('["!=",1]', "[]", '[">",2,"<",1]', '["<",1,">",0]', '["=",1e400]', '["=",1,2]', '[">",null]', '[1,">"]')


def _anything_but(random: Random) -> str:
    some = range(random.choice((1, 2, 3)) if random.random() < 0.95 else 40)
    match random.randrange(4):
        case 0:
            return _text(random.choice(TEXTS))
        case 1:
            return f"[{','.join(_text(random.choice(TEXTS)) for _ in some)}]"
        case 2:
            return f"[{','.join(random.choice(NUMBERS) for _ in some)}]"
    inner = _drawn(random, _REFUSABLE, _ODD_OPERATORS)
    texts = WILDCARDS if inner == "wildcard" else TEXTS[1:]
    return f"{{{_text(inner)}:[{','.join(_text(random.choice(texts)) for _ in some)}]}}"


def _object(random: Random, levels: int) -> str:
    some = random.choice((1, 2, 3)) if levels > 1 else (random.choice((0, 1, 2, 3)) if random.random() < 0.95 else 30)
    return _braces([f"{_text(_drawn(random, KEYS, ODD_KEYS))}:{_value(random, levels - 1)}" for _ in range(some)])


def _value(random: Random, levels: int) -> str:
    if levels <= 0 or random.random() < 0.2:
        return _scalar(random)
    if random.random() < 0.6:
        return _object(random, levels)
    deep = 1 if random.random() < 0.95 else 400
    values = ",".join(_value(random, levels - 1) for _ in range(random.choice((0, 1, 2, 3))))
    return f"{'[' * deep}{values}{']' * deep}"


def _scalar(random: Random) -> str:
    kind = random.random()
    if kind < 0.5:
        return _text(random.choice(TEXTS))
    return _number(random) if kind < 0.9 else random.choice(("true", "false", "null"))


def _number(random: Random) -> str:
    return _drawn(random, NUMBERS, (*ODD_NUMBERS, *LONG))


def _braces(members: Sequence[str]) -> str:
    return f"{{{','.join(members)}}}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _spoilt(text: str, random: Random) -> str:
    """Return a text as it is, most of the time, or with a part of it in another's place."""
    if random.random() < 0.9:
        return text
    begin = random.randrange(len(text) + 1)
    end = min(len(text), begin + random.choice((0, 1, 1, 5)))
    return text[:begin] + random.choice((*BROKEN, *LONG, text[:end], text * 3)) + text[end:]
