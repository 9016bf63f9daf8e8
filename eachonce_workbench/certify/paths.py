"""Paths: which lines of a handler's code have been taken, and which never were."""

from __future__ import annotations

import dis
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import CO_GENERATOR
from pathlib import PurePath
from types import CodeType, FrameType
from typing import Any

_ATTRIBUTES = frozenset({"LOAD_METHOD", "LOAD_ATTR"})
# What the compiler adds to a line, and no line is made of.
_NO_LINES = frozenset({"RESUME", "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "NOP"})


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """A line of code, and the variables and the attributes that it reads."""

    file: str
    number: int
    variables: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{PurePath(self.file).name}:{self.number}"


class Paths:
    """The code of some handlers, and what was taken of it while it was watched: instructions, so that no branch hides.

    While somebody else's tracer is at work, as a debugger's, it stands aside.
    """

    def __init__(self, bodies: Iterable[CodeType]) -> None:
        self._bodies = frozenset(bodies)
        self.taken: set[tuple[CodeType, int]] = set()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note what is taken meanwhile."""
        taken = self.taken

        def enter(frame: FrameType, _: str, __: Any) -> Any:
            if frame.f_code not in self._bodies:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            return step

        def step(frame: FrameType, event: str, _: Any) -> Any:
            if event == "opcode":
                taken.add((frame.f_code, frame.f_lasti))
            return step

        before = sys.gettrace()
        sys.settrace(enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def untaken(self, bodies: Iterable[CodeType]) -> list[Line]:
        """Return the lines of these bodies that were never taken, in their order; none of a body that wasn't entered.

        Who calls such a body is what was not taken.
        """
        taken: dict[CodeType, set[int]] = defaultdict(set)
        for code, offset in self.taken:
            taken[code].add(offset)
        lines: list[Line] = []
        for code in bodies:
            if code in taken:
                read = _lines(code)
                lines += [
                    Line(code.co_filename, number, frozenset(found.variables), frozenset(found.attributes))
                    for number, found in read.items()
                    if not found.offsets & taken[code]
                ]
        return sorted(lines, key=lambda line: (line.file, line.number))


@dataclass(slots=True)
class _Read:
    """A line's instructions, by their offsets, and what they read."""

    offsets: set[int] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)


def _lines(code: CodeType) -> dict[int, _Read]:
    """Return the lines of a body."""
    found: dict[int, _Read] = defaultdict(_Read)
    for instruction in dis.get_instructions(code):
        line = instruction.positions.lineno if instruction.positions is not None else None
        if line == code.co_firstlineno and code.co_flags & CO_GENERATOR:
            continue  # where it is made
        if line is not None and instruction.opname not in _NO_LINES:
            found[line].offsets.add(instruction.offset)
            if instruction.opname.startswith(("LOAD_FAST", "LOAD_DEREF", "LOAD_CLOSURE")):
                found[line].variables.add(str(instruction.argval))
            elif instruction.opname in _ATTRIBUTES:
                found[line].attributes.add(str(instruction.argval))
    return found
