"""The AWS clients and DynamoDB's form of values: what is spared changes no answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import boto3
import jmespath
import pytest
from boto3.dynamodb.types import TypeSerializer
from eachonce import Aws, WorkError
from eachonce.aws import Codec
from eachonce.journal import State

VALUES = [
    "",
    "text",
    State.DONE,
    0,
    -1,
    10**37,
    1 - 10**38,
    True,
    None,
    Decimal("0.1"),
    b"b",
    ["a", 1],
    {"a": 1},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_has_the_form_that_boto3_gives_it(value: Any) -> None:
    """By the short way or the long one."""
    assert Codec().encode(value) == TypeSerializer().serialize(value)


@pytest.mark.parametrize("value", [10**38, -(10**38), 1.5], ids=repr)
def test_a_number_that_dynamodb_does_not_hold_has_none(value: Any) -> None:
    """Its digits are counted where there may be too many."""
    with pytest.raises(WorkError):
        Codec().encode(value)


@pytest.mark.parametrize(
    "items",
    [
        [{"Put": {"TableName": "a"}}, {"Put": {"TableName": "b"}}],
        [{"Update": {"TableName": "arn:aws:dynamodb:eu-west-1:111122223333:table/a"}}, {"Put": {"TableName": "b"}}],
        [{"ConditionCheck": {"TableName": "a"}}],
    ],
    ids=["puts", "an ARN", "a check"],
)
def test_a_transactions_endpoint_is_that_of_its_first_table(items: list[Any]) -> None:
    """The endpoint's rules look at no other, and so none is looked for."""
    made: list[Any] = [boto3.client("dynamodb"), Aws().dynamodb]
    plain, spared = (
        client.meta.service_model.operation_model("TransactWriteItems").operation_context_parameters for client in made
    )

    asked = [jmespath.search(each["ResourceArnList"]["path"], {"TransactItems": items}) for each in (plain, spared)]

    assert plain.keys() == spared.keys()
    assert asked[1] == asked[0][:1]
