"""Hostile messages for the listener alone: whatever comes, nothing escapes, nothing is lost, and work is bounded."""

from __future__ import annotations

import json
import re
import tracemalloc
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from eachonce import Aws, Consumer, EachonceError, Settings
from eachonce.errors import ContractError
from eachonce.event import RawEvent
from eachonce.identity import fingerprint
from eachonce.lanes import lane_of
from eachonce.listener import Delivery, listen

from tests.effort import calls_of
from tests.records import batch as batch_of
from tests.records import record as record_of
from tests.shop.fuzz.cases import batch
from tests.shop.fuzz.consumers import consumers
from tests.shop.fuzz.hostile import BODIES
from tests.shop.fuzz.junk import VALUES

RECORDS = 10_000  # in all
SEEDS = range(4)
HOSTILE_BODIES = 0.02

# What any record takes, what each of its events does, and what a character does; a thousand events are the most.
CALLS, CALLS_AN_EVENT, CALLS_A_CHARACTER = 1_000, 200, 2
BYTES, BYTES_A_CHARACTER = 200_000, 80
# A body that isn't text for a queue is buried as JSON, in which a character may be twelve.
GROWTH = 16

NO_TEXT_OF_A_QUEUE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> dict[str, Consumer]:
    """The consumers of the whole fuzz; nothing of AWS is asked."""
    monkeypatch.setenv("MAIL_DIRECTORY", str(tmp_path))
    return consumers(Aws(), Settings(queue_url="q", dead_letter_queue_url="d", source="post"))


def records(seed: int, count: int) -> Iterator[tuple[str, Any]]:
    """Yield records, and whose they are: those of the fuzz, some with a trace beside them, and bodies of any size."""
    number = 0
    while count > 0:
        random, made = Random(f"{seed}/{number}/listener"), batch(seed, number)
        for made_record in made.records[:count]:
            yield made.consumer, _varied(made_record, random)
            count -= 1
        number += 1


def _varied(made: Any, random: Random) -> Any:
    if random.random() < HOSTILE_BODIES:
        return record_of(BODIES[random.choice(list(BODIES))](random.choice((0, 1, 100, 3000, 20_000))))
    if not isinstance(made, dict) or random.random() < 0.7:
        return made
    if isinstance(made.get("body"), str):
        made = {
            **made,
            "body": made["body"].replace('"dataschema"', f'"{random.choice(("traceparent", "tracestate"))}"'),
        }
    if isinstance(made.get("attributes"), dict):
        made = {**made, "attributes": {**made["attributes"], "AWSTraceHeader": random.choice(VALUES)}}
    return made


def is_named(record: Any) -> bool:
    try:
        return isinstance(record, dict) and bool(record["messageId"].encode())
    except (KeyError, AttributeError, UnicodeError):
        return False


def content(event: RawEvent) -> tuple[str, str, str, str | None]:
    """Return what a consumer's journal knows an event by."""
    try:
        return event.source, event.id, event.type, fingerprint(event)
    except ContractError:
        return event.source, event.id, event.type, None


def size_of(record: Any) -> int:
    """Return about how many characters a record has."""
    try:
        return len(json.dumps(record, default=repr, skipkeys=True))
    except (ValueError, RecursionError):  # a number that has too many digits for a text
        return 10_000


def judge(record: Any, deliveries: list[Delivery], known: Consumer) -> None:
    """Nothing of the record is lost, each event has one place, and what is buried is read again as it was."""
    ids = [one.message_id for one in deliveries]
    assert ids
    assert len(set(ids)) == len(ids)
    assert {one.whole for one in deliveries} == {record["messageId"]}
    assert sum(one.begins for one in deliveries) == 1
    for one in deliveries:
        assert sum((one.event is not None, one.flaw is not None, one.unknown, one.nothing is not None)) == 1
        assert one.body
        assert not NO_TEXT_OF_A_QUEUE.search(one.body)
        assert lane_of(one)
    # What no queue can have brought is buried whole, for a person to read.
    body = record.get("body")
    from_a_queue = isinstance(body, str) and not NO_TEXT_OF_A_QUEUE.search(body)
    for one in deliveries[:3]:
        if one.event is not None and from_a_queue:
            (again,) = listen(batch_of(record_of(one.body, message_id=one.whole)), known=known)
            assert again.event is not None
            assert content(again.event) == content(one.event)
    assert sum(len(one.body) for one in deliveries) <= GROWTH * (size_of(record) + 100 * len(deliveries) + 100)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_record_is_more_than_the_listener_can_take(known: dict[str, Consumer], seed: int) -> None:
    """One without a name is refused, as nobody could be told what became of it; any other is at least one delivery."""
    seen = {"event": 0, "flaw": 0, "refused": 0}
    for number, (consumer, record) in enumerate(records(seed, RECORDS // len(SEEDS))):
        taking = batch_of(record)
        if not is_named(record):
            with pytest.raises(EachonceError, match="takes SQS events"):
                listen(taking, known=known[consumer])
            seen["refused"] += 1
            continue
        deliveries = listen(taking, known=known[consumer])
        judge(record, deliveries, known[consumer])
        seen["event"] += any(one.event is not None for one in deliveries)
        seen["flaw"] += any(one.flaw is not None for one in deliveries)
        if number % 20 == 0:
            bound(record, len(deliveries), known[consumer])

    assert all(count > 10 for count in seen.values()), seen


def bound(record: Any, events: int, known: Consumer) -> None:
    """The work is in proportion to the record, and to how many events it holds."""
    size, taking = size_of(record), batch_of(record)
    assert calls_of(lambda: listen(taking, known=known)) <= CALLS + CALLS_AN_EVENT * events + CALLS_A_CHARACTER * size
    tracemalloc.start()
    try:
        listen(taking, known=known)
        assert tracemalloc.get_traced_memory()[1] <= BYTES + BYTES_A_CHARACTER * size
    finally:
        tracemalloc.stop()
