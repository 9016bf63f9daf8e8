"""A stack's consumers, their queues and their journal, found by its resources alone: on AWS and in the local cloud."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from eachonce.settings import Settings

from eachonce_workbench.template.journal import JOURNAL_VARIABLE
from eachonce_workbench.template.reference import spelled

Clients = Callable[[str], Any]
"""Gives a client of AWS's SDK for a service, such as "sqs"."""

_FUNCTION, _NESTED = "AWS::Lambda::Function", "AWS::CloudFormation::Stack"
# Functions are asked about side by side: a stack may have dozens, and each call is on its way for long.
_AT_ONCE = 8
# What SQS says of a queue that isn't there, or is somebody else's.
_UNREACHABLE = frozenset(
    {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "AccessDenied", "AccessDeniedException"}
)


class UnknownStackError(Exception):
    """There is no such stack there."""


class UnknownConsumerError(Exception):
    """The stack has no such consumer; the message names those that it has."""


class NoDeadLetterQueueError(Exception):
    """There is no dead-letter queue to look into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerQueues:
    """A dead-letter queue, and the queue of the consumer that it is of; `url` is None where several share it."""

    consumer: str
    url: str | None
    dead_letters_url: str

    @property
    def fifo(self) -> bool:
        """Whether they are FIFO queues, which are known by their names.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
        """
        return self.dead_letters_url.endswith(".fifo")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMapping:
    """A consumer's event source mapping, the queue that it reads, and the state that it was in when it was asked."""

    consumer: str
    uuid: str
    queue_arn: str
    state: str

    @property
    def paused(self) -> bool:
        """Whether it takes nothing more from its queue."""
        return self.state in ("Disabled", "Disabling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What the commands need of a stack.

    `readers` are the consumers, those without a dead-letter queue, too; `endpoints` the functions that keep a journal
    without consuming; `sources` those of the events that it publishes; `keys_table` has the keys of personal fields.
    `tenant` is whose events are that name no other.
    `lacking` says what was looked for in vain.
    Its ARN says where it is: arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/ID.
    `mappings` are those of queues; `buses` are those that its functions are told to publish to, by name or ARN;
    `settings` is what each function is told.
    """

    name: str
    journal_table: str | None
    readers: tuple[str, ...]
    consumers: tuple[ConsumerQueues, ...]
    endpoints: tuple[str, ...]
    sources: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    keys_table: str | None = None
    tenant: str | None = None
    arn: str = field(default="", compare=False)
    mappings: tuple[SourceMapping, ...] = field(default=(), compare=False)
    buses: tuple[str, ...] = field(default=(), compare=False)
    settings: tuple[Settings, ...] = field(default=(), compare=False)

    @property
    def paused(self) -> tuple[str, ...]:
        """The consumers that take nothing from a queue of theirs until they are resumed."""
        return tuple(dict.fromkeys(mapping.consumer for mapping in self.mappings if mapping.paused))

    def mappings_of(self, consumer: str) -> tuple[SourceMapping, ...]:
        """Return those of `track-parcel` (or `TrackParcel`). Raises UnknownConsumerError."""
        found = tuple(mapping for mapping in self.mappings if _is_named(mapping.consumer, consumer))
        if not found:
            raise self._unknown(consumer, self.readers)
        return found

    def _unknown(self, consumer: str, known: Iterable[str]) -> UnknownConsumerError:
        names = ", ".join(known) or "none"
        return UnknownConsumerError(f"the stack {self.name} has no consumer {consumer!r}; it has {names}")

    @property
    def place(self) -> str:
        """Say which stack of whose it is."""
        _, _, _, region, account, _ = self.arn.split(":", 5)
        return f"account {account}, region {region}, stack {self.name}"

    def chosen(self, consumer: str | None) -> tuple[ConsumerQueues, ...]:
        """Return all dead-letter queues, or that of `track-parcel` (or `TrackParcel`).

        Raises NoDeadLetterQueueError, UnknownConsumerError.
        """
        if consumer is None:
            if not self.consumers:
                raise NoDeadLetterQueueError(f"no consumer of the stack {self.name} has a dead-letter queue")
            return self.consumers
        found = tuple(queues for queues in self.consumers if _is_named(queues.consumer, consumer))
        if found:
            return found
        if any(_is_named(reader, consumer) for reader in self.readers):
            raise NoDeadLetterQueueError(f"{consumer} has no dead-letter queue")
        raise self._unknown(consumer, (queues.consumer for queues in self.consumers))


def find(clients: Clients, name: str | None) -> Stack:
    """Find a stack by its name or id; None means the only one of the local cloud.

    Raises UnknownStackError, and botocore's errors as they come.
    """
    cloudformation = clients("cloudformation")
    described = _described(cloudformation, name)
    resources = list(_resources(cloudformation, described["StackName"] if name is None else name))
    functions = [each for each in resources if each["ResourceType"] == _FUNCTION and each.get("PhysicalResourceId")]
    aws = clients("lambda")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(lambda each: _Function.ask(aws, each), functions))
    return _stack(described, found, _Queues(clients("sqs")))


def consumer_name(logical_id: str) -> str:
    """Return what a consumer calls itself, from its logical id in the template.

    >>> consumer_name("TrackParcel")
    'track-parcel'
    """
    return spelled(logical_id, between="-")


def _is_named(name: str, asked: str) -> bool:
    return asked in name.split("+") or consumer_name(asked) in name.split("+")


def _described(cloudformation: Any, name: str | None) -> Mapping[str, Any]:
    try:
        described: list[Mapping[str, Any]] = cloudformation.describe_stacks(
            **({} if name is None else {"StackName": name})
        )["Stacks"]
    except ClientError as error:
        # "If the stack doesn't exist, a ValidationError is returned."
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise UnknownStackError(error.response["Error"]["Message"]) from error
    if len(described) != 1:
        raise UnknownStackError(f"there are {len(described)} stacks: say which with --stack")
    return described[0]


def _resources(cloudformation: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    """Yield the resources of a stack, and of those that are nested in it."""
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            yield resource
            if resource["ResourceType"] == _NESTED and resource.get("PhysicalResourceId"):
                yield from _resources(cloudformation, resource["PhysicalResourceId"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    """A function: what it is told by its environment, the ARNs of what it reads, and how it reads queues."""

    name: str
    settings: Settings
    journal: str | None
    reads: tuple[str, ...]
    mappings: tuple[SourceMapping, ...] = ()

    @classmethod
    def ask(cls, aws: Any, resource: Mapping[str, Any]) -> _Function:
        physical = resource["PhysicalResourceId"]
        told = aws.get_function_configuration(FunctionName=physical)
        environment = told.get("Environment", {}).get("Variables", {})
        pages = aws.get_paginator("list_event_source_mappings").paginate(FunctionName=physical)
        mappings = [each for page in pages for each in page["EventSourceMappings"] if each.get("EventSourceArn")]
        name = consumer_name(resource["LogicalResourceId"])
        return cls(
            name=name,
            settings=Settings.read(environment),
            journal=environment.get(JOURNAL_VARIABLE) or None,
            reads=tuple(each["EventSourceArn"] for each in mappings),
            mappings=tuple(_mapping(name, each) for each in mappings if _is_queue(each["EventSourceArn"])),
        )

    @property
    def queues(self) -> tuple[str, ...]:
        return tuple(filter(_is_queue, self.reads))


def _is_queue(arn: str) -> bool:
    return arn.split(":")[2] == "sqs"


def _mapping(consumer: str, told: Mapping[str, Any]) -> SourceMapping:
    return SourceMapping(
        consumer=consumer, uuid=told["UUID"], queue_arn=told["EventSourceArn"], state=told.get("State", "")
    )


class _Queues:
    """Asks SQS about queues; `lacking` says which it could not."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs
        self.lacking: list[str] = []

    def of(self, function: _Function) -> Iterator[tuple[str, str]]:
        """Yield the URL of each queue that a function reads, with that of its dead-letter queue."""
        for arn in function.queues:
            try:
                url = url_of(self._sqs, arn)
                attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
                policy = json.loads(attributes.get("Attributes", {}).get("RedrivePolicy", "{}"))
                target = policy.get("deadLetterTargetArn")
                dead = function.settings.dead_letter_queue_url if target is None else url_of(self._sqs, target)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _UNREACHABLE:
                    raise
                self.lacking.append(f"{function.name} reads {arn}: {error.response['Error']['Code']}")
                continue
            if dead is None:
                self.lacking.append(f"{function.name} has no dead-letter queue at {arn.rpartition(':')[2]}")
            else:
                yield url, dead


def url_of(sqs: Any, queue_arn: str) -> str:
    """Ask SQS for a queue's URL, which may be another account's."""
    *_, account, name = queue_arn.split(":")
    url: str = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    return url


def _stack(described: Mapping[str, Any], functions: Sequence[_Function], queues: _Queues) -> Stack:
    readers = [function for function in functions if function.queues]
    pairs = [(function.name, *urls) for function in readers for urls in queues.of(function)]
    journals = list(dict.fromkeys(function.journal for function in functions if function.journal is not None))
    lacking = list(queues.lacking)
    if not journals:
        lacking.append(f"no function of the stack {described['StackName']} is told of a journal ({JOURNAL_VARIABLE})")
    elif len(journals) > 1:
        lacking.append(f"there are several journals, of which {journals[0]} is read: {', '.join(journals)}")
    return Stack(
        name=described["StackName"],
        journal_table=journals[0] if journals else None,
        readers=tuple(dict.fromkeys(function.name for function in readers)),
        consumers=tuple(_consumers(pairs)),
        endpoints=tuple(each.name for each in functions if each.journal is not None and not each.reads),
        sources=tuple(dict.fromkeys(each.settings.source for each in functions if each.settings.source is not None)),
        lacking=tuple(lacking),
        keys_table=next((each.settings.tables["KEYS"] for each in functions if each.settings.tables.get("KEYS")), None),
        tenant=next((each.settings.tenant for each in functions if each.settings.tenant is not None), None),
        arn=described.get("StackId", ""),
        mappings=tuple(mapping for function in functions for mapping in function.mappings),
        buses=tuple(dict.fromkeys(each.settings.bus for each in functions if each.settings.bus is not None)),
        settings=tuple(each.settings for each in functions),
    )


def _consumers(pairs: Iterable[tuple[str, str, str]]) -> Iterator[ConsumerQueues]:
    """Yield each dead-letter queue once."""
    shared: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, url, dead in pairs:
        shared[dead].append((name, url))
    for dead, owners in shared.items():
        names, urls = zip(*owners, strict=True)
        only = urls[0] if len(set(urls)) == 1 else None
        yield ConsumerQueues(consumer="+".join(dict.fromkeys(names)), url=only, dead_letters_url=dead)
