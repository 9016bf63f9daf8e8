"""A statement of a policy, with its conditions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Who may do what with what, and under which conditions; `principals` are by kind, such as "Service".

    `conditions` are the wanted values by operator and key, both in lower case.
    """

    allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    all_but_actions: bool = False
    all_but_resources: bool = False
    all_but_principals: bool = False

    @property
    def is_for_anybody(self) -> bool:
        """Whether its principals are everybody, AWS's customers and others."""
        return self.all_but_principals or any("*" in each for each in self.principals.values())

    def covers(self, action: str) -> bool:
        """Whether it is about an action."""
        named = any(_pattern(each.lower()).fullmatch(action.lower()) for each in self.actions)
        return named is not self.all_but_actions

    def concerns(self, arn: str) -> bool:
        """Whether it is about a resource."""
        there = any(_pattern(each).fullmatch(arn) for each in self.resources)
        return there is not self.all_but_resources

    def condition(self, key: str, *operators: str) -> tuple[str, ...] | None:
        """Return the values that a key is to have by one of these operators; None where nothing is asked of it."""
        found = (self.conditions.get((operator.lower(), key.lower())) for operator in operators)
        return next((each for each in found if each is not None), None)


def statements_of(document: Any) -> Iterator[Statement]:
    """Give the statements of a policy document, or of one statement by itself; none of what is neither."""
    found = document.get("Statement", document if "Effect" in document else None) if _is_mapping(document) else None
    return (statement_of(each) for each in listed(found) if _is_mapping(each))


def statement_of(each: Mapping[str, Any]) -> Statement:
    """Read one statement; what it doesn't say is empty."""
    principal = each.get("Principal", each.get("NotPrincipal", {}))
    named = {"AWS": principal} if isinstance(principal, str) else principal
    return Statement(
        allow=each.get("Effect") == "Allow",
        principals={kind: texts(names) for kind, names in named.items()},
        actions=texts(each.get("Action", each.get("NotAction"))),
        resources=texts(each.get("Resource", each.get("NotResource"))),
        conditions={
            (operator.lower(), key.lower()): tuple(
                value.lower() if value in ("True", "False") else value for value in texts(values)
            )
            for operator, keys in mapping(each.get("Condition")).items()
            for key, values in mapping(keys).items()
        },
        all_but_actions="NotAction" in each,
        all_but_resources="NotResource" in each,
        all_but_principals="NotPrincipal" in each,
    )


def listed(value: Any) -> Sequence[Any]:
    """Return what is written alone or in a list."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def texts(value: Any) -> tuple[str, ...]:
    """Return texts that are written alone or in a list."""
    return tuple(map(str, listed(value)))


def has_wildcard(text: str) -> bool:
    """Whether a part of it may be anything, as IAM reads it."""
    return "*" in text or "?" in text


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a value that is a mapping, and an empty one for any other."""
    return value if isinstance(value, Mapping) else {}


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in text), re.DOTALL)
