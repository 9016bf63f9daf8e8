"""The words of an expression."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(
    r"""[ \t\r\n]*(?:
        (?P<name>[A-Za-z][A-Za-z0-9_]*)
        | (?P<index>[0-9]+)
        | (?P<named>\#[A-Za-z0-9_]+)
        | (?P<valued>:[A-Za-z0-9_]+)
        | (?P<symbol><=|>=|<>|[=<>()\[\],.+\-])
        | (?P<end>\Z)
        | (?P<stray>.)
    )""",
    re.DOTALL | re.VERBOSE,
)
END = "<EOF>"


@dataclass(frozen=True, slots=True)
class Token:
    """One word: `kind` is name, index, named (`#n`), valued (`:v`), symbol, end or stray."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word as keywords are compared, in whatever case they are written; empty when it can't be one."""
        return self.text.upper() if self.kind == "name" else ""


def tokens_of(text: str) -> list[Token]:
    """The words of a text, the last of them being its end."""
    found: list[Token] = []
    position = 0
    while not found or found[-1].kind != "end":
        match = _WORD.match(text, position)
        assert match is not None  # noqa: S101 - the pattern takes whatever there is
        kind = match.lastgroup or "stray"
        found.append(Token(kind, match[kind] or END, match.start(kind), match.end(kind)))
        position = match.end()
    return found
