"""CloudWatch Logs' filter patterns: terms, and conditions on the fields of JSON.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html. Regular expressions and patterns
of space-delimited fields are refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from eachonce_workbench.cloud.logs.json_filter import json_filter
from eachonce_workbench.cloud.store.protocol import AwsError

_TERM = re.compile(r'(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))')


class FilterPattern:
    """Which messages a pattern lets through; the empty one lets through all."""

    def __init__(self, text: str) -> None:
        """Read a pattern. Raises `AwsError` InvalidParameterException."""
        text = text.strip()
        if text.startswith(("[", "%")):
            raise _invalid("the local cloud knows terms and { $.field = value } in filter patterns, no others")
        self._matches = json_filter(text) if text.startswith("{") else _terms(text)

    def matches(self, message: str) -> bool:
        """Whether a message is let through."""
        return self._matches(message)


def _terms(text: str) -> Callable[[str], bool]:
    """Every plain term must be there, and none with a minus; where there are none but `?terms`, any of those."""
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    place = 0
    while place < len(text):
        found = _TERM.match(text, place)
        if found is None:
            raise _invalid(f"a quotation mark is missing after {text[:place]!r}")
        phrase = found["word"] if found["phrase"] is None else re.sub(r"\\(.)", r"\1", found["phrase"])
        terms[found["sign"]].append(phrase)
        place = found.end() + len(text[found.end() :]) - len(text[found.end() :].lstrip())
    wanted, any_of, unwanted = terms[""], terms["?"], terms["-"]

    def matches(message: str) -> bool:
        if any(term in message for term in unwanted) or not all(term in message for term in wanted):
            return False
        return bool(wanted) or not any_of or any(term in message for term in any_of)

    return matches


def _invalid(reason: str) -> AwsError:
    return AwsError("InvalidParameterException", f"Invalid filter pattern: {reason}")
