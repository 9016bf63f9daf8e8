"""The deployed journal, as a person's commands read and change it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec
from eachonce.aws import Codec
from eachonce.journal import State, row_key, unpack_outbox

Row = Mapping[str, Any]


class Renewal(Enum):
    """What a row said when its event was to count afresh."""

    RENEWED = "renewed"
    NOTHING = "nothing"  # no row, so nothing was counted
    BUSY = "busy"  # someone is at it right now, under a lease
    DONE = "done"  # done since


class Journal:
    """One stack's journal table. Thread-safe, as botocore's clients are."""

    def __init__(self, dynamodb: Any, table: str, *, clock: Callable[[], datetime]) -> None:
        self._client = dynamodb
        self._table = table
        self._clock = clock
        self._codec = Codec()

    def row(self, consumer: str, event_id: str) -> Row | None:
        """Return what the journal says of an event at a consumer, as it is now."""
        answer = self._client.get_item(TableName=self._table, Key=_key(consumer, event_id), ConsistentRead=True)
        return self._codec.item(answer["Item"]) if "Item" in answer else None

    def renew(self, consumer: str, event_id: str) -> Renewal:
        """Let an event that isn't done count afresh at a consumer: no failures, no starts, its errors kept.

        A claim that lasts stays as it is. Atomic, and safe to happen twice.
        """
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
                Key=_key(consumer, event_id),
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
            return _why_not(self._codec.item(refused.response.get("Item", {})))
        return Renewal.RENEWED

    def publications(self) -> Iterator[tuple[str, list[Row]]]:
        """Read the whole table; yield the key of each row that published, and its events as CloudEvents objects."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table, FilterExpression="attribute_exists(outbox)", ProjectionExpression="pk, outbox"
        )
        for page in pages:
            for encoded in page["Items"]:
                row = self._codec.item(encoded)
                yield row["pk"], published(row)


def published(row: Row) -> list[Row]:
    """Return the events that a row published, as CloudEvents objects."""
    return [msgspec.json.decode(event) for event in unpack_outbox(row["outbox"])] if "outbox" in row else []


def _why_not(row: Row) -> Renewal:
    if not row:
        return Renewal.NOTHING
    return Renewal.DONE if row.get("state") == State.DONE else Renewal.BUSY


def _key(consumer: str, event_id: str) -> dict[str, Any]:
    return {"pk": {"S": row_key(consumer, event_id)}}
