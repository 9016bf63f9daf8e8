"""What a shown command names, and whether it is there: verbs of the Makefile, commands and options of eachonce."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

from typer.main import get_command

from eachonce_workbench.cli.app import app
from tests.docs.pages import ROOT

_OURS = ("make", "eachonce", ".venv/bin/eachonce")
_BUNDLES_MAKEFILE = ROOT / "eachonce_workbench" / "scaffold" / "bundle" / "Makefile"


def shown_in(text: str) -> Iterator[list[str]]:
    """Yield the commands of ours in a block, as words."""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] in _OURS:
            yield words


def lacking(words: list[str]) -> list[str]:
    """Return what a command names that isn't there."""
    return _lacking_verbs(words[1:]) if words[0] == "make" else _lacking_options(words[1:])


def _lacking_verbs(words: list[str]) -> list[str]:
    return [word for word in words if re.fullmatch("[a-z]+", word) and word not in _verbs()]


def _lacking_options(words: list[str]) -> list[str]:
    command: Any = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    named = {word.partition("=")[0] for word in words if word.startswith("--")}
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    left_over = [words[0]] if words and getattr(command, "commands", {}) and not words[0].startswith("-") else []
    return [*left_over, *sorted(named - known)]


@cache
def _verbs() -> frozenset[str]:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "Makefile", _BUNDLES_MAKEFILE)]
    return frozenset(re.findall(r"^([a-z]+):", "\n".join(texts), re.MULTILINE))
