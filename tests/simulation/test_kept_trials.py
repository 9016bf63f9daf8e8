"""What a wrong layer came to is kept, for as long as it would come to the same."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.simulation.kept_trials import KeptTrials, Tried, digest
from tests.simulation.wrong_layers import WrongLayer

LAYER = WrongLayer(name="a", module="plan", was="x", becomes="y", promises=("p",))
FOUND = Tried(broken=("p",), seed=7, seen="p: it is broken")


def test_what_was_tried_is_known_to_the_next_run(tmp_path: Path) -> None:
    """All of it, and in a folder that wasn't there."""
    path = tmp_path / "new" / "kept.jsonl"
    KeptTrials(path, code="c").note(LAYER, FOUND)
    KeptTrials(path, code="c").note(msgspec.structs.replace(LAYER, name="b"), Tried())

    assert KeptTrials(path, code="c").of(LAYER) == FOUND


@pytest.mark.parametrize("change", [{"becomes": "z"}, {"promises": ("q",)}, {"promises": (), "unseen": "why"}])
def test_another_entry_was_not_tried(tmp_path: Path, change: dict[str, object]) -> None:
    """Whatever of it is another."""
    kept = KeptTrials(tmp_path / "kept.jsonl", code="c")
    kept.note(LAYER, FOUND)

    assert kept.of(LAYER) == FOUND
    assert kept.of(msgspec.structs.replace(LAYER, **change)) is None


def test_what_was_tried_on_other_code_is_to_be_tried_again(tmp_path: Path) -> None:
    """A file that changed, came or went, in any folder; what is compiled is no code of its own."""
    code, kept = tmp_path / "code", tmp_path / "kept.jsonl"
    (code / "deep" / "__pycache__").mkdir(parents=True)
    (code / "deep" / "a.py").write_text("1")
    KeptTrials(kept, code=digest([code])).note(LAYER, FOUND)

    (code / "deep" / "__pycache__" / "a.pyc").write_text("compiled")
    same = KeptTrials(kept, code=digest([code])).of(LAYER)
    (code / "deep" / "a.py").write_text("2")

    assert same == FOUND
    assert KeptTrials(kept, code=digest([code])).of(LAYER) is None


def test_whoever_is_stopped_while_it_writes_loses_that_alone(tmp_path: Path) -> None:
    """Half a line is none, and what follows it is a line of its own."""
    path = tmp_path / "kept.jsonl"
    KeptTrials(path, code="c").note(LAYER, FOUND)
    other = msgspec.structs.replace(LAYER, name="b")
    path.write_bytes(path.read_bytes() + b'\n{"key": "')
    KeptTrials(path, code="c").note(other, FOUND)

    assert KeptTrials(path, code="c").of(LAYER) == FOUND
    assert KeptTrials(path, code="c").of(other) == FOUND
