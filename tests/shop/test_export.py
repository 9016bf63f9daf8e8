"""What is derived from the shop's contracts."""

from pathlib import Path

import pytest
from contracts import EVENTS

from eachonce_workbench.export.documents import Documents, documents
from eachonce_workbench.template import load
from shop.books import Shop
from tests.shop.place import ROOT, TEMPLATE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Documents:
    books = Shop()
    folder: Path = tmp_path_factory.mktemp("made")
    return documents(TEMPLATE, load(TEMPLATE, parameters=books.parameters(folder)), books)


def test_what_is_derived_has_not_drifted(made: Documents) -> None:
    """`make export` writes it anew, and nothing else lies beside it: a sample of a function that is gone, say."""
    there = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in ("docs/events", "events")
        for path in (ROOT / folder).rglob("*.json")
    }

    assert there == made.derived
    assert (made.first, made.unknown) == ({}, ())


def test_every_event_type_has_its_schema(made: Documents) -> None:
    """By the name that the event carries as its type."""
    assert {f"docs/events/{contract.event_type()}.json" for contract in EVENTS} <= made.derived.keys()
