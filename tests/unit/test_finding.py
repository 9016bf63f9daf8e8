"""Where a bundle is."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.template import TemplateError
from eachonce_workbench.template.finding import bundle_folder, find_template


@pytest.mark.parametrize("name", ["template.yaml", "template.yml"])
@pytest.mark.parametrize("below", [".", "functions/parcels"])
def test_a_template_is_found_from_wherever_one_works(tmp_path: Path, name: str, below: str) -> None:
    """In the folder itself, or above it."""
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()

    assert find_template(tmp_path / below) == tmp_path / name


def test_the_nearest_template_is_meant(tmp_path: Path) -> None:
    """A bundle may lie in another one."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "template.yaml").touch()
    (tmp_path / "inner" / "template.yml").touch()

    assert find_template(tmp_path / "inner") == tmp_path / "inner" / "template.yml"


def test_where_there_is_none_it_is_said_what_was_looked_for(tmp_path: Path) -> None:
    """And how to name another."""
    with pytest.raises(TemplateError, match=r"no template\.yaml or template\.yml here or in a folder.*--template"):
        find_template(tmp_path)


def test_a_bundle_is_where_its_template_is(tmp_path: Path) -> None:
    """What `sam build` wrote belongs to the bundle that it was built from."""
    assert bundle_folder(tmp_path / "template.yaml") == tmp_path
    assert bundle_folder(tmp_path / ".aws-sam" / "build" / "template.yaml") == tmp_path
