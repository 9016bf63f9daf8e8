"""From the pipes of a template to parts of a topology."""

from __future__ import annotations

from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.template.event_sources import Pipe, PipeStage
from eachonce_workbench.template.identity import Identities
from eachonce_workbench.template.intrinsics import Unresolved
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.source_limits import TARGETS
from eachonce_workbench.template.system import service

_SOURCES = ("sqs", "dynamodb")


def pipe(logical_id: str, identities: Identities, properties: Properties) -> Pipe | None:
    """Read an AWS::Pipes::Pipe; None for one whose source, enrichment or target has no local counterpart."""
    source, target = properties.text("Source"), properties.text("Target")
    enrichment = properties.optional_text("Enrichment")
    if (
        service(source) not in _SOURCES
        or not TARGETS.admits(target)
        or (enrichment is not None and service(enrichment) != "lambda")
    ):
        return None
    given = properties.group("SourceParameters")
    stream = given.group("DynamoDBStreamParameters")
    numbers = given.group("SqsQueueParameters") if service(source) == "sqs" else stream
    return Pipe(
        logical_id=logical_id,
        name=identities.name(logical_id),
        arn=identities.known(logical_id, "Arn", properties.where),
        source_arn=source,
        target=_stage(target, properties.group("TargetParameters")),
        enrichment=None if enrichment is None else _stage(enrichment, properties.group("EnrichmentParameters")),
        filters=_filters(given),
        enabled=properties.optional_text("DesiredState") != "STOPPED",
        batch_size=numbers.integer("BatchSize", 10 if service(source) == "sqs" else 100),
        window_seconds=numbers.integer("MaximumBatchingWindowInSeconds", 0),
        starting_position=stream.optional_text("StartingPosition") or "LATEST",
        max_retries=_limit(stream, "MaximumRetryAttempts"),
        max_age_seconds=_limit(stream, "MaximumRecordAgeInSeconds"),
        parallelization=stream.integer("ParallelizationFactor", 1),
        bisect=stream.optional_text("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT",
        on_failure_arn=stream.group("DeadLetterConfig").optional_text("Arn"),
    )


def _stage(arn: str, parameters: Properties) -> PipeStage:
    return PipeStage(
        arn=arn, input_template=parameters.optional_text("InputTemplate"), parameters=dict(parameters.values)
    )


def _filters(parameters: Properties) -> Filters:
    criteria = parameters.group("FilterCriteria").values or None
    try:
        return Filters.of(criteria)
    except ValueError as error:
        raise Unresolved(parameters.at("FilterCriteria"), str(error)) from error


def _limit(properties: Properties, name: str) -> int | None:
    limit = properties.integer(name, -1)
    return None if limit == -1 else limit
