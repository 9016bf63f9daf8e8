"""The deployed journal, as a person's commands read and change it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec
from eachonce.aws import Codec
from eachonce.former import former_key
from eachonce.isolation import scope_of
from eachonce.journal import State, row_key, unpack_outbox

Row = Mapping[str, Any]


class Renewal(Enum):
    """What the journal said when an event was to count afresh."""

    RENEWED = "renewed"
    NOTHING = "nothing"  # no row, so nothing was counted
    BUSY = "busy"  # someone is at it right now, under a lease
    DONE = "done"  # this very event is done
    REUSED = "another event of its source and id is done"
    UNPROVEN = "it may be the event of its id that was done before sources counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """An event as a consumer's journal knows it; fingerprints are None where its content can't be read."""

    consumer: str
    source: str
    event_id: str
    fingerprint: str | None
    former_fingerprint: str | None
    tenant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the journal says now of an event that a consumer gave up on.

    `done` is whether this very event has been done since. `redriven_at` is when it was last let count afresh, and
    `failed_again` whether it was given up on after that.
    """

    done: bool = False
    redriven_at: str | None = None
    failed_again: bool = False


class Journal:
    """One stack's journal table. Thread-safe, as botocore's clients are."""

    def __init__(self, dynamodb: Any, table: str, *, clock: Callable[[], datetime]) -> None:
        self._client = dynamodb
        self._table = table
        self._clock = clock
        self._codec = Codec()

    def row(self, consumer: str, source: str, event_id: str, *, tenant: str | None = None) -> Row | None:
        """Return what the journal says of an event at a consumer, or what it said before sources counted.

        Where the consumer keeps tenants apart, it is among its `tenant`'s rows.
        """
        scope = scope_of(tenant)
        scoped = None if scope is None else self._get(row_key(consumer, source, event_id, tenant=scope))
        return scoped or self._get(row_key(consumer, source, event_id)) or self._get(former_key(consumer, event_id))

    def rejected(self, event: Sought) -> bool:
        """Whether a consumer has given up on an event."""
        row = self._get(self._pk(event))
        return row is not None and row["state"] == State.REJECTED

    def standing(self, event: Sought) -> Standing:
        """Say how an event stands that a consumer gave up on."""
        row = self._get(self._pk(event)) or {}
        redriven_at = row.get("redriven_at")
        return Standing(
            done=row.get("state") == State.DONE and _done(row, event) is Renewal.DONE,
            redriven_at=redriven_at,
            failed_again=row.get("state") == State.REJECTED and redriven_at is not None,
        )

    def foresee(self, event: Sought) -> Renewal:
        """Return what `renew` would come to now, but for a lease; changes nothing."""
        row = self._get(self._pk(event))
        if row is not None and row["state"] == State.DONE:
            return _done(row, event)
        return self._former(event) or (Renewal.NOTHING if row is None else Renewal.RENEWED)

    def renew(self, event: Sought) -> Renewal:
        """Let an event that isn't done count afresh at a consumer: no failures, no starts, its errors kept.

        A claim that lasts stays as it is. Atomic, and safe to happen twice.
        """
        return self._former(event) or self._renew(event)

    def _former(self, event: Sought) -> Renewal | None:
        """Whether the event may be one that was done when numbers were doubles and sources didn't count."""
        row = self._get(former_key(event.consumer, event.event_id)) or {}
        same = event.former_fingerprint is not None and row.get("fingerprint") == event.former_fingerprint
        return Renewal.UNPROVEN if same and row.get("state") == State.DONE else None

    def _pk(self, event: Sought) -> str:
        """Return the key of an event's row: its tenant's where that is there, since a consumer may keep them apart."""
        plain, scope = row_key(event.consumer, event.source, event.event_id), scope_of(event.tenant)
        if scope is None:
            return plain
        scoped = row_key(event.consumer, event.source, event.event_id, tenant=scope)
        return plain if self._get(scoped) is None else scoped

    def _get(self, pk: str) -> Row | None:
        answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": pk}}, ConsistentRead=True)
        return self._codec.item(answer["Item"]) if "Item" in answer else None

    def _renew(self, event: Sought) -> Renewal:
        now = self._clock()
        values = {
            ":tried": State.TRIED,
            ":started": State.STARTED,
            ":done": State.DONE,
            ":zero": 0,
            ":at": now.isoformat(),
            ":ms": int(now.timestamp() * 1000),
        }
        try:
            self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": self._pk(event)}},
                # The fence stays: who began the event before may still be the one who ends it.
                UpdateExpression="SET #state = :tried, attempts = :zero, redriven_at = :at REMOVE begun",
                ConditionExpression=(
                    "attribute_exists(pk) AND #state <> :done AND "
                    "(#state <> :started OR attribute_not_exists(lease_until) OR lease_until < :ms)"
                ),
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={name: self._codec.encode(value) for name, value in values.items()},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            return _why_not(self._codec.item(refused.response.get("Item", {})), event)
        return Renewal.RENEWED

    def publications(self) -> Iterator[tuple[str, list[Row]]]:
        """Read the whole table; yield the key of each row that published, and its events as CloudEvents objects."""
        for row in self._publishing():
            yield row["pk"], published(row)

    def outboxes(self) -> Iterator[list[bytes]]:
        """Read the whole table; yield the events of each row that published, as its outbox has them."""
        for row in self._publishing():
            yield [bytes(event) for event in unpack_outbox(row["outbox"])]

    def _publishing(self) -> Iterator[Row]:
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table, FilterExpression="attribute_exists(outbox)", ProjectionExpression="pk, outbox"
        )
        for page in pages:
            yield from map(self._codec.item, page["Items"])


class NoJournal:
    """What there is to ask of a stack whose functions keep no journal: it knows of nothing."""

    def row(self, consumer: str, source: str, event_id: str, *, tenant: str | None = None) -> Row | None:  # noqa: ARG002 - as a Journal has it
        """Return None."""
        return None

    def rejected(self, event: Sought) -> bool:  # noqa: ARG002 - likewise
        """Say that nobody has."""
        return False

    def standing(self, event: Sought) -> Standing:  # noqa: ARG002 - likewise
        """Say nothing."""
        return Standing()

    def foresee(self, event: Sought) -> Renewal:  # noqa: ARG002 - likewise
        """Say that nothing was counted."""
        return Renewal.NOTHING

    def renew(self, event: Sought) -> Renewal:  # noqa: ARG002 - likewise
        """Say that nothing was counted."""
        return Renewal.NOTHING

    def publications(self) -> Iterator[tuple[str, list[Row]]]:
        """Yield nothing."""
        yield from ()

    def outboxes(self) -> Iterator[list[bytes]]:
        """Yield nothing."""
        yield from ()


def published(row: Row) -> list[Row]:
    """Return the events that a row published, as CloudEvents objects."""
    return [msgspec.json.decode(event) for event in unpack_outbox(row["outbox"])] if "outbox" in row else []


def _why_not(row: Row, event: Sought) -> Renewal:
    if not row:
        return Renewal.NOTHING
    return _done(row, event) if row["state"] == State.DONE else Renewal.BUSY


def _done(row: Row, event: Sought) -> Renewal:
    return Renewal.DONE if row.get("fingerprint") == event.fingerprint is not None else Renewal.REUSED
