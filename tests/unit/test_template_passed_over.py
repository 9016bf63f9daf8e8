"""What a template has that isn't run here is said, and what doesn't exist is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from eachonce_workbench.cli.screens.run import BarProgress, LineProgress, show_cloud
from eachonce_workbench.template import TemplateError, load
from tests.templates import FUNCTION, HERE, QUEUE, RULE, STREAM, TABLE, read, refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the code of one function."""
    (tmp_path / "code").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("resource", "line"),
    [
        ("Feed: {Type: AWS::Kinesis::Stream}", "AWS::Kinesis::Stream Feed: not run here"),
        ("Flow: {Type: AWS::StepFunctions::StateMachine}", "AWS::StepFunctions::StateMachine Flow: not run here"),
        ("Mail: {Type: Custom::MailDomain, Properties: {ServiceToken: a}}", "Custom::MailDomain Mail: not run here"),
        ("Own: {Type: AWS::CloudFormation::CustomResource}", "AWS::CloudFormation::CustomResource Own: not run here"),
        ("Monitor: {Type: Datadog::Monitors::Monitor}", "Datadog::Monitors::Monitor Monitor: not run here"),
        ("Net: {Type: Example::Network::Vpc::MODULE}", "Example::Network::Vpc::MODULE Net: not run here"),
        ("Cache: {Type: AWS::AppSync::GraphQLApi}", "AWS::AppSync::GraphQLApi Cache: not run here"),
        ("Late: {Type: AWS::CloudWatch::Alarm}", "AWS::CloudWatch::Alarm Late: not run here"),
    ],
)
def test_a_resource_that_is_not_run_is_said(folder: Path, resource: str, line: str) -> None:
    """Whoever's type it is."""
    assert read(folder, f"{QUEUE}  {resource}\n").passed_over == (line,)


def test_what_is_run_is_not_said(folder: Path) -> None:
    """A template that runs whole says nothing, whatever SAM makes of it."""
    assert read(folder, STREAM + TABLE).passed_over == ()


def test_a_resource_whose_condition_is_false_is_not_said(folder: Path) -> None:
    """It would not be there on AWS, either."""
    template = """
        Conditions: {Never: !Equals [a, b]}
        Resources: {Feed: {Type: AWS::Kinesis::Stream, Condition: Never}, Queue: {Type: AWS::SQS::Queue}}
        """

    assert read(folder, template).passed_over == ()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("Things: {Type: IoTRule, Properties: {Sql: SELECT * FROM 'topic'}}", "Things (IoTRule)"),
    ],
)
def test_an_event_of_a_function_that_is_not_run_is_said(folder: Path, event: str, said: str) -> None:
    """Once, whatever SAM makes of it."""
    topology = read(folder, f"{FUNCTION}      Events:\n        {event}\n")

    assert topology.passed_over == (f"AWS::Serverless::Function Worker, event {said}: not run here",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("VpcConfig: {SubnetIds: [subnet-1], SecurityGroupIds: [sg-1]}", "VpcConfig"),
        ("EphemeralStorage: {Size: 1024}", "EphemeralStorage"),
        ("Tracing: Active", "Tracing"),
        ("SnapStart: {ApplyOn: PublishedVersions}", "SnapStart"),
    ],
)
def test_a_property_of_a_function_that_is_not_run_is_said(folder: Path, line: str, said: str) -> None:
    """It changes what the function does on AWS."""
    topology = read(folder, f"{FUNCTION}      {line}\n")

    assert topology.passed_over == (f"AWS::Serverless::Function Worker, {said}: not run here",)


def test_a_property_that_all_functions_have_is_said_once(folder: Path) -> None:
    """Of Globals, where it is written."""
    other = (
        "  Other: {Type: AWS::Serverless::Function, Properties: {CodeUri: code, Handler: a.b, Runtime: python3.12}}\n"
    )

    topology = read(folder, f"Globals: {{Function: {{Tracing: Active}}}}\n{FUNCTION}{other}")

    assert topology.passed_over == ("Globals Function, Tracing: not run here",)


def test_a_property_that_leads_to_what_is_not_run_is_said(folder: Path) -> None:
    """Nothing comes there."""
    archive = "arn:aws:s3:::archive"
    config = (
        f"      EventInvokeConfig: {{DestinationConfig: {{OnFailure: {{Type: S3Bucket, Destination: {archive}}}}}}}\n"
    )

    topology = read(folder, FUNCTION + config)

    said = "EventInvokeConfig.DestinationConfig.OnFailure.Destination"
    assert topology.passed_over == (f"AWS::Serverless::Function Worker, {said}: not run here",)
    assert [each.on_failure_arn for each in topology.function("Worker").event_invokes.values()] == [None]


def test_a_property_of_an_event_that_is_not_run_is_said(folder: Path) -> None:
    """With the event that it is of."""
    topology = read(folder, f"{STREAM}            TumblingWindowInSeconds: 60\n{TABLE}")

    said = "AWS::Serverless::Function Worker, event Changes (DynamoDB), TumblingWindowInSeconds: not run here"
    assert topology.passed_over == (said,)


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (
            "{Type: AWS::SNS::Subscription, Properties: {TopicArn: TOPIC, Protocol: sms, Endpoint: '+44'}}",
            "AWS::SNS::Subscription It, Protocol",
        ),
        (
            "{Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: email, Endpoint: a@example.com}]}}",
            "AWS::SNS::Topic It, Subscription.Protocol",
        ),
        (
            (
                "{Type: AWS::Scheduler::Schedule, Properties: {FlexibleTimeWindow: {Mode: 'OFF'}, ScheduleExpression:"
                " rate(1 day), Target: {RoleArn: r, Arn: 'arn:aws:scheduler:::aws-sdk:sqs:sendMessage'}}}"
            ),
            "AWS::Scheduler::Schedule It, Target.Arn",
        ),
        (
            (
                "{Type: AWS::Pipes::Pipe, Properties: {RoleArn: r, Target: !GetAtt Queue.Arn,"
                " Source: 'arn:aws:kinesis:eu-west-1:123456789012:stream/s'}}"
            ),
            "AWS::Pipes::Pipe It, Source",
        ),
        (
            "{Type: AWS::S3::Bucket, Properties: {LifecycleConfiguration: {}}}",
            "AWS::S3::Bucket It, LifecycleConfiguration",
        ),
    ],
)
def test_what_an_event_source_does_in_aws_alone_is_said(folder: Path, resource: str, said: str) -> None:
    """With the property that says so; the rest of it runs, or the whole is left out."""
    topic = "arn:aws:sns:eu-west-1:210987654321:topic"

    topology = read(folder, f"{QUEUE}  It: {resource.replace('TOPIC', topic)}\n")

    assert topology.passed_over == (f"{said}: not run here",)


def test_a_rule_of_a_bus_of_another_stack_is_said(folder: Path) -> None:
    """There is a bus of its name, to which anything can publish here."""
    topology = read(folder, f"{RULE}      EventBusName: elsewhere\n      EventPattern: {{source: [a]}}\n")

    assert topology.passed_over == ("Event bus elsewhere: of another stack; there is an empty one here",)
    assert "elsewhere" in {bus.name for bus in topology.buses}


def test_sections_that_are_not_run_are_said(folder: Path) -> None:
    """Assertions on parameters, and other people's macros."""
    template = f"Transform: [AWS::Serverless-2016-10-31, Mine]\nRules: {{R: {{Assertions: []}}}}\n{QUEUE}"
    (folder / "template.yaml").write_text(template, encoding="utf-8")

    passed_over = load(folder / "template.yaml").passed_over

    assert passed_over == ("Transform Mine: not run here", "Rules: not run here")


# -------------------------------------------------------------------------------- what doesn't exist


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("{Type: AWS::SQS::Queu}", "Feed: there is no resource type AWS::SQS::Queu: did you mean AWS::SQS::Queue?"),
        ("{Type: AWS::Serverless::Functon}", "did you mean AWS::Serverless::Function?"),
        ("{Type: AWS::Pipes::Pip, Condition: Never}", "did you mean AWS::Pipes::Pipe?"),
        ("{Type: Queue}", "there is no resource type Queue"),
        ("{Type: AWS::SQS::Queue, Propertys: {}}", "Feed: a resource has no Propertys: did you mean Properties?"),
    ],
)
def test_a_word_that_cloudformation_does_not_know_is_refused_at_its_line(
    folder: Path, resource: str, reason: str
) -> None:
    """A condition that doesn't hold makes it no better: CloudFormation looks at every resource's type."""
    error = refusal(folder, f"Conditions: {{Never: !Equals [a, b]}}\n{QUEUE}  Feed: {resource} {HERE}\n")

    assert reason in error.reason


def test_a_section_that_does_not_exist_is_refused(folder: Path) -> None:
    """It is a name misspelt."""
    error = refusal(folder, f"{QUEUE}Output: {{}} {HERE}\n")

    assert error.reason == "a template has no section Output: did you mean Outputs?"


def test_all_unknown_types_are_told_at_once(folder: Path) -> None:
    """From top to bottom."""
    with pytest.raises(TemplateError) as caught:
        read(folder, "Resources:\n  A: {Type: AWS::SQS::Queu}\n  B: {Type: AWS::SNS::Topik}\n")

    lines = str(caught.value).splitlines()
    assert [line.rpartition("yaml")[2][:5] for line in lines] == [":3: A", ":4: B"]


def test_serve_and_run_begin_with_what_is_not_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, whatever they hold; on a terminal and elsewhere."""
    topology = read(folder, f"{QUEUE}  Feed: {{Type: AWS::Kinesis::Stream}}\n")

    show_cloud(Console(), "http://127.0.0.1:4566", topology)
    LineProgress(Console()).started(topology)
    BarProgress(Console()).started(topology)

    lines = capsys.readouterr().out.splitlines()
    assert lines.count("AWS::Kinesis::Stream Feed: not run here") == 3
