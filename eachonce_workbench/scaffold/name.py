"""A name as Python, AWS and people write it."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Self

from eachonce_workbench.scaffold.error import ScaffoldError

_LONGEST = 32  # of what a name begins, nothing is longer than AWS takes: a role has 64 characters, an alarm 255
# A number belongs to the word before it, as in S3Upload.
_WORDS = re.compile(r"(?:[A-Z]+(?![a-z])|[A-Z]?[a-z]+)[0-9]*|[0-9]+")


@dataclass(frozen=True, slots=True)
class Name:
    """A name, by its words in lower case.

    >>> name = Name.of("settle-bill")
    >>> name == Name.of("SettleBill") == Name.of("settle_bill")
    True
    >>> name.kebab, name.snake, name.camel
    ('settle-bill', 'settle_bill', 'SettleBill')
    """

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a name in any of its forms. Raises ScaffoldError when it is none."""
        words = tuple(word.lower() for word in _WORDS.findall(text))
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) or not words:
            raise ScaffoldError(f"{text!r} is no name: write letters and digits, such as settle-bill")
        if len(text) > _LONGEST:
            raise ScaffoldError(f"{text!r} has {len(text)} characters: AWS's names leave room for {_LONGEST}")
        if keyword.iskeyword("_".join(words)):
            raise ScaffoldError(f"{text!r} is a word of Python's own")
        return cls(words)

    @property
    def kebab(self) -> str:
        """As a consumer is called."""
        return "-".join(self.words)

    @property
    def snake(self) -> str:
        """As a folder and a module are called."""
        return "_".join(self.words)

    @property
    def camel(self) -> str:
        """As a resource and a class are called."""
        return "".join(word.capitalize() for word in self.words)

    @property
    def upper(self) -> str:
        """As an environment variable is called."""
        return self.snake.upper()
