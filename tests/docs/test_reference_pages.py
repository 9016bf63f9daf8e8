"""The reference has what there is to use."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import eachonce

from tests.docs.pages import ROOT


def test_the_layers_reference_has_each_public_name() -> None:
    """A new name is a new line."""
    page = (ROOT / "docs" / "reference" / "layer.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^::: eachonce\.([A-Za-z]+)$", page, re.MULTILINE)) - {"s"} == set(eachonce.__all__)


def test_the_reference_of_commands_has_each_command_with_its_options() -> None:
    """It is made of their own help, when the site is built."""
    made = "\n".join(hook().commands())

    for command in ("run", "serve", "certify", "simulate", "dlq redrive", "why", "new consumer", "export"):
        assert f"## eachonce {command}\n" in made
    assert "| `--consumer` | Only this consumer's. |" in made


def test_links_out_of_the_site_are_left_out_of_it() -> None:
    """A file of the repository is no page; its name stays."""
    text = hook().on_page_markdown("[tests](../tests/mutants.toml), [how](architecture.md)")

    assert text == "[tests], [how](architecture.md)"


def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_hook", ROOT / "docs" / "hooks" / "site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
