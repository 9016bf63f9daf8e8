"""The shop's certificate."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from eachonce_workbench.certify.last import LastCertificate
from eachonce_workbench.cli.certify import certify
from eachonce_workbench.run.bundle import Bundle
from eachonce_workbench.run.kept import kept
from tests.shop.place import TEMPLATE
from tests.typed import said, typed

CONSUMERS = ("notify-customer", "reserve-stock", "tally-sales", "track-customer")

run = partial(typed, certify)


@pytest.fixture(autouse=True)
def _kept_elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test certifies is no result of the shop's."""
    monkeypatch.setattr(Bundle, "kept", tmp_path_factory.mktemp("kept"))


def test_the_bundle_is_independent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each consumer is certified, whichever there are, and nothing is written anywhere; `make certify` adds faults."""
    monkeypatch.chdir(tmp_path)

    result = run("--template", str(TEMPLATE), "--json", "--events", "2", "--faults", "0")

    certificate = json.loads(result.stdout)
    verdicts = {one["consumer"]: {pair["verdict"] for pair in one["pairs"]} for one in certificate["consumers"]}
    assert result.exit_code == 0
    assert certificate["passes"]
    assert verdicts == verdicts | {
        "reserve-stock": {"commutes"},
        "tally-sales": {"commutes"},
        "track-customer": {"commutes by guard"},
        "notify-customer": {"external"},
    }
    assert list(tmp_path.iterdir()) == []


def test_one_consumer_is_certified_by_its_name() -> None:
    """The others are left alone, and the bundle keeps what was proved."""
    result = run("--template", str(TEMPLATE), "--consumer", "track-customer", "--faults", "0")

    assert result.exit_code == 0
    assert "track-customer: independent" in result.stdout
    assert "reserve-stock" not in result.stdout
    last = kept(Bundle.find(TEMPLATE).kept / "certificate.json", LastCertificate)
    assert last is not None
    assert (last.passes, [each.consumer for each in last.consumers]) == (True, ["track-customer"])
    assert last.asked[:4] == ["--template", "template.yaml", "--consumer", "track-customer"]


def test_an_unknown_consumer_hears_which_there_are() -> None:
    """And nothing is certified."""
    result = run("--template", str(TEMPLATE), "--consumer", "nobody")

    assert result.exit_code == 2
    assert "there is no consumer nobody; there are " in said(result)
    assert all(consumer in said(result) for consumer in CONSUMERS)
