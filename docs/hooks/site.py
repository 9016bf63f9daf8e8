"""What the site makes of this repository beside its pages: the commands' own help, and the files at the root."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# Where the pages of files at the root are, by the marks in them.
_INCLUDED = re.compile(r"^<!-- include: (\S+) -->$", re.MULTILINE)
_COMMANDS = "<!-- commands -->"
_OUTSIDE = re.compile(r"\]\((?:\.\./)+(?!events/)([^)#]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in what a page asks for, and name what isn't a part of the site without a link."""
    text = _INCLUDED.sub(lambda found: (ROOT / found[1]).read_text(encoding="utf-8"), markdown)
    if _COMMANDS in text:
        text = text.replace(_COMMANDS, "\n".join(commands()))
    return _OUTSIDE.sub(_unlinked, text)


def _unlinked(found: re.Match[str]) -> str:
    """Return the link as it is where it leads to a page, and else without its target: the file is in the repository."""
    is_page = (ROOT / "docs" / found[1]).is_file() and found[1].endswith(".md")
    return found[0] if is_page else "]"


def commands() -> Iterator[str]:
    """Yield every command's own help, as Markdown."""
    from typer.main import get_command

    from eachonce_workbench.cli.app import app

    yield from _helped(get_command(app), "eachonce")


def _helped(command: Any, name: str) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    if not inner:
        yield from _described(command, name)
    for word, each in inner.items():
        yield from _helped(each, f"{name} {word}")


def _described(command: Any, name: str) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    yield f"## {name}\n"
    yield f"`{' '.join([name, *(_argument(each) for each in arguments), '[OPTIONS]'])}`\n"
    yield f"{_plain(command.help)}\n"
    if options:
        yield "| option | | default |\n|---|---|---|"
    for each in options:
        yield f"| `{', '.join(each.opts)}` | {_cell(each.help)} | {_cell(_default(each))} |"
    yield ""


def _argument(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _default(option: Any) -> str:
    if isinstance(option.show_default, str):
        return option.show_default
    return "" if option.is_flag or option.default is None else str(option.default)


def _plain(text: str | None) -> str:
    return re.sub(r"\s*\n\s*\n\s*", "\n\n", (text or "").replace("\f", "")).strip()


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")
