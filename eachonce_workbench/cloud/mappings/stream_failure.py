"""What an on-failure destination is told about records that were given up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from eachonce_workbench.cloud.mappings.stream_batch import Batch, created_at, sequence_number

if TYPE_CHECKING:
    from eachonce_workbench.template.topology import StreamMapping

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]

_SHARD_ID = "shardId-00000000000000000000-00000000"  # a local stream has one shard


def failure_record(batch: Batch, condition: Condition, *, mapping: StreamMapping, function_arn: str, now: float) -> str:
    """Return the message (JSON) that names a batch without its records.

    The shape: https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html.
    """
    first, last = batch.records[0], batch.records[-1]
    request_id = batch.last.request_id if batch.last is not None else ""
    document = {
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": batch.invocations,
        },
        "responseContext": _response_context(batch),
        "version": "1.0",
        "timestamp": _time(now),
        "DDBStreamBatchInfo": {
            "shardId": _SHARD_ID,
            "startSequenceNumber": sequence_number(first),
            "endSequenceNumber": sequence_number(last),
            "approximateArrivalOfFirstRecord": _time(created_at(first)),
            "approximateArrivalOfLastRecord": _time(created_at(last)),
            "batchSize": len(batch.records),
            "streamArn": mapping.stream_arn,
        },
    }
    return json.dumps(document)


def _response_context(batch: Batch) -> dict[str, object] | None:
    if batch.last is None:
        return None
    error = None if batch.last.ok else "Unhandled"
    return {"statusCode": 200, "executedVersion": "$LATEST", "functionError": error}


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
