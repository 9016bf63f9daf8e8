"""A standard queue delivers fairly, by the rule that SQS documents."""

from __future__ import annotations

import time

import pytest

from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.cloud.store.queues.message import Message
from eachonce_workbench.cloud.store.queues.messages import Messages

DAY = 86_400.0
# Long after any window of busy seconds in which a test began.
LATER = 10_000.0


def send(messages: Messages, *names: str, group: str | None = None, now: float = 0.0) -> None:
    for name in names:
        messages.send(Message(id=name, body=name, attributes={}, group_id=group), now)


def take(messages: Messages, limit: int, now: float) -> list[str]:
    taken = messages.receive(limit, now, visibility_seconds=DAY, retention_seconds=10 * DAY, max_receives=None)
    return [message.id for message in taken.messages]


def finish(messages: Messages, *names: str, now: float) -> None:
    for name in names:
        messages.delete(messages._held[name].receipt, now)


def queue(disorder: Disorder | None = None) -> Messages:
    return Messages("q", fifo=False, disorder=Disorder(0) if disorder is None else disorder)


def numbered(name: str, count: int) -> list[str]:
    return [f"{name}{n}" for n in range(count)]


def test_quiet_groups_come_oldest_first() -> None:
    """As messages without a group do, and among them."""
    messages = queue()
    send(messages, "a0", group="a")
    send(messages, "x0")
    send(messages, "b0", group="b")
    send(messages, "a1", group="a")
    send(messages, "x1")

    assert take(messages, 10, 0.0) == ["a0", "x0", "b0", "a1", "x1"]


@pytest.mark.parametrize(
    ("in_flight", "of_others", "waits"),
    [(29, 0, False), (30, 0, True), (30, 270, False), (30, 269, True), (200, 1900, False)],
    ids=["29", "30", "30, a tenth", "30, more than a tenth", "many, less than a tenth"],
)
def test_a_group_is_noisy_with_thirty_in_flight_that_are_more_than_a_tenth(
    in_flight: int, of_others: int, waits: bool
) -> None:
    """Then its messages wait for those of all others, though they are older."""
    messages = queue()
    send(messages, *numbered("a", in_flight), group="a")
    send(messages, *numbered("x", of_others))
    take(messages, in_flight + of_others, 0.0)
    send(messages, "a", group="a")
    send(messages, "b", group="b")
    send(messages, "x")

    assert take(messages, 10, 0.0) == (["b", "x", "a"] if waits else ["a", "b", "x"])


@pytest.mark.parametrize(("seconds", "waits"), [(10.0, False), (12.0, True)], ids=["a tenth", "more than a tenth"])
def test_a_group_is_noisy_that_keeps_consumers_busy_for_more_than_a_tenth_of_their_time(
    seconds: float, waits: bool
) -> None:
    """However few its messages are: they may be slow."""
    messages = queue()
    send(messages, "a0", group="a", now=LATER)
    send(messages, *numbered("x", 9), now=LATER)
    take(messages, 10, LATER)
    finish(messages, *numbered("x", 9), now=LATER + 10)
    finish(messages, "a0", now=LATER + seconds)
    send(messages, "a", group="a", now=LATER + 20)
    send(messages, "b", group="b", now=LATER + 20)

    assert take(messages, 10, LATER + 20) == (["b", "a"] if waits else ["a", "b"])


def test_what_a_group_took_long_ago_is_forgotten() -> None:
    """It says nothing of the group as it is now."""
    messages = queue()
    send(messages, "a0", group="a", now=LATER)
    take(messages, 1, LATER)
    finish(messages, "a0", now=LATER + 100)
    send(messages, "a", group="a", now=LATER + 300)
    send(messages, "b", group="b", now=LATER + 300)

    assert take(messages, 10, LATER + 300) == ["a", "b"]


def test_a_noisy_group_gets_what_no_other_wants() -> None:
    """Nothing of it is dropped or held back: a receive takes it when no quiet message is there."""
    messages = queue()
    send(messages, *numbered("a", 100), group="a")
    take(messages, 40, 0.0)
    send(messages, "b", group="b")

    assert take(messages, 3, 0.0) == ["b", "a40", "a41"]
    assert len(take(messages, 100, 0.0)) == 58


def test_of_several_noisy_groups_the_one_with_the_fewest_in_flight_is_first() -> None:
    """So they share what there is."""
    messages = queue()
    send(messages, *numbered("a", 60), group="a")
    send(messages, *numbered("b", 60), group="b")
    for group, count in (("a", 40), ("b", 37)):
        for name in numbered(group, count):
            message = messages._held[name]
            messages._hand_over(message, 0.0, DAY)

    assert take(messages, 5, 0.0) == ["b37", "b38", "b39", "a40", "b40"]


def test_a_noisy_group_is_quiet_again_when_nothing_of_it_waits() -> None:
    """What it sends then stands where it was sent, as long as the group takes no more than others do."""
    messages = queue()
    send(messages, *numbered("a", 31), group="a")
    take(messages, 31, 0.0)
    finish(messages, *numbered("a", 31), now=0.0)
    send(messages, "a", group="a")
    send(messages, "b", group="b")

    assert take(messages, 10, 0.0) == ["a", "b"]


def test_a_noisy_group_is_quiet_again_after_five_minutes_without_a_message() -> None:
    """Its backlog stands before what is younger then."""
    messages = queue()
    send(messages, *numbered("a", 40), group="a")
    take(messages, 30, 0.0)
    send(messages, "b", group="b", now=1.0)
    assert take(messages, 2, 1.0) == ["b", "a30"]
    send(messages, "c", group="c", now=299.0)
    assert take(messages, 1, 299.0) == ["c"]
    send(messages, "d", group="d", now=300.0)

    assert take(messages, 2, 300.0) == ["a31", "a32"]


def test_a_message_that_comes_again_is_its_groups() -> None:
    """It is in flight no more, and waits as any other of its group."""
    messages = queue()
    send(messages, *numbered("a", 30), group="a")
    messages.receive(30, 0.0, visibility_seconds=5, retention_seconds=DAY, max_receives=None)

    assert sorted(take(messages, 30, 6.0)) == sorted(numbered("a", 30))


@pytest.mark.parametrize("seed", range(5))
def test_disorder_loses_and_doubles_no_message_of_a_group(seed: int) -> None:
    """Any may overtake any, and a noisy group is the last all the same."""
    messages = queue(Disorder(seed, shuffle=True))
    sent = [*numbered("a", 50), *numbered("b", 10), *numbered("x", 10)]
    send(messages, *numbered("a", 50), group="a")
    take(messages, 40, 0.0)
    send(messages, *numbered("b", 10), group="b")
    send(messages, *numbered("x", 10))

    last = take(messages, 100, 0.0)

    assert len(last) == len(set(last)) == len(sent) - 40
    assert {name[0] for name in last[-10:]} == {"a"}


def test_no_group_is_kept_that_has_nothing_here() -> None:
    """A queue with a new tenant for each message would grow for ever."""
    messages = queue()
    for n in range(100):
        send(messages, f"m{n}", group=f"tenant-{n}")
        take(messages, 1, 0.0)
        finish(messages, f"m{n}", now=0.0)
    take(messages, 1, 0.0)

    assert not messages._order._tenants._tenants  # type: ignore[attr-defined]


def test_a_receive_costs_as_much_whatever_a_noisy_group_has_sent() -> None:
    """Its backlog is walked over neither when it becomes noisy nor later; counted in processor time, and generously."""

    def cost(backlog: int) -> float:
        messages = queue()
        send(messages, *numbered("a", backlog), group="a")
        take(messages, 30, 0.0)
        send(messages, *numbered("b", 50), group="b")
        begun = time.process_time()
        for _ in range(50):
            take(messages, 1, 0.0)
        return time.process_time() - begun

    assert cost(60_000) < 20 * cost(600) + 0.05
