"""Blocks into template.yaml, whose comments and order stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from eachonce_workbench.scaffold.error import ScaffoldError
from eachonce_workbench.template.source import Source

_NAMED = re.compile(r"!Ref ([A-Za-z0-9]+)|!GetAtt ([A-Za-z0-9]+)\.|\$\{([A-Za-z0-9]+)\}|!If \[([A-Za-z0-9]+),")
_SECTION = re.compile(r"  # -{10,} ")


def inserted(source: Source, text: str, block: str, *, after: str | None = None) -> str:
    """Return the text of a template with a block of resources more.

    It comes after the resource `after` and what stands with it, or else at the end of the resources. Raises
    ScaffoldError when the template has one of its resources already, or lacks what the block names.
    """
    _check(source, block)
    lines = text.splitlines(keepends=True)
    place = _end_of(source, lines, after)
    before, rest = lines[:place], lines[place:]
    while before and not before[-1].strip():
        before.pop()
    while rest and not rest[0].strip():
        rest.pop(0)
    if before and not before[-1].endswith("\n"):
        before[-1] += "\n"
    return "".join([*before, "\n", block, *(["\n", *rest] if rest else [])])


def _end_of(source: Source, lines: list[str], after: str | None) -> int:
    """Return the index of the first line that belongs to the resource after `after`, or to what follows the resources.

    A resource's comments stand before it.
    """
    resources = source.document["Resources"]
    starts = sorted(source.lines["Resources", name] - 1 for name in resources)
    begun = starts[-1] if after is None else source.lines["Resources", after] - 1
    later = [start for start in starts if start > begun]
    tops = [source.lines[(name,)] - 1 for name in source.document if source.lines[(name,)] - 1 > begun]
    end = min([*later, *tops, len(lines)])
    while end > begun + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def last_of(source: Source, text: str, kind: str) -> str | None:
    """Return the last resource of a section such as "consumer", by the comment that begins it; None without one."""
    lines = text.splitlines()
    inside: dict[str, str] = {}
    for name in source.document["Resources"]:
        above = lines[: source.lines["Resources", name] - 1]
        section = next((line for line in reversed(above) if _SECTION.match(line)), "")
        if section.rpartition("- ")[2].startswith(f"{kind}: "):
            inside[kind] = name
    return inside.get(kind)


def names_in(block: str) -> Mapping[str, None]:
    """Return what a block names of the template around it, in its order."""
    made = set(_made(block))
    named = (next(filter(None, match)) for match in _NAMED.findall(block))
    return dict.fromkeys(name for name in named if name not in made and not name.startswith("AWS"))


def _made(block: str) -> Iterator[str]:
    return (match[1] for match in re.finditer(r"^  ([A-Za-z0-9]+):$", block, re.MULTILINE))


def _check(source: Source, block: str) -> None:
    document: Mapping[str, Any] = source.document
    there = [name for name in _made(block) if name in document["Resources"]]
    if there:
        raise ScaffoldError(f"{source.file}:{source.line(('Resources', there[0]))}: there is {there[0]} already")
    known = {name for part in ("Resources", "Parameters", "Conditions") for name in document.get(part) or ()}
    lacking = [name for name in names_in(block) if name not in known]
    if lacking:
        raise ScaffoldError(
            f"{source.file} has no {', '.join(lacking)}, which the block needs; "
            "`eachonce new bundle DIR` writes a template that has them"
        )
