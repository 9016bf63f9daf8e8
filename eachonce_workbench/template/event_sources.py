"""Where events come from beside buses: topics, buckets, schedules and pipes, as a template describes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.matching.pattern import Pattern

FilterScope = Literal["MessageAttributes", "MessageBody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """An SNS topic; one that the template only subscribes to, and that another stack makes, has no logical id."""

    logical_id: str
    name: str
    arn: str
    fifo: bool = False
    content_based_deduplication: bool = False
    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who gets a topic's messages, and which of them; `filter` None admits all."""

    logical_id: str
    arn: str
    topic_arn: str
    protocol: str
    endpoint: str
    raw: bool = False
    filter: Pattern | None = None
    filter_scope: FilterScope = "MessageAttributes"
    dead_letter_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What a bucket tells a queue, a function or a topic: events such as "s3:ObjectCreated:*", of some keys."""

    id: str
    target_arn: str
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """An S3 bucket; `tells_bus` says that EventBridge's default bus is told of every change."""

    logical_id: str
    name: str
    arn: str
    versioned: bool = False
    notifications: tuple[Notification, ...] = ()
    tells_bus: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTarget:
    """What a schedule sends to, and what: `input` None is the event that the service makes up.

    `source` and `detail_type` are of the event that a bus gets.
    """

    arn: str
    input: str | None = None
    message_group_id: str | None = None
    source: str | None = None
    detail_type: str | None = None
    dead_letter_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Times, and what is sent then: by EventBridge's rules ("rule") or by EventBridge Scheduler ("schedule")."""

    logical_id: str
    name: str
    arn: str
    kind: Literal["rule", "schedule"]
    expression: str
    timezone: str = "UTC"
    start: str | None = None
    end: str | None = None
    enabled: bool = True
    targets: tuple[ScheduleTarget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeStage:
    """An enrichment or a target of a pipe, and the template of what it gets; None is the record as it is."""

    arn: str
    input_template: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """A queue or a table's stream whose records go, filtered and enriched, to one target."""

    logical_id: str
    name: str
    arn: str
    source_arn: str
    target: PipeStage
    enrichment: PipeStage | None = None
    filters: Filters = field(default_factory=Filters)
    enabled: bool = True
    batch_size: int = 10
    window_seconds: int = 0
    starting_position: str = "LATEST"
    max_retries: int | None = None
    max_age_seconds: int | None = None
    parallelization: int = 1
    bisect: bool = False
    on_failure_arn: str | None = None
