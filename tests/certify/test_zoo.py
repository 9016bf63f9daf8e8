"""No mistake of the post office is certified, and none of the ways to say it right is accused."""

from __future__ import annotations

import pytest

from eachonce_workbench.certify.examination import Bounds, examine
from eachonce_workbench.certify.subject import Subject
from tests.certify.zoo import BROKEN, SOUND

# What the mistakes need is found before: the rest is as small as it can be.
SMALL = Bounds(events=2, crowds=2)
# Nothing is wrong with what these do, and nothing is done.
UNTRIED = {
    "always fails",
    "waits for what nobody writes",
    "puts blindly",
    "puts blindly in one case",
    "begins what it never runs",
    "each waits for the other",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_mistake_is_not_certified(kind: str) -> None:
    """It has a witness; or nothing was done, and the verdict says so."""
    examined = examine(Subject.of(BROKEN[kind]), SMALL)

    assert not examined.passes
    assert any(pair.witness for pair in examined.pairs) == (kind not in UNTRIED)
    assert any(pair.why for pair in examined.pairs) == (kind in UNTRIED)


@pytest.mark.parametrize("kind", SOUND)
def test_what_is_right_is_certified(kind: str) -> None:
    """Neither accused nor doubted."""
    examined = examine(Subject.of(SOUND[kind]), SMALL)

    assert [(pair.verdict, pair.witness, pair.why) for pair in examined.pairs if pair.witness or pair.why] == []
    assert examined.passes


def test_every_mistake_can_be_said_right() -> None:
    """For each there is a twin."""
    assert SOUND.keys() == BROKEN.keys()
