"""Rules for what is driven by events: each has templates that break it, and templates that keep it."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench import hardening
from eachonce_workbench.check import RULES
from eachonce_workbench.hardening import check
from eachonce_workbench.template import declared
from tests.templates import write

DEAD = """
  Dead: {Type: AWS::SQS::Queue, Metadata: {}, Properties: {%s}}
"""
QUEUE = """
  Queue:
    Type: AWS::SQS::Queue
    Metadata: {}
    Properties: {VisibilityTimeout: %s, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: %s}, %s}
"""
WORKER = """
  Worker:
    Type: AWS::Serverless::Function
    Metadata: {}
    Properties:
      InlineCode: "..."
      Handler: index.handler
      Runtime: python3.13
      Timeout: 10
      %s
"""
BY_QUEUE = "Events: {M: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn%s}}}"
STREAM = "Events: {M: {Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn, StartingPosition: %s}}}"
BY_STREAM = (
    WORKER
    + """
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: NEW_IMAGE}
"""
) % STREAM
RULE = """
  Rule:
    Type: AWS::Events::Rule
    Metadata: {}
    Properties: {EventPattern: %s, Targets: [{Id: one, Arn: %s}]}
"""
CLOCK = (
    "\n  Rule: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 hour), Targets: [{Id: a, Arn: %s}]}}\n"
)
LET_IN = """
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: %s}, Action: sqs:SendMessage, Resource: "*"}]}
"""
ALARM = """
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Metadata: {}
    Properties: {Namespace: AWS/SQS, MetricName: %s, Dimensions: [{Name: QueueName, Value: !GetAtt %s.QueueName}]}
"""
SUBSCRIPTION = """
  Topic: {Type: AWS::SNS::Topic}
  Subscription:
    Type: AWS::SNS::Subscription
    Metadata: {}
    Properties: {TopicArn: !Ref Topic, Protocol: %s, Endpoint: %s}
"""
PIPE = """
  Pipe:
    Type: AWS::Pipes::Pipe
    Metadata: {}
    Properties:
      RoleArn: arn:r
      Source: "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"
      Target: arn:t
      SourceParameters: {KinesisStreamParameters: {StartingPosition: TRIM_HORIZON%s}}
"""
PUBLISHES = """
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "..."
      Handler: index.handler
      Runtime: python3.13
      Policies:
        - Statement:
            - Effect: Allow
              Action: events:PutEvents
              Resource: !Sub "arn:aws:events:eu-west-1:123456789012:event-bus/default"
              Condition: {StringEquals: {events:source: %s}}
"""
FIFO = 'FifoQueue: true, QueueName: "%s.fifo"'
ORDERS = "{source: [shop], detail-type: [OrderPlaced]}"
TOLD = "EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}}"
SHARED = WORKER % (BY_QUEUE % "") + (WORKER % (BY_QUEUE % "")).replace("Worker", "Other")


def queued(mapping: str = "", *, timeout: str = "60", receptions: str = "5", queue: str = "", dead: str = "") -> str:
    return QUEUE % (timeout, receptions, queue) + DEAD % dead + WORKER % (BY_QUEUE % mapping)


def streamed(mapping: str = "TRIM_HORIZON") -> str:
    return BY_STREAM % mapping


def reserved(number: str, mapping: str = "") -> str:
    return queued(mapping).replace("Timeout: 10", f"Timeout: 10\n      ReservedConcurrentExecutions: {number}")


BAD = {
    "whole-batches": [
        queued(),
        queued(", BatchSize: 2"),
        queued().replace("!GetAtt Queue.Arn}}}", '"arn:aws:sqs:eu-west-1:123456789012:of-another-stack"}}}'),
    ],
    "short-visibility": [
        queued(timeout="59"),
        queued(", MaximumBatchingWindowInSeconds: 5"),
        queued(timeout="!Ref AWS::NoValue"),
    ],
    "few-receptions": [queued(receptions="4"), queued(receptions='"1"')],
    "limit-above-reserve": [
        reserved("5", ", ScalingConfig: {MaximumConcurrency: 6}"),
        reserved(
            "10", "}}, N: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn, ScalingConfig: {MaximumConcurrency: 6}"
        ).replace(
            "M: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}",
            "M: {Type: SQS, Properties: {Queue: !GetAtt Dead.Arn, ScalingConfig: {MaximumConcurrency: 5}}}",
        ),
    ],
    "throttled-mapping": [reserved("1"), reserved("100", ", ScalingConfig: !Ref AWS::NoValue")],
    "shared-queue": [
        QUEUE % ("60", "5", "") + DEAD % "" + SHARED,
    ],
    "no-dead-letter-queue": [
        "\n  Queue: {Type: AWS::SQS::Queue, Metadata: {}}\n" + WORKER % (BY_QUEUE % ""),
    ],
    "forgotten-dead-letters": [
        queued(dead="MessageRetentionPeriod: 60"),
        queued(queue="MessageRetentionPeriod: 1209600"),
    ],
    "unseen-dead-letters": [
        queued(),
        queued() + ALARM % ("ApproximateNumberOfMessagesVisible", "Queue"),
        WORKER % "DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}" + DEAD % "",
    ],
    "deaf-alarm": [queued() + ALARM % ("NumberOfMessagesSent", "Dead")],
    "mixed-queues": [queued(queue=FIFO % "a"), queued(dead=FIFO % "a")],
    "closed-queue": [
        RULE % (ORDERS, "!GetAtt Queue.Arn") + queued(),
        RULE % (ORDERS, "!GetAtt Queue.Arn") + queued() + LET_IN % "sns.amazonaws.com",
        RULE % (ORDERS, "!GetAtt Worker.Arn, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}")
        + queued()
        + LET_IN % "events.amazonaws.com",
        SUBSCRIPTION % ("sqs", "!GetAtt Queue.Arn") + queued(),
    ],
    "returning-dead-letters": [
        WORKER % (BY_QUEUE % "" + "\n      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Queue.Arn}")
        + QUEUE % ("60", "5", "")
        + DEAD % "",
        queued().replace("Events: {", "Events: {N: {Type: SQS, Properties: {Queue: !GetAtt Dead.Arn}}, "),
    ],
    "target-without-dead-letters": [
        RULE % (ORDERS, "!GetAtt Queue.Arn") + queued(),
        RULE % (ORDERS, '"arn:aws:states:eu-west-1:123456789012:stateMachine:m"'),
    ],
    "rule-without-source": [
        RULE % ("{detail-type: [OrderPlaced]}", "!GetAtt Worker.Arn") + WORKER % "",
        RULE % ("{$or: [{source: [shop]}, {detail-type: [a]}]}", "!GetAtt Worker.Arn") + WORKER % "",
    ],
    "event-loop": [
        RULE % ("{source: [shop]}", "!GetAtt Worker.Arn") + PUBLISHES % "shop",
        RULE % ('{source: [{prefix: ""}]}', "!GetAtt Worker.Arn") + PUBLISHES % "shop",
    ],
    "ungrouped-target": [
        RULE % (ORDERS, "!GetAtt Queue.Arn") + queued(queue=FIFO % "a" + ", ContentBasedDeduplication: true"),
        RULE % (ORDERS, "!GetAtt Queue.Arn, SqsParameters: {MessageGroupId: a}") + queued(queue=FIFO % "a"),
    ],
    "no-failure-destination": [
        RULE % (ORDERS, "!GetAtt Worker.Arn") + WORKER % "",
        SUBSCRIPTION % ("lambda", "!GetAtt Worker.Arn") + WORKER % "",
        "\n  Photos: {Type: AWS::S3::Bucket}\n"
        + WORKER % "Events: {P: {Type: S3, Properties: {Bucket: !Ref Photos, Events: s3:ObjectCreated:*}}}",
        WORKER % "Events: {E: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}}}}",
    ],
    "allowed-recursion": [WORKER % "RecursiveLoop: Allow"],
    "endless-retries": [
        streamed(),
        streamed("TRIM_HORIZON, MaximumRetryAttempts: -1, BisectBatchOnFunctionError: false"),
    ],
    "stream-without-destination": [streamed(), streamed("TRIM_HORIZON, MaximumRetryAttempts: 3")],
    "whole-stream-batches": [streamed(), streamed("TRIM_HORIZON, BisectBatchOnFunctionError: true")],
    "missed-beginning": [streamed("LATEST")],
    "crowded-stream": [
        "".join(
            [
                streamed(),
                *(WORKER.replace("Worker", name) % STREAM % "LATEST" for name in ("Second", "Third")),
            ]
        )
    ],
    "pipe-without-dead-letters": [PIPE % "", PIPE % ", MaximumRetryAttempts: 3"],
    "subscription-without-dead-letters": [
        SUBSCRIPTION % ("sqs", "!GetAtt Dead.Arn") + DEAD % "",
        SUBSCRIPTION % ("lambda", "!GetAtt Worker.Arn") + WORKER % "",
    ],
}
GOOD = {
    "whole-batches": [
        queued(", FunctionResponseTypes: [ReportBatchItemFailures]"),
        queued(", BatchSize: 1"),
        streamed(),
    ],
    "short-visibility": [
        queued(timeout="60"),
        queued(", MaximumBatchingWindowInSeconds: 5", timeout="65"),
        queued(timeout="!Ref Given"),
    ],
    "few-receptions": [queued(receptions="5"), queued(receptions="!Ref Given")],
    "limit-above-reserve": [
        reserved("6", ", ScalingConfig: {MaximumConcurrency: 6}"),
        queued(", ScalingConfig: {MaximumConcurrency: 6}"),
        reserved("!Ref Given", ", ScalingConfig: {MaximumConcurrency: 999}"),
    ],
    "throttled-mapping": [queued(), reserved("5", ", ScalingConfig: {MaximumConcurrency: 5}"), reserved("!Ref Given")],
    "shared-queue": [
        queued(),
        QUEUE % ("60", "5", "") + DEAD % "" + SHARED.replace("Queue.Arn", "Dead.Arn", 1),
        QUEUE % ("60", "5", "") + DEAD % "" + SHARED.replace("Queue.Arn", "Queue.Arn, Enabled: false", 1),
    ],
    "no-dead-letter-queue": [
        queued(),
        "\n  Queue: {Type: AWS::SQS::Queue}\n",
        queued().replace("Queue.Arn}}}", "Dead.Arn}}}"),
        "\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n"
        "      RedrivePolicy: !If [Chosen, {deadLetterTargetArn: a}, !Ref AWS::NoValue]\n" + WORKER % (BY_QUEUE % ""),
    ],
    "forgotten-dead-letters": [
        queued(),
        queued(queue="MessageRetentionPeriod: 60"),
        queued(queue=FIFO % "a", dead=FIFO % "b" + ", MessageRetentionPeriod: 60"),
        queued(dead="MessageRetentionPeriod: !Ref Given"),
    ],
    "unseen-dead-letters": [
        queued() + ALARM % ("ApproximateNumberOfMessagesVisible", "Dead"),
        queued().replace("Queue.Arn}}}", "Queue.Arn}}, N: {Type: SQS, Properties: {Queue: !GetAtt Dead.Arn}}}"),
        "\n  Queue: {Type: AWS::SQS::Queue}\n",
    ],
    "deaf-alarm": [
        queued() + ALARM % ("ApproximateNumberOfMessagesVisible", "Dead"),
        queued() + ALARM % ("NumberOfMessagesSent", "Queue"),
        WORKER % "DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}"
        + DEAD % ""
        + ALARM % ("NumberOfMessagesSent", "Dead"),
    ],
    "mixed-queues": [queued(), queued(queue=FIFO % "a", dead=FIFO % "b")],
    "closed-queue": [
        RULE % (ORDERS, "!GetAtt Queue.Arn") + queued() + LET_IN % "events.amazonaws.com",
        SUBSCRIPTION % ("sqs", "!GetAtt Queue.Arn") + queued() + LET_IN % "sns.amazonaws.com",
        RULE % (ORDERS, "!GetAtt Queue.Arn, RoleArn: arn:r") + queued(),
        queued(),
    ],
    "returning-dead-letters": [
        queued(),
        queued() + (WORKER % (BY_QUEUE % "")).replace("Worker", "Other").replace("Queue.Arn", "Dead.Arn"),
    ],
    "target-without-dead-letters": [
        RULE % (ORDERS, "!GetAtt Queue.Arn, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}") + queued(),
        RULE % (ORDERS, "!GetAtt Queue.Arn, DeadLetterConfig: {Arn: !Ref Given}") + queued(),
        CLOCK % "!GetAtt Queue.Arn" + queued(),
    ],
    "rule-without-source": [
        RULE % (ORDERS, "!GetAtt Worker.Arn") + WORKER % "",
        RULE % ("{$or: [{source: [a]}, {source: [b]}]}", "!GetAtt Worker.Arn") + WORKER % "",
        RULE % ('{account: ["123456789012"]}', '"arn:aws:logs:eu-west-1:123456789012:log-group:/all"'),
    ],
    "event-loop": [
        RULE % ("{source: [shop]}", "!GetAtt Worker.Arn") + PUBLISHES % "till",
        RULE % ("{source: [shop], detail: {a: [1]}}", "!GetAtt Worker.Arn") + PUBLISHES % "shop",
        RULE % ("{source: [shop], detail-type: [OrderPlaced]}", "!GetAtt Worker.Arn") + PUBLISHES % "shop",
        (RULE % ("{source: [shop]}", "!GetAtt Worker.Arn")).replace(
            "Properties: {", "Properties: {EventBusName: other, "
        )
        + PUBLISHES % "shop",
    ],
    "ungrouped-target": [
        RULE % (ORDERS, "!GetAtt Queue.Arn") + queued(),
        RULE % (ORDERS, "!GetAtt Queue.Arn, SqsParameters: {MessageGroupId: a}")
        + queued(queue=FIFO % "a" + ", ContentBasedDeduplication: true"),
    ],
    "no-failure-destination": [
        RULE % (ORDERS, "!GetAtt Worker.Arn") + WORKER % TOLD + DEAD % "",
        RULE % (ORDERS, "!GetAtt Worker.Arn") + WORKER % "DeadLetterQueue: {Type: SQS, TargetArn: !Ref Given}",
        CLOCK % "!GetAtt Worker.Arn" + WORKER % "",
        queued(),
        SUBSCRIPTION % ("sqs", "!GetAtt Queue.Arn") + queued(),
    ],
    "allowed-recursion": [WORKER % "RecursiveLoop: Terminate", WORKER % ""],
    "endless-retries": [
        streamed("TRIM_HORIZON, BisectBatchOnFunctionError: true"),
        streamed("TRIM_HORIZON, MaximumRetryAttempts: 0"),
        streamed("TRIM_HORIZON, MaximumRecordAgeInSeconds: 60"),
        queued(),
    ],
    "stream-without-destination": [
        streamed("TRIM_HORIZON, DestinationConfig: {OnFailure: {Destination: !GetAtt Dead.Arn}}") + DEAD % "",
        queued(),
    ],
    "whole-stream-batches": [
        streamed("TRIM_HORIZON, FunctionResponseTypes: [ReportBatchItemFailures]"),
        streamed("TRIM_HORIZON, BatchSize: 1"),
        queued(),
    ],
    "missed-beginning": [streamed("TRIM_HORIZON"), streamed("!Ref Given")],
    "crowded-stream": [streamed()],
    "pipe-without-dead-letters": [PIPE % ", DeadLetterConfig: {Arn: arn:q}"],
    "subscription-without-dead-letters": [
        SUBSCRIPTION % ("sqs", "!GetAtt Dead.Arn, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}") + DEAD % "",
        SUBSCRIPTION % ("email", "a@example.com"),
        SUBSCRIPTION % ("sqs", "!GetAtt Dead.Arn, RedrivePolicy: !Ref Given") + DEAD % "",
    ],
}
GIVEN = "Parameters: {Given: {Type: String}}\nConditions: {Chosen: !Equals [!Ref Given, a]}\n"


def broken(folder: Path, resources: str) -> set[str]:
    return {each.rule for each in check(declared(write(folder, f"{GIVEN}Resources:{resources}")), RULES)}


@pytest.mark.parametrize(("rule", "resources"), [(rule, each) for rule in BAD for each in BAD[rule]])
def test_a_template_that_breaks_a_rule_is_told_which(tmp_path: Path, rule: str, resources: str) -> None:
    """Whatever else is wrong with it."""
    assert rule in broken(tmp_path, resources)


@pytest.mark.parametrize(("rule", "resources"), [(rule, each) for rule in GOOD for each in GOOD[rule]])
def test_a_template_that_keeps_a_rule_is_not_blamed_by_it(tmp_path: Path, rule: str, resources: str) -> None:
    """Nor one that can't be known to break it: a value that only a deployment has. It may break others."""
    assert rule not in broken(tmp_path, resources)


@pytest.mark.parametrize(("rule", "resources"), [(rule, each) for rule in BAD for each in BAD[rule]])
def test_a_reason_beside_the_resource_lets_it_be(tmp_path: Path, rule: str, resources: str) -> None:
    """The one that a person would mend."""
    reason = f"Metadata: {{Accepted: {{{rule}: it is a specimen of what is bad}}}}"
    if "Metadata: {}" not in resources:
        pytest.skip("nothing of it takes a reason")

    assert rule not in broken(tmp_path, resources.replace("Metadata: {}", reason))


def test_every_rule_is_tried() -> None:
    """Here, beside its code or beside the rules for rights; numbers and ids are one rule's alone."""
    from tests.unit.test_check_code import BAD as IN_CODE

    ids = [rule.id for rule in RULES]

    assert ids == [*BAD, *IN_CODE, *(rule.id for rule in hardening.RULES)]
    assert list(BAD) == list(GOOD)
    assert len({rule.number for rule in RULES}) == len(set(ids)) == len(RULES)
    assert all(rule.link.startswith("https://docs.aws.amazon.com/") for rule in RULES)


def test_a_finding_leads_to_the_event_that_made_the_mapping(tmp_path: Path) -> None:
    """Not to its function, which may have several."""
    file = write(tmp_path, f"Resources:{queued()}")
    line = next(
        number
        for number, text in enumerate(file.read_text().splitlines(), start=1)
        if text.strip().startswith("Events")
    )

    (found,) = [each for each in check(declared(file), RULES) if each.rule == "whole-batches"]

    assert (found.resource, found.line) == ("Worker", line)
