"""Shrinking leaves what is needed, and a witness can be kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from eachonce_workbench.run.books import Input
from eachonce_workbench.run.samples import Samples
from eachonce_workbench.simulator.replay import Replay, ReplayError
from eachonce_workbench.simulator.shrink import fewest
from tests.topologies import topology

REPLAY = Replay(broken="this: that", seed=3, inputs=["first"], faults=["late: a call #1"])


@drawn(st.sets(st.integers(0, 40)), st.integers(0, 40))
def test_exactly_what_is_needed_is_left(needed: set[int], more: int) -> None:
    """Where each thing is needed or not, whatever the others are."""
    things = sorted(needed | set(range(more)))

    assert fewest(things, lambda left: needed <= set(left)) == sorted(needed)


@drawn(st.lists(st.integers(), max_size=20), st.randoms(use_true_random=False))
def test_it_ends_whatever_the_answers_are(things: list[int], random: object) -> None:
    """With a part of the things that was said to be enough, or all of them."""
    enough: list[list[int]] = [things]

    def whim(left: Sequence[int]) -> bool:
        said: bool = random.random() < 0.3  # type: ignore[attr-defined]
        if said:
            enough.append(list(left))
        return said

    assert fewest(things, whim) == enough[-1]


def test_pairs_that_need_each_other_stay_together() -> None:
    """None of them could be left out alone."""
    things = list(range(64))

    left = fewest(things, lambda rest: (3 in rest) == (60 in rest) and len(rest) >= 2)

    assert len(left) == 2


def test_few_questions_are_asked() -> None:
    """A thousand things of which two are needed are not tried one by one."""
    asked: list[int] = []

    def enough(left: Sequence[int]) -> bool:
        asked.append(len(left))
        return {17, 801} <= set(left)

    assert fewest(range(1000), enough) == [17, 801]
    assert len(asked) < 100


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Folders are made as needed."""
    path = tmp_path / "a" / "b" / "witness.json"

    REPLAY.write(path)

    assert Replay.read(path) == REPLAY


@pytest.mark.parametrize(
    "text",
    [None, "{", "[]", "{}", '{"broken": "", "seed": 0, "inputs": [], "faults": [], "more": 1}'],
    ids=["no file", "no JSON", "a list", "nothing in it", "too much in it"],
)
def test_what_is_no_witness_is_refused(tmp_path: Path, text: str | None) -> None:
    """By the file's name."""
    path = tmp_path / "witness.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ReplayError, match=r"witness\.json"):
        Replay.read(path)


def given(name: str) -> Input:
    return Input(name=name, kind="queue", target="Letters", payload=b"{}")


def test_a_replay_takes_its_inputs_from_those_there_are(tmp_path: Path) -> None:
    """In its own order, and all of them must be there."""
    books = Samples(tmp_path, topology())

    scenario = REPLAY.scenario([given("zeroth"), given("first")], books=books, template=tmp_path)

    assert [each.name for each in scenario.inputs] == ["first"]
    assert (scenario.seed, scenario.only) == (3, frozenset(REPLAY.faults))
    with pytest.raises(ReplayError, match="no input first"):
        REPLAY.scenario([given("zeroth")], books=books, template=tmp_path)
