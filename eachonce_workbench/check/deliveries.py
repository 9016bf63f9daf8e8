"""Who brings events to whom: mappings, rules, subscriptions and notifications with the resources at both their ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.check.reading import group, groups, is_known
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.system import function_name, service

STREAMS = ("dynamodb", "kinesis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """An event source mapping; `queue` and `function` are None where they are of another stack."""

    mapping: Declared
    source: str
    source_arn: str
    queue: Declared | None
    function: Declared | None


def mapped(resources: Resources, *sources: str) -> Iterator[Mapped]:
    """Give the mappings of these services: "sqs", "dynamodb", "kinesis"."""
    for each in resources.of_type("AWS::Lambda::EventSourceMapping"):
        arn = str(each.properties.get("EventSourceArn", ""))
        source = _source(each, arn)
        if source in sources:
            yield Mapped(
                mapping=each,
                source=source,
                source_arn=arn,
                queue=queue(resources, arn) if is_known(each, "EventSourceArn", "Queue") else None,
                function=function(resources, each.properties.get("FunctionName")),
            )


def _source(mapping: Declared, arn: str) -> str:
    """Return the service of a mapping's source; nothing for one that can't be known, unless it can only be a queue."""
    if is_known(mapping, "EventSourceArn", "Queue", "Stream"):
        return service(arn)
    of_sams = mapping.source != mapping.logical_id
    others = {"StartingPosition", "Queues", "Topics", "SelfManagedEventSource"}
    return "sqs" if of_sams and others.isdisjoint(mapping.properties) else ""


def queue(resources: Resources, arn: Any) -> Declared | None:
    """Find a queue by its ARN."""
    return next((each for each in resources.of_type("AWS::SQS::Queue") if each.arn == arn), None)


def function(resources: Resources, name: Any) -> Declared | None:
    """Find a function by its name or ARN, with or without a version or an alias."""
    wanted = function_name(str(name))
    return next(
        (each for each in resources.of_type("AWS::Lambda::Function") if function_name(str(each.ref)) == wanted), None
    )


def targets(resources: Resources) -> Iterator[tuple[Declared, Mapping[str, Any]]]:
    """Give the targets of rules that wait for events, each with its rule; those of the clock's are left out."""
    for rule in resources.of_type("AWS::Events::Rule"):
        if rule.properties.get("EventPattern") and rule.properties.get("State") != "DISABLED":
            yield from ((rule, each) for each in groups(rule.properties.get("Targets")))


def subscriptions(resources: Resources) -> Iterator[tuple[Declared, Mapping[str, Any]]]:
    """Give the subscriptions of topics, by themselves or with the topic, as properties."""
    for each in resources.of_type("AWS::SNS::Subscription"):
        yield each, each.properties
    for topic in resources.of_type("AWS::SNS::Topic"):
        yield from ((topic, each) for each in groups(topic.properties.get("Subscription")))


def notified(resources: Resources) -> Iterator[tuple[Declared, Declared]]:
    """Give the buckets that invoke functions, each with the function."""
    for bucket in resources.of_type("AWS::S3::Bucket"):
        for each in groups(group(bucket.properties, "NotificationConfiguration").get("LambdaConfigurations")):
            found = function(resources, each.get("Function"))
            if found is not None:
                yield bucket, found


def dead_letter_queues(resources: Resources) -> Iterator[tuple[Declared, Declared]]:
    """Give the queues that dead letters of this template go to, each with the resource that sends them there."""
    for by, arn in _ends(resources):
        found = queue(resources, arn)
        if found is not None:
            yield found, by


def redriven(resources: Resources) -> Iterator[tuple[Declared, Declared]]:
    """Give the dead-letter queues that SQS moves messages to, each with the queue that they come from."""
    return ((end, by) for end, by in dead_letter_queues(resources) if by.type == "AWS::SQS::Queue")


def _ends(resources: Resources) -> Iterator[tuple[Declared, Any]]:
    for each in resources.of_type("AWS::SQS::Queue"):
        yield each, group(each.properties, "RedrivePolicy").get("deadLetterTargetArn")
    for rule in resources.of_type("AWS::Events::Rule"):
        for target in groups(rule.properties.get("Targets")):
            yield rule, group(target, "DeadLetterConfig").get("Arn")
    for each in resources.of_type("AWS::Lambda::Function"):
        yield each, group(each.properties, "DeadLetterConfig").get("TargetArn")
    for each in resources.of_type("AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"):
        yield each, group(each.properties, "DestinationConfig", "OnFailure").get("Destination")
    for by, properties in subscriptions(resources):
        yield by, group(properties, "RedrivePolicy").get("deadLetterTargetArn")
    for each in resources.of_type("AWS::Events::EventBus"):
        yield each, group(each.properties, "DeadLetterConfig").get("Arn")


def name_of(queue_: Declared) -> str:
    """Return a queue's name."""
    return str(queue_.arn).rpartition(":")[2]
