"""What the properties of a resource may look like: the numbers, words and names that AWS takes, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from eachonce_workbench.template.intrinsics import Unresolved, text
from eachonce_workbench.template.properties import whole
from eachonce_workbench.template.source import Where
from eachonce_workbench.template.type_names import did_you_mean


@dataclass(frozen=True, slots=True)
class PassedOver:
    """The place of a value that makes a difference on AWS and none here."""

    where: Where


Findings = Iterator[Unresolved | PassedOver]


class Shape(Protocol):
    """What a value may look like."""

    def findings(self, value: Any, where: Where, /) -> Findings:
        """Give what is wrong with a resolved value, and what of it is passed over."""
        ...


@dataclass(frozen=True, slots=True)
class Anything:
    """A value that makes no difference here, whatever it is."""

    def findings(self, _value: Any, _where: Where) -> Findings:
        """Give nothing."""
        yield from ()


@dataclass(frozen=True, slots=True)
class OnlyInAws:
    """A value that makes a difference on AWS and none here."""

    shape: Shape = Anything()

    def findings(self, value: Any, where: Where) -> Findings:
        """Give its place, and what is wrong with it."""
        yield PassedOver(where)
        yield from self.shape.findings(value, where)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number; CloudFormation takes one as a string, too."""

    least: int
    most: int | None = None
    besides: int | None = None

    def findings(self, value: Any, where: Where) -> Findings:
        """Give what is wrong with it."""
        number = whole(value)
        if number is None:
            yield Unresolved(where, f"{_name(where)} is a whole number, not {value!r}")
        elif number != self.besides and (number < self.least or (self.most is not None and number > self.most)):
            yield Unresolved(where, f"{_name(where)} is {self}, not {number}")

    def __str__(self) -> str:
        besides = "" if self.besides is None else f"{self.besides} or "
        return f"{besides}{self.least} to {self.most}" if self.most is not None else f"{besides}{self.least} or more"


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def findings(self, value: Any, where: Where) -> Findings:
        """Give what is wrong with it."""
        if str(value).lower() not in ("true", "false"):
            yield Unresolved(where, f"{_name(where)} is true or false, not {value!r}")


@dataclass(frozen=True, slots=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]

    def findings(self, value: Any, where: Where) -> Findings:
        """Give what is wrong with it."""
        if value not in self.words:
            yield Unresolved(where, f"{_name(where)} is one of {', '.join(self.words)}, not {value!r}")


@dataclass(frozen=True, slots=True)
class RunsFor:
    """The ARN of a resource; only those of some kinds ("sqs", "event-bus") are run here."""

    kinds: tuple[str, ...]

    def findings(self, value: Any, where: Where) -> Findings:
        """Give its place if it isn't run here, and what is wrong with it."""
        arn = text(value, where)
        if arn.count(":") < 5 or not arn.startswith("arn:"):
            yield Unresolved(where, f"{_name(where)} is an ARN, not {arn!r}")
        elif not self.admits(arn):
            yield PassedOver(where)

    def admits(self, arn: str) -> bool:
        """Whether it is run here.

        >>> RunsFor(("event-bus",)).admits("arn:aws:events:eu-west-1:123456789012:api-destination/shop/1")
        False
        """
        service, resource = (arn.split(":", 5) + [""] * 6)[2:6:3]
        return service in self.kinds or (service == "events" and resource.partition("/")[0] in self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsOf:
    """One of some words, of which only those in `run` are run here."""

    words: tuple[str, ...]
    run: tuple[str, ...]

    def findings(self, value: Any, where: Where) -> Findings:
        """Give its place if it isn't run here, and what is wrong with it."""
        yield from Word(self.words).findings(value, where)
        if value in self.words and value not in self.run:
            yield PassedOver(where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string of some characters, which are told in words; a shortest and a longest one."""

    characters: str = r"[\s\S]"
    words: str = ""
    least: int = 0
    most: int

    def findings(self, value: Any, where: Where) -> Findings:
        """Give what is wrong with it."""
        string = text(value, where)
        if not self.least <= len(string) <= self.most:
            yield Unresolved(where, f"{_name(where)} has {self.least} to {self.most} characters, not {len(string)}")
        elif not re.fullmatch(f"(?:{self.characters})*", string, re.ASCII):
            yield Unresolved(where, f"{_name(where)} is made of {self.words}; {string!r} isn't")


@dataclass(frozen=True, slots=True)
class Like:
    """A string of a form, which is told in words."""

    form: str
    words: str

    def findings(self, value: Any, where: Where) -> Findings:
        """Give what is wrong with it."""
        string = text(value, where)
        if not re.fullmatch(self.form, string, re.ASCII):
            yield Unresolved(where, f"{_name(where)} is {self.words}, not {string!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """A list."""

    of: Shape
    least: int = 0
    most: int | None = None

    def findings(self, value: Any, where: Where) -> Findings:
        """Give what is wrong with it and with its items."""
        if not isinstance(value, list):
            yield Unresolved(where, f"{_name(where)} is a list")
            return
        if len(value) < self.least:
            yield Unresolved(where, f"{_name(where)} has {self.least} or more, not {len(value)}")
        if self.most is not None and len(value) > self.most:
            yield Unresolved(where, f"{_name(where)} has {self.most} at most, not {len(value)}")
        for index, item in enumerate(value):
            yield from self.of.findings(item, (*where, index))


@dataclass(frozen=True, slots=True)
class Group:
    """Named values and no others; as JSON, too."""

    shapes: Mapping[str, Shape]
    required: tuple[str, ...] = field(default=(), kw_only=True)

    def findings(self, value: Any, where: Where) -> Findings:
        """Give what is wrong with it and with its values."""
        try:
            values = json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            yield Unresolved(where, f"{_name(where)} is no JSON: {error}")
            return
        if not isinstance(values, Mapping):
            yield Unresolved(where, f"{_name(where)} is a mapping")
            return
        for name in self.required:
            if name not in values:
                yield Unresolved(where, f"{_name(where)} needs {name}")
        for name, each in values.items():
            yield from self._inside(name, each, where)

    def _inside(self, name: str, value: Any, where: Where) -> Findings:
        shape = self.shapes.get(name)
        if shape is None:
            meant = did_you_mean(str(name), frozenset(self.shapes))
            there = "there is" if where[-1] == "Properties" else f"{_name(where)} has"
            yield Unresolved((*where, name), f"{there} no {name}{meant}")
        else:
            yield from shape.findings(value, (*where, name))


def _name(where: Where) -> str:
    """Return what a value is called: its property, whatever place it has in a list."""
    return next(str(part) for part in reversed(where) if isinstance(part, str))
