"""Trouble: which functions fail, on what, and where in their code."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.template.topology import Function, Topology

# As Python, and the runtime client in its error documents, write the frames of a traceback.
_FRAME = re.compile(r'File "([^"]+)",? [lL]ine (\d+)')
_MISSING = re.compile(r"No module named '([\w.]+)'|cannot import name '\w+' from '([\w.]+)'")
_LONGEST = 300


class BrokenFunctionError(Exception):
    """A function can't be imported, so that nothing will come of what it is sent; the message says why, and where."""


class Trouble:
    """Notes failures; subscribe it to a History."""

    def __init__(self, topology: Topology, *, root: Path) -> None:
        """Take whose functions they are; files are named as they lie below `root`."""
        self._topology = topology
        self._root = root
        self._failures: Counter[str] = Counter()
        self.broken: str | None = None

    def __call__(self, happening: Happening) -> None:
        """Note a failure, if it is one."""
        match happening.kind:
            case "attempted" if happening.fields["status"] not in ("ok", "throttled"):
                self._failed(happening.fields)
            case "log":
                self._logged(happening.fields)

    def lines(self) -> list[str]:
        """Return a line for each way in which a function fails, the most frequent first."""
        return [f"{line}{f', {count} times' if count > 1 else ''}" for line, count in self._failures.most_common()]

    def _failed(self, fields: Mapping[str, Any]) -> None:
        function = self._topology.function(fields["function"])
        document = _document(fields.get("document") or b"")
        reason = fields.get("error_message") or str(document.get("errorMessage") or "")
        line = self._line(function, f"{fields['error_type']}: {reason}", document.get("stackTrace") or ())
        self._failures[line] += 1
        if fields.get("at_start") and self.broken is None:
            self.broken = line

    def _logged(self, fields: Mapping[str, Any]) -> None:
        """Note what the layer says of an exception that it caught."""
        document = _document(fields["line"].encode()) if '"exception' in fields["line"] else {}
        if (trace := document.get("exception")) and isinstance(trace, str):
            said = str(document.get("error") or document.get("exception_name") or trace.strip().rpartition("\n")[2])
            self._failures[self._line(self._topology.function(fields["function"]), said, [trace])] += 1

    def _line(self, function: Function, reason: str, trace: Any) -> str:
        place = self._place(function, trace) or self._importing(function, reason)
        first = reason.strip().split("\n")[0][:_LONGEST]
        return f"{function.logical_id}: {first}{'' if place is None else f' ({place})'}"

    def _place(self, function: Function, trace: Any) -> str | None:
        """Return the innermost line of the function's own code, or of its layers."""
        frames = [frame for part in trace if isinstance(part, str) for frame in _FRAME.findall(part)]
        own = [(path, line) for path, line in frames if Path(path).is_relative_to(function.code)]
        layers = [
            (path, line)
            for path, line in frames
            if any(Path(path).is_relative_to(folder) for folder in function.layers)
        ]
        path, line = (own or layers or [("", "")])[-1]
        return self._named(Path(path), line) if path else None

    def _importing(self, function: Function, reason: str) -> str | None:
        """Return the line that imports what isn't there: Lambda's own words don't name it."""
        found = _MISSING.search(reason)
        if found is None:
            return None
        wanted = found[1] or found[2]
        for path in sorted(function.code.glob("**/*.py")):
            for line, name in _imports(path):
                if name == wanted or name.startswith(f"{wanted}.") or wanted.startswith(f"{name}."):
                    return self._named(path, str(line))
        return None

    def _named(self, path: Path, line: str) -> str:
        return f"{path.relative_to(self._root) if path.is_relative_to(self._root) else path}:{line}"


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.lineno, node.module


def _document(text: bytes) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return document if isinstance(document, dict) else {}
