"""Replay: events of a span of time come to one consumer again, which has done most of them, and does the others.

What a consumer has done it knows by its journal row, and a copy changes nothing: for as long as the row lasts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from eachonce.chunks import chunks
from eachonce.errors import PublishError
from eachonce.journal import RETENTION
from eachonce.publisher import MAX_BYTES, MAX_ENTRIES, Publisher

from eachonce_workbench.operations.journal import Journal, NoJournal
from eachonce_workbench.operations.route import QueueBus

_POLL_SECONDS = 2.0
_ENDS = frozenset({"COMPLETED", "CANCELLED", "FAILED"})


class ReplayError(Exception):
    """There is nothing to replay from, or EventBridge wouldn't."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Events from `start` on, and before `end`, by the time that each says."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        """Whether an event of this time is meant."""
        return self.start <= moment < self.end

    def remembered(self, now: datetime) -> bool:
        """Whether every consumer still knows which of these events it has done."""
        return self.start >= now - RETENTION


@dataclass(slots=True, kw_only=True)
class Replayed:
    """How many events of the span were found, and how many messages came to the consumer; `failed` never went."""

    found: int = 0
    sent: int = 0
    failed: int = 0


class _Times(msgspec.Struct):
    time: datetime | None = None


_times = msgspec.json.Decoder(_Times)


def from_journal(
    journal: Journal | NoJournal, span: Span, bus: QueueBus, done: Replayed, *, sleep: Callable[[float], None]
) -> Iterator[int]:
    """Publish again what journal rows of a span published; count, and yield how many of them each round took.

    It may be stopped at any point, and begun again: a copy of a copy changes nothing, either.
    """
    publisher = Publisher(bus, "journal", sleep=sleep)
    for events in chunks(_of(span, journal), size_bytes=len, max_items=MAX_ENTRIES, max_bytes=MAX_BYTES):
        done.found += len(events)
        before = bus.sent
        try:
            publisher.publish(events)
        except PublishError as error:
            done.failed += len(error.unsent)
        done.sent += bus.sent - before
        yield len(events)


def _of(span: Span, journal: Journal | NoJournal) -> Iterator[bytes]:
    for outbox in journal.outboxes():
        for event in outbox:
            moment = _times.decode(event).time
            if moment is not None and moment.tzinfo is not None and moment in span:
                yield event


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive of EventBridge's, and the bus that it is of."""

    arn: str
    bus_arn: str

    @classmethod
    def ask(cls, events: Any, name: str) -> Archive:
        """Find an archive by its name. Raises ReplayError."""
        try:
            told = events.describe_archive(ArchiveName=name)
        except events.exceptions.ResourceNotFoundException as error:
            raise ReplayError(f"there is no archive {name}") from error
        return cls(arn=told["ArchiveArn"], bus_arn=told["EventSourceArn"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far EventBridge is with a replay: its state, and the time of the last event that it replayed."""

    state: str
    reason: str | None
    last: datetime | None


class ArchiveReplay:
    """A replay that EventBridge does, to the rules of one consumer alone."""

    def __init__(
        self, events: Any, archive: Archive, *, name: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Take the archive, and a name for the replay that none of the account's had in the last 90 days."""
        self._events = events
        self._archive = archive
        self._name = name
        self._sleep = sleep

    def __call__(self, span: Span, rule_arns: list[str]) -> Generator[Progress, None, None]:
        """Start it, and yield how far it is until it is over; closed before, cancel it.

        Raises ReplayError where EventBridge refuses.
        https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html
        """
        self._start(span, rule_arns)
        over = False
        try:
            while not over:
                progress = self._look()
                over = progress.state in _ENDS
                yield progress
                if not over:
                    self._sleep(_POLL_SECONDS)
        finally:
            if not over:
                self._cancel()

    def _start(self, span: Span, rule_arns: list[str]) -> None:
        try:
            self._events.start_replay(
                ReplayName=self._name,
                EventSourceArn=self._archive.arn,
                EventStartTime=span.start,
                EventEndTime=span.end,
                Destination={"Arn": self._archive.bus_arn, "FilterArns": rule_arns},
            )
        except self._events.exceptions.ResourceAlreadyExistsException:
            pass  # the answer to the same call was lost: the name is this replay's alone
        except ClientError as error:
            raise ReplayError(f"EventBridge doesn't replay: {error.response['Error']['Message']}") from error

    def _look(self) -> Progress:
        told = self._events.describe_replay(ReplayName=self._name)
        return Progress(state=told["State"], reason=told.get("StateReason"), last=told.get("EventLastReplayedTime"))

    def _cancel(self) -> None:
        with suppress(ClientError):  # it ended meanwhile
            self._events.cancel_replay(ReplayName=self._name)
