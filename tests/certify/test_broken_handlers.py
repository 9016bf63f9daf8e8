"""The examination finds out every handler that depends on more than its event, and accuses no sound one."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.certify.examination import Bounds, examine
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.verdict import GOOD, Verdict
from eachonce_workbench.certify.witness import Cause
from tests.certify.broken import BROKEN
from tests.certify.sound import SOUND

TWINS = {consumer: kind for kind, consumer in SOUND.items()}


@pytest.fixture(autouse=True)
def _receipts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where handlers that write files write them."""
    monkeypatch.setenv("RECEIPTS", str(tmp_path))


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_handler_is_found_out_for_what_it_does(kind: str) -> None:
    """The witness names the cause, and shows with three events or fewer two ways that differ."""
    consumer, cause = BROKEN[kind]

    examined = examine(Subject.of(consumer), Bounds(crowds=2))

    witnesses = [pair.witness for pair in examined.pairs if pair.witness is not None]
    assert {witness.cause for witness in witnesses} == {cause}
    assert all(witness.one_value != witness.other_value for witness in witnesses)
    assert all(len([line for line in witness.events if line.startswith("e")]) <= 3 for witness in witnesses)
    assert {pair.verdict for pair in examined.pairs} - set(GOOD) == {_accusation(cause)}
    assert not examined.passes


@pytest.mark.parametrize("consumer", TWINS, ids=TWINS.values())
def test_a_sound_twin_is_not_accused(consumer: object) -> None:
    """What one would write instead holds in every order, with every fault."""
    examined = examine(Subject.of(SOUND[TWINS[consumer]]), Bounds(crowds=2))

    assert [pair.witness for pair in examined.pairs if pair.witness is not None] == []
    assert examined.passes
    assert examined.independent


def test_what_a_handler_remembers_of_the_same_event_is_told_first() -> None:
    """Nothing is easier to see than an event that is run twice."""
    consumer, _ = BROKEN["memory of the module"]

    (pair,) = examine(Subject.of(consumer), Bounds(crowds=2)).pairs

    assert pair.witness is not None
    assert (pair.witness.one, pair.witness.other) == ("it runs for the first time", "it runs again")


def test_every_broken_handler_has_a_sound_twin() -> None:
    """For each mistake there is a way to say it right."""
    assert SOUND.keys() == BROKEN.keys()


def _accusation(cause: Cause) -> Verdict:
    return Verdict.ORDER if cause is Cause.ORDER else Verdict.UNSOUND
