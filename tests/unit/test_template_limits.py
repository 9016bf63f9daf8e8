"""What AWS refuses is refused here, at its line, before anything starts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from eachonce_workbench.template import TemplateError
from eachonce_workbench.template.limits import LIMITS
from eachonce_workbench.template.shape import Group, OnlyInAws, Several, Shape, Whole
from tests.templates import FUNCTION, HERE, QUEUE, RULE, STREAM, TABLE, TARGET, read, refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the code of one function and one layer."""
    (tmp_path / "code").mkdir()
    (tmp_path / "layer").mkdir()
    return tmp_path


def with_line(template: str, line: str) -> str:
    """Add a line, marked, to the last mapping of a template."""
    return f"{template.rstrip()}\n      {line} {HERE}\n"


QUEUE_WITH = f"{QUEUE.rstrip()}\n    Properties:\n"
FIFO_WITH = f"{QUEUE_WITH.rstrip()}\n      FifoQueue: true\n"
DEAD = "  Dead: {Type: AWS::SQS::Queue}\n  DeadFifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}\n"


def on_queue(*lines: str, queue: str = "{Type: AWS::SQS::Queue}") -> str:
    """Give a function with a queue; the lines are of its event."""
    properties = "".join(f"            {line}\n" for line in lines)
    event = f"      Events:\n        Messages:\n          Type: SQS\n          Properties:\n{properties}"
    return f"{FUNCTION}{event}            Queue: !GetAtt Queue.Arn\n  Queue: {queue}\n"


FIFO = "{Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}"


# -------------------------------------------------------------------------------- numbers, words and names


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("VisibilityTimeout: 43201", "Queue: VisibilityTimeout is 0 to 43200, not 43201"),
        ("VisibilityTimeout: -1", "VisibilityTimeout is 0 to 43200, not -1"),
        ("VisibilityTimeout: 30.5", "VisibilityTimeout is a whole number, not 30.5"),
        ("VisibilityTimeout: true", "VisibilityTimeout is a whole number, not True"),
        ("VisibilityTimeout: '43201'", "VisibilityTimeout is 0 to 43200, not 43201"),
        ("DelaySeconds: 901", "DelaySeconds is 0 to 900, not 901"),
        ("MaximumMessageSize: 1023", "MaximumMessageSize is 1024 to 1048576, not 1023"),
        ("MaximumMessageSize: 1048577", "MaximumMessageSize is 1024 to 1048576, not 1048577"),
        ("MessageRetentionPeriod: 59", "MessageRetentionPeriod is 60 to 1209600, not 59"),
        ("MessageRetentionPeriod: 1209601", "MessageRetentionPeriod is 60 to 1209600, not 1209601"),
        ("ReceiveMessageWaitTimeSeconds: 21", "ReceiveMessageWaitTimeSeconds is 0 to 20, not 21"),
        ("KmsDataKeyReusePeriodSeconds: 59", "KmsDataKeyReusePeriodSeconds is 60 to 86400, not 59"),
        ("SqsManagedSseEnabled: perhaps", "SqsManagedSseEnabled is true or false, not 'perhaps'"),
        ("QueueName: a b", "QueueName is made of letters, digits, hyphens and underscores, and .fifo; 'a b' isn't"),
        ("QueueName: a.b", "QueueName is made of letters, digits, hyphens and underscores, and .fifo; 'a.b' isn't"),
        ("QueueName: größe", "QueueName is made of letters"),
        (f"QueueName: {'q' * 81}", "QueueName has 1 to 80 characters, not 81"),
        ("QueueName: q.fifo", "a queue whose name ends in .fifo has FifoQueue: true"),
        ("VisibilityTimout: 30", "Queue: there is no VisibilityTimout: did you mean VisibilityTimeout?"),
        ("ContentBasedDeduplication: true", "ContentBasedDeduplication is for FIFO queues alone"),
        ("DeduplicationScope: queue", "DeduplicationScope is for FIFO queues alone"),
        ("FifoThroughputLimit: perQueue", "FifoThroughputLimit is for FIFO queues alone"),
        ("SqsManagedSseEnabled: true\n      KmsMasterKeyId: alias/aws/sqs", "a queue has one"),
        ("RedriveAllowPolicy: {redrivePermission: nobody}", "redrivePermission is one of allowAll, denyAll, byQueue"),
        (
            "RedriveAllowPolicy: {redrivePermission: byQueue}",
            "sourceQueueArns and redrivePermission byQueue go together",
        ),
        ("Tags: {a: b}", "Tags is a list"),
    ],
)
def test_a_queue_is_within_sqss_limits(folder: Path, line: str, reason: str) -> None:
    """Each attribute's range, each word, and the name."""
    error = refusal(folder, with_line(QUEUE_WITH, line))

    assert reason in error.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("QueueName: q", "the name of a FIFO queue ends in .fifo; 'q' doesn't"),
        ("DeduplicationScope: everywhere", "DeduplicationScope is one of messageGroup, queue, not 'everywhere'"),
        ("FifoThroughputLimit: perDay", "FifoThroughputLimit is one of perQueue, perMessageGroupId, not 'perDay'"),
        ("FifoThroughputLimit: perMessageGroupId", "perMessageGroupId needs DeduplicationScope messageGroup"),
    ],
)
def test_a_fifo_queue_is_within_sqss_limits(folder: Path, line: str, reason: str) -> None:
    """Its name says what it is, and its words are SQS's."""
    error = refusal(folder, with_line(FIFO_WITH, line))

    assert reason in error.reason


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("{deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 1001}", "maxReceiveCount is 1 to 1000, not 1001"),
        ("{deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 0}", "maxReceiveCount is 1 to 1000, not 0"),
        ("{deadLetterTargetArn: !GetAtt Dead.Arn}", "RedrivePolicy needs maxReceiveCount"),
        ("{maxReceiveCount: 3}", "RedrivePolicy needs deadLetterTargetArn"),
        (
            "{deadLetterTargetArn: !GetAtt Dead.Arn, maxReceives: 3, maxReceiveCount: 3}",
            "RedrivePolicy has no maxReceives",
        ),
        ("{deadLetterTargetArn: dead, maxReceiveCount: 3}", "deadLetterTargetArn is the ARN of a queue, not 'dead'"),
        (
            "{deadLetterTargetArn: !GetAtt DeadFifo.Arn, maxReceiveCount: 3}",
            "the dead-letter queue of a standard queue is a standard queue, too; deadLetterTargetArn is a FIFO queue",
        ),
        ("""!Sub '{"deadLetterTargetArn": "${Dead.Arn}", "maxReceiveCount": 1001}'""", "maxReceiveCount is 1 to 1000"),
    ],
)
def test_a_redrive_policy_is_within_sqss_limits(folder: Path, policy: str, reason: str) -> None:
    """As a mapping or as JSON, and its dead-letter queue is of the same kind."""
    error = refusal(folder, with_line(QUEUE_WITH, f"RedrivePolicy: {policy}") + DEAD)

    assert reason in error.reason


def test_the_dead_letter_queue_of_a_fifo_queue_is_one_too(folder: Path) -> None:
    """SQS refuses a standard one."""
    policy = "RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}"

    error = refusal(folder, with_line(FIFO_WITH, policy) + DEAD)

    assert "the dead-letter queue of a FIFO queue is a FIFO queue, too" in error.reason


def test_a_dead_letter_queue_permits_its_source(folder: Path) -> None:
    """One that is for others alone is refused where it is named."""
    policy = "RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}"
    dead = "  Dead: {Type: AWS::SQS::Queue, Properties: {RedriveAllowPolicy: {redrivePermission: denyAll}}}\n"

    error = refusal(folder, with_line(QUEUE_WITH, policy) + dead)

    assert error.reason == "Queue: the RedriveAllowPolicy of Dead doesn't permit Queue"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Timeout: 901", "Worker: Timeout is 1 to 900, not 901"),
        ("Timeout: 0", "Timeout is 1 to 900, not 0"),
        ("MemorySize: 127", "MemorySize is 128 to 10240, not 127"),
        ("MemorySize: 10241", "MemorySize is 128 to 10240, not 10241"),
        ("ReservedConcurrentExecutions: -1", "ReservedConcurrentExecutions is 0 or more, not -1"),
        ("EphemeralStorage: {Size: 511}", "Size is 512 to 10240, not 511"),
        ("FunctionName: a.b", "FunctionName is made of letters, digits, hyphens and underscores; 'a.b' isn't"),
        (f"FunctionName: {'f' * 65}", "FunctionName has 1 to 64 characters, not 65"),
        ("Architectures: [sparc]", "Architectures is one of x86_64, arm64, not 'sparc'"),
        ("Environment: {Variables: {AWS_REGION: eu-west-1}}", "the variable AWS_REGION is Lambda's own"),
        ("Environment: {Variables: {9lives: cat}}", "a variable's name is a letter"),
        (f"Environment: {{Variables: {{TEXT: {'x' * 4093}}}}}", "Variables have 4096 bytes at most"),
        ("DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt DeadFifo.Arn}", "TargetArn is a standard queue"),
    ],
)
def test_a_function_is_within_lambdas_limits(folder: Path, line: str, reason: str) -> None:
    """Each number, the name, and the environment."""
    error = refusal(folder, with_line(FUNCTION, line) + DEAD)

    assert reason in error.reason


def test_a_runtime_of_the_past_is_said(folder: Path) -> None:
    """Lambda makes no function with it any more; one that is there goes on, and can be run here."""
    topology = read(folder, FUNCTION.replace("python3.11", "python3.8"))

    assert topology.passed_over == ("Runtime python3.8: Lambda makes no function with it any more",)
    assert [each.logical_id for each in topology.functions] == ["Worker"]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("{MaximumRetryAttempts: 3}", "MaximumRetryAttempts is 0 to 2, not 3"),
        ("{MaximumEventAgeInSeconds: 59}", "MaximumEventAgeInSeconds is 60 to 21600, not 59"),
        ("{MaximumEventAgeInSeconds: 21601}", "MaximumEventAgeInSeconds is 60 to 21600, not 21601"),
        (
            "{DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt DeadFifo.Arn}}}",
            "Destination is a standard queue, not a FIFO queue",
        ),
    ],
)
def test_asynchronous_invocations_are_within_lambdas_limits(folder: Path, config: str, reason: str) -> None:
    """Retries, age and destinations of an EventInvokeConfig."""
    error = refusal(folder, with_line(FUNCTION, f"EventInvokeConfig: {config}") + DEAD)

    assert f"Worker: {reason}" in error.reason


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((f"BatchSize: 0 {HERE}",), "Worker: BatchSize is 1 to 10000, not 0"),
        ((f"BatchSize: 10001 {HERE}", "MaximumBatchingWindowInSeconds: 1"), "BatchSize is 1 to 10000, not 10001"),
        ((f"BatchSize: 11 {HERE}",), "a BatchSize over 10 needs a MaximumBatchingWindowInSeconds of 1 or more"),
        ((f"BatchSize: 11 {HERE}", "MaximumBatchingWindowInSeconds: 0"), "a BatchSize over 10 needs"),
        ((f"MaximumBatchingWindowInSeconds: 301 {HERE}",), "MaximumBatchingWindowInSeconds is 0 to 300, not 301"),
        ((f"ScalingConfig: {{MaximumConcurrency: 1}} {HERE}",), "MaximumConcurrency is 2 to 1000, not 1"),
        ((f"ScalingConfig: {{MaximumConcurrency: 1001}} {HERE}",), "MaximumConcurrency is 2 to 1000, not 1001"),
        (
            (f"FunctionResponseTypes: [ReportNothing] {HERE}",),
            "FunctionResponseTypes is one of ReportBatchItemFailures",
        ),
        ((f"FilterCriteria: {{Filters: [{', '.join(['{}'] * 11)}]}} {HERE}",), "Filters has 10 at most, not 11"),
    ],
)
def test_a_mapping_of_a_queue_is_within_lambdas_limits(folder: Path, lines: tuple[str, ...], reason: str) -> None:
    """Batches, windows, concurrency, filters; at the line of the function's event."""
    error = refusal(folder, on_queue(*lines))

    assert reason in error.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("BatchSize: 11", "BatchSize is 1 to 10 for a FIFO queue, not 11"),
        ("MaximumBatchingWindowInSeconds: 1", "MaximumBatchingWindowInSeconds is for standard queues alone"),
    ],
)
def test_a_fifo_queue_has_no_window_and_batches_of_ten(folder: Path, line: str, reason: str) -> None:
    """Lambda gathers nothing from a FIFO queue."""
    error = refusal(folder, on_queue(f"{line} {HERE}", queue=FIFO))

    assert reason in error.reason


def test_a_message_is_hidden_for_as_long_as_its_function_may_take(folder: Path) -> None:
    """Lambda refuses the mapping otherwise; the line is that of the queue's time."""
    queue = f"\n    Type: AWS::SQS::Queue\n    Properties:\n      VisibilityTimeout: 30 {HERE}"
    template = on_queue(queue=queue).replace("      Handler:", "      Timeout: 31\n      Handler:")

    error = refusal(folder, template)

    assert error.reason == (
        "Queue: VisibilityTimeout is no shorter than the Timeout of the function Worker, which is 31 seconds, not 30"
    )


def test_the_default_visibility_may_be_too_short_for_a_function(folder: Path) -> None:
    """A queue that says nothing of it hides a message for 30 seconds."""
    queue = f"{{Type: AWS::SQS::Queue}} {HERE}"
    globals_ = "\nGlobals: {Function: {Timeout: 60}}\n"

    error = refusal(folder, on_queue(queue=queue) + globals_)

    assert "which is 60 seconds, not 30" in error.reason


def test_a_visibility_as_long_as_the_functions_time_will_do(folder: Path) -> None:
    """It is no shorter."""
    topology = read(folder, on_queue().replace("      Handler:", "      Timeout: 30\n      Handler:"))

    assert topology.function("Worker").timeout_seconds == 30


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("BatchSize: 10001", "Worker: BatchSize is 1 to 10000, not 10001"),
        ("MaximumBatchingWindowInSeconds: 301", "MaximumBatchingWindowInSeconds is 0 to 300, not 301"),
        ("MaximumRetryAttempts: 10001", "MaximumRetryAttempts is -1 to 10000, not 10001"),
        ("MaximumRetryAttempts: -2", "MaximumRetryAttempts is -1 to 10000, not -2"),
        ("MaximumRecordAgeInSeconds: 59", "MaximumRecordAgeInSeconds is -1 or 60 to 604800, not 59"),
        ("MaximumRecordAgeInSeconds: 604801", "MaximumRecordAgeInSeconds is -1 or 60 to 604800, not 604801"),
        ("ParallelizationFactor: 11", "ParallelizationFactor is 1 to 10, not 11"),
        ("ParallelizationFactor: 0", "ParallelizationFactor is 1 to 10, not 0"),
        ("TumblingWindowInSeconds: 901", "TumblingWindowInSeconds is 0 to 900, not 901"),
        (
            "DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt DeadFifo.Arn}}",
            "Destination is a standard queue, not a FIFO queue",
        ),
    ],
)
def test_a_mapping_of_a_stream_is_within_lambdas_limits(folder: Path, line: str, reason: str) -> None:
    """Batches, retries, age, and how many at once; at the line of the function's event."""
    fifo = "  DeadFifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}\n"

    error = refusal(folder, with_line(STREAM, f"      {line}") + TABLE + fifo)

    assert reason in error.reason


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        ("SOMEWHERE", "StartingPosition is one of TRIM_HORIZON, LATEST, AT_TIMESTAMP, not 'SOMEWHERE'"),
        ("AT_TIMESTAMP", "StartingPosition is TRIM_HORIZON or LATEST for a table's stream, not AT_TIMESTAMP"),
    ],
)
def test_a_tables_stream_is_read_from_one_of_its_ends(folder: Path, position: str, reason: str) -> None:
    """A time is for other streams."""
    error = refusal(folder, STREAM.replace("LATEST", f"{position} {HERE}") + TABLE)

    assert reason in error.reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("StartingPosition: LATEST", "StartingPosition is for streams alone"),
        ("MaximumRetryAttempts: 3", "MaximumRetryAttempts is for streams alone"),
        ("ParallelizationFactor: 2", "ParallelizationFactor is for streams alone"),
        ("DestinationConfig: {OnFailure: {Destination: !GetAtt Queue.Arn}}", "DestinationConfig is for streams alone"),
    ],
)
def test_what_only_streams_have_is_refused_for_a_queue(folder: Path, line: str, reason: str) -> None:
    """A plain event source mapping says it all by itself."""
    mapping = f"""
  Queue: {{Type: AWS::SQS::Queue}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Worker
      EventSourceArn: !GetAtt Queue.Arn
      {line} {HERE}
"""

    error = refusal(folder, FUNCTION.rstrip() + mapping)

    assert error.reason == f"Mapping: {reason}"


def test_what_only_queues_have_is_refused_for_a_stream(folder: Path) -> None:
    """Lambda reads a stream by its shards."""
    mapping = f"""
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Worker
      EventSourceArn: !GetAtt Table.StreamArn
      StartingPosition: LATEST
      ScalingConfig: {{MaximumConcurrency: 2}} {HERE}
"""

    error = refusal(folder, FUNCTION.rstrip() + mapping + TABLE)

    assert error.reason == "Mapping: ScalingConfig is for queues alone"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("RetryPolicy: {MaximumRetryAttempts: 186}", "Rule: MaximumRetryAttempts is 0 to 185, not 186"),
        ("RetryPolicy: {MaximumRetryAttempts: -1}", "MaximumRetryAttempts is 0 to 185, not -1"),
        ("RetryPolicy: {MaximumEventAgeInSeconds: 59}", "MaximumEventAgeInSeconds is 60 to 86400, not 59"),
        ("RetryPolicy: {MaximumEventAgeInSeconds: 86401}", "MaximumEventAgeInSeconds is 60 to 86400, not 86401"),
        ("RetryPolicy: {MaximumRetries: 3}", "RetryPolicy has no MaximumRetries"),
        ("DeadLetterConfig: {Arn: dead}", "Arn is the ARN of a queue, not 'dead'"),
        ("DeadLetterConfig: {Arn: !GetAtt Fifo.Arn}", "the dead-letter queue of a target is a standard queue"),
        (f"InputPath: $.{'a' * 256}", "InputPath has 0 to 256 characters, not 258"),
        (f"SqsParameters: {{MessageGroupId: {'g' * 101}}}", "MessageGroupId has 1 to 100 characters, not 101"),
    ],
)
def test_a_target_is_within_eventbridges_limits(folder: Path, line: str, reason: str) -> None:
    """How often and for how long it is tried, and where it goes when it can't."""
    fifo = "  Fifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}\n"

    error = refusal(folder, with_line(TARGET, f"    {line}") + fifo)

    assert reason in error.reason


def test_a_fifo_target_needs_a_group(folder: Path) -> None:
    """EventBridge has none of its own to give."""
    template = TARGET.replace("!GetAtt Queue.Arn", f"!GetAtt Fifo.Arn {HERE}")
    fifo = "  Fifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}\n"

    error = refusal(folder, template + fifo)

    assert error.reason == "Rule: the target queue is a FIFO queue and needs SqsParameters.MessageGroupId"


def test_a_fifo_target_with_a_group_is_well(folder: Path) -> None:
    """The group of all its events."""
    template = TARGET.replace("!GetAtt Queue.Arn", "!GetAtt Fifo.Arn\n          SqsParameters: {MessageGroupId: all}")
    fifo = "  Fifo: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}\n"

    (rule,) = read(folder, template + fifo).rules

    assert rule.targets[0].message_group_id == "all"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((f"Name: {'r' * 65} {HERE}", "EventPattern: {source: [a]}"), "Name has 1 to 64 characters, not 65"),
        ((f"Name: a b {HERE}", "EventPattern: {source: [a]}"), "Name is made of letters, digits, dots, hyphens"),
        ((f"State: OFF {HERE}", "EventPattern: {source: [a]}"), "State is one of ENABLED, DISABLED"),
        ((f"EventPattern: {{source: a}} {HERE}",), '"source" must be an object or an array'),
        ((f"ScheduleExpression: rate(1 minutes) {HERE}",), "ScheduleExpression is rate(1 hour), rate(5 minutes), or"),
        ((f"ScheduleExpression: rate(0 minutes) {HERE}",), "ScheduleExpression is rate(1 hour)"),
        ((f"ScheduleExpression: cron(0 12 * * * *) {HERE}",), "ScheduleExpression is rate(1 hour)"),
        ((f"ScheduleExpression: every day {HERE}",), "ScheduleExpression is rate(1 hour)"),
        (
            ("EventBusName: !Ref Bus", f"ScheduleExpression: rate(1 hour) {HERE}"),
            "ScheduleExpression is for rules of the default bus alone",
        ),
        (
            ("EventPattern: {source: [a]}", "Targets:", *(f"- {{Id: {n}, Arn: !GetAtt Queue.Arn}}" for n in range(6))),
            "Targets has 5 at most, not 6",
        ),
        (
            ("EventPattern: {source: [a]}", "Targets:", *(["- {Id: twice, Arn: !GetAtt Queue.Arn}"] * 2)),
            "the Id of a target is its own in the rule; 'twice' is there twice",
        ),
    ],
)
def test_a_rule_is_within_eventbridges_limits(folder: Path, lines: tuple[str, ...], reason: str) -> None:
    """Its name, its pattern or schedule, and its targets."""
    properties = "".join(f"      {line}\n" for line in lines)

    with pytest.raises(TemplateError) as caught:
        read(folder, RULE.replace("      Name: orders\n", properties))

    text = (folder / "template.yaml").read_text(encoding="utf-8").splitlines()
    assert reason in caught.value.reason
    assert HERE not in "".join(lines) or HERE in text[caught.value.line - 1]


def test_a_rule_wants_something(folder: Path) -> None:
    """A pattern or a schedule."""
    error = refusal(
        folder, RULE.replace("    Properties:\n      Name: orders", f"    Properties: {HERE}\n      Name: orders")
    )

    assert error.reason == "Rule: a rule needs EventPattern or ScheduleExpression"


@pytest.mark.parametrize("name", ["default", "a b", "a/b"])
def test_a_bus_has_a_name_of_its_own(folder: Path, name: str) -> None:
    """The default bus is there already."""
    error = refusal(folder, f"Resources: {{Bus: {{Type: AWS::Events::EventBus, Properties: {{Name: {name}}}}}}} {HERE}")

    assert "Bus: Name is 1 to 256 letters, digits, dots, hyphens and underscores" in error.reason


KEYS = "KeySchema: [{AttributeName: id, KeyType: HASH}]"
DEFINITIONS = "AttributeDefinitions: [{AttributeName: id, AttributeType: S}]"
RANGE = "KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: at, KeyType: RANGE}]"
BOTH = "AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: at, AttributeType: N}]"
ON_DEMAND = "BillingMode: PAY_PER_REQUEST"


def index(name: str = "by-at", *, keys: str = "at", projection: str = "{ProjectionType: ALL}", **more: str) -> str:
    """Give an index with a HASH key, or with the two keys that are named."""
    schema = ", ".join(
        f"{{AttributeName: {k}, KeyType: {t}}}" for k, t in zip(keys.split(), ("HASH", "RANGE"), strict=False)
    )
    rest = "".join(f", {key}: {value}" for key, value in more.items())
    return f"{{IndexName: {name}, KeySchema: [{schema}], Projection: {projection}{rest}}}"


def indexes(count: int) -> str:
    return ", ".join(index(f"by-{number}") for number in range(count))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((ON_DEMAND, KEYS, f"{BOTH} {HERE}"), "AttributeDefinitions has at, which is no key"),
        ((ON_DEMAND, RANGE, f"{DEFINITIONS} {HERE}"), "at is a key and needs its type in AttributeDefinitions"),
        (
            (ON_DEMAND, KEYS, f"{DEFINITIONS.replace('AttributeType: S', 'AttributeType: STRING')} {HERE}"),
            "AttributeType is one of S, N, B, not 'STRING'",
        ),
        ((ON_DEMAND, DEFINITIONS, f"{KEYS.replace('HASH', 'RANGE')} {HERE}"), "KeySchema is a HASH key"),
        ((ON_DEMAND, BOTH, f"{RANGE.replace('RANGE', 'HASH')} {HERE}"), "KeySchema is a HASH key"),
        (
            (ON_DEMAND, DEFINITIONS, f"{RANGE.replace(': at', ': id')} {HERE}"),
            "KeySchema has two attributes; id is both",
        ),
        ((ON_DEMAND, f"TableName: ab {HERE}", KEYS, DEFINITIONS), "TableName has 3 to 255 characters, not 2"),
        ((ON_DEMAND, f"TableName: a b c {HERE}", KEYS, DEFINITIONS), "TableName is made of letters, digits, dots"),
        (
            (ON_DEMAND, KEYS, DEFINITIONS, f"StreamSpecification: {{StreamViewType: NEW}} {HERE}"),
            "StreamViewType is one of KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, not 'NEW'",
        ),
        (
            (ON_DEMAND, KEYS, DEFINITIONS, f"TimeToLiveSpecification: {{Enabled: true}} {HERE}"),
            "TimeToLiveSpecification needs AttributeName",
        ),
        ((f"BillingMode: PAY_LATER {HERE}", KEYS, DEFINITIONS), "BillingMode is one of PROVISIONED, PAY_PER_REQUEST"),
        (
            (
                ON_DEMAND,
                KEYS,
                DEFINITIONS,
                f"ProvisionedThroughput: {{ReadCapacityUnits: 1, WriteCapacityUnits: 1}} {HERE}",
            ),
            "ProvisionedThroughput is for BillingMode PROVISIONED, not PAY_PER_REQUEST",
        ),
        (
            (KEYS, DEFINITIONS, f"ProvisionedThroughput: {{ReadCapacityUnits: 1, WriteCapacityUnits: 0}} {HERE}"),
            "needs ProvisionedThroughput of 1 or more units each",
        ),
        ((ON_DEMAND, KEYS, BOTH, f"GlobalSecondaryIndexes: [{indexes(21)}] {HERE}"), "has 20 at most, not 21"),
        ((ON_DEMAND, RANGE, BOTH, f"LocalSecondaryIndexes: [{indexes(6)}] {HERE}"), "has 5 at most, not 6"),
        (
            (ON_DEMAND, KEYS, BOTH, f"LocalSecondaryIndexes: [{index(keys='id at')}] {HERE}"),
            "a table with LocalSecondaryIndexes needs a RANGE key",
        ),
        (
            (ON_DEMAND, RANGE, BOTH, f"LocalSecondaryIndexes: [{index(keys='at id')}] {HERE}"),
            "KeySchema of a local index is the table's HASH key",
        ),
        (
            (ON_DEMAND, KEYS, BOTH, f"GlobalSecondaryIndexes: [{index()}, {index()}] {HERE}"),
            "IndexName is an index's own; 'by-at' is there twice",
        ),
        (
            (ON_DEMAND, KEYS, BOTH, f"GlobalSecondaryIndexes: [{index('ab')}] {HERE}"),
            "IndexName has 3 to 255 characters",
        ),
        (
            (ON_DEMAND, KEYS, BOTH, f"GlobalSecondaryIndexes: [{index(projection='{ProjectionType: SOME}')}] {HERE}"),
            "ProjectionType is one of ALL, KEYS_ONLY, INCLUDE, not 'SOME'",
        ),
        (
            (
                ON_DEMAND,
                KEYS,
                BOTH,
                f"GlobalSecondaryIndexes: [{index(projection='{ProjectionType: INCLUDE}')}] {HERE}",
            ),
            "NonKeyAttributes and ProjectionType INCLUDE go together",
        ),
    ],
)
def test_a_table_is_within_dynamodbs_limits(folder: Path, lines: tuple[str, ...], reason: str) -> None:
    """Its keys and their types, its indexes, its stream and how it is billed."""
    properties = "".join(f"      {line}\n" for line in lines)

    error = refusal(folder, f"Resources:\n  Table:\n    Type: AWS::DynamoDB::Table\n    Properties:\n{properties}")

    assert error.reason.startswith("Table: ")
    assert reason in error.reason


def test_a_table_that_says_nothing_of_its_billing_needs_its_throughput(folder: Path) -> None:
    """PROVISIONED is the default."""
    table = f"{{Type: AWS::DynamoDB::Table, Properties: {{{KEYS}, {DEFINITIONS}}}}} {HERE}"

    error = refusal(folder, f"Resources:\n  Table: {table}\n")

    assert "BillingMode PROVISIONED, the default, needs ProvisionedThroughput" in error.reason


def test_tables_with_all_that_they_may_have_are_well(folder: Path) -> None:
    """Indexes of both kinds, units, and a definition for each key."""
    units = "{ReadCapacityUnits: 1, WriteCapacityUnits: 1}"
    some = "{ProjectionType: INCLUDE, NonKeyAttributes: [a]}"
    topology = read(
        folder,
        f"""
        Resources:
          Table:
            Type: AWS::DynamoDB::Table
            Properties:
              {RANGE}
              AttributeDefinitions:
                - {{AttributeName: id, AttributeType: S}}
                - {{AttributeName: at, AttributeType: N}}
                - {{AttributeName: who, AttributeType: B}}
              ProvisionedThroughput: {units}
              LocalSecondaryIndexes: [{index("local", keys="id who", projection="{ProjectionType: KEYS_ONLY}")}]
              GlobalSecondaryIndexes:
                - {index("global", keys="who at", ProvisionedThroughput=units)}
                - {index("other", projection=some, ProvisionedThroughput=units)}
        """,
    )

    assert topology.table("Table").key_types == {"id": "S", "at": "N", "who": "B"}


# -------------------------------------------------------------------------------- two resources, and many errors


@pytest.mark.parametrize(("kind", "name"), [("AWS::SQS::Queue", "QueueName"), ("AWS::Events::EventBus", "Name")])
def test_two_resources_of_a_type_have_two_names(folder: Path, kind: str, name: str) -> None:
    """AWS makes the first and refuses the second."""
    error = refusal(
        folder,
        f"""
        Resources:
          First: {{Type: {kind}, Properties: {{{name}: same}}}}
          Second: {{Type: {kind}, Properties: {{{name}: same}}}} {HERE}
        """,
    )

    assert error.reason == f"Second: {name} is the same as that of First"


def test_a_function_has_one_mapping_of_a_queue(folder: Path) -> None:
    """Lambda refuses the second."""
    second = f"""
        Second:
          Type: SQS
          Properties: {{Queue: !GetAtt Queue.Arn}} {HERE}
  Queue:"""

    error = refusal(folder, on_queue().replace("\n  Queue:", second))

    assert "has a mapping of" in error.reason


def test_a_value_from_a_parameter_is_checked_as_it_is_resolved(folder: Path) -> None:
    """The line is the property's: the parameter itself may be anything."""
    template = "Parameters: {Seconds: {Type: Number, Default: 30}}\n" + with_line(
        QUEUE_WITH, "VisibilityTimeout: !If [Long, !Ref Seconds, 0]"
    )
    template += 'Conditions: {Long: !Not [!Equals [!Ref Seconds, "0"]]}\n'

    error = refusal(folder, template, parameters={"Seconds": "50000"})

    assert "VisibilityTimeout is 0 to 43200, not 50000" in error.reason
    assert read(folder, template).queue("Queue").visibility_timeout_seconds == 30


def test_a_value_from_globals_is_refused_where_it_stands(folder: Path) -> None:
    """Once for each function that has it."""
    error = refusal(folder, f"{FUNCTION}\nGlobals:\n  Function:\n    Timeout: 1000 {HERE}\n")

    assert "Worker: Timeout is 1 to 900, not 1000" in error.reason


def test_all_errors_of_a_kind_are_told_at_once(folder: Path) -> None:
    """Each by its own line, from top to bottom."""
    template = f"{QUEUE_WITH}      DelaySeconds: 901\n      VisibilityTimeout: 43201\n"
    other = "  Other: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: -1}}\n"

    with pytest.raises(TemplateError) as caught:
        read(folder, template + other)

    file = folder / "template.yaml"
    assert str(caught.value).splitlines() == [
        f"{file}:7: Queue: DelaySeconds is 0 to 900, not 901",
        f"{file}:8: Queue: VisibilityTimeout is 0 to 43200, not 43201",
        f"{file}:9: Other: DelaySeconds is 0 to 900, not -1",
    ]


# -------------------------------------------------------------------------------- the limits themselves

# Of Lambda's managed instances alone are the schemas' higher limits; -1 stands for "no limit", apart from the range.
LOWER = {"Timeout": 900, "MemorySize": 10_240, "EphemeralStorage.Size": 10_240}
APART = {"MaximumRecordAgeInSeconds"}


def schema(kind: str) -> Mapping[str, Any]:
    """Return AWS's own schema of a type, as cfn-lint has it."""
    data = files("cfnlint.data.schemas")
    names = json.loads((data / "providers" / "us-east-1.json").read_text())
    document: Mapping[str, Any] = json.loads((data / "resources" / f"{names[kind]}.json").read_text())
    return document


def wholes(shape: Shape, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Whole]]:
    """Give the numbers of a shape, and the way to each."""
    match shape:
        case Group(shapes=shapes):
            for name, each in shapes.items():
                yield from wholes(each, (*path, name))
        case Several(of=each):
            yield from wholes(each, path)
        case OnlyInAws(shape=each):
            yield from wholes(each, path)
        case Whole():
            yield path, shape


def followed(document: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    """Follow a way through a schema."""
    part: Mapping[str, Any] = document
    for name in path:
        part = deeper(document, deeper(document, part).get("properties", {}).get(name, {}))
    return part


def deeper(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part or "items" in part:
        part = document["definitions"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part["items"]
    return part


@pytest.mark.parametrize("kind", sorted(LIMITS))
def test_the_properties_of_a_type_are_those_of_awss_own_schema(kind: str) -> None:
    """No more, and no fewer: each is run, makes no difference, or is told of."""
    document = schema(kind)
    read_only = {each.split("/")[2] for each in document.get("readOnlyProperties", ()) if each.count("/") == 2}

    assert set(LIMITS[kind].shapes) == set(document["properties"]) - read_only


@pytest.mark.parametrize("kind", sorted(LIMITS))
def test_the_numbers_of_a_type_are_those_of_awss_own_schema(kind: str) -> None:
    """As far as it has any."""
    document = schema(kind)

    for path, limit in wholes(LIMITS[kind]):
        stated = followed(document, path)
        name = ".".join(path)
        if path[-1] not in APART:
            assert stated.get("minimum", limit.least) == limit.least, name
        assert LOWER.get(name, stated.get("maximum", limit.most)) == limit.most, name
