"""A batch of all fates that comes again, with a fault at each of its calls: nothing lost, doubled, or shared."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from eachonce import Aws, Consumer, Event, Work
from eachonce.journal import State
from moto import mock_aws

from tests import faults as wire
from tests.faults import Faults
from tests.moods import moody, poisonous, together
from tests.parcels import TABLES, Registered, Weighed, registered
from tests.records import Context, batch, record, returned
from tests.store import Store

# What a batch of five parcels and a letter calls, in order, when all of it has come before.
CALLS = [
    "BatchGetItem",  # what is known of it
    "TransactWriteItems",  # the marks of what is not
    "TransactWriteItems",  # the commit of `a`
    "UpdateItem",  # the failure of `fails`
    "UpdateItem",  # the release of `refused`
    "UpdateItem",  # the claim of the letter
    "PutItem",  # the commit of the letter
    "SendMessageBatch",  # `refused`, to the dead-letter queue
    "UpdateItem",  # the rejection of `refused`
    "DeleteMessageBatch",  # what is finished, before the suspect
    "UpdateItem",  # the beginning of `poison`
    "TransactWriteItems",  # the commit of `poison`
    "DeleteMessageBatch",  # `poison`
    "ChangeMessageVisibilityBatch",  # the pause of `fails`
]
SHARED = {0, 1}  # without these nothing that came before may be handled

FAULTS = {
    "answer lost": wire.answer_lost,
    "never sent": wire.never_sent,
    "throttled": wire.refused("ThrottlingException"),
    "conflict": wire.refused("TransactionConflictException"),
    "internal error after": wire.refused_after("InternalServerError"),
    "refused": wire.refused("AccessDeniedException"),
}

pytestmark = pytest.mark.usefixtures("no_naps")


class Town:
    """A post office whose deliveries come again until they are finished."""

    def __init__(self, aws: Aws, clock: Any) -> None:
        store = Store.create(aws, TABLES)
        url = str(aws.sqs.create_queue(QueueName="post")["QueueUrl"])
        self.store = Store(aws, replace(store.settings, queue_url=url))
        self.clock = clock
        self.letters: list[str] = []
        self.runs: Counter[str] = Counter()
        self.worker(moody)(together("done", times=1), Context())
        with pytest.raises(KeyboardInterrupt):
            self.worker(poisonous)(together("poison", times=2), Context())
        self.clock.shift(36)

    def worker(self, handle: Any) -> Consumer:
        def count(event: Event[Weighed], work: Work) -> None:
            self.runs[event.data.parcel] += 1
            handle(event, work)

        def send(event: Event[Registered], work: Work) -> None:
            self.letters.append(work.idempotency_key)

        post = Consumer("post", aws=self.store.aws, settings=self.store.settings, concurrency=1, max_attempts=3)
        post.on(Weighed)(count)
        post.on(Registered, external=True)(send)
        return post

    def deliver(self, messages: set[str], *, times: int) -> set[str]:
        """Deliver what has not left its queue to a new worker; return what is to come again."""
        letter = record(registered(event_id="e-letter"), message_id="m-letter", receive_count=times)
        records = [*together("a", "done", "fails", "refused", "poison", times=times)["Records"], letter]
        chosen = [message for message in records if message["messageId"] in messages]
        return set(returned(self.worker(moody)(batch(*chosen), Context())))


ALL = {"m-a", "m-done", "m-fails", "m-refused", "m-poison", "m-letter"}


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(dt.datetime(2010, 12, 1, 12, tzinfo=dt.UTC), tick=False) as clock:
        yield clock


@pytest.fixture
def town(aws_clients: Aws, clock: Any) -> Iterator[Town]:
    with mock_aws():
        yield Town(aws_clients, clock)


def test_undisturbed_it_calls_what_is_listed(town: Town) -> None:
    """So that a call that comes or goes is seen here."""
    with wire.between(town.store.aws) as faults:
        left = town.deliver(ALL, times=2)

    assert faults.calls == CALLS
    assert left == {"m-fails"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", range(len(CALLS)), ids=[f"{n}-{call}" for n, call in enumerate(CALLS)])
def test_a_fault_at_any_call_is_one_events_affair(town: Town, place: int, fault: str) -> None:
    """Its neighbours have the fate that they would have had; in the end all have, and each effect is there once."""
    with wire.between(town.store.aws) as faults:
        let_pass(faults, place)
        faults.next(CALLS[place], FAULTS[fault])

        left = town.deliver(ALL, times=2)

        assert not faults.waiting
        assert len(left - {"m-fails"}) <= 1 or place in SHARED
        assert "m-done" not in left or place in SHARED
        deliver_the_rest(town, left)

    assert_each_has_its_fate(town)


def let_pass(faults: Faults, place: int) -> None:
    for call in CALLS[:place]:
        if call == CALLS[place]:
            faults.next(call, lambda request, send: send())


def deliver_the_rest(town: Town, left: set[str]) -> None:
    times = 2
    while left:
        times += 1
        assert times < 9, f"{left} never left the queue"
        town.clock.shift(36)
        left = town.deliver(left, times=times)


def assert_each_has_its_fate(town: Town) -> None:
    weights = {item["parcel"]: item["grams"] for item in town.store.items("Weights")}
    assert weights == {"a": 100, "done": 100, "poison": 100}
    assert 1 <= len(town.letters) <= 2
    assert set(town.letters) == {"post##post#e-letter"}
    states = {row["pk"].removeprefix("post##post#e-"): row["state"] for row in town.store.items("Journal")}
    assert {states[name] for name in ("a", "done", "poison", "letter")} == {State.DONE}
    dead = {letter["notes"]["event_id"]: letter["notes"] for letter in town.store.dead_letters()}
    assert dead.keys() == {"e-fails", "e-refused"}
    assert dead["e-fails"]["attempts"] == "3"
    assert town.runs["fails"] >= 3
