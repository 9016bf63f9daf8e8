"""`eachonce certify`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from eachonce_workbench.cli.certify import certify
from eachonce_workbench.version import version
from tests.typed import said, typed

SOUND = ["--handler", "tests.certify.sound:added"]
BROKEN = ["--handler", "tests.certify.broken:arrival"]

run = partial(typed, certify)


def test_a_dependence_is_told_with_its_witness_and_ends_with_1() -> None:
    """A person sees the two orders and the two values."""
    result = run(*BROKEN)

    assert result.exit_code == 1
    assert "stall: not independent" in result.stdout
    assert "depends on order" in result.stdout
    assert "the other: e2; e1" in result.stdout


def test_a_consumer_that_asks_for_order_may_depend_on_it() -> None:
    """It is told all the same."""
    result = run("--handler", "tests.certify.broken:in_order")

    assert result.exit_code == 0
    assert "stall-in-order: needs order, and asks for it" in result.stdout
    assert "the other: e2; e1" in result.stdout


def test_the_certificate_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    """For programs, for people, and as a picture."""
    result = run(*BROKEN, "--out", str(tmp_path / "here" / "there"))

    folder = tmp_path / "here" / "there"
    certificate = json.loads((folder / "certificate.json").read_text())
    (pair,) = certificate["consumers"][0]["pairs"]
    assert result.exit_code == 1
    assert f"wrote {folder / 'certificate.md'}" in result.stderr.splitlines()
    assert sorted(path.name for path in folder.iterdir()) == ["certificate.json", "certificate.md", "matrix.svg"]
    assert certificate["bounds"] == {"events": 3, "faults": 1, "crowds": 8, "seed": 0}
    assert not certificate["passes"]
    assert (pair["types"], pair["verdict"]) == (["Priced", "Priced"], "depends on order")
    seen = pair["witness"]
    assert (seen["one"], seen["other"]) == ("e1; e2", "e2; e1")
    assert [step["told"] for step in seen["other_steps"]] == ["e2", "e1"]
    where = seen["where"].partition(", ")[0]
    first, last = ([step["there"][where] for step in seen[way]] for way in ("one_steps", "other_steps"))
    assert first == last[::-1]
    assert f"price: {seen['other_value']}" in last[-1]
    assert "| Priced | Priced | depends on order |" in (folder / "certificate.md").read_text()


def test_the_picture_says_each_verdict_in_words_too(tmp_path: Path) -> None:
    """It is an SVG with a legend, and with a title on each square."""
    run("--handler", "tests.certify.broken:two_guards", "--faults", "0", "--out", str(tmp_path))

    picture = ET.fromstring((tmp_path / "matrix.svg").read_text())
    words = {element.text for element in picture.iter() if element.text}
    assert "Reduced and Priced: depends on order" in words
    assert "Priced and Priced: commutes by guard" in words
    assert {"I: independent", "O: depends on order", "U: unsound"} <= words
    assert "Which events of which consumer are independent of each other" in words
    assert f"eachonce {version()}" in words
    bounds = "8 crowds of 3 events for every two types, at most 0 faults in a schedule, events drawn from seed 0"
    assert bounds in words
    assert "prefers-color-scheme: dark" in (tmp_path / "matrix.svg").read_text()


@pytest.mark.parametrize("handler", [SOUND, BROKEN, ["--handler", "tests.certify.broken:lucky"]])
def test_the_same_seed_gives_the_same_bytes(handler: list[str], tmp_path: Path) -> None:
    """A certificate can be made again and compared."""
    for place in ("one", "two"):
        run(*handler, "--seed", "7", "--events", "2", "--out", str(tmp_path / place))

    for name in ("certificate.json", "certificate.md", "matrix.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_another_seed_draws_other_events(tmp_path: Path) -> None:
    """The bounds in the certificate say which."""
    counts = [
        json.loads(run(*SOUND, "--seed", seed, "--faults", "0", "--json").stdout)["consumers"][0]["explored"]
        for seed in "123"
    ]

    assert len({tuple(count.items()) for count in counts}) > 1


def test_the_code_of_a_certificate_is_that_of_its_handlers() -> None:
    """Other handlers, another digest; the same handlers, the same one."""
    codes = [
        json.loads(run("--handler", name, "--json", "--faults", "0").stdout)
        for name in ("tests.certify.sound:added", "tests.certify.sound:exact", "tests.certify.broken:arrival")
    ]

    added, exact, arrival = (code["consumers"][0]["code"] for code in codes)
    assert added == exact != arrival


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--handler", "tests.certify.sound"], "names no consumer: write module:object"),
        (["--handler", "no_such_module:consumer"], "there is no module no_such_module"),
        (["--handler", "tests.certify.stall:consumer"], "has no consumer; it has no consumer"),
        (["--handler", "tests.certify.broken:Till"], "is a type and no Consumer; its consumers are anew, arrival,"),
        (["--consumer", "track-customer", *SOUND], "either --consumer or --handler, not both"),
        (["--events", "0"], "--events"),
        (["--faults", "-1"], "--faults"),
    ],
)
def test_a_wrong_argument_ends_with_2_and_says_what_is_right(arguments: list[str], message: str) -> None:
    """Nothing is certified, and nothing is printed but the error."""
    result = run(*arguments)

    assert result.exit_code == 2
    assert message in said(result)
    assert result.stdout == ""
