"""A queue's contents behave as SQS's do, at a cost that does not grow with them."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.cloud.store.queues.message import Message
from eachonce_workbench.cloud.store.queues.messages import (
    Depth,
    Messages,
    ReceiptExpiredError,
    ReceiptInvalidError,
    Received,
)

RETENTION_SECONDS = 10_000.0


def queue(*, fifo: bool = False, disorder: Disorder | None = None) -> Messages:
    return Messages("q", fifo=fifo, disorder=disorder or Disorder(0))


def message(name: str, **changes: str) -> Message:
    return Message(id=name, body=name, attributes={}, **changes)  # type: ignore[arg-type]


def take(
    messages: Messages, limit: int, now: float, *, visibility: float = 30, max_receives: int | None = None
) -> Received:
    return messages.receive(
        limit, now, visibility_seconds=visibility, retention_seconds=RETENTION_SECONDS, max_receives=max_receives
    )


def names(received: Received) -> list[str]:
    return [message.id for message in received.messages]


def test_messages_come_oldest_first() -> None:
    """A standard queue without disorder keeps the order of sending."""
    messages = queue()
    for name in "abc":
        messages.send(message(name), 0)

    assert names(take(messages, 2, 1)) == ["a", "b"]
    assert names(take(messages, 2, 1)) == ["c"]


def test_a_received_message_is_hidden_until_its_visibility_ends() -> None:
    """Nobody else gets it for 30 seconds, then anyone does."""
    messages = queue()
    messages.send(message("a"), 0)
    take(messages, 1, 0)

    assert names(take(messages, 1, 29.9)) == []
    assert names(take(messages, 1, 30)) == ["a"]


def test_a_visibility_of_zero_shows_a_message_to_the_next_receive_not_to_this_one() -> None:
    """One receive never hands over the same message twice."""
    messages = queue()
    messages.send(message("a"), 0)

    assert names(take(messages, 10, 0, visibility=0)) == ["a"]
    assert names(take(messages, 10, 0, visibility=0)) == ["a"]


def test_a_delayed_message_waits() -> None:
    """It counts as delayed, not as in flight, until its time comes."""
    messages = queue()
    messages.send(message("a"), 0, delay_seconds=5)

    assert messages.depth(4) == Depth(visible=0, in_flight=0, delayed=1)
    assert messages.next_due() == 5
    assert messages.depth(5) == Depth(visible=1, in_flight=0, delayed=0)


def test_deleting_is_idempotent() -> None:
    """A delete that is sent again succeeds."""
    messages = queue()
    messages.send(message("a"), 0)
    (received,) = take(messages, 1, 0).messages

    assert messages.delete(received.receipt, 1) is received
    assert messages.delete(received.receipt, 2) is None
    assert messages.depth(100).total == 0


def test_an_old_receipt_does_not_delete_a_message_that_was_received_again() -> None:
    """The zombie's delete succeeds without effect; the new holder's works."""
    messages = queue()
    messages.send(message("a"), 0)
    zombies = take(messages, 1, 0).messages[0].receipt
    (again,) = take(messages, 1, 31).messages

    assert messages.delete(zombies, 32) is None
    assert messages.depth(32).in_flight == 1
    assert messages.delete(again.receipt, 32) is again


def test_the_last_receipt_deletes_a_message_that_is_visible_again() -> None:
    """A late worker may still delete on a standard queue when nobody else has taken the message."""
    messages = queue()
    messages.send(message("a"), 0)
    (late,) = take(messages, 1, 0).messages

    assert messages.delete(late.receipt, 60) is late
    assert names(take(messages, 1, 61)) == []


@pytest.mark.parametrize("receipt", ["nonsense", "", "b3RoZXIKaWQKMQ=="])
def test_a_receipt_that_was_never_given_out_is_refused(receipt: str) -> None:
    """Neither noise nor another queue's handle deletes anything."""
    with pytest.raises(ReceiptInvalidError):
        queue().delete(receipt, 0)


def test_a_fifo_queues_visibility_can_be_changed_only_in_flight() -> None:
    """0 seconds return a message at once; after that there is nothing left to change."""
    messages = queue(fifo=True)
    messages.send(message("a", group_id="g"), 0)
    (received,) = take(messages, 1, 0).messages

    messages.change_visibility(received.receipt, 0, 1)

    assert messages.depth(1) == Depth(visible=1, in_flight=0, delayed=0)
    with pytest.raises(ReceiptExpiredError):
        messages.change_visibility(received.receipt, 10, 1)


def test_a_longer_visibility_outlives_the_first() -> None:
    """The time that a message was first hidden for no longer shows it."""
    messages = queue()
    messages.send(message("a"), 0)
    (received,) = take(messages, 1, 0, visibility=30).messages

    messages.change_visibility(received.receipt, 100, 10)

    assert names(take(messages, 1, 50)) == []
    assert names(take(messages, 1, 110)) == ["a"]


def test_a_message_received_too_often_is_given_up() -> None:
    """After three receives the fourth hands it out for the dead-letter queue instead."""
    messages = queue()
    messages.send(message("a"), 0)
    for now in (0, 100, 200):
        assert names(take(messages, 1, now, max_receives=3)) == ["a"]

    last = take(messages, 1, 300, max_receives=3)

    assert names(last) == []
    assert [dead.id for dead in last.dead] == ["a"]
    assert messages.depth(300).total == 0


def test_a_message_past_its_retention_is_gone() -> None:
    """SQS forgets it without a word."""
    messages = queue()
    messages.send(message("a"), 0)

    assert names(take(messages, 1, RETENTION_SECONDS)) == []
    assert messages.depth(RETENTION_SECONDS).total == 0


def test_a_lost_delete_brings_the_same_message_again() -> None:
    """Redelivery keeps the message's id, and counts the receives; in the end every delete arrives."""
    messages = queue(disorder=Disorder(0, duplicates=1.0))
    for number in range(20):
        messages.send(message(str(number)), 0)
    receives: dict[str, list[int]] = {}
    for now in range(100):
        for received in take(messages, 20, now).messages:
            receives.setdefault(received.id, []).append(received.receives)
            messages.delete(received.receipt, now)

    assert max(len(counts) for counts in receives.values()) > 1
    assert all(counts == list(range(1, len(counts) + 1)) for counts in receives.values())
    assert messages.depth(200).total == 0


def test_shuffle_reorders() -> None:
    """Every message still comes, in an order of its own."""
    messages = queue(disorder=Disorder(5, shuffle=True))
    sent = [str(number) for number in range(50)]
    for name in sent:
        messages.send(message(name), 0)

    received = names(take(messages, 50, 0))

    assert received != sent
    assert sorted(received) == sorted(sent)


def test_a_fifo_group_with_a_message_in_flight_is_left_alone() -> None:
    """Other groups go on; the group goes on, in order, when its message is gone or back."""
    messages = queue(fifo=True)
    for name, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        messages.send(message(name, group_id=group), 0)

    (first,) = take(messages, 1, 0).messages
    assert first.id == "a1"
    assert names(take(messages, 10, 1)) == ["b1"]
    messages.change_visibility(first.receipt, 0, 2)

    assert names(take(messages, 10, 2)) == ["a1", "a2"]


def test_a_fifo_group_waits_for_all_of_its_messages_in_flight() -> None:
    """One that came back early is not handed over again before its neighbour is settled."""
    messages = queue(fifo=True)
    for name in ("a1", "a2", "a3"):
        messages.send(message(name, group_id="a"), 0)
    first, second = take(messages, 2, 0).messages

    messages.change_visibility(first.receipt, 0, 1)
    assert names(take(messages, 10, 1)) == []
    messages.delete(second.receipt, 2)

    assert names(take(messages, 10, 2)) == ["a1", "a3"]


def test_one_fifo_receive_takes_a_group_in_order() -> None:
    """The messages of one group come together before another group begins."""
    messages = queue(fifo=True)
    for name, group in (("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b")):
        messages.send(message(name, group_id=group), 0)

    assert names(take(messages, 3, 0)) == ["a1", "a2", "b1"]


def test_a_fifo_queue_drops_a_duplicate_for_five_minutes() -> None:
    """Even when the first has been deleted; afterwards the same id is new."""
    messages = queue(fifo=True)
    first = messages.send(message("a", group_id="g", deduplication_id="d"), 0)
    messages.delete(take(messages, 1, 0).messages[0].receipt, 0)

    assert messages.send(message("b", group_id="g", deduplication_id="d"), 299) is first
    assert messages.depth(299).total == 0
    messages.send(message("c", group_id="g", deduplication_id="d"), 300)
    assert names(take(messages, 1, 300)) == ["c"]


def test_a_fifo_receipt_expires_with_the_visibility() -> None:
    """On a FIFO queue a late delete fails."""
    messages = queue(fifo=True)
    messages.send(message("a", group_id="g"), 0)
    (late,) = take(messages, 1, 0).messages

    with pytest.raises(ReceiptExpiredError):
        messages.delete(late.receipt, 31)


MOVES = st.one_of(
    st.tuples(st.just("send"), st.integers(0, 3)),
    st.tuples(st.just("receive"), st.integers(0, 40)),
    st.tuples(st.just("delete"), st.integers(0, 50)),
    st.tuples(st.just("show"), st.integers(0, 50)),
    st.tuples(st.just("wait"), st.integers(0, 40)),
)


@settings(max_examples=300)
@given(st.booleans(), st.lists(MOVES, min_size=10, max_size=60), st.integers(0, 99))
def test_no_message_is_lost_doubled_or_miscounted(fifo: bool, moves: list[tuple[str, int]], seed: int) -> None:
    """Whatever happens, what is held is what was sent and not deleted, and in the end all of it comes out once."""
    messages = queue(fifo=fifo, disorder=Disorder(seed, duplicates=0.5, shuffle=True))
    kept: set[str] = set()
    receipts: list[str] = []
    now = 0.0
    for number, (move, argument) in enumerate(moves):
        if move == "send":
            kept.add(messages.send(message(str(number), group_id=str(argument)), now, delay_seconds=argument).id)
        elif move == "receive":
            receipts += [received.receipt for received in take(messages, 3, now, visibility=argument).messages]
        elif move == "wait":
            now += argument
        elif receipts:
            receipt = receipts[argument % len(receipts)]
            with contextlib.suppress(ReceiptExpiredError):
                if move == "show":
                    messages.change_visibility(receipt, argument % 3, now)
                elif (deleted := messages.delete(receipt, now)) is not None:
                    kept.remove(deleted.id)
        depth = messages.depth(now)
        assert depth.total == len(kept)
        assert min(depth.visible, depth.in_flight, depth.delayed) >= 0

    now += 100
    assert messages.depth(now).visible == len(kept)
    assert sorted(names(take(messages, 1000, now))) == sorted(kept)


class Counted(Message):
    """A message that counts how often anything looks at it or touches it."""

    touches = 0

    def __getattribute__(self, name: str) -> object:
        type(self).touches += 1
        return super().__getattribute__(name)


@pytest.mark.parametrize("fifo", [False, True])
def test_receiving_and_deleting_cost_the_same_in_a_small_and_in_a_large_queue(fifo: bool) -> None:
    """Counted in looks at messages: 10 received and deleted among 100, and among 10,000 beside 10,000 deleted ones."""

    def cost(size: int) -> int:
        messages = queue(fifo=fifo)
        for number in range(size * 2):
            messages.send(Counted(id=str(number), body="", attributes={}, group_id=str(number % 50)), 0)
        for received in take(messages, size, 0).messages:
            messages.delete(received.receipt, 0)
        Counted.touches = 0
        for received in take(messages, 10, 1).messages:
            messages.delete(received.receipt, 1)
        return Counted.touches

    assert cost(10_000) <= cost(100) * 1.2
