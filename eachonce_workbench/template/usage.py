"""What a value has to look like for the property that it is used in, as far as a property says it by its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eachonce_workbench.template.made_up import words
from eachonce_workbench.template.place import Place
from eachonce_workbench.template.source import Where

_ARNS = {
    "Arn": ("sqs", "{}"),
    "Destination": ("sqs", "{}"),
    "EventSourceArn": ("sqs", "{}"),
    "Layers": ("lambda", "layer:{}:1"),
    "Queue": ("sqs", "{}"),
    "SourceArn": ("sqs", "{}"),
    "Stream": ("kinesis", "stream/{}"),
    "TargetArn": ("sqs", "{}"),
    "Topic": ("sns", "{}"),
    "TopicArn": ("sns", "{}"),
    "deadLetterTargetArn": ("sqs", "{}"),
}
_VALUES = {
    "Architectures": "x86_64",
    "AttributeType": "S",
    "BatchSize": "10",
    "BillingMode": "PAY_PER_REQUEST",
    "BisectBatchOnFunctionError": "false",
    "ContentBasedDeduplication": "false",
    "DelaySeconds": "0",
    "Enabled": "true",
    "FifoQueue": "false",
    "MaximumBatchingWindowInSeconds": "1",
    "MaximumConcurrency": "10",
    "MaximumEventAgeInSeconds": "3600",
    "MaximumMessageSize": "262144",
    "MaximumRecordAgeInSeconds": "3600",
    "MaximumRetryAttempts": "2",
    "MemorySize": "128",
    "MessageRetentionPeriod": "345600",
    "ParallelizationFactor": "1",
    "PointInTimeRecoveryEnabled": "false",
    "ReadCapacityUnits": "1",
    "ReceiveMessageWaitTimeSeconds": "0",
    "ReservedConcurrentExecutions": "10",
    "Runtime": "python3.12",
    "Schedule": "rate(1 hour)",
    "ScheduleExpression": "rate(1 hour)",
    "Size": "512",
    "StartingPosition": "LATEST",
    "State": "ENABLED",
    "StreamViewType": "NEW_AND_OLD_IMAGES",
    "Timeout": "30",
    "Tracing": "PassThrough",
    "VisibilityTimeout": "900",
    "WriteCapacityUnits": "1",
    "maxReceiveCount": "3",
}


def fitting(used: str, name: str, place: Place) -> str | None:
    """Give a value of a name for a property, or None for a property that takes any string.

    >>> here = Place(stack="s", region="eu-west-1", account_id="123456789012", endpoint="")
    >>> fitting("EventSourceArn", "Orders", here), fitting("MemorySize", "Size", here), fitting("Value", "Orders", here)
    ('arn:aws:sqs:eu-west-1:123456789012:orders', '128', None)
    """
    if used in _ARNS:
        service, resource = _ARNS[used]
        return place.arn(service, resource.format(words(name)))
    return _VALUES.get(used)


def property_at(where: Where) -> str:
    """Give the name of the property that a place is in, whatever functions and lists are between them."""
    return next(
        (part for part in reversed(where) if isinstance(part, str) and not part.startswith(("Fn::", "Ref"))), ""
    )


def uses(value: Any, parameter: str, inside: str = "") -> Iterator[str]:
    """Give the names of the properties whose value is a parameter's as it is."""
    if isinstance(value, list):
        for item in value:
            yield from uses(item, parameter, inside)
    elif isinstance(value, dict):
        if value == {"Ref": parameter} or value == {"Fn::Sub": f"${{{parameter}}}"}:
            yield inside
        for key, item in value.items():
            yield from uses(item, parameter, inside if str(key).startswith("Fn::If") else str(key))
