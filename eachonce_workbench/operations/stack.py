"""The resources of a deployed stack, found by its outputs alone: the same on AWS and in the local cloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

_JOURNAL = "JournalTable"
_QUEUE = "QueueUrl"
_DEAD_LETTERS = "DeadLetterQueueUrl"
_FUNCTION = "Function"
_SOURCE = "EventSource"


class UnknownStackError(Exception):
    """There is no such stack there, or it isn't one of this bundle."""


class UnknownConsumerError(Exception):
    """The stack has no such consumer; the message names those that it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerQueues:
    """A consumer's own queue and dead-letter queue."""

    consumer: str
    url: str
    dead_letters_url: str

    @property
    def fifo(self) -> bool:
        """Whether they are FIFO queues, which are known by their names.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
        """
        return self.url.endswith(".fifo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What the commands need of a stack.

    `endpoints` are the functions that publish without consuming, and `sources` those of the events that it publishes.
    Its ARN says where it is: arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID.
    """

    name: str
    journal_table: str
    consumers: tuple[ConsumerQueues, ...]
    endpoints: tuple[str, ...]
    sources: tuple[str, ...] = ()
    arn: str = field(default="", compare=False)

    @property
    def place(self) -> str:
        """Say which stack of whose it is."""
        _, _, _, region, account, _ = self.arn.split(":", 5)
        return f"account {account}, region {region}, stack {self.name}"

    def chosen(self, consumer: str | None) -> tuple[ConsumerQueues, ...]:
        """Return all queues, or those of `reserve-stock` (or `ReserveStock`). Raises UnknownConsumerError."""
        if consumer is None:
            return self.consumers
        found = tuple(queues for queues in self.consumers if queues.consumer in (consumer, consumer_name(consumer)))
        if not found:
            known = ", ".join(queues.consumer for queues in self.consumers)
            raise UnknownConsumerError(f"the stack {self.name} has no consumer {consumer!r}; it has {known}")
        return found


def find(cloudformation: Any, name: str) -> Stack:
    """Find a stack by its name. Raises UnknownStackError, and botocore's errors as they come."""
    try:
        (description,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # "If the stack doesn't exist, a ValidationError is returned."
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise UnknownStackError(error.response["Error"]["Message"]) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}
    return _stack(name, description.get("StackId", ""), outputs)


def consumer_name(logical_id: str) -> str:
    """Return what a consumer calls itself, from its logical id in the template.

    >>> consumer_name("ReserveStock")
    'reserve-stock'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "-", logical_id).lower()


def _stack(name: str, arn: str, outputs: Mapping[str, str]) -> Stack:
    if _JOURNAL not in outputs:
        raise UnknownStackError(f"the stack {name} has no output {_JOURNAL}: it is none of this bundle's")
    prefixes = [key.removesuffix(_DEAD_LETTERS) for key in outputs if key.endswith(_DEAD_LETTERS)]
    consumers = tuple(
        ConsumerQueues(
            consumer=consumer_name(prefix),
            url=outputs[prefix + _QUEUE],
            dead_letters_url=outputs[prefix + _DEAD_LETTERS],
        )
        for prefix in prefixes
        if prefix + _QUEUE in outputs  # the relay has a dead-letter queue, too, but consumes a stream
    )
    endpoints = tuple(consumer_name(key.removesuffix(_FUNCTION)) for key in outputs if key.endswith(_FUNCTION))
    return Stack(
        name=name,
        journal_table=outputs[_JOURNAL],
        consumers=consumers,
        endpoints=endpoints,
        sources=(outputs[_SOURCE],) if _SOURCE in outputs else (),
        arn=arn,
    )
