"""The resources of a template with their values, before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eachonce_workbench.template.properties import Properties


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource whose properties are resolved; it has an ARN if its type has one here."""

    logical_id: str
    type: str
    arn: str | None
    properties: Properties


@dataclass(frozen=True, slots=True)
class System:
    """All resources that are to be made, in the template's order."""

    resources: Sequence[Resource]

    def of_type(self, name: str) -> Iterator[Resource]:
        """Give the resources of a type."""
        return (resource for resource in self.resources if resource.type == name)

    def queue(self, arn: str) -> Resource | None:
        """Find a queue."""
        return next((queue for queue in self.of_type("AWS::SQS::Queue") if queue.arn == arn), None)

    def function(self, name: str) -> Resource | None:
        """Find a function by its name or ARN, with or without a version or an alias."""
        wanted = function_name(name)
        functions = self.of_type("AWS::Lambda::Function")
        return next((each for each in functions if each.arn and function_name(each.arn) == wanted), None)


def bus_name(rule: Properties) -> str:
    """Return the name of a rule's bus."""
    return (rule.optional_text("EventBusName") or "default").rpartition("/")[2]


def function_name(name: str) -> str:
    """Return a function's bare name.

    >>> function_name("arn:aws:lambda:eu-west-1:123456789012:function:worker:live"), function_name("worker")
    ('worker', 'worker')
    """
    return name.rpartition("function:")[2].partition(":")[0]


def service(arn: str) -> str:
    """Return whose ARN it is, nothing's if it is none.

    >>> service("arn:aws:sqs:eu-west-1:123456789012:queue"), service("queue")
    ('sqs', '')
    """
    return arn.split(":")[2] if arn.count(":") > 2 else ""


def is_fifo(queue_arn: str) -> bool:
    """Whether an ARN is a FIFO queue's, which are known by their names.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    """
    return service(queue_arn) == "sqs" and queue_arn.endswith(".fifo")
