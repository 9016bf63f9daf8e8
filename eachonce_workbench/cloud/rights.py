"""What a caller of AWS needs a right to, request by request.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Right = tuple[str, str]
"""An action in IAM's words, and the name of the table, queue, bus, key, secret or parameter that it is about."""

# A transaction needs what its parts would need alone.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


def rights(service: str, operation: str, request: Mapping[str, Any]) -> Iterator[Right]:
    """Yield the rights that a request needs: none for what is not known here.

    >>> list(rights("sqs", "SendMessageBatch", {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/1234/parcels"}))
    [('sqs:SendMessage', 'parcels')]
    """
    match service, operation:
        case "dynamodb", "TransactWriteItems" | "TransactGetItems":
            for item in request["TransactItems"]:
                for verb, part in item.items():
                    yield f"dynamodb:{_PARTS.get(verb, 'GetItem')}", part["TableName"]
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            for table in request["RequestItems"]:
                yield f"dynamodb:{operation}", table
        case "dynamodb", _ if "TableName" in request:
            yield f"dynamodb:{operation}", request["TableName"]
        case "sqs", _ if "QueueUrl" in request:
            yield f"sqs:{operation.removesuffix('Batch')}", request["QueueUrl"].rpartition("/")[2]
        case "kms", _ if "KeyId" in request:
            yield f"kms:{operation}", request["KeyId"].rpartition("/")[2]
        case "events", "PutEvents":
            for entry in request["Entries"]:
                yield "events:PutEvents", entry.get("EventBusName", "default").rpartition("/")[2]
        case "secretsmanager", _ if "SecretId" in request:
            yield f"secretsmanager:{operation}", request["SecretId"]
        case "ssm", _ if "Name" in request or "Path" in request:
            yield f"ssm:{operation}", request.get("Name", request.get("Path"))
