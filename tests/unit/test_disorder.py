"""Disorder is seeded, bounded, and off by default."""

import pytest

from eachonce_workbench.cloud.store.queues.disorder import Disorder

DRAWS = 10_000


def test_without_duplicates_everything_is_delivered_once_and_deleted() -> None:
    """The default is a queue that happens to behave."""
    disorder = Disorder(1)

    drawn = {(disorder.copies("q", "{}"), disorder.redeliver("q", "{}")) for _ in range(100)}

    assert drawn == {(1, False)}


def test_without_shuffle_the_oldest_is_next() -> None:
    """Duplicates alone do not reorder."""
    disorder = Disorder(1, duplicates=0.5)

    assert {disorder.pick(n) for n in range(1, 100)} == {0}


def test_half_of_the_duplicates_are_copies_and_half_are_lost_deletes() -> None:
    """A share of 0.4 is 0.2 of deliveries doubled and 0.2 of deletes lost, within sampling error."""
    disorder = Disorder(7, duplicates=0.4)

    copies = sum(disorder.copies("q", "{}") - 1 for _ in range(DRAWS)) / DRAWS
    lost = sum(disorder.redeliver("q", "{}") for _ in range(DRAWS)) / DRAWS

    assert copies == pytest.approx(0.2, abs=0.02)
    assert lost == pytest.approx(0.2, abs=0.02)


def test_shuffle_picks_from_everywhere() -> None:
    """Every visible message can be the next one."""
    disorder = Disorder(3, shuffle=True)

    assert {disorder.pick(5) for _ in range(500)} == {0, 1, 2, 3, 4}


def test_the_same_seed_decides_the_same_way() -> None:
    """A run can be run again."""

    def decisions(seed: int) -> list[tuple[int, bool, int]]:
        disorder = Disorder(seed, duplicates=0.5, shuffle=True)
        return [(disorder.copies("q", "{}"), disorder.redeliver("q", "{}"), disorder.pick(9)) for _ in range(50)]

    assert decisions(11) == decisions(11)
    assert decisions(11) != decisions(12)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    """There is no share of 110 %."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        Disorder(1, duplicates=share)
