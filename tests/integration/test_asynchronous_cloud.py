"""What a template says of asynchronous invocations holds in the local cloud, whoever begins them."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from eachonce_workbench import template as sam_template
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.simulator import clock
from eachonce_workbench.template import TemplateError
from eachonce_workbench.template.topology import EventInvoke

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {CodeUri: code, Handler: app.handler, Runtime: python3.11, MemorySize: 256, Timeout: 20}
Resources:
  Failures: {Type: AWS::SQS::Queue}
  Successes: {Type: AWS::SQS::Queue}
  DeadLetters: {Type: AWS::SQS::Queue}
  Heard: {Type: AWS::SQS::Queue}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: ends}}
  Ends:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !GetAtt Bus.Name
      EventPattern: {source: [lambda]}
      Targets: [{Id: heard, Arn: !GetAtt Heard.Arn}]
  Queued:
    Type: AWS::Serverless::Function
    Properties:
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt DeadLetters.Arn}
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        MaximumEventAgeInSeconds: 600
        DestinationConfig:
          OnSuccess: {Type: SQS, Destination: !GetAtt Successes.Arn}
          OnFailure: {Type: SQS, Destination: !GetAtt Failures.Arn}
      Events:
        Asked: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}}}
  Own:
    Type: AWS::Serverless::Function
    Properties:
      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS}}}
  OnBus:
    Type: AWS::Serverless::Function
    Properties:
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        DestinationConfig: {OnFailure: {Type: EventBridge, Destination: !GetAtt Bus.Arn}}
  Chained:
    Type: AWS::Serverless::Function
    Properties:
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        DestinationConfig: {OnFailure: {Type: Lambda, Destination: !GetAtt Queued.Arn}}
  Published:
    Type: AWS::Serverless::Function
    Properties:
      AutoPublishAlias: live
      EventInvokeConfig:
        MaximumRetryAttempts: 0
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failures.Arn}}
      Events:
        Asked: {Type: EventBridgeRule, Properties: {Pattern: {source: [alias]}}}
  Plain: {Type: AWS::Serverless::Function}
  PlainSettings:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {FunctionName: !GetAtt Plain.Arn, Qualifier: $LATEST, MaximumRetryAttempts: 0}
"""


@pytest.fixture
def template(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str = TEMPLATE, source: str = "def handler(event, context): pass") -> Path:
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / "app.py").write_text(textwrap.dedent(source))
        path = tmp_path / "template.yaml"
        path.write_text(text)
        return path

    return write


class Fails:
    """A Runtime in which every function fails unless its event is "fine"."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, float]] = []

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        self.runs.append((function, asyncio.get_running_loop().time()))
        if payload == b'"fine"':
            return Invocation(status="ok", payload=b'"done"')
        return Invocation(status="error", payload=b'{"errorMessage":"no"}', error_type="E")

    async def stop(self) -> None:
        """Nothing was started."""


def play(template: Path, use: Callable[[LocalCloud], Any]) -> tuple[Fails, dict[str, list[Any]]]:
    """Let functions fail, under virtual time; returns what ran, and what lies in each queue in the end."""
    fails = Fails()

    async def main() -> dict[str, list[Any]]:
        async with LocalCloud(template, port=None, runtime=lambda _: fails, minute_seconds=60.0) as cloud:
            use(cloud)
            await cloud.settle(3600)
            queues = cloud.store.queues
            return {queue.logical_id: queues.receive(queue.arn, max_messages=10) for queue in cloud.topology.queues}

    return fails, clock.run(main())


def asked(function: str, payload: bytes = b'{"n":1}') -> Callable[[LocalCloud], Any]:
    return lambda cloud: cloud.invocations.start(function, payload)


def published(source: str, bus: str = "default") -> Callable[[LocalCloud], Any]:
    entry = {"EventBusName": bus, "Source": source, "DetailType": "Asked", "Detail": '{"n": 1}'}
    return lambda cloud: cloud.bus.put_events([entry])


def test_settings_are_read_from_every_place_of_a_template(template: Any) -> None:
    """A SAM function's own, with an alias or without one, and resources of Lambda's."""
    topology = sam_template.load(template())

    queue, bus = topology.queue, next(bus for bus in topology.buses if bus.name == "ends")
    settings = {function.logical_id: function.event_invokes for function in topology.functions}
    assert settings["Queued"] == {
        "$LATEST": EventInvoke(
            max_retries=1,
            max_age_seconds=600,
            on_success_arn=queue("Successes").arn,
            on_failure_arn=queue("Failures").arn,
        )
    }
    assert settings["OnBus"] == {"$LATEST": EventInvoke(max_retries=0, on_failure_arn=bus.arn)}
    assert settings["Published"] == {"live": EventInvoke(max_retries=0, on_failure_arn=queue("Failures").arn)}
    assert settings["Plain"] == {"$LATEST": EventInvoke(max_retries=0)}
    assert topology.function("Queued").dead_letter_arn == queue("DeadLetters").arn
    assert topology.function("Plain").dead_letter_arn is None


def test_a_rules_event_is_tried_again_and_ends_in_both_queues(template: Any) -> None:
    """One minute later; then its record goes to the destination, and the event itself to the dead-letter queue."""
    fails, queues = play(template(), published("shop"))

    (record,), (dead,) = queues["Failures"], queues["DeadLetters"]
    assert fails.runs == [("Queued", 0), ("Queued", 60)]
    assert json.loads(record["body"])["requestPayload"] == json.loads(dead["body"])
    assert json.loads(dead["body"])["detail"] == {"n": 1}
    assert dead["messageAttributes"]["ErrorCode"] == {
        "stringValue": "200",
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": "Number",
    }


def test_a_success_goes_to_its_queue(template: Any) -> None:
    """And nowhere else."""
    _, queues = play(template(), asked("Queued", b'"fine"'))

    (record,) = queues.pop("Successes")
    assert json.loads(record["body"])["responsePayload"] == "done"
    assert not any(queues.values())


def test_a_failure_goes_to_a_queue_that_sam_makes(template: Any) -> None:
    """Where a destination is of type SQS and has no ARN."""
    fails, queues = play(template(), asked("Own"))

    (record,) = next(messages for name, messages in queues.items() if name.startswith("Own"))
    assert json.loads(record["body"])["requestContext"]["approximateInvokeCount"] == 3
    assert [time for _, time in fails.runs] == [0, 60, 180]


def test_a_failure_goes_to_a_bus(template: Any) -> None:
    """As an event of Lambda's own, which rules may choose."""
    _, queues = play(template(), asked("OnBus"))

    (message,) = queues["Heard"]
    event = json.loads(message["body"])
    assert (event["source"], event["detail-type"]) == ("lambda", "Lambda Function Invocation Result - Failure")
    assert event["detail"]["requestPayload"] == {"n": 1}
    assert [resource.split(":")[2] for resource in event["resources"]] == ["events", "lambda"]


def test_a_failure_goes_to_a_function(template: Any) -> None:
    """Which is invoked asynchronously, and has destinations of its own."""
    fails, queues = play(template(), asked("Chained"))

    (message,) = queues["Failures"]
    record = json.loads(message["body"])
    assert fails.runs == [("Chained", 0), ("Queued", 0), ("Queued", 60)]
    assert record["requestPayload"]["requestContext"]["functionArn"].endswith("-Chained:$LATEST")


def test_a_rule_reaches_the_alias_that_sam_publishes(template: Any) -> None:
    """With the alias's settings."""
    fails, queues = play(template(), published("alias"))

    (message,) = queues["Failures"]
    assert fails.runs == [("Published", 0)]
    assert json.loads(message["body"])["requestContext"]["functionArn"].endswith("-Published:live")


def test_a_destination_elsewhere_keeps_nothing_from_running(template: Any) -> None:
    """A topic of the template has no local counterpart; all else of the settings holds."""
    text = TEMPLATE.replace("{Type: SQS, Destination: !GetAtt Failures.Arn}", "{Type: SNS, Destination: !Ref Topic}")
    text = text.replace("{Type: SQS, TargetArn: !GetAtt DeadLetters.Arn}", "{Type: SNS, TargetArn: !Ref Topic}")
    path = template(text + "  Topic: {Type: AWS::SNS::Topic}\n")

    _, queues = play(path, asked("Queued", b'"fine"'))
    fails, _ = play(path, asked("Queued"))

    assert len(queues["Successes"]) == 1
    assert len(fails.runs) == 2


@pytest.mark.parametrize(
    ("setting", "wrong", "says"),
    [
        ("MaximumRetryAttempts: 1", "MaximumRetryAttempts: 3", "MaximumRetryAttempts is 0 to 2, not 3"),
        ("MaximumRetryAttempts: 1", "MaximumRetryAttempts: -1", "MaximumRetryAttempts is 0 to 2, not -1"),
        ("AgeInSeconds: 600", "AgeInSeconds: 59", "MaximumEventAgeInSeconds is 60 to 21600, not 59"),
        ("AgeInSeconds: 600", "AgeInSeconds: 21601", "MaximumEventAgeInSeconds is 60 to 21600, not 21601"),
    ],
)
def test_settings_that_lambda_refuses_are_refused(template: Any, setting: str, wrong: str, says: str) -> None:
    """As PutFunctionEventInvokeConfig refuses them."""
    with pytest.raises(TemplateError, match=says):
        sam_template.load(template(TEMPLATE.replace(setting, wrong)))


def test_an_event_invocation_of_a_real_process_is_tried_again_under_its_request_id(template: Any) -> None:
    """The id that Invoke answers is the one that the function sees each time, and the one in the queue."""
    source = """
        def handler(event, context):
            print(context.aws_request_id)
            raise ValueError("no way")
    """

    async def main() -> tuple[str, list[str | None], Any]:
        ended: list[str | None] = []
        async with LocalCloud(template(source=source), minute_seconds=0.01) as cloud:
            cloud._history.subscribe(
                lambda happening: happening.kind == "attempted" and ended.append(happening.fields["request_id"])
            )
            client = boto3.client("lambda", endpoint_url=cloud.endpoint)
            name = cloud.topology.function("Queued").name
            answer = await asyncio.to_thread(
                client.invoke, FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}'
            )
            await cloud.settle(60)
            (dead,) = cloud.store.queues.receive(cloud.topology.queue("DeadLetters").arn, max_messages=10)
        return answer["ResponseMetadata"]["RequestId"], ended, dead

    request_id, ended, dead = asyncio.run(main())

    assert ended == [request_id, request_id]
    assert dead["body"] == '{"n": 1}'
    attributes = {name: value["stringValue"] for name, value in dead["messageAttributes"].items()}
    assert attributes == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "no way"}


def test_a_topic_that_exists_is_told(template: Any) -> None:
    """Made over its own API, as the local cloud makes none; one that doesn't exist keeps nobody waiting."""
    text = TEMPLATE.replace(
        "{OnFailure: {Type: SQS}}",
        "{OnFailure: {Type: SNS, Destination: 'arn:aws:sns:eu-west-1:123456789012:failures'}}",
    )

    async def main() -> list[Any]:
        concluded: list[Any] = []
        async with LocalCloud(template(text), minute_seconds=0.0, runtime=lambda _: Fails()) as cloud:
            cloud._history.subscribe(
                lambda happening: happening.kind == "concluded" and concluded.append(happening.fields)
            )
            topics = boto3.client("sns", endpoint_url=cloud.endpoint, region_name="eu-west-1")
            cloud.invocations.start("Own", b"{}")
            await cloud.settle(60)
            await asyncio.to_thread(topics.create_topic, Name="failures")
            cloud.invocations.start("Own", b"{}")
            await cloud.settle(60)
        return concluded

    without, told = asyncio.run(main())

    topic = "arn:aws:sns:eu-west-1:123456789012:failures"
    assert (without["told"], list(without["refused"])) == ([], [topic])
    assert (told["told"], told["refused"]) == ([topic], {})
