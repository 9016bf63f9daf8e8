"""What a template says of topics, buckets, schedules and pipes, read with AWS's defaults."""

from pathlib import Path

import pytest
from rich.console import Console

from eachonce_workbench.cli.screens.run import show_cloud
from eachonce_workbench.template.topology import Topology
from tests.templates import FUNCTION, HERE, QUEUE, TABLE, read, refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the code of one function."""
    (tmp_path / "code").mkdir()
    return tmp_path


def with_resource(folder: Path, text: str) -> Topology:
    return read(folder, f"{QUEUE}  It: {text}\n")


def test_resources_without_a_name_are_called_after_their_stack(folder: Path) -> None:
    """A bucket's name has no capital letters, and a FIFO topic's ends in .fifo."""
    bucket = with_resource(folder, "{Type: AWS::S3::Bucket}").buckets[0]
    topic = with_resource(folder, "{Type: AWS::SNS::Topic, Properties: {FifoTopic: true}}").topics[0]

    assert (bucket.name, bucket.arn) == ("eachonce-it", "arn:aws:s3:::eachonce-it")
    assert (topic.name, topic.fifo) == ("eachonce-It.fifo", True)
    assert topic.arn == "arn:aws:sns:eu-west-1:123456789012:eachonce-It.fifo"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Ref Topic", "arn:aws:sns:eu-west-1:123456789012:eachonce-Topic"),
        ("!GetAtt Topic.TopicName", "eachonce-Topic"),
        ("!Ref Files", "eachonce-files"),
        ("!GetAtt Files.Arn", "arn:aws:s3:::eachonce-files"),
        ("!GetAtt Files.RegionalDomainName", "eachonce-files.s3.eu-west-1.amazonaws.com"),
    ],
)
def test_what_refers_to_them_gets_their_names(folder: Path, text: str, expected: str) -> None:
    """As CloudFormation gives them."""
    template = f"""{FUNCTION}      Environment: {{Variables: {{IT: {text}}}}}
  Topic: {{Type: AWS::SNS::Topic}}
  Files: {{Type: AWS::S3::Bucket}}
"""

    assert read(folder, template).function("Worker").environment["IT"] == expected


@pytest.mark.parametrize(
    ("configuration", "tells"),
    [
        ("{EventBridgeConfiguration: {}}", True),
        ("{EventBridgeConfiguration: {EventBridgeEnabled: true}}", True),
        ("{EventBridgeConfiguration: {EventBridgeEnabled: false}}", False),
        ("{}", False),
    ],
)
def test_a_bucket_tells_eventbridge_if_it_says_so(folder: Path, configuration: str, tells: bool) -> None:
    """To name the configuration is enough."""
    topology = with_resource(
        folder, f"{{Type: AWS::S3::Bucket, Properties: {{NotificationConfiguration: {configuration}}}}}"
    )

    assert topology.buckets[0].tells_bus is tells


def test_a_pipe_has_its_sources_defaults(folder: Path) -> None:
    """Ten messages of a queue, a hundred records of a stream."""
    queue = "{Type: AWS::Pipes::Pipe, Properties: {RoleArn: r, Source: !GetAtt Queue.Arn, Target: !GetAtt Queue.Arn}}"
    stream = queue.replace("!GetAtt Queue.Arn, T", "!GetAtt Table.StreamArn, SourceParameters: PARAMETERS, T").replace(
        "PARAMETERS", "{DynamoDBStreamParameters: {StartingPosition: LATEST}}"
    )

    (of_queue,) = with_resource(folder, queue).pipes
    (of_stream,) = read(folder, f"{QUEUE}  It: {stream}\n{TABLE}").pipes

    assert (of_queue.batch_size, of_queue.window_seconds) == (10, 0)
    assert (of_stream.batch_size, of_stream.max_retries, of_stream.max_age_seconds) == (100, None, None)


@pytest.mark.parametrize(
    ("kind", "properties", "reason"),
    [
        (
            "SNS::Subscription",
            "Protocol: sqs, TopicArn: a, Endpoint: b, FilterPolicy: {a: b}",
            '"a" must be an object or an array',
        ),
        ("SNS::Subscription", "Protocol: pigeon, TopicArn: a:b", "Protocol is one of"),
        ("S3::Bucket", "BucketName: Photos", "BucketName is 3 to 63 small letters"),
        (
            "Scheduler::Schedule",
            "FlexibleTimeWindow: {Mode: 'OFF'}, ScheduleExpression: daily, Target: {Arn: !GetAtt Queue.Arn}",
            "ScheduleExpression is rate(5 minutes)",
        ),
        ("Pipes::Pipe", "Source: a, Target: !GetAtt Queue.Arn", "Source is an ARN"),
    ],
)
def test_what_aws_refuses_is_refused_at_its_line(folder: Path, kind: str, properties: str, reason: str) -> None:
    """With what it may be."""
    template = f"{QUEUE}  It: {{Type: AWS::{kind}, Properties: {{{properties}}}}} {HERE}\n"

    assert reason in refusal(folder, template).reason


def test_serve_begins_with_what_can_be_published_to_filled_and_fired(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the names that calls and `eachonce fire` take."""
    topology = read(
        folder,
        """
        Resources:
          Sales: {Type: AWS::SNS::Topic}
          Files: {Type: AWS::S3::Bucket}
          Nightly: {Type: AWS::Events::Rule, Properties: {Name: nightly, ScheduleExpression: rate(1 day)}}
        """,
    )

    show_cloud(Console(), "http://127.0.0.1:4566", topology)

    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert ["topic", "eachonce-Sales", "arn:aws:sns:eu-west-1:123456789012:eachonce-Sales"] in lines
    assert ["bucket", "eachonce-files", "arn:aws:s3:::eachonce-files"] in lines
    assert ["schedule", "nightly", "rate(1 day)"] in lines
