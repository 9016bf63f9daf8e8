"""From the resources of a CloudFormation template to the parts of a topology.

Defaults are AWS's, from each type's page under
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.matching.input import TargetInput
from eachonce_workbench.matching.pattern import Pattern
from eachonce_workbench.template import reference
from eachonce_workbench.template.code import code_path
from eachonce_workbench.template.identity import Identities
from eachonce_workbench.template.intrinsics import Unresolved, text
from eachonce_workbench.template.limits import BATCH_DESTINATIONS, DESTINATIONS
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.source_limits import TARGETS
from eachonce_workbench.template.system import bus_name, service
from eachonce_workbench.template.topology import (
    Archive,
    Bus,
    EventInvoke,
    Function,
    Queue,
    QueueMapping,
    Rule,
    StreamMapping,
    Table,
    Target,
)

_T = TypeVar("_T")


def table(logical_id: str, identities: Identities, properties: Properties) -> Table:
    """Read an AWS::DynamoDB::Table."""
    keys = {key.text("KeyType"): key.text("AttributeName") for key in properties.groups("KeySchema")}
    definitions = properties.groups("AttributeDefinitions")
    stream = properties.group("StreamSpecification").optional_text("StreamViewType")
    time_to_live = properties.group("TimeToLiveSpecification")
    recovery = properties.group("PointInTimeRecoverySpecification")
    if "HASH" not in keys:
        raise Unresolved(properties.at("KeySchema"), "a table needs a HASH key")
    return Table(
        logical_id=logical_id,
        name=identities.name(logical_id),
        arn=identities.known(logical_id, "Arn", properties.where),
        hash_key=keys["HASH"],
        range_key=keys.get("RANGE"),
        key_types={item.text("AttributeName"): item.text("AttributeType") for item in definitions},
        stream_arn=identities.known(logical_id, "StreamArn", properties.where) if stream else None,
        stream_view=stream,
        ttl_attribute=time_to_live.optional_text("AttributeName")
        if time_to_live.flag("Enabled", default=False)
        else None,
        point_in_time_recovery=recovery.flag("PointInTimeRecoveryEnabled", default=False),
        properties=properties.values,
    )


def queue(logical_id: str, identities: Identities, properties: Properties) -> Queue:
    """Read an AWS::SQS::Queue."""
    redrive = properties.group("RedrivePolicy")
    return Queue(
        logical_id=logical_id,
        name=identities.name(logical_id),
        arn=identities.known(logical_id, "Arn", properties.where),
        url=identities.ref(logical_id, properties.where),
        fifo=properties.flag("FifoQueue", default=False),
        visibility_timeout_seconds=properties.integer("VisibilityTimeout", 30),
        retention_seconds=properties.integer("MessageRetentionPeriod", 345_600),
        dead_letter_arn=redrive.optional_text("deadLetterTargetArn"),
        max_receive_count=redrive.optional_integer("maxReceiveCount"),
        properties=properties.values,
    )


def bus(logical_id: str, identities: Identities, properties: Properties) -> Bus:
    """Read an AWS::Events::EventBus."""
    arn = identities.known(logical_id, "Arn", properties.where)
    return Bus(logical_id=logical_id, name=identities.name(logical_id), arn=arn)


def archive(logical_id: str, identities: Identities, properties: Properties) -> Archive:
    """Read an AWS::Events::Archive."""
    pattern = properties.get("EventPattern")
    return Archive(
        logical_id=logical_id,
        name=identities.name(logical_id),
        arn=identities.known(logical_id, "Arn", properties.where),
        bus_arn=properties.text("SourceArn"),
        pattern=None if pattern is None else _checked(lambda: Pattern(pattern), properties, "EventPattern"),
        retention_days=properties.integer("RetentionDays", 0),
    )


def rule(logical_id: str, identities: Identities, properties: Properties) -> Rule:
    """Read an AWS::Events::Rule."""
    pattern = properties.get("EventPattern")
    return Rule(
        logical_id=logical_id,
        name=identities.name(logical_id),
        arn=identities.known(logical_id, "Arn", properties.where),
        bus_name=bus_name(properties),
        enabled=properties.optional_text("State") != "DISABLED",
        pattern=None if pattern is None else _checked(lambda: Pattern(pattern), properties, "EventPattern"),
        targets=tuple(_target(each) for each in properties.groups("Targets") if TARGETS.admits(each.text("Arn"))),
        properties=properties.values,
    )


def _target(properties: Properties) -> Target:
    retry = properties.group("RetryPolicy")
    return Target(
        id=properties.text("Id"),
        arn=properties.text("Arn"),
        input=_checked(lambda: TargetInput.of(properties.values), properties, "InputTransformer"),
        max_attempts=retry.integer("MaximumRetryAttempts", 185),
        max_age_seconds=retry.integer("MaximumEventAgeInSeconds", 86_400),
        dead_letter_arn=properties.group("DeadLetterConfig").optional_text("Arn"),
        message_group_id=properties.group("SqsParameters").optional_text("MessageGroupId"),
        properties=properties.values,
    )


def function(
    logical_id: str,
    identities: Identities,
    properties: Properties,
    *,
    layers: Mapping[str, Path],
    root: Path,
    event_invokes: Mapping[tuple[str, str], EventInvoke],
) -> Function:
    """Read an AWS::Lambda::Function.

    `layers` are folders by ARN, `root` is where relative folders start, and `event_invokes` are by name and qualifier.
    """
    variables = properties.group("Environment").group("Variables")
    name = identities.name(logical_id)
    return Function(
        logical_id=logical_id,
        name=name,
        arn=identities.known(logical_id, "Arn", properties.where),
        handler=properties.text("Handler"),
        runtime=properties.text("Runtime"),
        code=code_folder(properties, "Code", root),
        layers=tuple(layers[arn] for arn in layer_arns(properties) if arn in layers),
        timeout_seconds=properties.integer("Timeout", 3),
        memory_mb=properties.integer("MemorySize", 128),
        environment={key: text(value, variables.at(key)) for key, value in variables.values.items()},
        reserved_concurrency=properties.optional_integer("ReservedConcurrentExecutions"),
        dead_letter_arn=_told(properties.group("DeadLetterConfig"), "TargetArn"),
        log_group=properties.group("LoggingConfig").optional_text("LogGroup"),
        event_invokes={qualifier: each for (of, qualifier), each in event_invokes.items() if of == name},
    )


def event_invoke(properties: Properties) -> tuple[tuple[str, str], EventInvoke]:
    """Read an AWS::Lambda::EventInvokeConfig; gives the name and the qualifier of what it is for, too.

    The limits: https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html.
    """
    destinations = properties.group("DestinationConfig")
    settings = EventInvoke(
        max_retries=_within(properties, "MaximumRetryAttempts", 2, range(3)),
        max_age_seconds=_within(properties, "MaximumEventAgeInSeconds", 21_600, range(60, 21_601)),
        on_success_arn=_told(destinations.group("OnSuccess"), "Destination"),
        on_failure_arn=_told(destinations.group("OnFailure"), "Destination"),
    )
    name, _ = reference.parse(properties.text("FunctionName"))
    return (name, properties.text("Qualifier")), settings


def _told(properties: Properties, name: str) -> str | None:
    """Give the ARN of a destination, or None for one without a local counterpart (a bucket)."""
    arn = properties.optional_text(name)
    return arn if arn is None or DESTINATIONS.admits(arn) else None


def layer_arns(properties: Properties) -> Iterator[str]:
    """Give the ARNs of a function's layers."""
    return (text(arn, properties.at("Layers")) for arn in properties.items("Layers"))


def _within(properties: Properties, name: str, default: int, allowed: range) -> int:
    value = properties.integer(name, default)
    if value not in allowed:
        raise Unresolved(properties.at(name), f"{name} is {allowed.start} to {allowed.stop - 1}, not {value}")
    return value


def code_folder(properties: Properties, name: str, root: Path) -> Path:
    """Find the folder of a function's or a layer's code. Raises Unresolved when there is none on this machine."""
    folder = code_path(properties.get(name), root)
    if folder is None or not folder.is_dir():
        raise Unresolved(properties.at(name), f"the code is no folder on this machine: {folder or 'it is elsewhere'}")
    return folder.resolve()


def queue_mapping(functions: Mapping[str, str], properties: Properties) -> QueueMapping:
    """Read an AWS::Lambda::EventSourceMapping of a queue; `functions` are logical ids by name."""
    return QueueMapping(
        function=_mapped_function(functions, properties),
        queue_arn=properties.text("EventSourceArn"),
        enabled=properties.flag("Enabled", default=True),
        batch_size=properties.integer("BatchSize", 10),
        window_seconds=properties.integer("MaximumBatchingWindowInSeconds", 0),
        max_concurrency=properties.group("ScalingConfig").optional_integer("MaximumConcurrency"),
        report_failures="ReportBatchItemFailures" in properties.items("FunctionResponseTypes"),
        filters=_filters(properties),
    )


def stream_mapping(functions: Mapping[str, str], properties: Properties) -> StreamMapping:
    """Read an AWS::Lambda::EventSourceMapping of a table's stream; `functions` are logical ids by name."""
    stream_arn = properties.text("EventSourceArn")
    return StreamMapping(
        function=_mapped_function(functions, properties),
        table_name=stream_arn.split("/")[1],
        stream_arn=stream_arn,
        enabled=properties.flag("Enabled", default=True),
        starting_position=properties.text("StartingPosition"),
        batch_size=properties.integer("BatchSize", 100),
        window_seconds=properties.integer("MaximumBatchingWindowInSeconds", 0),
        max_retries=_limit(properties, "MaximumRetryAttempts"),
        max_age_seconds=_limit(properties, "MaximumRecordAgeInSeconds"),
        bisect=properties.flag("BisectBatchOnFunctionError", default=False),
        parallelization=properties.integer("ParallelizationFactor", 1),
        report_failures="ReportBatchItemFailures" in properties.items("FunctionResponseTypes"),
        on_failure_arn=_on_failure(properties.group("DestinationConfig").group("OnFailure")),
        filters=_filters(properties),
    )


def mapping(functions: Mapping[str, str], properties: Properties) -> QueueMapping | StreamMapping | None:
    """Read an AWS::Lambda::EventSourceMapping; None for one of what isn't run here: another source, or a function."""
    name, _ = reference.parse(properties.text("FunctionName"))
    if name not in functions:
        return None
    match service(properties.optional_text("EventSourceArn") or ""):
        case "sqs":
            return queue_mapping(functions, properties)
        case "dynamodb":
            return stream_mapping(functions, properties)
    return None


def _mapped_function(functions: Mapping[str, str], properties: Properties) -> str:
    return functions[reference.parse(properties.text("FunctionName"))[0]]


def _on_failure(properties: Properties) -> str | None:
    arn = properties.optional_text("Destination")
    return arn if arn is not None and BATCH_DESTINATIONS.admits(arn) else None


def _limit(properties: Properties, name: str) -> int | None:
    limit = properties.integer(name, -1)
    return None if limit == -1 else limit


def _filters(properties: Properties) -> Filters:
    criteria = properties.group("FilterCriteria").values or None
    return _checked(lambda: Filters.of(criteria), properties, "FilterCriteria")


def _checked(make: Callable[[], _T], properties: Properties, name: str) -> _T:
    try:
        return make()
    except ValueError as error:
        raise Unresolved(properties.at(name), str(error)) from error
