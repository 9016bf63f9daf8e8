"""A store of tables alone, and DynamoDB's requests to it in short."""

from __future__ import annotations

import json
from typing import Any

from eachonce_workbench.cloud.store.store import Store
from tests.topologies import table, topology

_INDEXED = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "owner", "AttributeType": "S"},
        {"AttributeName": "size", "AttributeType": "N"},
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-owner",
            "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "size", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by-size",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "size", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}

_BINARY = {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "B"}]}


class Tables:
    """`items` has a text as its key; `indexed` a text and a number, and two indexes; `binary` a binary."""

    def __init__(self) -> None:
        self.store = Store(
            topology(
                tables=(
                    table("items", stream_view="NEW_AND_OLD_IMAGES", ttl_attribute="expires"),
                    table("indexed", range_key="sk", properties=_INDEXED),
                    table("binary", properties=_BINARY),
                )
            )
        )
        self.store.create()

    def answer(self, operation: str, params: Any) -> tuple[int, dict[str, Any]]:
        """Send a request; returns the status and the body."""
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"}
        body = params if isinstance(params, bytes) else json.dumps(params).encode()
        status, _, answer = self.store.handle("dynamodb", headers, body)
        return status, json.loads(answer)

    def ask(self, operation: str, /, **params: Any) -> dict[str, Any]:
        """Send a request that must succeed."""
        status, body = self.answer(operation, params)
        assert status == 200, body
        return body

    def refused(self, operation: str, /, **params: Any) -> str:
        """Send a request that must be a validation error; returns its message."""
        status, body = self.answer(operation, params)
        assert (status, body["__type"]) == (400, "ValidationException"), body
        return str(body["message"])

    def put(self, key: str, **attributes: Any) -> None:
        """Put an item into `items`."""
        self.ask("PutItem", TableName="items", Item={"pk": {"S": key}} | attributes)

    def item(self, key: str) -> dict[str, Any] | None:
        """An item of `items`, without its key."""
        item = self.ask("GetItem", TableName="items", Key={"pk": {"S": key}}).get("Item")
        return None if item is None else {name: value for name, value in item.items() if name != "pk"}

    def holds(self, key: str, condition: str, *, names: Any = None, **values: Any) -> bool:
        """Whether an item of `items` meets a condition; `values` are those of its placeholders."""
        status, body = self.answer("DeleteItem", self.condition(key, condition, names=names, **values))
        assert status == 200 or body["__type"] == "ConditionalCheckFailedException", body
        return status == 200

    def condition(self, key: str, condition: str, *, names: Any = None, **values: Any) -> dict[str, Any]:
        """The request of a conditional delete in `items`."""
        request = {"TableName": "items", "Key": {"pk": {"S": key}}, "ConditionExpression": condition}
        return request | _placeholders(names, values)

    def update(self, key: str, expression: str, *, names: Any = None, **values: Any) -> dict[str, Any]:
        """The request of an update in `items`."""
        request = {"TableName": "items", "Key": {"pk": {"S": key}}, "UpdateExpression": expression}
        return request | _placeholders(names, values)


def _placeholders(names: Any, values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {} if names is None else {"ExpressionAttributeNames": names}
    if values:
        found["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    return found
