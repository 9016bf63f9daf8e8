"""A walk through a page, as its reader would: what it shows is run, and prints what it says."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import Block, blocks
from tests.docs.shell import Shell, end_of_match

_PORT = "4566"


def walk(page: Path, folder: Path, shell: Shell) -> None:
    """Run a page's commands, and write its files, in a folder in which the shell has begun.

    The port of the local cloud is one that is free here. Raises AssertionError, which names the block.
    """
    port = str(_free_port())
    shell.run(f"export PORT={port}")
    for block, output in _with_output(blocks(page)):
        try:
            _step(block, output, folder, shell, port)
        except AssertionError as error:
            raise AssertionError(f"{block.place}: {error}") from error


def _step(block: Block, output: Block | None, folder: Path, shell: Shell, port: str) -> None:
    text = block.text.replace(_PORT, port)
    if not block.runs:
        return
    if block.title is not None:
        where = Path(shell.run("pwd").strip())
        assert where.is_relative_to(folder), f"the page has left its folder, for {where}"
        (where / block.title).parent.mkdir(parents=True, exist_ok=True)
        (where / block.title).write_text(text, encoding="utf-8")
    elif "then it prints" in block.notes:
        shell.wait_for(text)
    elif "meanwhile" in block.notes:
        shell.begin(text)
        if output is not None:
            shell.wait_for(output.text.replace(_PORT, port))
    elif block.language == "sh":
        printed = shell.run(text, fails="fails" in block.notes)
        if output is not None and "unchecked" not in output.notes:
            expected = output.text.replace(_PORT, port)
            fits = end_of_match(expected, printed.splitlines(), whole=True) is not None
            assert fits, f"it prints\n{printed}\nand the page says\n{expected}"


def _with_output(found: list[Block]) -> Iterator[tuple[Block, Block | None]]:
    """Yield blocks, each with what it prints: the text right after it."""
    taken: Block | None = None
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block is taken:
            continue
        prints = block.language == "sh" and following is not None and following.language == "text"
        taken = following if prints and following is not None and "then it prints" not in following.notes else None
        yield block, taken


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
