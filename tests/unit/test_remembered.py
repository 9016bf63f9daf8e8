"""A template that was translated before is not translated again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eachonce_workbench.template import remembered, translation
from eachonce_workbench.template.source import Source

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Size: {Type: String}}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: app.handler, Runtime: python3.11, MemorySize: !Ref Size}
"""


class Counted:
    """The translator, and how often it was asked."""

    def __init__(self) -> None:
        self.times = 0
        self._translate = translation.translate

    def __call__(self, *arguments: Any) -> dict[str, Any]:
        self.times += 1
        return self._translate(*arguments)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "eachonce" / "translations"


@pytest.fixture
def translate(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(translation, "translate", counted)
    return counted


@pytest.fixture
def source(tmp_path: Path) -> Callable[[str], Source]:
    def write(text: str) -> Source:
        (tmp_path / "template.yaml").write_text(text)
        return Source.read(tmp_path / "template.yaml")

    return write


def test_the_same_is_translated_once(cache: Path, translate: Counted, source: Any) -> None:
    """And what is remembered is what the translator gave."""
    first, again = (remembered.translated(source(TEMPLATE), {"Size": "128"}, "eu-west-1") for _ in range(2))

    assert first == again
    assert first["Resources"]["Fn"]["Type"] == "AWS::Lambda::Function"
    assert translate.times == 1


@pytest.mark.parametrize(
    ("text", "size", "region"),
    [
        (TEMPLATE.replace("app.handler", "other.handler"), "128", "eu-west-1"),
        (TEMPLATE, "256", "eu-west-1"),
        (TEMPLATE, "128", "us-east-1"),
    ],
    ids=["the template", "a parameter", "the region"],
)
def test_whatever_it_depends_on_makes_another(
    cache: Path, translate: Counted, source: Any, text: str, size: str, region: str
) -> None:
    """The version of the translator and of our own code are part of it, too."""
    remembered.translated(source(TEMPLATE), {"Size": "128"}, "eu-west-1")

    remembered.translated(source(text), {"Size": size}, region)

    assert translate.times == 2


@pytest.mark.parametrize("spoilt", ["", "{", "[1, "])
def test_a_file_that_is_spoilt_is_written_anew(cache: Path, translate: Counted, source: Any, spoilt: str) -> None:
    """As after a disk that was full."""
    made = remembered.translated(source(TEMPLATE), {"Size": "128"}, "eu-west-1")
    (file,) = cache.iterdir()
    file.write_text(spoilt)

    assert remembered.translated(source(TEMPLATE), {"Size": "128"}, "eu-west-1") == made
    assert remembered.translated(source(TEMPLATE), {"Size": "128"}, "eu-west-1") == made
    assert translate.times == 2


def test_a_folder_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, translate: Counted, source: Any
) -> None:
    """Then nothing is remembered."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    for _ in range(2):
        assert remembered.translated(source(TEMPLATE), {"Size": "128"}, "eu-west-1")["Resources"]

    assert translate.times == 2


def test_only_the_newest_are_kept(
    cache: Path, monkeypatch: pytest.MonkeyPatch, translate: Counted, source: Any
) -> None:
    """The folder doesn't grow with every change of a template."""
    monkeypatch.setattr(remembered, "_MOST_FILES", 2)

    for size in ("128", "256", "512"):
        remembered.translated(source(TEMPLATE), {"Size": size}, "eu-west-1")
    remembered.translated(source(TEMPLATE), {"Size": "512"}, "eu-west-1")

    assert len(list(cache.iterdir())) == 2
    assert translate.times == 3
