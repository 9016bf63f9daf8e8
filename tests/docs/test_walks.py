"""The commands of each page run, one after the other, where the wheels are installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, pages
from tests.docs.shell import Shell
from tests.docs.test_tutorial import TUTORIAL
from tests.docs.walk import walk
from tests.installation import Installation


def walks(page: Path) -> bool:
    return page != TUTORIAL and any(block.language == "sh" and block.runs for block in blocks(page))


@pytest.mark.parametrize("page", list(filter(walks, pages())), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_run_and_print_what_it_says(
    page: Path, installation: Installation, bare: Mapping[str, str], tmp_path: Path
) -> None:
    """In an empty folder."""
    environment = {**bare, "PATH": f"{installation.folder / 'bin'}:{bare['PATH']}"}

    with Shell(tmp_path, environment) as shell:
        walk(page, tmp_path, shell)
