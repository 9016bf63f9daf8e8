"""What must fit together in an event source mapping, and between it, its queue and its function.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

from collections.abc import Iterator

from eachonce_workbench.template.intrinsics import Unresolved
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.system import Resource, System, is_fifo, service

_ONLY_QUEUES = ("ScalingConfig",)
_ONLY_STREAMS = (
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
)
# "When you set BatchSize to a value greater than 10 ...": a batch that one receive can't fill.
_ONE_RECEIVE = 10


def misfits(mapping: Resource, system: System) -> Iterator[Unresolved]:
    """Give what AWS would refuse."""
    properties = mapping.properties
    source = properties.optional_text("EventSourceArn") or ""
    match service(source):
        case "sqs":
            yield from _foreign(properties, _ONLY_STREAMS, "streams")
            yield from _batches(properties, fifo=is_fifo(source))
            yield from _visibility(properties, source, system)
        case "dynamodb":
            yield from _foreign(properties, _ONLY_QUEUES, "queues")
            yield from _stream(properties)


def _foreign(properties: Properties, names: tuple[str, ...], sources: str) -> Iterator[Unresolved]:
    for name in names:
        if name in properties:
            yield Unresolved(properties.at(name), f"{name} is for {sources} alone")


def _batches(properties: Properties, *, fifo: bool) -> Iterator[Unresolved]:
    size = properties.integer("BatchSize", 10)
    window = properties.integer("MaximumBatchingWindowInSeconds", 0)
    if fifo and window:
        yield Unresolved(
            properties.at("MaximumBatchingWindowInSeconds"),
            f"MaximumBatchingWindowInSeconds is for standard queues alone; of a FIFO queue it is 0, not {window}",
        )
    if fifo and size > _ONE_RECEIVE:
        yield Unresolved(properties.at("BatchSize"), f"BatchSize is 1 to 10 for a FIFO queue, not {size}")
    if not fifo and size > _ONE_RECEIVE and not window:
        yield Unresolved(
            properties.at("BatchSize"),
            f"a BatchSize over 10 needs a MaximumBatchingWindowInSeconds of 1 or more; BatchSize is {size}",
        )


def _visibility(properties: Properties, source: str, system: System) -> Iterator[Unresolved]:
    """Compare two times: "Queue visibility timeout ... is less than Function timeout ..." is what Lambda says.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """
    queue = system.queue(source)
    function = system.function(properties.text("FunctionName"))
    if queue is None or function is None:
        return  # one of the two belongs to another stack
    visibility = queue.properties.integer("VisibilityTimeout", 30)
    timeout = function.properties.integer("Timeout", 3)
    if visibility < timeout:
        yield Unresolved(
            queue.properties.at("VisibilityTimeout"),
            f"VisibilityTimeout is no shorter than the Timeout of the function {function.logical_id}, which is "
            f"{timeout} seconds, not {visibility}",
        )


def _stream(properties: Properties) -> Iterator[Unresolved]:
    if "StartingPosition" not in properties:
        yield Unresolved(properties.where, "a mapping of a stream needs StartingPosition")
    elif properties.text("StartingPosition") == "AT_TIMESTAMP":
        yield Unresolved(
            properties.at("StartingPosition"),
            "StartingPosition is TRIM_HORIZON or LATEST for a table's stream, not AT_TIMESTAMP",
        )
    on_failure = properties.group("DestinationConfig").group("OnFailure")
    if is_fifo(on_failure.optional_text("Destination") or ""):
        # https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
        yield Unresolved(on_failure.at("Destination"), "Destination is a standard queue, not a FIFO queue")
