from pathlib import Path

import pytest

from eachonce_workbench.template import TemplateError, load
from eachonce_workbench.template.topology import Function, Topology
from tests.templates import FUNCTION, HERE, QUEUE, RULE, STREAM, TABLE, TARGET, read, refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the code of one function and one layer."""
    (tmp_path / "code").mkdir()
    (tmp_path / "layer").mkdir()
    return tmp_path


def function(topology: Topology) -> Function:
    (only,) = topology.functions
    return only


# -------------------------------------------------------------------------------- resources


def test_a_table_is_what_its_properties_say(folder: Path) -> None:
    """Keys, types, stream, time to live and recovery are those of the resource."""
    topology = read(
        folder,
        """
        Resources:
          Sales:
            Type: AWS::DynamoDB::Table
            Properties:
              TableName: sales
              BillingMode: PAY_PER_REQUEST
              AttributeDefinitions: [{AttributeName: day, AttributeType: S}, {AttributeName: rank, AttributeType: N}]
              KeySchema: [{AttributeName: day, KeyType: HASH}, {AttributeName: rank, KeyType: RANGE}]
              StreamSpecification: {StreamViewType: NEW_IMAGE}
              TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
              PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
        """,
        region="us-east-1",
        account_id="210987654321",
    )

    table = topology.table("Sales")
    assert (table.name, table.arn) == ("sales", "arn:aws:dynamodb:us-east-1:210987654321:table/sales")
    assert (table.hash_key, table.range_key, table.key_types) == ("day", "rank", {"day": "S", "rank": "N"})
    assert (table.stream_view, table.ttl_attribute, table.point_in_time_recovery) == ("NEW_IMAGE", "expires_at", True)
    assert table.stream_arn is not None
    assert table.stream_arn.startswith(f"{table.arn}/stream/")


def test_a_time_to_live_that_is_off_is_none(folder: Path) -> None:
    """A disabled attribute expires nothing."""
    topology = read(
        folder,
        """
        Resources:
          T:
            Type: AWS::DynamoDB::Table
            Properties:
              BillingMode: PAY_PER_REQUEST
              AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
              KeySchema: [{AttributeName: id, KeyType: HASH}]
              TimeToLiveSpecification: {AttributeName: expires_at, Enabled: false}
        """,
    )

    assert topology.table("T").ttl_attribute is None


def test_a_queue_without_properties_has_the_defaults_of_sqs(folder: Path) -> None:
    """Visible again after 30 seconds, kept for 4 days, and named after stack and logical id."""
    queue = read(folder, QUEUE, stack="shop", endpoint="http://127.0.0.1:9999").queue("Queue")

    assert (queue.visibility_timeout_seconds, queue.retention_seconds) == (30, 4 * 24 * 3600)
    assert (queue.name, queue.url) == ("shop-Queue", "http://127.0.0.1:9999/123456789012/shop-Queue")
    assert (queue.fifo, queue.dead_letter_arn, queue.max_receive_count) == (False, None, None)


def test_a_fifo_queue_without_a_name_gets_one_that_ends_in_fifo(folder: Path) -> None:
    """SQS takes no other name for one."""
    queue = read(folder, QUEUE + "    Properties: {FifoQueue: true}\n").queue("Queue")

    assert queue.fifo
    assert queue.name == "eachonce-Queue.fifo"


@pytest.mark.parametrize(
    "policy",
    [
        "{deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}",
        """!Sub '{"deadLetterTargetArn": "${Dead.Arn}", "maxReceiveCount": "5"}'""",
    ],
)
def test_a_redrive_policy_is_a_mapping_or_json(folder: Path, policy: str) -> None:
    """CloudFormation takes both forms."""
    topology = read(
        folder,
        f"""
        Resources:
          Queue:
            Type: AWS::SQS::Queue
            Properties:
              RedrivePolicy: {policy}
          Dead:
            Type: AWS::SQS::Queue
        """,
    )

    assert topology.queue("Queue").dead_letter_arn == topology.queue("Dead").arn
    assert topology.queue("Queue").max_receive_count == 5


def test_the_default_bus_is_always_there(folder: Path) -> None:
    """Every account has one; the template's own come beside it."""
    topology = read(folder, "Resources: {Bus: {Type: AWS::Events::EventBus, Properties: {Name: shop}}}")

    assert [(bus.name, bus.arn) for bus in topology.buses] == [
        ("default", "arn:aws:events:eu-west-1:123456789012:event-bus/default"),
        ("shop", "arn:aws:events:eu-west-1:123456789012:event-bus/shop"),
    ]


def test_a_rule_is_what_its_properties_say(folder: Path) -> None:
    """Bus, pattern, and each target's patience are those of the resource."""
    topology = read(
        folder,
        RULE
        + """
      EventBusName: !Ref Bus
      State: DISABLED
      EventPattern: {source: [shop]}
      Targets:
        - Id: queue
          Arn: !GetAtt Queue.Arn
          InputPath: $.detail
          RetryPolicy: {MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60}
          DeadLetterConfig: {Arn: !GetAtt Dead.Arn}
        """,
    )

    (rule,) = topology.rules
    (target,) = rule.targets
    assert (rule.name, rule.bus_name, rule.enabled) == ("orders", "shop", False)
    assert rule.arn == "arn:aws:events:eu-west-1:123456789012:rule/shop/orders"
    assert rule.pattern.matches({"source": "shop"})
    assert not rule.pattern.matches({"source": "other"})
    assert (target.id, target.arn) == ("queue", topology.queue("Queue").arn)
    assert (target.max_attempts, target.max_age_seconds) == (3, 60)
    assert target.dead_letter_arn == topology.queue("Dead").arn
    assert target.input.render({"detail": {"n": 1}}, rule_arn=rule.arn, rule_name=rule.name) == '{"n":1}'


def test_a_rule_has_the_defaults_of_eventbridge(folder: Path) -> None:
    """On the default bus, enabled, and a target is tried 185 times within a day."""
    topology = read(folder, TARGET)

    (rule,) = topology.rules
    assert (rule.bus_name, rule.enabled) == ("default", True)
    assert rule.arn == "arn:aws:events:eu-west-1:123456789012:rule/orders"
    assert (rule.targets[0].max_attempts, rule.targets[0].max_age_seconds) == (185, 86_400)


def test_a_rule_may_follow_a_schedule(folder: Path) -> None:
    """It matches nothing then, unless it has a pattern, too."""
    template = RULE + "      ScheduleExpression: rate(1 day)\n"

    scheduled = read(folder, template)
    both = read(folder, template + "      EventPattern: {source: [a]}\n")

    assert [(each.expression, each.arn) for each in scheduled.schedules] == [("rate(1 day)", scheduled.rules[0].arn)]
    assert (scheduled.rules[0].pattern, both.rules[0].pattern is None) == (None, False)
    assert scheduled.passed_over == ()


def test_a_function_is_what_its_properties_say(folder: Path) -> None:
    """What Globals say goes for every function, and its code is the folder beside the template."""
    topology = read(
        folder,
        """
        Globals:
          Function:
            CodeUri: code
            Runtime: python3.11
            Timeout: 10
            Environment: {Variables: {LEVEL: INFO}}
        Resources:
          Worker:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: worker
              Handler: app.handler
              MemorySize: 256
              ReservedConcurrentExecutions: 4
              Layers: [!Ref Layer]
              Environment: {Variables: {COUNT: 3, QUEUE: !Ref Queue}}
          Layer:
            Type: AWS::Serverless::LayerVersion
            Properties: {ContentUri: ./layer}
          Queue: {Type: AWS::SQS::Queue}
        """,
    )

    worker = topology.function("Worker")
    assert (worker.name, worker.arn) == ("worker", "arn:aws:lambda:eu-west-1:123456789012:function:worker")
    assert (worker.handler, worker.runtime) == ("app.handler", "python3.11")
    assert (worker.timeout_seconds, worker.memory_mb, worker.reserved_concurrency) == (10, 256, 4)
    assert worker.code == folder / "code"
    assert worker.layers == (folder / "layer",)
    assert worker.environment == {"LEVEL": "INFO", "COUNT": "3", "QUEUE": topology.queue("Queue").url}


def test_a_function_has_the_defaults_of_lambda(folder: Path) -> None:
    """Three seconds and 128 MB."""
    worker = function(read(folder, FUNCTION))

    assert (worker.timeout_seconds, worker.memory_mb, worker.layers, worker.reserved_concurrency) == (3, 128, (), None)


def test_a_layer_laid_out_for_lambda_is_imported_from_its_python_folder(folder: Path) -> None:
    """Without a build, a layer's content is what Lambda unpacks into /opt."""
    (folder / "layer" / "python").mkdir()

    topology = read(
        folder,
        FUNCTION
        + """
      Layers: [!Ref Layer]
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
        """,
    )

    assert function(topology).layers == (folder / "layer" / "python",)


def test_a_plain_lambda_function_may_name_its_folder(folder: Path) -> None:
    """`sam build` takes an AWS::Lambda::Function with a path as its code, so this does, too."""
    topology = read(
        folder,
        """
        Resources:
          Worker:
            Type: AWS::Lambda::Function
            Properties: {Code: code, Handler: app.handler, Runtime: python3.11, Role: arn:aws:iam::123456789012:role/r}
        """,
    )

    assert function(topology).code == folder / "code"


def test_a_queue_event_is_a_mapping(folder: Path) -> None:
    """An SQS event of a function becomes its event source mapping, through an alias where the function has one."""
    topology = read(
        folder,
        FUNCTION
        + """
      AutoPublishAlias: live
      Events:
        Messages:
          Type: SQS
          Properties:
            Queue: !GetAtt Queue.Arn
            Enabled: false
            BatchSize: 7
            MaximumBatchingWindowInSeconds: 2
            ScalingConfig: {MaximumConcurrency: 3}
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: [{Pattern: '{"body": {"kind": ["a"]}}'}]}
  Queue: {Type: AWS::SQS::Queue}
        """,
    )

    (mapping,) = topology.queue_mappings
    assert (mapping.function, mapping.queue_arn) == ("Worker", topology.queue("Queue").arn)
    assert (mapping.enabled, mapping.batch_size, mapping.window_seconds, mapping.max_concurrency) == (False, 7, 2, 3)
    assert mapping.report_failures
    assert mapping.filters.admit_sqs({"body": '{"kind": "a"}'})
    assert not mapping.filters.admit_sqs({"body": '{"kind": "b"}'})


def test_a_function_knows_what_it_was_published_as(folder: Path) -> None:
    """By AutoPublishAlias: a version, and the alias that stands for it."""
    assert function(read(folder, FUNCTION + "      AutoPublishAlias: live")).published == {"1": "1", "live": "1"}
    assert function(read(folder, FUNCTION)).published == {}


def test_a_queue_mapping_has_the_defaults_of_lambda(folder: Path) -> None:
    """Batches of ten without a window, every message admitted, failures not reported one by one."""
    topology = read(
        folder,
        FUNCTION
        + """
      Events: {Messages: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}
  Queue: {Type: AWS::SQS::Queue}
        """,
    )

    (mapping,) = topology.queue_mappings
    assert (mapping.enabled, mapping.batch_size, mapping.window_seconds, mapping.max_concurrency) == (True, 10, 0, None)
    assert not mapping.report_failures
    assert mapping.filters.admit_sqs({"body": "anything"})


def test_a_stream_event_is_a_mapping(folder: Path) -> None:
    """A DynamoDB event of a function becomes its event source mapping."""
    topology = read(
        folder,
        STREAM
        + """
            BatchSize: 7
            MaximumBatchingWindowInSeconds: 2
            MaximumRetryAttempts: 4
            MaximumRecordAgeInSeconds: 3600
            BisectBatchOnFunctionError: true
            ParallelizationFactor: 2
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
        """
        + TABLE,
    )

    (mapping,) = topology.stream_mappings
    table = topology.table("Table")
    assert (mapping.function, mapping.table_name, mapping.stream_arn) == ("Worker", table.name, table.stream_arn)
    assert (mapping.enabled, mapping.starting_position) == (True, "LATEST")
    assert (mapping.batch_size, mapping.window_seconds, mapping.parallelization) == (7, 2, 2)
    assert (mapping.max_retries, mapping.max_age_seconds, mapping.bisect) == (4, 3600, True)
    assert mapping.report_failures
    assert mapping.on_failure_arn == topology.queue("Dead").arn


def test_a_stream_mapping_has_the_defaults_of_lambda(folder: Path) -> None:
    """Batches of a hundred, retried for ever; -1 says for ever, too."""
    topology = read(folder, STREAM + "            MaximumRecordAgeInSeconds: -1\n" + TABLE)

    (mapping,) = topology.stream_mappings
    assert (mapping.batch_size, mapping.window_seconds, mapping.parallelization) == (100, 0, 1)
    assert (mapping.max_retries, mapping.max_age_seconds, mapping.bisect, mapping.on_failure_arn) == (
        None,
        None,
        False,
        None,
    )


def test_things_are_found_by_logical_id_name_and_arn(folder: Path) -> None:
    """The three ways in which other parts name a resource lead to the same one; a fourth to none."""
    topology = read(folder, QUEUE)
    queue = topology.queues[0]

    assert [topology.queue(key) for key in ("Queue", queue.name, queue.arn)] == [queue] * 3
    with pytest.raises(KeyError):
        topology.queue("Other")


# -------------------------------------------------------------------------------- intrinsic functions

VALUES = """
Parameters:
  Stage: {Type: String, Default: dev}
  Count: {Type: Number, Default: 3}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
Mappings:
  Sizes: {dev: {memory: 128}, prod: {memory: 512}}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsProd: !Equals [!Ref Stage, prod]
  Neither: !Not [!Or [!Condition IsDev, !Condition IsProd]]
  Both: !And [!Condition IsDev, {Condition: IsProd}]
  Three: !Equals [!Ref Count, 3]
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${Stage}-queue"}}
Outputs:
  Value:
    Value: """


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        ("3", "3"),
        ("true", "true"),
        ("2012-10-17", "2012-10-17"),
        ("!Ref Stage", "dev"),
        ("!Ref Count", "3"),
        ("!Ref AWS::Region", "eu-west-1"),
        ("!Ref Queue", "http://127.0.0.1:4566/123456789012/dev-queue"),
        ("!GetAtt Queue.QueueName", "dev-queue"),
        ("!GetAtt [Queue, Arn]", "arn:aws:sqs:eu-west-1:123456789012:dev-queue"),
        ('{"Fn::GetAtt": "Queue.QueueName"}', "dev-queue"),
        ("!Sub '${Stage}/${Queue.QueueName}/${AWS::AccountId}'", "dev/dev-queue/123456789012"),
        ("!Sub '${!Stage}'", "${Stage}"),
        ("!Sub ['${A}-${Stage}', {A: !Ref Count}]", "3-dev"),
        ("!Join ['-', [a, !Ref Stage, 1]]", "a-dev-1"),
        ("!Join ['-', !Ref Zones]", "a-b"),
        ("!Join ['-', [a, !Ref AWS::NoValue]]", "a"),
        ("!Select [1, [a, b]]", "b"),
        ("!Select ['0', !Split ['-', !GetAtt Queue.QueueName]]", "dev"),
        ("!FindInMap [Sizes, !Ref Stage, memory]", "128"),
        ("!If [IsDev, yes it is, !GetAtt Nothing.Arn]", "yes it is"),
        ("!If [Neither, a, b]", "b"),
        ("!If [Both, a, b]", "b"),
        ("!If [Three, a, b]", "a"),
    ],
)
def test_an_intrinsic_function_gives_what_cloudformation_gives(folder: Path, expression: str, value: str) -> None:
    """Short forms, long forms and nesting; the branch that isn't taken is not looked at."""
    assert read(folder, VALUES + expression).outputs == {"Value": value}


def test_an_anchor_stands_for_its_value_wherever_it_is_used(folder: Path) -> None:
    """`sam` writes out anchors, aliases and merges before CloudFormation, which knows none, sees them."""
    topology = read(
        folder,
        """
        Resources:
          Queue:
            Type: AWS::SQS::Queue
            Properties: &kept {QueueName: !Sub &name "${AWS::StackName}-a", DelaySeconds: 1}
          Other: {Type: AWS::SQS::Queue, Properties: {<<: *kept, QueueName: b}}
        Outputs:
          First: {Value: *name}
        """,
    )

    assert topology.outputs == {"First": "eachonce-a"}
    assert topology.queue("Other").properties == {"QueueName": "b", "DelaySeconds": 1}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("!Ref Nothing", "no parameter or resource is called 'Nothing'"),
        ("!Sub '${Nothing}'", "no parameter or resource is called 'Nothing'"),
        ("!GetAtt Queue.Colour", "Queue has no attribute Colour"),
        ("!GetAtt Queue", "Fn::GetAtt takes a list of 2"),
        ("!If [Nothing, a, b]", "no condition is called 'Nothing'"),
        ("!If [IsDev, a]", "Fn::If takes"),
        ("!Select [2, [a, b]]", "no item 2"),
        ("!Join ['-', a]", "from a list"),
        ("!FindInMap [Sizes, test, memory]", "Sizes.test.memory"),
        ("!Colour other", "doesn't know the function Fn::Colour"),
        ("!Ref Zones", "a string is needed"),
        ("[a]", "a string is needed"),
    ],
)
def test_what_can_not_be_resolved_is_refused_at_its_line(folder: Path, expression: str, reason: str) -> None:
    """A wrong name or a wrong shape is the template's fault, and found before anything starts."""
    error = refusal(folder, f"{VALUES}{expression} {HERE}")

    assert reason in error.reason


def test_a_condition_that_depends_on_itself_is_refused(folder: Path) -> None:
    """There is no way to say whether it holds."""
    error = refusal(
        folder,
        f"""
        Conditions:
          A: !Not [!Condition B]
          B: !Not [!Condition A] {HERE}
        Resources:
          Queue: {{Type: AWS::SQS::Queue, Condition: A}}
        """,
    )

    assert "depends on itself" in error.reason


def test_a_resource_whose_condition_is_false_is_not_there(folder: Path) -> None:
    """Neither is an output with such a condition."""
    topology = read(
        folder,
        """
        Parameters: {Stage: {Type: String, Default: dev}}
        Conditions: {IsProd: !Equals [!Ref Stage, prod]}
        Resources:
          Queue: {Type: AWS::SQS::Queue}
          Extra: {Type: AWS::SQS::Queue, Condition: IsProd}
        Outputs:
          Extra: {Condition: IsProd, Value: !Ref Extra}
        """,
    )

    assert [queue.logical_id for queue in topology.queues] == ["Queue"]
    assert topology.outputs == {}


def test_a_property_without_a_value_is_as_if_it_were_not_written(folder: Path) -> None:
    """`AWS::NoValue` leaves the default."""
    queue = read(folder, QUEUE + "    Properties: {VisibilityTimeout: !Ref AWS::NoValue}\n").queue("Queue")

    assert queue.visibility_timeout_seconds == 30


# -------------------------------------------------------------------------------- what is only in AWS

ROLE = """
  Role:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}}
"""


def test_an_output_of_what_is_only_in_aws_is_left_out(folder: Path) -> None:
    """The address of an API would lead nowhere from here."""
    topology = read(folder, QUEUE + ROLE + "Outputs: {Role: {Value: !Ref Role}, Queue: {Value: !GetAtt Queue.Arn}}\n")

    assert set(topology.outputs) == {"Queue"}


def test_a_property_of_what_is_only_in_aws_is_left_out_where_nothing_needs_it(folder: Path) -> None:
    """A function's role and a queue's key change nothing on this machine."""
    topology = read(folder, FUNCTION + "      Role: !GetAtt Role.Arn\n" + ROLE)

    assert function(topology).handler == "app.handler"


# -------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (f"Resources: [] {HERE}", "Resources is a mapping"),
        (f"Resources: {{Queue: AWS::SQS::Queue}} {HERE}", "Queue is a mapping"),
        (f"Resources: {{Queue: {{}}}} {HERE}", "Queue needs a Type"),
        (f"Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n Oops: {HERE}", "is no YAML"),
        (f"{QUEUE}    Properties:\n      <<: 3 {HERE}", "only mappings can be merged"),
        (f"{QUEUE}    Properties:\n      VisibilityTimeout: soon {HERE}", "VisibilityTimeout is a whole number"),
        (f"{QUEUE}    Properties:\n      FifoQueue: perhaps {HERE}", "FifoQueue is true or false"),
        (f"{QUEUE}    Properties:\n      RedrivePolicy: nonsense {HERE}", "RedrivePolicy is no JSON"),
        (f"{QUEUE}    Properties:\n      QueueName: !GetAtt Queue.QueueName {HERE}", "depends on itself"),
        (f"{RULE}      EventPattern: {{source: shop}} {HERE}", "source"),
        (FUNCTION.replace("code", f"absent {HERE}"), "no folder on this machine"),
    ],
)
def test_what_can_not_run_here_is_refused_at_its_line(folder: Path, template: str, reason: str) -> None:
    """Nothing is guessed and nothing is silently left out."""
    error = refusal(folder, template)

    assert reason in error.reason


def test_what_sam_refuses_is_refused_at_the_resource(folder: Path) -> None:
    """The translator's own words, and the line of the resource that they are about."""
    error = refusal(folder, FUNCTION.replace("  Worker:", f"  Worker: {HERE}") + "      Layers: 3\n")

    assert "Worker" in error.reason


def test_what_sam_refuses_of_an_event_is_refused_at_the_event(folder: Path) -> None:
    """It is of the resource that SAM makes of it."""
    error = refusal(folder, STREAM.replace("Changes:", f"Changes: {HERE}") + "            Enabled: perhaps\n" + TABLE)

    assert "Enabled" in error.reason


def test_a_stream_that_is_not_there_is_refused_where_it_is_named(folder: Path) -> None:
    """The event of a function is found again, though SAM has made another resource of it."""
    error = refusal(
        folder,
        STREAM.replace("StreamArn", f"StreamArn {HERE}") + TABLE.replace("StreamSpecification", "SSESpecification"),
    )

    assert "has no stream" in error.reason


def test_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    """With its name, as every other error."""
    with pytest.raises(TemplateError, match=r"absent\.yaml:1: can't be read"):
        load(folder / "absent.yaml")


# -------------------------------------------------------------------------------- parameters


def with_parameter(declaration: str) -> str:
    return f"Parameters:\n  P: {declaration} {HERE}\n{QUEUE}\nOutputs: {{P: {{Value: !Ref P}}}}"


@pytest.mark.parametrize(
    ("declaration", "given", "value"),
    [
        ("{Type: String, Default: a}", {}, "a"),
        ("{Type: String, Default: a}", {"P": "b"}, "b"),
        ("{Type: String}", {"P": ""}, ""),
        ("{Type: Number, Default: 3}", {}, "3"),
        ("{Type: Number, MinValue: 2, MaxValue: 4}", {"P": "4"}, "4"),
        ("{Type: String, AllowedPattern: '[a-z]+'}", {"P": "abc"}, "abc"),
    ],
)
def test_a_parameter_has_the_given_value_or_its_default(
    folder: Path, declaration: str, given: dict[str, str], value: str
) -> None:
    """What is given comes first, even when it is empty."""
    assert read(folder, with_parameter(declaration), parameters=given).outputs == {"P": value}


@pytest.mark.parametrize(
    ("declaration", "given", "reason"),
    [
        ("{Type: String, AllowedPattern: '(?!.*)'}", {}, "the parameter P needs a value"),
        ("{Type: String, AllowedValues: [a, b]}", {"P": "c"}, "P is one of a, b, not 'c'"),
        ("{Type: String, AllowedPattern: '[a-z]+'}", {"P": "abc1"}, "P matches [a-z]+, not 'abc1'"),
        ("{Type: String, MinLength: 2}", {"P": "a"}, "P has a length in its range, not 1 characters"),
        ("{Type: String, MaxLength: 2}", {"P": "abc"}, "P has a length in its range, not 3 characters"),
        ("{Type: Strin, Default: a}", {}, "there is no parameter type Strin"),
        ("{Type: Number, MinValue: 2}", {"P": "1"}, "a number in its range"),
        ("{Type: Number}", {"P": "two"}, "a number in its range"),
    ],
)
def test_a_parameter_takes_what_a_deployment_would_take(
    folder: Path, declaration: str, given: dict[str, str], reason: str
) -> None:
    """A value that AWS would refuse is refused here."""
    error = refusal(folder, with_parameter(declaration), parameters=given)

    assert reason in error.reason


def test_a_value_for_no_parameter_is_refused(folder: Path) -> None:
    """It is a name misspelt."""
    with pytest.raises(TemplateError, match="there is no parameter Stgae"):
        read(folder, with_parameter("{Type: String, Default: a}"), parameters={"Stgae": "prod"})
