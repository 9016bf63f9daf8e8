"""Which events a rule wants: EventBridge's event patterns, compiled once and matched many times.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html is the language. Where that page is
silent, EventBridge's open source matcher decides, https://github.com/aws/event-ruler.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eachonce_workbench.matching.fields import Fields, Fit
from eachonce_workbench.matching.operators import Leaf
from eachonce_workbench.matching.reading import pairs_of, read_json
from eachonce_workbench.matching.values import InvalidPattern

__all__ = ["LONGEST_PATTERN", "InvalidPattern", "Pattern"]

LONGEST_PATTERN = 2048
"""Characters of a rule's pattern, unless the account's quota was raised.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html, "Event pattern size"
"""

MOST_LEVELS = 100
"""Objects in each other, in a pattern: AWS publishes no limit, and Python can't recurse for ever."""

MOST_COMBINATIONS = 1000
"""How many patterns without `$or` one with it may stand for (the AWS page on operators, "Or matching")."""

_Alternatives = list[dict[str, Leaf]]
_Names = tuple[str, ...]

# Inside the array of "$or", a name of these starts a match expression (event-ruler, Constants.java).
_MATCH_TYPES = {
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
}
_COMPARISONS = {"=", "<", "<=", ">", ">="}
_KEPT_FOR_LATER = {
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
}
_RESERVED_INSIDE_OR = _MATCH_TYPES | _COMPARISONS | _KEPT_FOR_LATER


class Pattern:
    """An event pattern, from its JSON text or the object that it says.

    Raises InvalidPattern for a document that EventBridge refuses. Matching is thread-safe and changes nothing.
    """

    __slots__ = ("_fields", "document")

    def __init__(self, document: Mapping[str, Any] | str, *, longest: int = LONGEST_PATTERN) -> None:
        """Take the pattern and how many characters it may have, which is not the same everywhere."""
        _check_length(document, longest)
        self.document: Mapping[str, Any] = _parse(document) if isinstance(document, str) else document
        self._fields = Fields(_compile(self.document))

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether the event, as `read_json` gives it, is one that the pattern wants."""
        return self._fields.match(event)

    def fits(self, event: Mapping[str, Any]) -> Iterator[Fit]:
        """Yield how the event fits each alternative that the pattern stands for: one, where it has no `$or`."""
        return self._fields.fits(event)


def _check_length(document: Mapping[str, Any] | str, longest: int) -> None:
    try:
        text = (
            document if isinstance(document, str) else json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        )
    except RecursionError as error:
        raise InvalidPattern("", "the pattern is nested too deeply") from error
    except TypeError:
        return  # a key that isn't a string, or no JSON value: _compile says where
    if len(text) > longest:
        raise InvalidPattern("", f"the pattern has {len(text)} characters, more than {longest}")


def _parse(text: str) -> Mapping[str, Any]:
    try:
        return read_json(text)  # type: ignore[no-any-return]  # _compile refuses what isn't an object
    except ValueError as error:
        raise InvalidPattern("", f"the text is not JSON: {error}") from error


def _compile(document: Mapping[str, Any]) -> _Alternatives:
    """The pattern as the patterns without `$or` that it stands for.

    A document that makes no sense with `$or` as a choice is read again with `$or` as a field's name throughout, and
    refused for the first reading's reason if that makes no sense either ("The backward compatibility of using $or",
    event-ruler's README).
    """
    if not isinstance(document, Mapping):
        raise InvalidPattern("", "the pattern must be an object")
    try:
        return _Reader(or_is_a_choice=True).read(document, (), "", [{}])
    except InvalidPattern as refusal:
        try:
            return _Reader(or_is_a_choice=False).read(document, (), "", [{}])
        except InvalidPattern:
            raise refusal from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads a document one way: `path` is where it is in the document, `names` what it is of an event."""

    or_is_a_choice: bool
    inside_or: bool = False

    def read(self, document: Mapping[str, Any], names: _Names, path: str, known: _Alternatives) -> _Alternatives:
        """Add the document's fields to every alternative; a field that is named again replaces the earlier one."""
        if not document:
            raise InvalidPattern(path, "empty objects are not allowed")
        if len(names) > MOST_LEVELS:
            raise InvalidPattern("", "the pattern is nested too deeply")
        for name, wanted in pairs_of(document):
            known = self._read_entry(name, wanted, names, f"{path}.{name}" if path else f"{name}", known)
        return known

    def _read_entry(self, name: str, wanted: Any, names: _Names, path: str, known: _Alternatives) -> _Alternatives:
        if name == "$or" and self.or_is_a_choice:
            return self._read_choice(wanted, names, path, known)
        self._check_name(name, path)
        if isinstance(wanted, Mapping):
            return self.read(wanted, (*names, name), path, known)
        if isinstance(wanted, (list, tuple)):
            leaf = Leaf.of(wanted, path)
            return [{**alternative, ".".join((*names, name)): leaf} for alternative in known]
        raise InvalidPattern(path, f'"{name}" must be an object or an array')

    def _check_name(self, name: Any, path: str) -> None:
        if not isinstance(name, str):
            raise InvalidPattern(path, "a field's name must be a string")
        if self.inside_or and name in _RESERVED_INSIDE_OR:
            raise InvalidPattern(path, f"{name} is a reserved name which cannot be used inside $or")

    def _read_choice(self, options: Any, names: _Names, path: str, known: _Alternatives) -> _Alternatives:
        if not isinstance(options, (list, tuple)) or len(options) < 2:
            raise InvalidPattern(path, "$or must be an array of 2 objects or more")
        inside = replace(self, inside_or=True)
        alternatives: _Alternatives = []
        for index, option in enumerate(options):
            if not isinstance(option, Mapping):
                raise InvalidPattern(f"{path}[{index}]", "only objects are allowed in the array of $or")
            alternatives += inside.read(option, names, f"{path}[{index}]", known)
            if len(alternatives) > MOST_COMBINATIONS:
                raise InvalidPattern(path, f"$or results in over {MOST_COMBINATIONS} rule combinations")
        return alternatives
