"""The page of troubles quotes messages that the code has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
MESSAGES = [
    text for cell in re.findall(r"^\| ([^|]*`[^|]*) \|", PAGE, re.MULTILINE) for text in re.findall("`([^`]+)`", cell)
]

# Others' words: Python's, botocore's, AWS's own, and those of typer.
THEIRS = {
    "Invalid value for --port: 4566: Address already in use",
    "Could not connect to the endpoint URL",
    "ResourceNotFoundException",
    "aws sqs",
    "AWS_ENDPOINT_URL",
}


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """The texts in the code, those of f-strings with a NUL for what they fill in."""
    return list(_texts())


def _texts() -> Iterator[str]:
    for folder in (ROOT / "layers" / "eachonce" / "eachonce", ROOT / "eachonce_workbench"):
        for path in folder.rglob("*.py"):
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            inner = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
            for node in nodes:
                match node:
                    case ast.Constant(value=str(text)) if id(node) not in inner:
                        yield text
                    case ast.JoinedStr(values=parts):
                        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in parts)


@pytest.mark.parametrize("message", sorted(set(MESSAGES) - THEIRS))
def test_a_message_is_one_that_the_code_has(message: str, texts: list[str]) -> None:
    """Whoever changes a message changes the page."""
    assert any(_fits(text, message) for text in texts)


def _fits(text: str, message: str) -> bool:
    """Whether a message may come of a text: most of it is what the text has as it is; `...` is what is left out."""
    parts = [part for part in text.split("\0") if part.strip(" :.,'")]
    shown = re.search(".*".join(map(re.escape, parts)), message)
    if shown is not None and 5 * sum(map(len, parts)) > 2 * len(message):
        return True
    pieces = [piece.strip(" :") for piece in message.split("...") if len(piece.strip()) > 6]
    return bool(pieces) and all(piece in text for piece in pieces)
