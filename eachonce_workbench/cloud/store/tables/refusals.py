"""What DynamoDB answers to a request that it doesn't carry out."""

from __future__ import annotations

from typing import Any

from eachonce_workbench.cloud.store.protocol import AwsError


class ItemRefusedError(AwsError):
    """What is asked of an item can't be done to it, or in its table: in a transaction, its cancellation reason."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class KeyMismatchError(ItemRefusedError):
    """What is to be a key isn't one of the table's."""


class ConditionFailedError(AwsError):
    """The item is not as the condition wants it; `item` is what it is, when the request asked for it."""

    def __init__(self, item: dict[str, Any] | None) -> None:
        fields: dict[str, Any] = {} if item is None else {"Item": item}
        super().__init__("ConditionalCheckFailedException", "The conditional request failed", **fields)
        self.item = item


def invalid(message: str) -> AwsError:
    """The request breaks a rule, whatever the tables hold."""
    return AwsError("ValidationException", message)


def invalid_value(message: str) -> AwsError:
    """A parameter's value breaks a rule."""
    return invalid(f"One or more parameter values were invalid: {message}")


def refused_value(message: str) -> ItemRefusedError:
    """A parameter's value doesn't fit the table."""
    return ItemRefusedError(f"One or more parameter values were invalid: {message}")


def invalid_members(broken: list[str]) -> AwsError:
    """Members of the request break the constraints of its shape."""
    errors = "1 validation error" if len(broken) == 1 else f"{len(broken)} validation errors"
    return invalid(f"{errors} detected: {'; '.join(broken)}")


def malformed(message: str) -> AwsError:
    """The request is not of the shape that AWS reads."""
    return AwsError("SerializationException", message)
