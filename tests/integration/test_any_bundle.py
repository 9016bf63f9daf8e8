"""The commands work on a bundle that they have never heard of, with the layer or without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bundles import LEND, ROOT, books, eachonce, library, parcels, post_office


def test_samples_go_where_their_function_gets_them_from(tmp_path: Path) -> None:
    """A request to the function itself, a message into its queue; each function has its line."""
    bundle = library(tmp_path / "library", lend={"book": "Emma"}, shelve=books("Emma", "Persuasion"))

    ended = eachonce("run", bundle=bundle)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    words = [line.replace("│", " ").split() for line in ended.stdout.splitlines()]
    assert ["Lend", "1", "1", "-", "-", "0", "0"] in words
    assert ["Shelve", "2", "2", "-", "-", "0", "0"] in words
    assert ended.stdout.splitlines()[-1] == "3 inputs sent, 0 failed; nothing compared: the bundle has no books"


def test_what_fails_is_told_by_function_file_and_line(tmp_path: Path) -> None:
    """A message that a function without the layer can't read ends in its dead-letter queue, and the status is 1."""
    bundle = library(tmp_path / "library", lend={"title": "Emma"}, shelve=books("Emma"))

    ended = eachonce("run", "--json", bundle=bundle)

    result = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert "Lend: KeyError: 'book' (lend/app.py:10)" in result["failing"]
    assert "fails: Lend: KeyError: 'book' (lend/app.py:10)" in ended.stderr.splitlines()
    assert [line for line in result["failed"] if line.startswith("lend/one.json: KeyError")]
    assert result["consumers"]["Shelve"]["Done"] == 1


def test_a_function_that_can_not_be_imported_ends_it_at_once(tmp_path: Path) -> None:
    """By the line that is to blame."""
    bundle = library(tmp_path / "library", shelve=books("Emma"), lend={"book": "Emma"})
    (bundle / "lend" / "app.py").write_text(LEND.replace("import boto3", "import botany"))

    ended = eachonce("run", bundle=bundle)

    assert ended.returncode == 1
    assert "Lend: Runtime.ImportModuleError: Unable to import module 'app': No module named 'botany'" in ended.stderr
    assert "(lend/app.py:4)" in ended.stderr


def test_a_bundle_without_books_and_samples_has_nothing_to_send(tmp_path: Path) -> None:
    """It is said where they are looked for."""
    ended = eachonce("run", bundle=library(tmp_path / "library"))

    assert ended.returncode == 2
    assert "no sample in" in ended.stderr


@pytest.mark.parametrize("command", ["run", "simulate", "certify"])
def test_where_nothing_can_be_written_is_told_first(command: str, tmp_path: Path) -> None:
    """Before anything is run."""
    (tmp_path / "file").touch()
    bundle = post_office(tmp_path / "post", weigh=parcels("e-1"))

    ended = eachonce(command, "--out", str(tmp_path / "file"), bundle=bundle)

    assert ended.returncode == 2
    assert "--out" in ended.stderr


def test_a_template_elsewhere_is_named(tmp_path: Path) -> None:
    """By --template, and all else is relative to its folder."""
    bundle = post_office(tmp_path / "post", weigh=parcels("e-1", "e-2", "e-1"))

    ended = eachonce("run", "--template", str(bundle / "template.yaml"), "--json", bundle=tmp_path)

    assert ended.returncode == 0, ended.stderr
    counts = json.loads(ended.stdout)["consumers"]["Weigh"]
    assert (counts["Delivered"], counts["Done"], counts["Duplicate"]) == (3, 2, 1)


def test_a_bundle_without_books_is_judged_by_what_it_comes_to_without_faults(tmp_path: Path) -> None:
    """The bundle itself is the oracle."""
    bundle = post_office(tmp_path / "post", weigh=parcels(*(f"e-{number}" for number in range(5))))

    ended = eachonce("simulate", "--singles", "20", bundle=bundle)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.splitlines()[-1].startswith("holds: whatever went wrong, ")


def test_a_right_that_is_missing_is_told_before_aws_does(tmp_path: Path) -> None:
    """The local cloud asks for none, and everything works there."""
    bundle = post_office(tmp_path / "post", weigh=parcels("e-1"))
    template = bundle / "template.yaml"
    template.write_text(template.read_text().replace("        - DynamoDBCrudPolicy: {TableName: !Ref Weights}\n", ""))

    ended = eachonce("simulate", "--singles", "5", bundle=bundle)

    assert ended.returncode == 1
    assert "denied: Weigh needs dynamodb:UpdateItem on eachonce-Weights, which its role doesn't allow" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("broken: roles don't allow what functions do; ")


def test_a_certificate_takes_its_consumers_from_the_template(tmp_path: Path) -> None:
    """Whatever they are called."""
    ended = eachonce("certify", "--events", "2", "--json", bundle=post_office(tmp_path / "post"))

    (consumer,) = json.loads(ended.stdout)["consumers"]
    assert ended.returncode == 0, ended.stderr
    assert consumer["consumer"] == "weigh"


def test_every_function_gets_samples(tmp_path: Path) -> None:
    """By its contract, or as far as the template tells; and they can be run."""
    for make in (library, post_office):
        bundle = make(tmp_path / make.__name__)

        ended = eachonce("export", bundle=bundle)

        assert ended.returncode == 0, ended.stderr
        there = {str(path.relative_to(bundle)) for path in bundle.rglob("*.json")}
        if make is library:
            assert there == {"events/shelve/message.json", "events/lend/event.json"}
        else:
            assert {"docs/events/Weighed.json", "events/weigh/Weighed.json", "events/weigh/batch.json"} <= there
            assert eachonce("run", bundle=bundle).returncode == 0


def test_the_tool_knows_its_version() -> None:
    """A number, as its distribution has it."""
    ended = eachonce("--version", bundle=ROOT)

    assert ended.returncode == 0
    assert ended.stdout.split()[0] == "eachonce"
