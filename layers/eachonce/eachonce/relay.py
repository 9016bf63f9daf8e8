"""The relay: the journal's stream to the bus.

Events leave a function inside its journal row, in the same commit as its effects. From there the table's stream
brings them here, in order, until the bus has taken them. A copy on the bus changes nothing downstream, so recovery from
any outage is to publish again. The stream tries again for as long as it keeps a record; what no bus will ever take is
set aside, in the relay's dead-letter queue, so that it holds up nothing: its events stay in the journal.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from msgspec.structs import replace

from eachonce.aws import Aws, aws_errors
from eachonce.chunks import chunks
from eachonce.deadline import Deadline
from eachonce.errors import EachonceError, PublishError
from eachonce.journal import unpack_outbox
from eachonce.listener import MAX_BODY_BYTES
from eachonce.publisher import Publisher
from eachonce.settings import Settings
from eachonce.wording import MAX_NAME, short

# What the bus says of an event that it will never take, whoever sends it and however often.
_NEVER = frozenset({"MalformedEvent", "MalformedDetail", "EntryTooLarge"})

# Of the function's time, to set aside in and to answer: what no answer names comes again with all its batch. A short
# time is not to be all of it.
_RESERVE = timedelta(seconds=2)
_RESERVED_SHARE = 5

_SOURCE = "aws:dynamodb"
_MAX_LETTER_BYTES = 16 * 1024  # a key of 2 KB, as JSON may write it, and a reason


class Relay:
    """A Lambda function on the journal's stream, which publishes what committed events have in their outbox."""

    def __init__(self, *, aws: Aws | None = None, settings: Settings | None = None) -> None:
        self._aws = Aws() if aws is None else aws
        self._given_settings = settings

    def __call__(self, batch: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Publish the outboxes of a stream batch; name the records whose events were not all published.

        Raises EachonceError when `batch` isn't a DynamoDB stream event, or when a record is to come again and has no
        number to be named by.
        """
        records = batch.get("Records") if isinstance(batch, Mapping) else None
        if not isinstance(records, list) or any(map(_is_foreign, records)):
            raise EachonceError(
                'this function takes DynamoDB stream events: {"Records": [{"eventSource": "aws:dynamodb", ...}]}'
            )
        failed = self._relay([_read(record) for record in records], _deadline(context))
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    def _relay(self, changes: Sequence[_Change], deadline: Deadline) -> list[str]:
        """Publish all events of the batch in as few calls as they fit; return the records that are to come again."""
        events = [event for change in changes for event in change.outbox]
        place_of = [place for place, change in enumerate(changes) for _ in change.outbox]
        waits: dict[int, str] = {}
        spoilt = {place: change.flaw for place, change in enumerate(changes) if change.flaw is not None}
        try:
            self._publisher.publish(events, deadline=deadline)
        except PublishError as error:
            for unsent in error.unsent:
                unpublished = spoilt if unsent.code in _NEVER else waits
                unpublished[place_of[unsent.place]] = f"{unsent.code}: {unsent.message}"
        for place, reason in (waits | spoilt).items():
            self._logger.warning("not published", extra=_note(changes[place], reason))
        told = {place: reason for place, reason in spoilt.items() if place not in waits}
        return _numbers(changes, waits.keys() | self._set_aside(told, changes))

    def _set_aside(self, spoilt: Mapping[int, str], changes: Sequence[_Change]) -> set[int]:
        """Tell operators of rows that can't be published; return the places of those that nobody was told of."""
        url, left = self._settings.dead_letter_queue_url, set(spoilt)
        if url is None:
            return left
        letters = [(place, _letter(changes[place], reason)) for place, reason in spoilt.items()]
        for chunk in chunks(letters, size_bytes=lambda one: len(one[1]), max_items=10, max_bytes=MAX_BODY_BYTES):
            entries = [{"Id": str(place), "MessageBody": letter} for place, letter in chunk]
            with suppress(*aws_errors()):
                sent = self._aws.sqs.send_message_batch(QueueUrl=url, Entries=entries)
                left -= {int(entry["Id"]) for entry in sent.get("Successful", ())}
        return left

    @cached_property
    def _settings(self) -> Settings:
        return Settings.read(os.environ) if self._given_settings is None else self._given_settings

    @cached_property
    def _publisher(self) -> Publisher:
        return Publisher(self._aws.events, self._settings.required_bus())

    @cached_property
    def _logger(self) -> Logger:
        return Logger(service="relay-outbox")


class _Change(msgspec.Struct, frozen=True, kw_only=True):
    """A stream record as far as it can be read, and its `flaw`, for which operators are told of it."""

    number: str | None
    event_id: str | None
    keys: Any
    outbox: Sequence[bytes] = ()
    flaw: str | None = None


def _deadline(context: LambdaContext) -> Deadline:
    whole = Deadline.of(context)
    return replace(whole, reserve=min(_RESERVE, whole.remaining() / _RESERVED_SHARE))


def _is_foreign(record: Any) -> bool:
    return isinstance(record, Mapping) and record.get("eventSource", _SOURCE) != _SOURCE


def _read(record: Any) -> _Change:
    """Return what a record says; whatever is wrong with it is a flaw, since the shard must go on."""
    outer = _mapping(record)
    change = _mapping(outer.get("dynamodb"))
    outbox, flaw = [], None
    try:
        outbox = _outbox(change, removed=outer.get("eventName") == "REMOVE")
    except Exception as error:  # noqa: BLE001 - there is no end to what a row may hold
        flaw = f"the outbox can't be read: {type(error).__name__}"
    number = _text(change.get("SequenceNumber"))
    if number is None:
        flaw = "the record has no SequenceNumber"
    return _Change(
        number=number, event_id=_text(outer.get("eventID")), keys=change.get("Keys"), outbox=outbox, flaw=flaw
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _outbox(change: Mapping[str, Any], *, removed: bool) -> list[bytes]:
    image = change.get("NewImage")
    if image is None and removed:
        return []
    if not isinstance(image, Mapping):
        raise TypeError("there is no image of the row")
    if "outbox" not in image:
        return []
    return [bytes(event) for event in unpack_outbox(base64.b64decode(image["outbox"]["B"], validate=True))]


def _note(change: _Change, reason: str) -> dict[str, str | None]:
    number = None if change.number is None else short(change.number, MAX_NAME)
    return {"sequence_number": number, "reason": short(reason)}


def _letter(change: _Change, reason: str) -> str:
    """Return what operators are told: which row it is, where that can be told, and why; in characters of any queue."""
    note = {
        "SequenceNumber": change.number and short(change.number, MAX_NAME),
        "eventID": change.event_id and short(change.event_id, MAX_NAME),
        "reason": short(reason),
    }
    with suppress(Exception):  # keys may be anything, too
        if len(letter := json.dumps({"Keys": change.keys, **note})) <= _MAX_LETTER_BYTES:
            return letter
    return json.dumps(note)


def _numbers(changes: Sequence[_Change], places: Set[int]) -> list[str]:
    """Return what Lambda knows the records by; raises EachonceError where it knows one by nothing."""
    numbers = [changes[place].number for place in sorted(places)]
    if None in numbers:
        raise EachonceError("a record is to come again and has no SequenceNumber: the whole batch does")
    return [number for number in numbers if number is not None]
