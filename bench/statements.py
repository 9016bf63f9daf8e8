"""What boto3 takes to put ten journal rows: one by one, as one transaction, and as ten statements of one call.

Nobody answers but botocore's own events, so that it is the processor time of the calls alone.

    python -m bench.statements
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from eachonce import Aws

from bench.processor_time import microseconds
from bench.tables import ENVIRONMENT, JOURNAL

ROWS = 10
_TIMES = 300
_ITEM = {
    "pk": {"S": "bench##post#e-00000001"},
    "state": {"S": "DONE"},
    "fingerprint": {"S": "6f" * 16},
    "type": {"S": "OrderPlaced"},
    "expires_at": {"N": "1700000000"},
    "done_at": {"S": "2010-12-01T08:26:00Z"},
    "outbox": {"B": b"x" * 400},
}
_PUT = {
    "TableName": JOURNAL,
    "Item": _ITEM,
    "ConditionExpression": "attribute_not_exists(pk) OR #state <> :done",
    "ExpressionAttributeNames": {"#state": "state"},
    "ExpressionAttributeValues": {":done": {"S": "DONE"}},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
_NAMES = ", ".join(f"'{name}': ?" for name in _ITEM)
_INSERT = {"Statement": f'INSERT INTO "{JOURNAL}" VALUE {{{_NAMES}}}', "Parameters": list(_ITEM.values())}


def costs() -> Mapping[str, float]:
    """Return the microseconds of a row, by how the rows are put."""
    client: Any = Aws().dynamodb
    client.meta.events.register("before-send", _answered)
    ways: Mapping[str, Callable[[], object]] = {
        "one by one": lambda: [client.put_item(**_PUT) for _ in range(ROWS)],
        "a transaction": lambda: client.transact_write_items(TransactItems=[{"Put": _PUT}] * ROWS),
        "statements": lambda: client.batch_execute_statement(Statements=[_INSERT] * ROWS),
    }
    return {name: microseconds(way, _TIMES) / ROWS for name, way in ways.items()}


class _Raw:
    def stream(self, *_: Any, **__: Any) -> list[bytes]:
        return [msgspec.json.encode({"Responses": [{"TableName": JOURNAL}] * ROWS})]


def _answered(request: Any, **_: Any) -> Any:
    from botocore.awsrequest import AWSResponse

    return AWSResponse(request.url, 200, {"content-type": "application/x-amz-json-1.0"}, _Raw())


def main() -> None:
    os.environ.update(ENVIRONMENT)
    for name, us in costs().items():
        print(f"{name:<14} {us:6.1f} µs a row")


if __name__ == "__main__":
    main()
