"""A line is a queue from anywhere in which one can be taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eachonce_workbench.cloud.store.queues.line import Line


@given(st.lists(st.none() | st.integers(0, 300), max_size=500))
def test_a_line_loses_and_doubles_nothing(moves: list[int | None]) -> None:
    """Whatever joins (None) and whichever place is taken, each thing comes out once."""
    line: Line[int] = Line()
    joined, taken = 0, []
    for place in moves:
        if place is None or not line:
            line.append(joined)
            joined += 1
        else:
            taken.append(line.take(place % len(line)))

    rest = [line.take() for _ in range(len(line))]

    assert sorted(taken + rest) == list(range(joined))


def test_taking_the_front_keeps_the_order() -> None:
    """First in, first out, however long the line has been."""
    line: Line[int] = Line()
    for number in range(1000):
        line.append(number)

    assert [line.take() for _ in range(1000)] == list(range(1000))


@pytest.mark.parametrize("place", [-1, 1])
def test_nobody_can_be_taken_from_outside_the_line(place: int) -> None:
    """A wrong place is an error, not somebody else."""
    line: Line[int] = Line()
    line.append(0)

    with pytest.raises(IndexError):
        line.take(place)
