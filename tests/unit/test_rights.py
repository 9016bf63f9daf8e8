"""What a request needs a right to."""

from __future__ import annotations

from typing import Any

import pytest

from eachonce_workbench.cloud.rights import rights

URL = "http://localhost:4566/123456789012/parcels"


@pytest.mark.parametrize(
    ("service", "operation", "request_", "needed"),
    [
        ("dynamodb", "UpdateItem", {"TableName": "Stock"}, {("dynamodb:UpdateItem", "Stock")}),
        ("dynamodb", "BatchGetItem", {"RequestItems": {"Stock": {}}}, {("dynamodb:BatchGetItem", "Stock")}),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "Journal"}},
                    {"Update": {"TableName": "Stock"}},
                    {"Delete": {"TableName": "Stock"}},
                    {"ConditionCheck": {"TableName": "Sales"}},
                ]
            },
            {
                ("dynamodb:PutItem", "Journal"),
                ("dynamodb:UpdateItem", "Stock"),
                ("dynamodb:DeleteItem", "Stock"),
                ("dynamodb:ConditionCheckItem", "Sales"),
            },
        ),
        ("dynamodb", "TransactGetItems", {"TransactItems": [{"Get": {"TableName": "A"}}]}, {("dynamodb:GetItem", "A")}),
        ("sqs", "DeleteMessageBatch", {"QueueUrl": URL}, {("sqs:DeleteMessage", "parcels")}),
        ("sqs", "ChangeMessageVisibilityBatch", {"QueueUrl": URL}, {("sqs:ChangeMessageVisibility", "parcels")}),
        (
            "events",
            "PutEvents",
            {"Entries": [{}, {"EventBusName": "b"}]},
            {("events:PutEvents", "default"), ("events:PutEvents", "b")},
        ),
        ("secretsmanager", "GetSecretValue", {"SecretId": "s"}, {("secretsmanager:GetSecretValue", "s")}),
        ("ssm", "PutParameter", {"Name": "/keys/a", "Value": "1"}, {("ssm:PutParameter", "/keys/a")}),
        ("ssm", "GetParametersByPath", {"Path": "/keys"}, {("ssm:GetParametersByPath", "/keys")}),
        ("dynamodb", "ListTables", {}, set()),
    ],
)
def test_a_request_needs_what_its_parts_would(
    service: str, operation: str, request_: dict[str, Any], needed: set[tuple[str, str]]
) -> None:
    """A transaction needs no right of its own, a batch of messages that of one message."""
    assert set(rights(service, operation, request_)) == needed
