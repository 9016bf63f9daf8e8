"""The Python of each page runs, one block after the other, in a namespace of the page's own."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.pages import ROOT, Block, blocks, pages


def examples(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python" and block.title is None and block.runs]


@pytest.mark.parametrize(
    "page", [page for page in pages() if examples(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_the_python_of_a_page_runs(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its reader would, from the first line to the last; what it sets in the environment is forgotten after it."""
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # where a dataclass looks for itself
    vars(module)["monkeypatch"] = monkeypatch

    for block in examples(page):
        # As many empty lines in front as the page has, so that a traceback names the page's own line.
        exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), vars(module))
