"""The system that a template describes, as far as it has a local counterpart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.matching.input import TargetInput
from eachonce_workbench.matching.pattern import Pattern
from eachonce_workbench.template.event_sources import Bucket, Pipe, Schedule, Subscription, Topic
from eachonce_workbench.template.policies import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A DynamoDB table; `properties` are its resolved CloudFormation properties."""

    logical_id: str
    name: str
    arn: str
    hash_key: str
    range_key: str | None
    key_types: Mapping[str, str]
    stream_arn: str | None
    stream_view: str | None
    ttl_attribute: str | None
    point_in_time_recovery: bool
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """An SQS queue; `properties` are its resolved CloudFormation properties."""

    logical_id: str
    name: str
    arn: str
    url: str
    fifo: bool
    visibility_timeout_seconds: int
    retention_seconds: int
    dead_letter_arn: str | None
    max_receive_count: int | None
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """An event bus. The bus "default" is in every account, and has no logical id."""

    logical_id: str
    name: str
    arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What keeps the events of a bus that a pattern chooses (all, where there is none); 0 days are for ever."""

    logical_id: str
    name: str
    arn: str
    bus_arn: str
    pattern: Pattern | None
    retention_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a rule sends its events to (a queue, a function, a topic or a bus), and how hard it tries.

    `properties` are its resolved CloudFormation properties.
    """

    id: str
    arn: str
    input: TargetInput
    max_attempts: int
    max_age_seconds: int
    dead_letter_arn: str | None
    message_group_id: str | None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The events of one bus that go to some targets; one without a pattern only follows a schedule.

    `properties` are its resolved CloudFormation properties.
    """

    logical_id: str
    name: str
    arn: str
    bus_name: str
    enabled: bool
    pattern: Pattern | None
    targets: tuple[Target, ...]
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvoke:
    """How long Lambda tries an asynchronous invocation, and whom it tells how that ended."""

    max_retries: int = 2
    max_age_seconds: int = 21_600
    on_success_arn: str | None = None
    on_failure_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function; `code` and `layers` are the folders of the sources, from which Python imports.

    `event_invokes` are by qualifier: "$LATEST", an alias, a version. `published` has each version and alias that there
    is, and the version that it stands for. `policy` is what its role lets it do, None where the role is of no template.
    """

    logical_id: str
    name: str
    arn: str
    handler: str
    runtime: str
    code: Path
    layers: tuple[Path, ...]
    timeout_seconds: int
    memory_mb: int
    environment: Mapping[str, str]
    reserved_concurrency: int | None
    dead_letter_arn: str | None = None
    event_invokes: Mapping[str, EventInvoke] = field(default_factory=dict)
    published: Mapping[str, str] = field(default_factory=dict)
    log_group: str | None = None
    policy: Policy | None = None

    @property
    def log_group_name(self) -> str:
        """The log group that the function writes to."""
        return f"/aws/lambda/{self.name}" if self.log_group is None else self.log_group


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMapping:
    """A queue whose messages a function (named by its logical id) gets in batches."""

    function: str
    queue_arn: str
    enabled: bool
    batch_size: int
    window_seconds: int
    max_concurrency: int | None
    report_failures: bool
    filters: Filters
    uuid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMapping:
    """A table whose changes a function (named by its logical id) gets in batches; no maximum (None) is for ever."""

    function: str
    table_name: str
    stream_arn: str
    enabled: bool
    starting_position: str
    batch_size: int
    window_seconds: int
    max_retries: int | None
    max_age_seconds: int | None
    bisect: bool
    parallelization: int
    report_failures: bool
    on_failure_arn: str | None
    filters: Filters
    uuid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """Which pages of a browser may read an API's answers; "*" stands for all."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MockAnswer:
    """What a REST API answers by itself."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The requests of one method and path, and the function (its logical id) that they go to, or the answer to them.

    `method` is ANY where it is all of them, and `path` is $default for the requests that no other route is for.
    `payload_format` is that of HTTP APIs, 1.0 or 2.0; a REST API has one of its own.
    """

    method: str
    path: str
    function: str | None = None
    qualifier: str = "$LATEST"
    payload_format: str = "2.0"
    timeout_seconds: float = 30.0
    mock: MockAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A deployment of an API, and its variables."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What answers over HTTP: an HTTP API, a REST API, or a function's own URL.

    `protected` says whether it has authorizers, which aren't asked here.
    """

    logical_id: str
    kind: Literal["http", "rest", "url"]
    routes: tuple[Route, ...]
    stages: tuple[Stage, ...]
    cors: Cors | None = None
    binary_media_types: tuple[str, ...] = ()
    protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredValue:
    """A parameter of SSM's (of a kind: String, StringList), or a secret, which has an ARN of its own."""

    service: Literal["ssm", "secretsmanager"]
    name: str
    value: str = field(repr=False)
    kind: str = "String"
    arn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKey:
    """A key of KMS's, and the aliases that lead to it, such as "alias/orders"."""

    arn: str
    aliases: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The key's id."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackResource:
    """A resource as CloudFormation lists it, whether or not it has a local counterpart."""

    logical_id: str
    physical_id: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole system; `outputs` are those that hold in the local cloud, too, and `passed_over` says what isn't run.

    `exports` are the names by which other stacks import some of the outputs, `template` is the text that it was read
    from, `parameters` are the values that it was read with, and `endpoint` is where the local cloud answers.
    `encryption_keys` are KMS's.
    """

    stack: str
    region: str
    account_id: str
    tables: tuple[Table, ...]
    queues: tuple[Queue, ...]
    buses: tuple[Bus, ...]
    rules: tuple[Rule, ...]
    functions: tuple[Function, ...]
    queue_mappings: tuple[QueueMapping, ...]
    stream_mappings: tuple[StreamMapping, ...]
    outputs: Mapping[str, str]
    passed_over: tuple[str, ...] = ()
    resources: tuple[StackResource, ...] = ()
    exports: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    apis: tuple[Api, ...] = ()
    stored_values: tuple[StoredValue, ...] = ()
    encryption_keys: tuple[EncryptionKey, ...] = ()
    endpoint: str = "http://127.0.0.1:4566"
    topics: tuple[Topic, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    pipes: tuple[Pipe, ...] = ()
    archives: tuple[Archive, ...] = ()

    def function(self, name: str) -> Function:
        """Find a function by logical id, name or ARN. Raises KeyError when there is none."""
        return _find(self.functions, name)

    def queue(self, name: str) -> Queue:
        """Find a queue by logical id, name or ARN. Raises KeyError when there is none."""
        return _find(self.queues, name)

    def table(self, name: str) -> Table:
        """Find a table by logical id, name or ARN. Raises KeyError when there is none."""
        return _find(self.tables, name)

    def topic(self, name: str) -> Topic:
        """Find a topic by logical id, name or ARN. Raises KeyError when there is none."""
        return _find(self.topics, name)

    def bucket(self, name: str) -> Bucket:
        """Find a bucket by logical id, name or ARN. Raises KeyError when there is none."""
        return _find(self.buckets, name)

    def schedule(self, name: str) -> Schedule:
        """Find a schedule by logical id, name or ARN. Raises KeyError when there is none."""
        return _find(self.schedules, name)


class _Named(Protocol):
    @property
    def logical_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def arn(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def _find(things: Iterable[_N], name: str) -> _N:
    for thing in things:
        if name in (thing.logical_id, thing.name, thing.arn):
            return thing
    raise KeyError(name)
