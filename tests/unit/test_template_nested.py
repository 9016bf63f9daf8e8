"""Stacks inside a stack, and what belongs to other stacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.template import TemplateError
from tests.templates import FUNCTION, QUEUE, RULE, read, write

CHILD = """
Parameters: {Size: {Type: Number}}
Globals: {Function: {CodeUri: ., Handler: app.handler, Runtime: python3.12}}
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize: !Ref Size
      Layers: [!Ref Layer]
      Events: {Jobs: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Jobs: {Type: AWS::SQS::Queue}
  Feed: {Type: AWS::Kinesis::Stream}
Outputs:
  Queue: {Value: !GetAtt Jobs.QueueName}
  Stream: {Value: !Ref Feed}
  Layer: {Value: !Ref Layer}
"""
PARENT = """
Resources:
  Child: {TYPE, Properties: {LOCATION: child/template.yaml, Parameters: {Size: 256}}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.12
      Layers: [!GetAtt Child.Outputs.Layer]
      Environment: {Variables: {QUEUE: !GetAtt Child.Outputs.Queue, STREAM: !GetAtt Child.Outputs.Stream}}
"""
APPLICATION = PARENT.replace("TYPE", "Type: AWS::Serverless::Application").replace("LOCATION", "Location")
STACK = PARENT.replace("TYPE", "Type: AWS::CloudFormation::Stack").replace("LOCATION", "TemplateURL")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the code of one function, and a nested stack's template."""
    (tmp_path / "code").mkdir()
    (tmp_path / "child" / "layer").mkdir(parents=True)
    write(tmp_path / "child", CHILD)
    return tmp_path


@pytest.mark.parametrize("template", [APPLICATION, STACK])
def test_a_nested_stack_is_a_part_of_the_system(folder: Path, template: str) -> None:
    """With its parameters, relative to its own folder; and its outputs are known, made up or not."""
    topology = read(folder, template)

    child = topology.function("Child/Worker")
    assert (child.memory_mb, child.code, child.name) == (256, folder / "child", "eachonce-Child-Worker")
    assert [(each.function, each.queue_arn) for each in topology.queue_mappings] == [
        ("Child/Worker", topology.queue("Child/Jobs").arn)
    ]
    assert topology.function("Worker").environment == {"QUEUE": "eachonce-Child-Jobs", "STREAM": "eachonce-Child-Feed"}
    assert topology.function("Worker").layers == child.layers == (folder / "child" / "layer",)
    assert "Child: AWS::Kinesis::Stream Feed: not run here" in topology.passed_over
    assert [bus.name for bus in topology.buses] == ["default"]


def test_a_stack_that_holds_itself_is_refused(folder: Path) -> None:
    """It has no end."""
    with pytest.raises(TemplateError, match="a nested stack is a part of itself"):
        read(folder, "Resources: {Me: {Type: AWS::Serverless::Application, Properties: {Location: template.yaml}}}")


@pytest.mark.parametrize(
    "location",
    [
        "{ApplicationId: arn:aws:serverlessrepo:us-east-1:123456789012:applications/a, SemanticVersion: 1.0.0}",
        "https://s3.amazonaws.com/bucket/template.yaml",
        "absent.yaml",
    ],
)
def test_a_nested_stack_that_is_not_here_is_said_and_its_outputs_are_made_up(folder: Path, location: str) -> None:
    """One of the Serverless Application Repository, one in a bucket, one that another build makes."""
    child = f"  Child: {{Type: AWS::Serverless::Application, Properties: {{Location: {location}}}}}\n"

    topology = read(
        folder, f"{FUNCTION}      Environment: {{Variables: {{TABLE: !GetAtt Child.Outputs.Table}}}}\n{child}"
    )

    assert topology.function("Worker").environment["TABLE"] == "eachonce-child-table"
    assert topology.passed_over == ("AWS::Serverless::Application Child: not run here",)


OTHER = "arn:aws:sqs:eu-west-1:123456789012:other"


def test_a_queue_of_another_stack_is_here_empty(folder: Path) -> None:
    """So that a consumer of it can be tried."""
    topology = read(folder, f"{FUNCTION}      Events: {{Jobs: {{Type: SQS, Properties: {{Queue: {OTHER}}}}}}}\n")

    assert topology.queue(OTHER).name == "other"
    assert [each.queue_arn for each in topology.queue_mappings] == [OTHER]
    assert topology.passed_over == ("Queue other: of another stack; there is an empty one here",)


def test_a_dead_letter_queue_of_another_stack_is_here_empty(folder: Path) -> None:
    """What is given up is not lost."""
    policy = f"{{deadLetterTargetArn: {OTHER}.fifo, maxReceiveCount: 3}}"

    topology = read(folder, f"{QUEUE}    Properties: {{FifoQueue: true, RedrivePolicy: {policy}}}\n")

    assert topology.queue("other.fifo").fifo


@pytest.mark.parametrize("bus", ["!ImportValue shop-bus", "'{{resolve:ssm:/shop/bus}}'", "shop-bus"])
def test_a_bus_of_another_stack_is_here(folder: Path, bus: str) -> None:
    """What its rules choose can be published."""
    topology = read(folder, f"{RULE}      EventBusName: {bus}\n      EventPattern: {{source: [a]}}\n")

    (rule,) = topology.rules
    assert rule.bus_name == "shop-bus"
    assert "shop-bus" in {each.name for each in topology.buses}
    assert "Event bus shop-bus: of another stack; there is an empty one here" in topology.passed_over


def test_a_bus_that_only_a_destination_names_is_here(folder: Path) -> None:
    """What is told of an invocation can be seen there."""
    bus = "arn:aws:events:eu-west-1:123456789012:event-bus/told"
    config = f"{{DestinationConfig: {{OnSuccess: {{Type: EventBridge, Destination: '{bus}'}}}}}}"

    topology = read(folder, f"{FUNCTION}      EventInvokeConfig: {config}\n")

    assert bus in {each.arn for each in topology.buses}


@pytest.mark.parametrize(
    "source",
    [
        "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
        "arn:aws:kafka:eu-west-1:123456789012:cluster/c/1",
        "arn:aws:mq:eu-west-1:123456789012:broker:b:1",
    ],
)
def test_a_source_that_is_not_run_here_is_said(folder: Path, source: str) -> None:
    """A template with one loads, and the rest of it runs."""
    mapping = f"Properties: {{FunctionName: !Ref Worker, EventSourceArn: '{source}'}}"

    topology = read(folder, f"{FUNCTION}  Feed: {{Type: AWS::Lambda::EventSourceMapping, {mapping}}}\n")

    assert topology.passed_over == ("AWS::Lambda::EventSourceMapping Feed, EventSourceArn: not run here",)
    assert (topology.queue_mappings, topology.stream_mappings) == ((), ())


@pytest.mark.parametrize(
    ("arn", "more"),
    [
        ("arn:aws:lambda:eu-west-1:123456789012:function:other", ""),
        (
            "!GetAtt Page.Arn",
            FUNCTION.replace("\nResources:\n", "").replace("Worker", "Page").replace("python3.11", "go"),
        ),
    ],
)
def test_a_rule_sends_to_no_function_that_is_not_run_here(folder: Path, arn: str, more: str) -> None:
    """Another stack's, or one of another runtime; a line says so."""
    rule = f"{RULE}      EventPattern: {{source: [a]}}\n      Targets: [{{Id: a, Arn: {arn}}}]\n"

    topology = read(folder, f"{rule}{more}")

    assert topology.rules[0].targets == ()
    assert topology.passed_over[-1].startswith("AWS::Events::Rule Rule, target a (arn:aws:lambda:")


def test_a_target_that_is_not_run_here_is_said(folder: Path) -> None:
    """The other targets of its rule get their events."""
    targets = "[{Id: a, Arn: 'arn:aws:states:eu-west-1:123456789012:stateMachine:m'}, {Id: b, Arn: !GetAtt Queue.Arn}]"

    topology = read(folder, f"{RULE}      EventPattern: {{source: [a]}}\n      Targets: {targets}\n")

    assert [each.id for each in topology.rules[0].targets] == ["b"]
    assert topology.passed_over == ("AWS::Events::Rule Rule, Targets.Arn: not run here",)
