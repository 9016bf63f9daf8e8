"""The simulated tables, past all faults: as nobody in the simulation reads and writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from eachonce.aws import Codec

from eachonce_workbench.cloud.local_cloud import LocalCloud


def put(cloud: LocalCloud, table: str, item: Mapping[str, Any]) -> None:
    """Put an item, in DynamoDB's JSON. Raises RuntimeError where DynamoDB refuses it."""
    _ask(cloud, table, "PutItem", {"Item": item})


def scan(cloud: LocalCloud, table: str) -> Iterator[Mapping[str, Any]]:
    """Yield all items of a table, as plain values."""
    codec = Codec()
    start: dict[str, Any] = {}
    while True:
        page = _ask(cloud, table, "Scan", {"ConsistentRead": True, **start})
        yield from map(codec.item, page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _ask(cloud: LocalCloud, table: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"}
    named = {"TableName": cloud.topology.table(table).name, **request}
    status, _, body = cloud.store.handle("dynamodb", headers, json.dumps(named).encode())
    if status != 200:
        raise RuntimeError(body.decode())
    answer: dict[str, Any] = json.loads(body)
    return answer
