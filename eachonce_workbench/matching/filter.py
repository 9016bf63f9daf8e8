"""Which records an event source mapping lets through to its function.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html: a filter's language is that of event
patterns, and a record passes when any filter matches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from eachonce_workbench.matching.pattern import InvalidPattern, Pattern
from eachonce_workbench.matching.reading import read_json

MOST_FILTERS = 10
"""Filters of one mapping: 5, or 10 where the account's quota was raised (the AWS page)."""


LONGEST_PATTERN = 4096
"""Characters of a filter's pattern (https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html)."""


class Form(Enum):
    """What a message's body is, or is asked to be: JSON with something inside, or plain text."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter: its pattern, and the forms of body that it asks for, none where it says nothing about the body."""

    pattern: Pattern
    forms: frozenset[Form]

    @classmethod
    def of(cls, text: str) -> Filter:
        """Read a filter from its JSON text. Raises InvalidPattern."""
        pattern = Pattern(text, longest=LONGEST_PATTERN)
        if isinstance(pattern.document.get("dynamodb"), list):
            raise InvalidPattern("dynamodb", "the filter pattern for data properties must be an object")
        return cls(pattern=pattern, forms=frozenset(_body_forms(pattern.document)))

    def matches(self, record: Mapping[str, Any], form: Form) -> bool:
        """Whether an SQS record, whose body is of that form, passes."""
        return (not self.forms or form in self.forms) and self.pattern.matches(record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters of one event source mapping."""

    filters: tuple[Filter, ...] = ()

    @classmethod
    def of(cls, criteria: Mapping[str, Any] | None) -> Filters:
        """Read a FilterCriteria. Raises InvalidPattern, whose path begins with the filter's place."""
        given = (criteria or {}).get("Filters") or []
        if not isinstance(given, (list, tuple)):
            raise InvalidPattern("Filters", "filters stand in an array")
        if len(given) > MOST_FILTERS:
            raise InvalidPattern("Filters", f"there are {len(given)} filters, more than {MOST_FILTERS}")
        return cls(filters=tuple(_filter(entry, f"Filters[{index}]") for index, entry in enumerate(given)))

    def admit_sqs(self, record: Mapping[str, Any]) -> bool:
        """Whether Lambda hands this SQS record to the function; one that isn't admitted is deleted from its queue.

        A body whose form is not what a filter asks for does not pass it ("Properly filtering Amazon SQS messages").
        """
        if not self.filters:
            return True
        body, form = _read_body(record["body"])
        read = {**record, "body": body}
        return any(each.matches(read, form) for each in self.filters)

    def admit_dynamodb(self, record: Mapping[str, Any]) -> bool:
        """Whether Lambda hands this DynamoDB stream record to the function."""
        return not self.filters or any(each.pattern.matches(record) for each in self.filters)


def _filter(entry: Any, path: str) -> Filter:
    text = entry.get("Pattern") if isinstance(entry, Mapping) else None
    if not isinstance(text, str):
        raise InvalidPattern(path, "a filter is an object with a Pattern, which is JSON text")
    try:
        return Filter.of(text)
    except InvalidPattern as error:
        raise InvalidPattern(f"{path}.Pattern{error.path and '.'}{error.path}", error.reason) from error


def _body_forms(document: Mapping[str, Any]) -> Iterator[Form]:
    if "body" in document:
        yield Form.JSON if isinstance(document["body"], Mapping) else Form.TEXT
    for option in document.get("$or", ()):
        if isinstance(option, Mapping):
            yield from _body_forms(option)


def _read_body(body: str) -> tuple[Any, Form]:
    # A bare number or word is JSON, too, but has nothing inside to ask for: it stays the text that it is.
    try:
        read = read_json(body)
    except ValueError:
        return body, Form.TEXT
    return (read, Form.JSON) if isinstance(read, (dict, list)) else (body, Form.TEXT)
