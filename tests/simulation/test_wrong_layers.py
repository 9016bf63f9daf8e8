"""The list of wrong layers: each is one change of the layer as it is, and is undone again."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from eachonce.errors import Reject
from eachonce.journal import State
from eachonce.ledger import require_deaths_below

from tests.simulation.wrong_layers import WrongLayer

LAYERS = WrongLayer.read()
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", LAYERS)
def test_each_text_is_in_the_layer_once(name: str) -> None:
    """Who changes the layer changes the list: else a wrong layer is the right one."""
    wrong = LAYERS[name]
    text = Path(str(importlib.import_module(f"eachonce.{wrong.module}").__file__)).read_text()

    assert text.count(wrong.was) == 1
    compile(text.replace(wrong.was, wrong.becomes), wrong.module, "exec")


def test_most_break_a_promise() -> None:
    """Of sixty or more."""
    breaking = [wrong for wrong in LAYERS.values() if wrong.promises]

    assert len(LAYERS) >= 60
    assert len(breaking) >= 0.8 * len(LAYERS)


def test_whoever_has_imported_a_function_has_the_wrong_one_meanwhile() -> None:
    """And the right one afterwards."""
    row = {"state": State.STARTED, "begun": {"1-a", "1-b"}}

    def accuse() -> None:
        require_deaths_below(3, row, now=NOW)

    accuse()
    with LAYERS["one death is enough"].in_place(), pytest.raises(Reject):
        accuse()
    accuse()


def test_a_constant_is_changed_too() -> None:
    """As the functions of its module see it."""
    from eachonce import ledger

    before = ledger._MOST_ERRORS
    with LAYERS["ten errors are one"].in_place():
        assert ledger._MOST_ERRORS == 1
    assert before == ledger._MOST_ERRORS


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ('name = "a"\nmodule = "plan"\nwas = "x"\nbecomes = "y"', "either promises, or why it is unseen"),
        ('name = "a"\nmodule = "plan"\nwas = "x"\nbecomes = "y"\npromises = ["p"]\nunseen = "q"', "either promises"),
    ],
)
def test_an_entry_says_what_it_breaks(tmp_path: Path, entry: str, told: str) -> None:
    """Or why nobody sees it."""
    path = tmp_path / "list.toml"
    path.write_text(f"[[wrong]]\n{entry}\n")

    with pytest.raises(ValueError, match=told):
        WrongLayer.read(path)


def test_two_have_two_names(tmp_path: Path) -> None:
    """They are asked for by them."""
    entry = '[[wrong]]\nname = "a"\nmodule = "plan"\nwas = "x"\nbecomes = "y"\npromises = ["p"]\n'
    path = tmp_path / "list.toml"
    path.write_text(entry * 2)

    with pytest.raises(ValueError, match="one name"):
        WrongLayer.read(path)
