"""What pages show: all of it has a language, can be read, and names what is there."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from eachonce_workbench.template.source import Source
from tests.docs.commands import lacking, shown_in
from tests.docs.pages import ROOT, Block, blocks, pages

PAGES = pages()
BLOCKS = [block for page in PAGES for block in blocks(page)]
SHELL = [block for block in BLOCKS if block.language == "sh"]

# Why a block may not run here. A new reason is a new line.
REASONS = {
    "CI runs them, .ci/run",
    "it was installed before this page began",
    "it asks for a deployed stack",
    "it needs an AWS account",
    "it stands in every new bundle, as tests/test_consumers.py, and the tutorial runs it",
    "it takes minutes, or a whole clone; .ci/run and tests of its own run it",
    "tests/shop/test_operations_cli.py runs such commands",
    "the tutorial runs them where there are dead letters",
    "version 1 or 2 of the AWS CLI isn't installed here; tests/shop/test_serve.py makes such calls with boto3",
}


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_what_does_not_run_says_why_and_the_reasons_are_these() -> None:
    """Else a command that nobody runs would look like the others."""
    reasons = {block.notes["not run"] for block in BLOCKS if not block.runs}

    assert reasons <= REASONS


def test_no_command_is_shown_as_mere_text() -> None:
    """A text is a picture, or what a command prints."""
    commands = re.compile(r"^(\$ |make |eachonce [a-z]|pip |python3? |aws |sam )", re.MULTILINE)

    assert [block.place for block in BLOCKS if block.language == "text" and commands.search(block.text)] == []


@pytest.mark.parametrize("block", SHELL, ids=lambda block: block.place)
def test_a_shown_command_can_be_read_and_names_what_is_there(block: Block) -> None:
    """Be it run here or not: verbs, commands and options are those of this version."""
    read = subprocess.run(["bash", "-n"], input=block.text, text=True, capture_output=True, check=False)

    assert read.stderr == ""
    assert [(words, missing) for words in shown_in(block.text) if (missing := lacking(words))] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_within_sentences_name_what_is_there(page: Path) -> None:
    """`make verb` and `eachonce command --option` in a line of text."""
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))

    assert [(words, missing) for span in spans for words in _shown(span) if (missing := lacking(words))] == []


def _shown(span: str) -> list[list[str]]:
    return list(shown_in(span)) if span.startswith(("make ", "eachonce ", ".venv/bin/eachonce ")) else []


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language in {"json", "yaml", "toml"}], ids=lambda block: block.place
)
def test_a_shown_document_can_be_read(block: Block, tmp_path: Path) -> None:
    """By the readers of its language; templates by the tools' own."""
    if block.language == "json":
        json.loads(block.text)
    elif block.language == "toml":
        tomllib.loads(block.text)
    elif "Transform:" in block.text:
        path = tmp_path / "template.yaml"
        path.write_text(block.text, encoding="utf-8")
        assert "Resources" in Source.read(path).document
    else:
        assert yaml.safe_load(block.text) is not None
