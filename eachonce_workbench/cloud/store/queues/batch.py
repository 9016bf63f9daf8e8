"""Ten requests in one: what spoils all of them, and what each one's answer is.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.sqs.exceptions import (
    BatchEntryIdsNotDistinct,
    InvalidBatchEntryId,
    SQSException,
    TooManyEntriesInBatchRequest,
)

from eachonce_workbench.cloud.store.queues.attributes import Attributes
from eachonce_workbench.cloud.store.queues.limits import MAX_MESSAGE_BYTES, size_bytes
from eachonce_workbench.cloud.store.queues.refusals import invalid

Entry = Mapping[str, Any]

MAX_ENTRIES = 10

_ID = re.compile("[A-Za-z0-9_-]{1,80}")


def check(entries: Sequence[Entry], action: str) -> None:
    """Raise `SQSException` for a batch that SQS refuses whole; `action` is what it does, as `SendMessage`."""
    if not entries:
        raise SQSException(
            "AWS.SimpleQueueService.EmptyBatchRequest",
            f"There should be at least one {action}BatchRequestEntry in the request.",
        )
    if len(entries) > MAX_ENTRIES:
        raise TooManyEntriesInBatchRequest(len(entries))
    seen: set[str] = set()
    for entry in entries:
        entry_id = entry.get("Id", "")
        if not _ID.fullmatch(entry_id):
            raise InvalidBatchEntryId
        if entry_id in seen:
            raise BatchEntryIdsNotDistinct(entry_id)
        seen.add(entry_id)


def check_messages(entries: Sequence[Entry], queue: Any) -> None:
    """Raise `SQSException` for messages that SQS refuses together: too much, or without what a FIFO queue needs."""
    total = sum(size_bytes(entry.get("MessageBody", ""), _measurable(entry)) for entry in entries)
    if total > MAX_MESSAGE_BYTES:
        raise SQSException(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {MAX_MESSAGE_BYTES} bytes. You have sent {total} bytes.",
        )
    if not queue.fifo_queue:
        return
    if not all(entry.get("MessageGroupId") is not None for entry in entries):
        raise invalid("The request must contain the parameter MessageGroupId.")
    if not queue.content_based_deduplication and not all(
        entry.get("MessageDeduplicationId") is not None for entry in entries
    ):
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )


def each(entries: Sequence[Entry], act: Callable[[Entry], Mapping[str, Any]]) -> dict[str, Any]:
    """What became of each entry: its own result, or its own refusal."""
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **act(entry)})
        except SQSException as refusal:
            failure = {"Id": entry["Id"], "SenderFault": True, "Code": refusal.code, "Message": refusal.message}
            failed.append(failure)
    return {name: some for name, some in (("Successful", successful), ("Failed", failed)) if some}


def _measurable(entry: Entry) -> Attributes:
    attributes = entry.get("MessageAttributes") or {}
    return {name: value for name, value in attributes.items() if value.get("DataType")}
