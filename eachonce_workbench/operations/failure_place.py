"""Where a handler failed: file and line of its own code, as its traceback says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_FRAME = re.compile(r'^  File "([^"\n]+)", line (\d+), in (.+)$', re.MULTILINE)
# What the layer says of an exception that a handler raised (its `failure.py`).
_REASON = re.compile(r"\bthe handler failed at ([^\s:]+):(\d+)$")
# Code that is nobody's own: libraries, the runtime, and what is in no file.
_LIBRARIES = re.compile(r"/site-packages/|/dist-packages/|/lib/python3|^/var/runtime/|/eachonce/eachonce/|^<")


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePlace:
    """A line of a handler's code; `function` is the Python function that it is in, empty where nobody says."""

    file: str
    line: int
    function: str = ""

    def __str__(self) -> str:
        """As editors take it."""
        return f"{self.file}:{self.line}"

    @property
    def short(self) -> str:
        """Without the folder."""
        return f"{Path(self.file).name}:{self.line}"


def place_in_trace(trace: str, own: Iterable[Path] = ()) -> FailurePlace | None:
    """Return the innermost place in the handler's own code, in a traceback as the layer logs it: the latest first.

    `own` are the folders whose code is the handler's own; code in none of them will do, if it is no library's.

    >>> str(place_in_trace('  File "/post/app.py", line 7, in count'))
    '/post/app.py:7'
    """
    first = trace.partition("\n\n")[0]
    frames = [FailurePlace(file=file, line=int(line), function=name) for file, line, name in _FRAME.findall(first)]
    folders = [folder.resolve() for folder in own]
    inside = [frame for frame in frames if any(Path(frame.file).is_relative_to(folder) for folder in folders)]
    others = [frame for frame in frames if not _LIBRARIES.search(frame.file)]
    return next(reversed(inside or others), None)


def place_in_reason(reason: str) -> FailurePlace | None:
    """Return the place that the layer names in a reason; all that a dead letter knows.

    >>> str(place_in_reason("it failed 10 times; the last time: the handler failed at app.py:7"))
    'app.py:7'
    """
    found = _REASON.search(reason)
    return None if found is None else FailurePlace(file=found[1], line=int(found[2]))
