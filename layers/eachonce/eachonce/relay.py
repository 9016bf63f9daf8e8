"""The relay: the journal's stream to the bus.

Events leave a function inside its journal row, in the same commit as its effects. From there the table's stream
brings them here, in order, until the bus has taken them. A copy on the bus changes nothing downstream, so recovery from
any outage is to publish again. The stream tries again for as long as it keeps a record; what no bus will ever take is
set aside, in the relay's dead-letter queue, so that it holds up nothing: its events stay in the journal.
"""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from eachonce.aws import Aws, aws_errors
from eachonce.chunks import chunks
from eachonce.errors import EachonceError, PublishError
from eachonce.journal import unpack_outbox
from eachonce.listener import MAX_BODY_BYTES
from eachonce.publisher import Publisher
from eachonce.settings import Settings

# What the bus says of an event that it will never take, whoever sends it and however often.
_NEVER = frozenset({"MalformedEvent", "MalformedDetail", "EntryTooLarge"})

_MAX_NOTE_BYTES = 4 * 1024  # a key and a reason


class Relay:
    """A Lambda function on the journal's stream, which publishes what committed events have in their outbox."""

    def __init__(self, *, aws: Aws | None = None, settings: Settings | None = None) -> None:
        self._aws = Aws() if aws is None else aws
        self._given_settings = settings

    def __call__(self, batch: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG002 - Lambda's signature
        """Publish the outboxes of a stream batch; name the records whose events were not all published.

        Raises EachonceError when `batch` isn't a DynamoDB stream event.
        """
        records = batch.get("Records") if isinstance(batch, Mapping) else None
        if not isinstance(records, list) or any(record.get("eventSource") != "aws:dynamodb" for record in records):
            raise EachonceError(
                'this function takes DynamoDB stream events: {"Records": [{"eventSource": "aws:dynamodb", ...}]}'
            )
        failed = self._relay([(record["dynamodb"]["SequenceNumber"], record["dynamodb"]) for record in records])
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    def _relay(self, changes: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
        """Publish all events of the batch in as few calls as they fit; return the records that are to come again."""
        events: list[bytes] = []
        record_of: list[str] = []
        waits: dict[str, str] = {}
        spoilt: dict[str, str] = {}
        for number, change in changes:
            try:
                outbox = _outbox(change)
            except (zlib.error, msgspec.DecodeError, KeyError, ValueError) as error:
                spoilt[number] = f"the outbox can't be read: {error}"
                continue
            events += outbox
            record_of += [number] * len(outbox)
        try:
            self._publisher.publish(events)
        except PublishError as error:
            for unsent in error.unsent:
                unpublished = spoilt if unsent.code in _NEVER else waits
                unpublished[record_of[unsent.place]] = f"{unsent.code}: {unsent.message}"
        for number, reason in (waits | spoilt).items():
            self._logger.warning("not published", extra={"sequence_number": number, "reason": reason})
        failed = waits.keys() | self._set_aside({n: reason for n, reason in spoilt.items() if n not in waits}, changes)
        return [number for number, _ in changes if number in failed]

    def _set_aside(self, spoilt: Mapping[str, str], changes: Sequence[tuple[str, Mapping[str, Any]]]) -> set[str]:
        """Tell operators of rows that can't be published; return the records of those that nobody was told of."""
        url = self._settings.dead_letter_queue_url
        left = set(spoilt)
        if url is None:
            return left
        keys = {number: change.get("Keys", {}) for number, change in changes if number in spoilt}
        for chunk in chunks(list(spoilt), size_bytes=lambda _: _MAX_NOTE_BYTES, max_items=10, max_bytes=MAX_BODY_BYTES):
            entries = [
                {
                    "Id": number,
                    "MessageBody": msgspec.json.encode({"Keys": keys[number], "reason": spoilt[number]}).decode(),
                }
                for number in chunk
            ]
            with suppress(*aws_errors()):
                sent = self._aws.sqs.send_message_batch(QueueUrl=url, Entries=entries)
                left -= {entry["Id"] for entry in sent.get("Successful", ())}
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


def _outbox(change: Mapping[str, Any]) -> list[bytes]:
    packed = change.get("NewImage", {}).get("outbox")
    if packed is None:
        return []
    return [bytes(event) for event in unpack_outbox(base64.b64decode(packed["B"], validate=True))]
