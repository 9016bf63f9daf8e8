"""What must fit together in a queue, and between it and its dead-letter queue.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
"""

from __future__ import annotations

from collections.abc import Iterator

from eachonce_workbench.template.intrinsics import Unresolved
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.system import Resource, System, is_fifo

_ONLY_FIFO = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")


def misfits(queue: Resource, system: System) -> Iterator[Unresolved]:
    """Give what AWS would refuse."""
    properties = queue.properties
    fifo = properties.flag("FifoQueue", default=False)
    yield from _name(properties, fifo=fifo)
    if not fifo:
        yield from (
            Unresolved(properties.at(name), f"{name} is for FIFO queues alone")
            for name in _ONLY_FIFO
            if name in properties
        )
    yield from _throughput(properties)
    yield from _encryption(properties)
    yield from _sources(properties.group("RedriveAllowPolicy"))
    if "RedrivePolicy" in properties:
        yield from _dead_letters(queue, properties.group("RedrivePolicy"), system, fifo=fifo)


def _name(properties: Properties, *, fifo: bool) -> Iterator[Unresolved]:
    name = properties.optional_text("QueueName")
    if name is None:
        return
    if fifo and not name.endswith(".fifo"):
        yield Unresolved(properties.at("QueueName"), f"the name of a FIFO queue ends in .fifo; {name!r} doesn't")
    if not fifo and name.endswith(".fifo"):
        yield Unresolved(
            properties.at("QueueName"), f"a queue whose name ends in .fifo has FifoQueue: true; {name!r} hasn't"
        )


def _throughput(properties: Properties) -> Iterator[Unresolved]:
    a_group = properties.get("FifoThroughputLimit") == "perMessageGroupId"
    if a_group and properties.get("DeduplicationScope") != "messageGroup":
        yield Unresolved(
            properties.at("FifoThroughputLimit"),
            "FifoThroughputLimit perMessageGroupId needs DeduplicationScope messageGroup",
        )


def _encryption(properties: Properties) -> Iterator[Unresolved]:
    if "KmsMasterKeyId" in properties and properties.flag("SqsManagedSseEnabled", default=False):
        yield Unresolved(
            properties.at("KmsMasterKeyId"),
            "KmsMasterKeyId is one way of encryption and SqsManagedSseEnabled another: a queue has one",
        )


def _sources(policy: Properties) -> Iterator[Unresolved]:
    by_queue = policy.get("redrivePermission") == "byQueue"
    if by_queue != ("sourceQueueArns" in policy):
        yield Unresolved(
            policy.at("sourceQueueArns"),
            "sourceQueueArns and redrivePermission byQueue go together in a RedriveAllowPolicy",
        )


def _dead_letters(queue: Resource, policy: Properties, system: System, *, fifo: bool) -> Iterator[Unresolved]:
    arn = policy.text("deadLetterTargetArn")
    where = policy.at("deadLetterTargetArn")
    target = system.queue(arn)
    kind = {True: "a FIFO queue", False: "a standard queue"}
    if is_fifo(arn) != fifo:
        yield Unresolved(
            where,
            f"the dead-letter queue of {kind[fifo]} is {kind[fifo]}, too; deadLetterTargetArn is {kind[not fifo]}",
        )
    elif target is not None and not _permits(target.properties.group("RedriveAllowPolicy"), queue):
        yield Unresolved(where, f"the RedriveAllowPolicy of {target.logical_id} doesn't permit {queue.logical_id}")


def _permits(policy: Properties, queue: Resource) -> bool:
    match policy.get("redrivePermission", "allowAll"):
        case "denyAll":
            return False
        case "byQueue":
            return queue.arn in policy.items("sourceQueueArns")
    return True
