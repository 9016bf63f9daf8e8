"""Filter patterns of JSON: `{ ($.level = "ERROR" || $.ms > 500) && $.user.id = "a*" }`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
"""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable
from typing import Any

import msgspec

from eachonce_workbench.cloud.store.protocol import AwsError

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<mark>&&|\|\||[(){}])
      | (?P<compare>!=|<=|>=|=|<|>)
      | (?P<path>\$(?:\.[\w-]+|\["[^"\]]+"\]|\[\d+\]|\.?\*)+)
      | (?P<word>IS\s+NULL|IS\s+TRUE|IS\s+FALSE|NOT\s+EXISTS)
      | "(?P<text>(?:[^"\\]|\\.)*)"
      | (?P<bare>[^\s"(){}&|=<>!]+)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_STEP = re.compile(r'\.([\w-]+)|\["([^"\]]+)"\]|\[(\d+)\]')
_MAX_DEPTH = 32
_ABSENT = object()

_NUMBERS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}

Test = Callable[[Any], bool]


def json_filter(text: str) -> Callable[[str], bool]:
    """Read a pattern in braces; what it returns is false for messages that are no JSON objects.

    Raises `AwsError` InvalidParameterException.
    """
    reader = _Reader(text)
    reader.take("{")
    test = reader.either(0)
    reader.take("}")
    reader.end()

    def matches(message: str) -> bool:
        if not message.startswith("{"):
            return False
        try:
            return test(msgspec.json.decode(message))
        except (msgspec.DecodeError, RecursionError):
            return False

    return matches


class _Reader:
    """Reads a pattern token by token: conditions, `&&` before `||`, and parentheses."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def either(self, depth: int) -> Test:
        """Conditions of which any holds."""
        tests = [self._both(depth)]
        while self._next("mark", "||"):
            tests.append(self._both(depth))
        return tests[0] if len(tests) == 1 else lambda document: any(test(document) for test in tests)

    def take(self, mark: str) -> None:
        """Take a mark that must be here."""
        if not self._next("mark", mark):
            raise self._invalid(f"{mark} is missing")

    def end(self) -> None:
        """Be at the end."""
        if self._text[self._place :].strip():
            raise self._invalid("there is more than one pattern")

    def _both(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._next("mark", "&&"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)

    def _one(self, depth: int) -> Test:
        if not self._next("mark", "("):
            return self._condition()
        if depth == _MAX_DEPTH:
            raise self._invalid("it is nested too deep")
        test = self.either(depth + 1)
        self.take(")")
        return test

    def _condition(self) -> Test:
        path = self._next("path")
        if path is None or "*" in path:
            raise self._invalid("a condition begins with a field such as $.level")
        if word := self._next("word"):
            return _state(path, " ".join(word.upper().split()))
        compare = self._next("compare")
        if compare is None:
            raise self._invalid(f"{path} is compared with nothing")
        if (text := self._next("text")) is not None:
            return _text_test(path, compare, re.sub(r"\\(.)", r"\1", text))
        bare = self._next("bare")
        if bare is None:
            raise self._invalid(f"{path} is compared with nothing")
        return _bare_test(path, compare, bare)

    def _next(self, kind: str, text: str | None = None) -> str | None:
        found = _TOKEN.match(self._text, self._place)
        if found is None or found.lastgroup != kind or (text is not None and found[kind] != text):
            return None
        self._place = found.end()
        return found[kind]

    def _invalid(self, reason: str) -> AwsError:
        return AwsError("InvalidParameterException", f"Invalid filter pattern at {self._place}: {reason}")


def _value(document: Any, path: str) -> Any:
    for name, quoted, index in _STEP.findall(path):
        if index:
            document = document[int(index)] if isinstance(document, list) and int(index) < len(document) else _ABSENT
        else:
            document = document.get(name or quoted, _ABSENT) if isinstance(document, dict) else _ABSENT
    return document


def _state(path: str, word: str) -> Test:
    match word:
        case "NOT EXISTS":
            return lambda document: _value(document, path) is _ABSENT
        case "IS NULL":
            return lambda document: _value(document, path) is None
    return lambda document: _value(document, path) is (word == "IS TRUE")


def _text_test(path: str, compare: str, text: str) -> Test:
    """Compare as text; an asterisk stands for anything."""
    if compare not in ("=", "!="):
        raise AwsError("InvalidParameterException", f"Invalid filter pattern: {compare} compares numbers")
    # Only the asterisk is special: [ and ? stand for themselves.
    pattern = re.compile(fnmatch.translate(re.sub(r"([\[?])", r"[\1]", text)))

    def test(document: Any) -> bool:
        value = _value(document, path)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            return False
        return (pattern.match(str(value)) is not None) == (compare == "=")

    return test


def _bare_test(path: str, compare: str, bare: str) -> Test:
    """Compare as a number where it is one, as text otherwise."""
    try:
        number = float(bare)
    except ValueError:
        return _text_test(path, compare, bare)

    def test(document: Any) -> bool:
        value = _value(document, path)
        return isinstance(value, int | float) and not isinstance(value, bool) and _NUMBERS[compare](value, number)

    return test
