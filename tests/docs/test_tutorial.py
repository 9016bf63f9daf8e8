"""The tutorial, from an empty folder and the two wheels to a consumer that is certified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.shell import Shell
from tests.docs.walk import walk
from tests.installation import Installation

TUTORIAL = ROOT / "docs" / "tutorial.md"


@pytest.mark.long
def test_the_tutorial_alone_makes_a_consumer_that_fails_visibly_and_is_mended_redriven_and_certified(
    installation: Installation, bare: Mapping[str, str], tmp_path: Path
) -> None:
    """Every command is the page's own, and everything comes from the wheels."""
    for wheel in installation.wheels:
        (tmp_path / wheel.name).write_bytes(wheel.read_bytes())

    with Shell(tmp_path, bare) as shell:
        walk(TUTORIAL, tmp_path, shell)
        where = shell.run("python3 -c 'import eachonce, eachonce_workbench as w; print(eachonce.__file__, w.__file__)'")

    assert str(ROOT) not in where
    assert where.count(str(tmp_path / ".venv")) == 2
