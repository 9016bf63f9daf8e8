"""Chaos decides by the seed and by what a decision is about, and by nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eachonce_workbench.cloud.faults.fault import CallFault, faults_of
from eachonce_workbench.simulator.chaos import PROFILES, Chaos, Unruly
from eachonce_workbench.simulator.fault import DeliveryFault

HEAVY = PROFILES["heavy"]
FAULTS = faults_of("UpdateItem")
BODY = (
    '{"id": "of-the-bus", "detail-type": "T", "detail": {"specversion": "1.0", "id": "e-1", "data": {"id": "other"}}}'
)


def met(chaos: Chaos, events: list[str]) -> dict[str, CallFault | None]:
    return {event: chaos.call("ledger.begin UpdateItem", event, FAULTS) for event in events}


@given(st.integers(), st.permutations([f"e-{number}" for number in range(30)]))
def test_a_delivery_fares_the_same_whatever_came_before_it(seed: int, events: list[str]) -> None:
    """The order in which chaos is asked changes nothing."""
    in_order, shuffled = Chaos(seed, HEAVY), Chaos(seed, HEAVY)

    assert {event: in_order.delivery(DeliveryFault.DELETE_LOST, event) for event in sorted(events)} == {
        event: shuffled.delivery(DeliveryFault.DELETE_LOST, event) for event in events
    }


def test_another_seed_decides_otherwise() -> None:
    """And the same one alike."""
    events = [f"e-{number}" for number in range(300)]
    one, same, other = (met(Chaos(seed, HEAVY), events) for seed in (1, 1, 2))

    assert one == same
    assert one != other


def test_the_same_thing_may_go_wrong_the_second_time() -> None:
    """Each time is a decision of its own, with a name of its own."""
    chaos = Chaos(0, HEAVY)

    for _ in range(200):
        chaos.delivery(DeliveryFault.DELETE_LOST, "e-1")

    assert 5 < len(chaos.happened) < 60
    assert len(set(chaos.happened)) == len(chaos.happened)
    assert all(name.startswith("delete lost: e-1 #") for name in chaos.happened)


def test_only_what_is_listed_happens() -> None:
    """Whatever else the seed would have."""
    whole = Chaos(3, HEAVY)
    events = [f"e-{number}" for number in range(100)]
    found = met(whole, events)
    listed = frozenset(whole.happened[:2])

    chosen = Chaos(3, HEAVY, only=listed)

    assert {event: fault for event, fault in met(chosen, events).items() if fault} == {
        event: fault for event, fault in found.items() if f"{fault}: ledger.begin UpdateItem {event} #1" in listed
    }
    assert set(chosen.happened) == listed


def test_without_a_profile_or_after_the_end_nothing_happens() -> None:
    """Not even what is rare."""
    for chaos in (Chaos(0, PROFILES["none"]), Chaos(0, HEAVY)):
        chaos.end()
        met(chaos, [f"e-{number}" for number in range(100)])
        assert not any(chaos.often(DeliveryFault.ONE_REASON, "a site") for _ in range(100))
        assert chaos.happened == []


def test_each_fault_is_met_early() -> None:
    """A call that is seldom made meets all its faults while a tenth of them would do without that."""
    chaos = Chaos(0, HEAVY)

    seen = Counter(met(chaos, [f"e-{number}" for number in range(60)]).values())

    assert all(seen[fault] for fault in FAULTS)
    assert seen[None] > 30


@pytest.mark.parametrize("seed", range(3))
def test_the_disorder_of_queues_stays_within_what_sqs_may_do(seed: int) -> None:
    """Nobody gets an empty batch, a negative delay, or a message that isn't there."""
    chaos = Chaos(seed, HEAVY)
    unruly = Unruly(chaos)
    arn = "arn:aws:sqs:eu-west-1:123456789012:letters"

    assert {unruly.copies(arn, BODY) for _ in range(300)} == {1, 2, 3}
    delays = {unruly.delay_seconds(arn, BODY) for _ in range(100)}
    assert 0.0 in delays
    assert max(delays) <= 600
    assert {unruly.batch("letters", 3) for _ in range(300)} == {1, 2, 3}
    assert unruly.batch("letters", 1) == 1
    hidden = {unruly.hidden_seconds("letters", BODY, 30.0) for _ in range(100)}
    assert 30.0 in hidden
    assert min(hidden) < 0.2
    assert {unruly.pick(3) for _ in range(300)} == {0, 1, 2}
    assert unruly.pick(1) == 0
    assert {unruly.redeliver("letters", BODY) for _ in range(100)} == {False, True}
    assert {name.rpartition(" #")[0] for name in chaos.happened if name.startswith("delete lost")} == {
        "delete lost: letters e-1"
    }


def test_what_has_no_event_is_a_message() -> None:
    """A body that nobody can read is delivered like any other."""
    chaos = Chaos(0, HEAVY)
    unruly = Unruly(chaos)

    for _ in range(100):
        unruly.redeliver("letters", "no JSON")

    assert {name.rpartition(" #")[0] for name in chaos.happened} == {"delete lost: letters a message"}
