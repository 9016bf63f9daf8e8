"""The cases of EventBridge's matching: a pattern, and an event that it may match, asked of TestEventPattern."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.stores.cases import Call

_EVENT = {
    "version": "0",
    "id": "1",
    "detail-type": "OrderPlaced",
    "source": "shop",
    "account": "123456789012",
    "time": "2026-01-01T00:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:s3:::parcels"],
    "detail": {},
}

_ABSENT = object()

# What a field is wanted to be, and what it is.
FIELDS: Sequence[tuple[list[Any], Sequence[Any]]] = [
    (["a"], ["a", "b", "A", "ab", "", None, 1, True, ["a", "b"], ["b"], [], {}, {"a": 1}, _ABSENT]),
    (["a", "b"], ["b", "c", ["c", "b"]]),
    ([1], [1, 1.0, "1", 2, [2, 1], True]),
    ([1.5], [1.5, 15e-1, "1.5"]),
    ([True], [True, "true", 1, False]),
    ([None], [None, "null", "", [None], _ABSENT]),
    ([""], ["", None, _ABSENT]),
    ([{"prefix": "ab"}], ["abc", "ab", "a", "Abc", 1, ["x", "abc"], _ABSENT]),
    ([{"prefix": ""}], ["a", "", 1, _ABSENT]),
    ([{"prefix": {"equals-ignore-case": "ab"}}], ["ABC", "abc", "ba"]),
    ([{"suffix": ".png"}], ["a.png", ".png", "a.PNG", "png", _ABSENT]),
    ([{"suffix": {"equals-ignore-case": ".png"}}], ["a.PNG", "a.jpg"]),
    ([{"equals-ignore-case": "ab"}], ["AB", "ab", "abc"]),
    ([{"wildcard": "a*c"}], ["abc", "ac", "abbc", "ab", "xabc", "a*c"]),
    ([{"wildcard": "*/b/*.txt"}], ["a/b/c.txt", "/b/.txt", "a/b/c.pdf"]),
    ([{"wildcard": "a\\*c"}], ["a*c", "abc"]),
    ([{"wildcard": "a**c"}], ["abc"]),
    ([{"anything-but": "a"}], ["b", "a", 1, None, ["a"], ["a", "b"], [], _ABSENT]),
    ([{"anything-but": ["a", "b"]}], ["c", "b", ["a", "c"]]),
    ([{"anything-but": 1}], [2, 1, "1", 1.0]),
    ([{"anything-but": [1, "a"]}], [1, "a", "b"]),
    ([{"anything-but": {"prefix": "a"}}], ["b", "abc", 1, _ABSENT]),
    ([{"anything-but": {"prefix": ["a", "b"]}}], ["c", "bc"]),
    ([{"anything-but": {"suffix": "z"}}], ["az", "a"]),
    ([{"anything-but": {"equals-ignore-case": "a"}}], ["A", "b"]),
    ([{"anything-but": {"equals-ignore-case": ["a", "b"]}}], ["B", "c"]),
    ([{"anything-but": {"wildcard": "a*"}}], ["abc", "b"]),
    ([{"numeric": [">", 1]}], [2, 1, "2", [0, 5], None, _ABSENT]),
    ([{"numeric": [">=", 1, "<", 3]}], [1, 3, 2.5, 0]),
    ([{"numeric": ["=", 1]}], [1, 1.0, 2]),
    ([{"numeric": ["<", 1, ">", 3]}], [2]),
    ([{"numeric": [">", "1"]}], [2]),
    ([{"numeric": [">"]}], [2]),
    ([{"numeric": ["!=", 1]}], [2]),
    ([{"cidr": "10.0.0.0/24"}], ["10.0.0.7", "10.0.1.7", "x", _ABSENT]),
    ([{"cidr": "10.0.0.0/33"}], ["10.0.0.7"]),
    ([{"cidr": "2001:db8::/32"}], ["2001:db8::1", "2001:db9::1"]),
    ([{"exists": True}], ["a", None, [], "", {}, {"x": 1}, _ABSENT]),
    ([{"exists": False}], ["a", None, [], {"x": 1}, _ABSENT]),
    ([{"exists": "yes"}], ["a"]),
    (["a", {"prefix": "b"}], ["a", "bc", "c"]),
    ([{"prefix": "a", "suffix": "c"}], ["abc"]),
    ([{"unknown": "a"}], ["a"]),
    ([{"prefix": 1}], ["1"]),
    ([{"anything-but": {"unknown": "a"}}], ["b"]),
    ([{"anything-but": []}], ["a"]),
    ([["a"]], ["a"]),
    ([{}], ["a"]),
    ([], ["a"]),
]

# A whole pattern, and what is an event's detail.
PATTERNS: Sequence[tuple[Any, Any]] = [
    ({"source": ["shop"]}, {}),
    ({"source": ["other"]}, {}),
    ({"source": [{"prefix": "sh"}], "detail-type": ["OrderPlaced"]}, {}),
    ({"resources": ["arn:aws:s3:::parcels"]}, {}),
    ({"resources": [{"suffix": "letters"}]}, {}),
    ({"detail": {"a": {"b": ["x"]}}}, {"a": {"b": "x"}}),
    ({"detail": {"a": {"b": ["x"]}}}, {"a": "x"}),
    ({"detail": {"a": {"b": ["x"]}}}, {"a": [{"b": "y"}, {"b": "x"}]}),
    ({"detail": {"a": {"b": ["x"], "c": ["y"]}}}, {"a": [{"b": "x"}, {"c": "y"}]}),
    ({"detail": {"a": {"b": ["x"], "c": ["y"]}}}, {"a": [{"b": "x", "c": "y"}]}),
    ({"detail": {"$or": [{"a": ["x"]}, {"b": ["y"]}]}}, {"b": "y"}),
    ({"detail": {"$or": [{"a": ["x"]}, {"b": ["y"]}]}}, {"a": "y"}),
    ({"detail": {"$or": [{"a": ["x"]}, {"b": ["y"]}], "c": ["z"]}}, {"a": "x"}),
    ({"detail": {"$or": [{"a": ["x"]}]}}, {"$or": "x"}),
    ({"$or": [{"source": ["other"]}, {"detail": {"a": ["x"]}}]}, {"a": "x"}),
    ({"detail": {"a.b": ["x"]}}, {"a": {"b": "x"}}),
    ({"detail": {"a.b": ["x"]}}, {"a.b": "x"}),
    ({"detail": {"a": {}}}, {"a": {}}),
    ({"detail": {"a": "x"}}, {"a": "x"}),
    ({"detail": {"a": None}}, {"a": None}),
    ({"detail": []}, {}),
    ({}, {}),
    ([], {}),
    ("{", {}),
    ("null", {}),
    ({"detail": {"a": {"b": [{"exists": False}]}}}, {"a": {"c": 1}}),
    ({"detail": {"a": {"b": [{"exists": False}]}}}, {}),
    ({"detail": {"a": ["x"]}, "detail-type": [{"anything-but": "OrderPlaced"}]}, {"a": "x"}),
]


def _asked(pattern: Any, detail: Any) -> Call:
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    return "TestEventPattern", {"EventPattern": text, "Event": json.dumps(_EVENT | {"detail": detail})}


def _cases() -> Iterator[tuple[str, Sequence[Call]]]:
    for wanted, values in FIELDS:
        for value in values:
            shown = "nothing" if value is _ABSENT else json.dumps(value)
            detail = {} if value is _ABSENT else {"field": value}
            yield f"match {json.dumps(wanted)} with {shown}", [_asked({"detail": {"field": wanted}}, detail)]
    for pattern, detail in PATTERNS:
        shown = pattern if isinstance(pattern, str) else json.dumps(pattern)
        yield f"match {shown} with {json.dumps(detail)}", [_asked(pattern, detail)]
    for missing in ("id", "account", "source", "time", "region", "detail-type", "resources", "detail", "version"):
        event = {name: value for name, value in _EVENT.items() if name != missing}
        request = {"EventPattern": '{"source": ["shop"]}', "Event": json.dumps(event)}
        yield f"match an event without {missing}", [("TestEventPattern", request)]
    yield "match no event", [("TestEventPattern", {"EventPattern": '{"source": ["shop"]}', "Event": "{"})]


PATTERN_CASES: Mapping[str, Sequence[Call]] = dict(_cases())
"""By name: the one call."""
