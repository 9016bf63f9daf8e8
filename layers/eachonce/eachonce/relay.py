"""The relay: the journal's stream to the bus.

Events leave a function inside its journal row, in the same commit as its effects. From there the table's stream
brings them here, in order, until the bus has taken them. A copy on the bus changes nothing downstream, so recovery from
any outage is to publish again.
"""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from eachonce.aws import Aws
from eachonce.errors import EachonceError, PublishError
from eachonce.journal import unpack_outbox
from eachonce.publisher import Publisher
from eachonce.settings import Settings


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
        failed: dict[str, str] = {}
        for number, change in changes:
            try:
                outbox = _outbox(change)
            except (zlib.error, msgspec.DecodeError, KeyError, ValueError) as error:
                failed[number] = f"the outbox can't be read: {error}"
                continue
            events += outbox
            record_of += [number] * len(outbox)
        try:
            self._publisher.publish(events)
        except PublishError as error:
            failed |= {record_of[unsent.place]: f"{unsent.code}: {unsent.message}" for unsent in error.unsent}
        for number, reason in failed.items():
            self._logger.warning("not published", extra={"sequence_number": number, "reason": reason})
        return [number for number, _ in changes if number in failed]

    @cached_property
    def _publisher(self) -> Publisher:
        settings = Settings.read(os.environ) if self._given_settings is None else self._given_settings
        return Publisher(self._aws.events, settings.required_bus())

    @cached_property
    def _logger(self) -> Logger:
        return Logger(service="relay-outbox")


def _outbox(change: Mapping[str, Any]) -> list[bytes]:
    packed = change.get("NewImage", {}).get("outbox")
    if packed is None:
        return []
    return [bytes(event) for event in unpack_outbox(base64.b64decode(packed["B"], validate=True))]
