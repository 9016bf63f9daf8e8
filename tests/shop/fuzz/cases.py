"""Cases: what a fuzzed message is made of, so that the same one can be made again with less in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.forms import attributes
from tests.records import FIFO_ARN, QUEUE_ARN, cloud_event, on_the_bus, record
from tests.shop.fuzz.consumers import MOODS
from tests.shop.fuzz.mutation import changed
from tests.shop.fuzz.samples import FIFO_POST, IDENTITY, POST, RAW_POST, RAW_WRAPPINGS, WRAPPINGS, samples

_MOST_RECORDS = 10  # of a batch, unless a function asks for more


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One record: a message as it really comes, and the seeds of the changes that were made to it, in their order."""

    message_id: str
    body: str
    receive_count: int = 1
    arn: str = QUEUE_ARN
    group: str | None = None
    edits: tuple[int, ...] = ()
    neighbour: str | None = None
    moody: bool = False
    said: tuple[tuple[str, str], ...] = ()

    @property
    def record(self) -> Any:
        """Return the record: a neighbour's as SQS writes it, any other after its changes."""
        made: Any = record(
            self.body, message_id=self.message_id, receive_count=self.receive_count, group=self.group, arn=self.arn
        )
        if self.said:
            made["messageAttributes"] = attributes(**dict(self.said))
        for edit in self.edits:
            made = changed(made, Random(edit))
        return made

    def without(self, edits: tuple[int, ...]) -> Case:
        """Return the case with these changes alone."""
        return replace(self, edits=edits)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one invocation of a consumer gets."""

    consumer: str
    cases: tuple[Case, ...]

    @property
    def records(self) -> list[Any]:
        """Return the records as they come."""
        return [case.record for case in self.cases]


def batch(seed: int, number: int) -> Batch:
    """Return the batch of this number: it follows from the seed alone, and no other batch is needed to make it."""
    random = Random(f"{seed}/{number}")
    consumer = random.choice((POST, FIFO_POST, *sorted({sample.consumer for sample in samples()})))
    size = random.randint(2, _MOST_RECORDS)
    neighbours = set(random.sample(range(size), random.randint(1, size // 2)))
    cases = [
        _neighbour(consumer, number, place, random) if place in neighbours else _fuzzed(consumer, number, place, random)
        for place in range(size)
    ]
    if random.random() < 0.05:  # SQS may deliver a message twice, now and then in one batch
        cases.append(random.choice(cases))
    return Batch(consumer, tuple(cases[:_MOST_RECORDS]))


def _neighbour(consumer: str, number: int, place: int, random: Random) -> Case:
    """A good event, of this consumer alone; some come again."""
    if random.random() < 0.1:
        number, place = random.randrange(number + 1), random.randrange(_MOST_RECORDS)
    name = f"{consumer}-{number}-{place}"
    event = cloud_event("Neighbour", {"name": name, IDENTITY: name}, event_id=name, subject=name)
    return Case(
        message_id=f"m-{name}-{random.randrange(10**6)}",
        body=json.dumps(on_the_bus(event)),
        receive_count=random.choice((1, 1, 1, 2)),
        **_queue(consumer, name),
        neighbour=name,
    )


def _fuzzed(consumer: str, number: int, place: int, random: Random) -> Case:
    of_whom = POST if consumer == FIFO_POST else consumer
    sample = random.choice([each for each in samples() if each.consumer == of_whom])
    event_id = f"e-{number}-{place}"
    if random.random() < 0.1:  # an id that was used before, with this content or another
        event_id = random.choice((f"e-{random.randrange(number + 1)}-{random.randrange(_MOST_RECORDS)}", "e-0-0"))
    edits = random.choice((1, 1, 1, 1, 2, 2, 3, 4)) if not sample.is_moody else random.choice((0, 0, 0, 1))
    wrapping, mood = random.choice(RAW_WRAPPINGS if consumer == RAW_POST else WRAPPINGS), random.randrange(len(MOODS))
    return Case(
        message_id=f"m-{number}-{place}",
        body=sample.body(event_id, wrapping, mood),
        said=tuple(sample.said(event_id, wrapping, mood).items()),
        receive_count=random.choice((1, 1, 1, 2, 3, 12)),
        **_queue(consumer, random.choice("gh")),
        edits=tuple(random.randrange(2**32) for _ in range(edits)),
        moody=sample.is_moody,
    )


def _queue(consumer: str, group: str) -> dict[str, Any]:
    return {"arn": FIFO_ARN, "group": group} if consumer == FIFO_POST else {}
