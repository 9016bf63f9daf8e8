"""The pages, and the blocks in them.

A fence is one of these:

================================  ====================================================================================
```python                         runs, after all others of its page, in the page's own namespace
```sh                             runs in the page's shell, after all others of its page
```text                           right after a ```sh: what that prints, `...` for anything; else a picture
```LANGUAGE title="PATH"          is that file, in the page's folder
```json, ```yaml, ```toml         is read
================================  ====================================================================================

A comment in front of it says what the page doesn't show:

================================  ====================================================================================
<!-- not run: WHY -->             it can't run here; what it names must be there all the same
<!-- unchecked: WHY -->           of a ```text: nothing is compared
<!-- meanwhile -->                of a ```sh: it keeps running until the page ends; the ```text after it comes first
<!-- then it prints -->           of a ```text: what the one that keeps running prints since
<!-- fails -->                    of a ```sh: its last command ends with another status than 0
<!-- python ... --> and           code of that language that runs and isn't shown
<!-- sh ... -->
================================  ====================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = {"python", "sh", "text", "json", "yaml", "toml"}

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")
_NOTE = re.compile(r"^ *<!-- (?P<what>not run|unchecked|meanwhile|then it prints|fails)(: (?P<why>.+))? -->$")
_HIDDEN = re.compile(r"^<!-- (?P<language>python|sh)$")
_TITLE = re.compile(r'title="(?P<path>[^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block, or a hidden one: `line` is its first line of text, and `notes` what is said in front of it."""

    page: Path
    line: int
    language: str
    text: str
    title: str | None = None
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether it can run here."""
        return "not run" not in self.notes


def pages() -> list[Path]:
    """Return every page: those of the site, and those that stand at the root."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(page: Path) -> list[Block]:
    """Return a page's blocks, in their order. Raises ValueError for one that doesn't end, or has no language."""
    return list(_blocks(page, page.read_text(encoding="utf-8").splitlines()))


def _blocks(page: Path, lines: list[str]) -> Iterator[Block]:
    notes: dict[str, str] = {}
    place = 0
    while place < len(lines):
        line = lines[place]
        if note := _NOTE.match(line):
            notes[note["what"]] = note["why"] or ""
        elif hidden := _HIDDEN.match(line):
            end = _end(page, lines, place, "-->")
            yield Block(
                page=page, line=place + 2, language=hidden["language"], text=_text(lines[place + 1 : end]), notes=notes
            )
            notes, place = {}, end
        elif fence := _FENCE.match(line):
            end = _end(page, lines, place, fence["indent"] + "```")
            yield _block(page, place, fence, lines[place + 1 : end], notes)
            notes, place = {}, end
        elif line.strip():
            notes = {}
        place += 1


def _block(page: Path, place: int, fence: re.Match[str], lines: list[str], notes: dict[str, str]) -> Block:
    language, _, more = fence["info"].partition(" ")
    if language not in LANGUAGES:
        raise ValueError(f"{page}:{place + 1}: a fence says its language, one of {', '.join(sorted(LANGUAGES))}")
    title = _TITLE.search(more)
    indent = len(fence["indent"])
    return Block(
        page=page,
        line=place + 2,
        language=language,
        text=_text([line[indent:] for line in lines]),
        title=None if title is None else title["path"],
        notes=notes,
    )


def _end(page: Path, lines: list[str], start: int, mark: str) -> int:
    for place in range(start + 1, len(lines)):
        if lines[place].rstrip() == mark:
            return place
    raise ValueError(f"{page}:{start + 1}: it doesn't end")


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
