"""What a function says about the records of its batch: Lambda's partial batch response."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import msgspec


class BatchResponseError(ValueError):
    """A response that Lambda takes as the failure of the whole batch."""


def failed_items(payload: bytes, identifiers: Set[str]) -> set[str]:
    """Return which of the batch's `identifiers` the function reports as failed, out of what it returned (JSON).

    Nothing at all, an empty object and an empty or null list mean that all went well. Raises BatchResponseError when
    the response is no such report, or names a record that is missing, empty, null or not of this batch.

    The rules: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html and
    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html.
    """
    failed = {_identifier(item) for item in _items(payload)}
    if not failed <= identifiers:
        raise BatchResponseError("batchItemFailures names a record that is not of this batch")
    return failed


def _items(payload: bytes) -> list[Any]:
    try:
        response = msgspec.json.decode(payload) if payload else None
    except msgspec.DecodeError as error:
        raise BatchResponseError("the response is not JSON") from error
    if response is None:
        return []
    if not isinstance(response, dict):
        raise BatchResponseError("the response is not an object")
    items = response.get("batchItemFailures")
    if items is not None and not isinstance(items, list):
        raise BatchResponseError("batchItemFailures is not a list")
    return items or []


def _identifier(item: object) -> str:
    identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
    if not isinstance(identifier, str) or not identifier:
        raise BatchResponseError("an entry of batchItemFailures has no itemIdentifier")
    return identifier
