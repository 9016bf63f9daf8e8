"""What is derived from the contracts, and each sample fed to its function."""

import pytest
from contracts import EVENTS

from shop.export import documents, schemas
from tests.shop.place import ROOT


@pytest.mark.parametrize("path", sorted(documents()))
def test_what_is_derived_has_not_drifted(path: str) -> None:
    """`make export` writes it anew."""
    assert (ROOT / path).read_text(encoding="utf-8") == documents()[path]


def test_nothing_else_lies_among_the_derived_documents() -> None:
    """A sample of a function that is gone would be found here."""
    there = {
        str(path.relative_to(ROOT)) for folder in ("docs/events", "events") for path in (ROOT / folder).rglob("*.json")
    }

    assert there == set(documents())


def test_every_event_type_has_its_schema() -> None:
    """By the name that the event carries as its type."""
    assert {f"docs/events/{contract.event_type()}.json" for contract in EVENTS} <= schemas().keys()
