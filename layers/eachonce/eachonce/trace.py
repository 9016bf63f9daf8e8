"""Traces: where an exception comes from, without what it says, since a message may hold values of an event."""

from __future__ import annotations

import os
import traceback
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

# The innermost frames and the latest exceptions tell most; there may be thousands of both.
_MOST_FRAMES = 20
_MOST_EXCEPTIONS = 10

_LAYER = f"{Path(__file__).parent}{os.sep}"
# The standard library's, those that Lambda's runtime brings along, and code that is in no file.
_LIBRARIES = (_LAYER, f"{Path(os.__file__).parent}{os.sep}", "/var/runtime/", "<")


def code_of(error: BaseException) -> CodeType | None:
    """Return the innermost Python code that an exception went through; None where that is the layer's own."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return None if not codes or codes[-1].co_filename.startswith(_LAYER) else codes[-1]


def place_of(error: BaseException) -> str | None:
    """Return the innermost place in code that is neither the layer's nor a library's, as `app.py:17`; None without."""
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if not file.startswith(_LIBRARIES) and f"{os.sep}site-packages{os.sep}" not in file:
            place = f"{Path(file).name}:{line}"
    return place


def trace_of(error: BaseException) -> str:
    """Return the tracebacks of an exception and of all that led to it, the latest first.

    They have no messages and notes, and no lines of code, in which a message may stand.
    """
    return "".join(f"{link}{_frames(one)}{_name(one)}\n" for link, one in _family(error))


def _frames(error: BaseException) -> str:
    frames = deque(traceback.walk_tb(error.__traceback__), _MOST_FRAMES)
    lines = (f'  File "{frame.f_code.co_filename}", line {line}, in {frame.f_code.co_name}\n' for frame, line in frames)
    return "".join(("Traceback (most recent call last):\n", *lines)) if frames else ""


def _family(error: BaseException) -> list[tuple[str, BaseException]]:
    family, known = [("", error)], {id(error)}
    for _, one in family:  # which grows meanwhile
        for link, other in _kin(one):
            if id(other) not in known and len(family) < _MOST_EXCEPTIONS:
                family.append((f"\n{link}:\n", other))
                known.add(id(other))
    return family


def _kin(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    if error.__cause__ is not None:
        yield f"the cause of {_name(error)}", error.__cause__
    elif error.__context__ is not None and not error.__suppress_context__:
        yield f"{_name(error)} was raised while this was handled", error.__context__
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield f"one of the {_name(error)}", one


def _name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
