"""What a template says of topics, buckets, schedules, pipes and buses reaches its functions and queues."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from eachonce_workbench.cli.app import app
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.sdk import local_session
from eachonce_workbench.cloud.store.kept import Kept

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {CodeUri: code, Handler: app.handler, Runtime: python3.11}
Resources:
"""
WORKER = "  Worker: {Type: AWS::Serverless::Function}\n"


class Answers:
    """A Runtime in which a function returns what it is told to, the same as it was given by default."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Any]] = []
        self.answers: dict[str, Callable[[Any], Any]] = {}

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        event = json.loads(payload)
        name = function.rpartition("eachonce-")[2]
        self.given.append((name, event))
        try:
            answer = self.answers.get(name, lambda _: None)(event)
        except ZeroDivisionError:
            return Invocation(status="error", payload=b'{"errorMessage":"no"}', error_type="ZeroDivisionError")
        return Invocation(status="ok", payload=json.dumps(answer).encode())

    async def stop(self) -> None:
        """Nothing was started."""

    def events(self, name: str) -> list[Any]:
        return [event for function, event in self.given if function == name]


class Scene:
    """A local cloud of some resources, used from another thread while it lasts; then what happened in it."""

    def __init__(self, folder: Path) -> None:
        (folder / "code").mkdir()
        (folder / "code" / "app.py").write_text("def handler(event, context): pass\n")
        self._template = folder / "template.yaml"
        self.runtime = Answers()
        self.happenings: list[Happening] = []
        self._clients: list[BaseClient] = []
        self.cloud: LocalCloud

    def play(self, resources: str, act: Callable[[Scene], Any], *, kept: Kept | None = None) -> Any:
        self._template.write_text(TEMPLATE + resources)
        history = History()
        history.subscribe(self.happenings.append)

        async def main() -> Any:
            async with LocalCloud(
                self._template, runtime=lambda _: self.runtime, minute_seconds=0.0, history=history, kept=kept
            ) as self.cloud:
                result = await asyncio.to_thread(act, self)
                await self.cloud.settle(30)
                self.left = {queue.logical_id: self._bodies(queue.arn) for queue in self.cloud.topology.queues}
                return result

        try:
            return asyncio.run(main())
        finally:
            for client in self._clients:
                client.close()

    def client(self, service: str) -> BaseClient:
        self._clients.append(local_session("eu-west-1").client(service, endpoint_url=self.cloud.endpoint))
        return self._clients[-1]

    def put_event(self, **changes: str) -> None:
        entry = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": '{"order":"1"}'} | changes
        assert self.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def send(self, logical_id: str, *bodies: str) -> None:
        sqs = self.client("sqs")
        for body in bodies:
            sqs.send_message(QueueUrl=self.cloud.topology.queue(logical_id).url, MessageBody=body)

    def kinds(self) -> list[str]:
        return [happening.kind for happening in self.happenings]

    def _bodies(self, arn: str) -> list[str]:
        records = self.cloud.store.queues.receive(arn, max_messages=100, visibility_seconds=0)
        return [record["body"] for record in records]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


TOPICS = """
  Sales: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt Inline.Arn}]}}
  Inline: {Type: AWS::SQS::Queue}
  Own: {Type: AWS::SQS::Queue}
  OwnSubscription:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Sales
      Protocol: sqs
      Endpoint: !GetAtt Own.Arn
      RawMessageDelivery: true
      FilterPolicyScope: MessageBody
      FilterPolicy: {order: [{numeric: [">", 1]}]}
  ByMail: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref Sales, Protocol: email, Endpoint: a@example.com}}
  Direct:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Told: {Type: SNS, Properties: {Topic: !Ref Sales, FilterPolicy: {colour: [red]}}}
        Elsewhere: {Type: SNS, Properties: {Topic: "arn:aws:sns:eu-west-1:123456789012:of-another-stack"}}
  Queued:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Told: {Type: SNS, Properties: {Topic: !Ref Sales, SqsSubscription: true}}}
"""


def test_a_message_on_a_topic_reaches_every_subscriber(scene: Scene) -> None:
    """Inline and own subscriptions, SAM's event with and without a queue, and a topic that another stack makes."""

    def act(scene: Scene) -> None:
        sns = scene.client("sns")
        topic = scene.cloud.topology.topic("Sales").arn
        red = {"colour": {"DataType": "String", "StringValue": "red"}}
        sns.publish(TopicArn=topic, Message='{"order": 1}', MessageAttributes=red)
        sns.publish(TopicArn=topic, Message='{"order": 2}')
        sns.publish(TopicArn="arn:aws:sns:eu-west-1:123456789012:of-another-stack", Message="from afar")

    scene.play(TOPICS, act)

    direct = [record["Sns"]["Message"] for event in scene.runtime.events("Direct") for record in event["Records"]]
    queued = [record["body"] for event in scene.runtime.events("Queued") for record in event["Records"]]
    assert sorted(direct) == ["from afar", '{"order": 1}']
    assert sorted(json.loads(body)["Message"] for body in queued) == ['{"order": 1}', '{"order": 2}']
    assert scene.left["Own"] == ['{"order": 2}']
    assert len(scene.left["Inline"]) == 2
    assert set(scene.cloud.topology.passed_over) == {
        "AWS::SNS::Subscription ByMail, Protocol: not run here",
        "Topic of-another-stack: of another stack; there is an empty one here",
    }


RULES = """
  Back: {Type: AWS::Events::EventBus, Properties: {Name: back}}
  Sales: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt Told.Arn}]}}
  Told: {Type: AWS::SQS::Queue}
  Forwarded: {Type: AWS::SQS::Queue}
  Lost: {Type: AWS::SQS::Queue}
  Front:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [shop]}
      Targets:
        - {Id: topic, Arn: !Ref Sales, InputPath: $.detail}
        - {Id: bus, Arn: !GetAtt Back.Arn, RoleArn: "arn:aws:iam::123456789012:role/any"}
        - {Id: elsewhere, Arn: "arn:aws:states:eu-west-1:123456789012:stateMachine:m"}
  Round:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Back
      EventPattern: {source: [shop]}
      Targets:
        - {Id: queue, Arn: !GetAtt Forwarded.Arn}
        - Id: again
          Arn: !Sub arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default
          DeadLetterConfig: {Arn: !GetAtt Lost.Arn}
"""


def test_a_rule_sends_to_topics_and_buses(scene: Scene) -> None:
    """The event stays the same on its way, and from the second bus it reaches no third."""
    scene.play(RULES, lambda scene: scene.put_event())

    (forwarded,), (lost,) = map(json.loads, scene.left["Forwarded"]), map(json.loads, scene.left["Lost"])
    published = [each.fields["event"]["id"] for each in scene.happenings if each.kind == "published"]
    assert [json.loads(body)["Message"] for body in scene.left["Told"]] == ['{"order":"1"}']
    assert published == [forwarded["id"]] * 2 == [lost["id"]] * 2
    assert scene.cloud.topology.passed_over == ("AWS::Events::Rule Front, Targets.Arn: not run here",)


BUCKETS = """
  Files:
    Type: AWS::S3::Bucket
    Properties:
      NotificationConfiguration:
        EventBridgeConfiguration: {}
        QueueConfigurations:
          - Event: s3:ObjectRemoved:*
            Queue: !GetAtt Removed.Arn
        TopicConfigurations:
          - Event: s3:ObjectCreated:Copy
            Topic: !Ref Copies
  Removed: {Type: AWS::SQS::Queue}
  Copies: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: sqs, Endpoint: !GetAtt Copied.Arn}]}}
  Copied: {Type: AWS::SQS::Queue}
  Events: {Type: AWS::SQS::Queue}
  Made:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.s3], detail: {bucket: {name: [!Ref Files]}}}
      Targets: [{Id: queue, Arn: !GetAtt Events.Arn}]
  Photos: {Type: AWS::S3::Bucket, Properties: {BucketName: photos, VersioningConfiguration: {Status: Enabled}}}
  Resize:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Uploaded:
          Type: S3
          Properties:
            Bucket: !Ref Photos
            Events: [s3:ObjectCreated:*, s3:ObjectRemoved:*]
            Filter: {S3Key: {Rules: [{Name: prefix, Value: in/}, {Name: suffix, Value: .jpg}]}}
"""


def test_a_bucket_tells_of_its_objects(scene: Scene) -> None:
    """Whom its configuration names, of the changes and the keys that it names."""

    def act(scene: Scene) -> None:
        s3, files = scene.client("s3"), scene.cloud.topology.bucket("Files").name
        s3.put_object(Bucket=files, Key="a b/ü.txt", Body=b"hello")
        s3.copy_object(Bucket=files, Key="copy", CopySource={"Bucket": files, "Key": "a b/ü.txt"})
        s3.delete_object(Bucket=files, Key="copy")
        s3.delete_objects(Bucket=files, Delete={"Objects": [{"Key": "a b/ü.txt"}, {"Key": "never"}]})
        for key in ("in/1.jpg", "in/1.png", "out/1.jpg"):
            s3.put_object(Bucket="photos", Key=key, Body=b"...")
        s3.delete_object(Bucket="photos", Key="in/1.jpg")

    scene.play(BUCKETS, act)

    removed = [json.loads(body)["Records"][0] for body in scene.left["Removed"]]
    copied = [json.loads(json.loads(body)["Message"])["Records"][0] for body in scene.left["Copied"]]
    told = [json.loads(body) for body in scene.left["Events"]]
    photos = [event["Records"][0] for event in scene.runtime.events("Resize")]
    assert [(each["eventName"], each["s3"]["object"]["key"]) for each in removed] == [
        ("ObjectRemoved:Delete", "copy"),
        ("ObjectRemoved:Delete", "a+b/%C3%BC.txt"),
    ]
    assert [each["eventName"] for each in copied] == ["ObjectCreated:Copy"]
    assert [(each["detail-type"], each["detail"]["object"]["key"]) for each in told] == [
        ("Object Created", "a b/ü.txt"),
        ("Object Created", "copy"),
        ("Object Deleted", "copy"),
        ("Object Deleted", "a b/ü.txt"),
    ]
    assert told[0]["detail"]["object"]["size"] == 5
    assert [each["detail"].get("deletion-type") for each in told[1:3]] == [None, "Permanently Deleted"]
    assert [each["eventName"] for each in photos] == ["ObjectCreated:Put", "ObjectRemoved:DeleteMarkerCreated"]
    assert photos[0]["s3"]["object"]["versionId"]


def test_a_change_is_told_once(scene: Scene) -> None:
    """However many parts an object was uploaded in."""

    def act(scene: Scene) -> None:
        s3 = scene.client("s3")
        upload = s3.create_multipart_upload(Bucket="photos", Key="in/big.jpg")["UploadId"]
        part = s3.upload_part(Bucket="photos", Key="in/big.jpg", UploadId=upload, PartNumber=1, Body=b"x" * 10)
        s3.complete_multipart_upload(
            Bucket="photos",
            Key="in/big.jpg",
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )

    scene.play(BUCKETS, act)

    (event,) = scene.runtime.events("Resize")
    assert event["Records"][0]["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    assert event["Records"][0]["s3"]["object"]["size"] == 10


def test_objects_are_kept_as_they_came(scene: Scene) -> None:
    """Compressed or streamed."""

    def act(scene: Scene) -> None:
        s3, files = scene.client("s3"), scene.cloud.topology.bucket("Files").name
        s3.put_object(Bucket=files, Key="packed", Body=b"\x1f\x8bno gzip at all", ContentEncoding="gzip")
        s3.upload_fileobj(io.BytesIO(b"streamed"), files, "deep/streamed")
        assert s3.get_object(Bucket=files, Key="packed")["Body"].read() == b"\x1f\x8bno gzip at all"
        assert s3.head_object(Bucket=files, Key="deep/streamed")["ContentLength"] == len(b"streamed")
        listed = s3.list_objects_v2(Bucket=files, Prefix="deep/")
        assert [each["Key"] for each in listed["Contents"]] == ["deep/streamed"]
        with pytest.raises(ClientError, match="NoSuchKey"):
            s3.get_object(Bucket=files, Key="none")

    scene.play(BUCKETS, act)


@pytest.mark.parametrize("asked", [True, False])
def test_what_a_bucket_holds_can_be_kept(scene: Scene, asked: bool) -> None:
    """For the cloud after the next, too; nobody is told of it again, and what has no place any more is said."""

    def put(scene: Scene) -> None:
        scene.client("s3").put_object(Bucket="photos", Key="in/1.jpg", Body=b"...", ContentType="image/jpeg")

    def get(scene: Scene) -> Any:
        return scene.client("s3").get_object(Bucket="photos", Key="in/1.jpg")["ContentType"]

    scene.play(BUCKETS, put)
    kept = scene.cloud.keep()
    scene.play(BUCKETS, get if asked else lambda _: None, kept=Kept.decoded(kept.encoded()))
    found = scene.play(BUCKETS, get, kept=scene.cloud.keep())
    scene.play("  Queue: {Type: AWS::SQS::Queue}\n", lambda _: None, kept=scene.cloud.keep())

    assert found == "image/jpeg"
    assert len(scene.runtime.events("Resize")) == 1
    assert scene.cloud.gone == ("bucket photos: it is no more in the template, and its 1 objects are gone",)


def test_a_bucket_may_be_named_by_the_host(scene: Scene) -> None:
    """As an SDK does with an endpoint that has a name; a presigned address needs no header."""

    def act(scene: Scene) -> tuple[int, bytes, bytes]:
        host = scene.cloud.endpoint.removeprefix("http://")
        port = host.rpartition(":")[2]
        connection = http.client.HTTPConnection(host)
        signed = {
            "Host": f"photos.localhost:{port}",
            "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/s3/aws4_request, Signature=b",
        }
        connection.request("PUT", "/in/1.jpg", body=b"...", headers=signed)
        put = connection.getresponse()
        put.read()
        connection.request("GET", "/in/1.jpg", headers=signed)
        got = connection.getresponse().read()
        url = scene.client("s3").generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "in/1.jpg"})
        connection.request("GET", url.removeprefix(scene.cloud.endpoint))
        presigned = connection.getresponse().read()
        connection.close()
        return put.status, got, presigned

    assert scene.play(BUCKETS, act) == (200, b"...", b"...")
    assert len(scene.runtime.events("Resize")) == 1


SCHEDULES = """
  Nightly:
    Type: AWS::Events::Rule
    Properties:
      Name: nightly
      ScheduleExpression: cron(0 3 * * ? *)
      Targets: [{Id: queue, Arn: !GetAtt Jobs.Arn}, {Id: told, Arn: !GetAtt Jobs.Arn, Input: '{"job": 1}'}]
  Jobs: {Type: AWS::SQS::Queue}
  Heard: {Type: AWS::SQS::Queue}
  Lost: {Type: AWS::SQS::Queue}
  Hear:
    Type: AWS::Events::Rule
    Properties: {EventPattern: {source: [clock]}, Targets: [{Id: queue, Arn: !GetAtt Heard.Arn}]}
  Told:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: told
      State: DISABLED
      FlexibleTimeWindow: {Mode: FLEXIBLE, MaximumWindowInMinutes: 5}
      ScheduleExpression: at(2030-01-01T00:00:00)
      Target:
        Arn: !Sub arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default
        RoleArn: arn:aws:iam::123456789012:role/any
        Input: '{"schedule": "<aws.scheduler.schedule-arn>"}'
        EventBridgeParameters: {DetailType: Struck, Source: clock}
  Vain:
    Type: AWS::Scheduler::Schedule
    Properties:
      FlexibleTimeWindow: {Mode: "OFF"}
      ScheduleExpression: rate(1 hour)
      Target:
        Arn: arn:aws:sqs:eu-west-1:210987654321:gone
        RoleArn: arn:aws:iam::123456789012:role/any
        Input: tick
        DeadLetterConfig: {Arn: !GetAtt Lost.Arn}
  Clean:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Rule: {Type: Schedule, Properties: {Schedule: rate(5 minutes)}}
        Later: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}
"""


def test_a_person_fires_a_schedule_now(scene: Scene) -> None:
    """By its logical id, its name or its ARN; nothing else fires it here."""

    def act(scene: Scene) -> list[tuple[int, str]]:
        port = scene.cloud.endpoint.rpartition(":")[2]
        arn = scene.cloud.topology.schedule("CleanLater").arn
        names = ("Nightly", "told", arn, "CleanRule", "Vain", "never")
        results = [CliRunner().invoke(app, ["fire", name, "--port", port]) for name in names]
        return [(result.exit_code, result.output.strip()) for result in results]

    answers = scene.play(SCHEDULES, act)

    event, told = map(json.loads, scene.left["Jobs"])
    (heard,) = map(json.loads, scene.left["Heard"])
    cleaned = {event["source"]: event for event in scene.runtime.events("Clean")}
    later, ruled = cleaned["aws.scheduler"], cleaned["aws.events"]
    assert [code for code, _ in answers] == [0, 0, 0, 0, 0, 1]
    assert answers[0][1] == "fired nightly"
    assert "no schedule 'never'" in answers[-1][1]
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"] == ["arn:aws:events:eu-west-1:123456789012:rule/nightly"]
    assert told == {"job": 1}
    assert (heard["detail-type"], heard["detail"]) == (
        "Struck",
        {"schedule": "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/told"},
    )
    assert (later["detail-type"], later["detail"]) == ("Scheduled Event", "{}")
    assert ruled["resources"] == ["arn:aws:events:eu-west-1:123456789012:rule/eachonce-CleanRule"]
    assert scene.left["Lost"] == ["tick"]
    assert scene.kinds().count("fired") == 5


def test_nobody_to_fire_at_is_said(scene: Scene) -> None:
    """With what to do about it."""
    result = CliRunner().invoke(app, ["fire", "Nightly", "--port", "9"])

    assert result.exit_code == 1
    assert "eachonce serve" in result.output


PIPES = """
  Source: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 1}}
  Target: {Type: AWS::SQS::Queue}
  Enrich: {Type: AWS::Serverless::Function}
  Pipe:
    Type: AWS::Pipes::Pipe
    Properties:
      Name: pipe
      RoleArn: arn:aws:iam::123456789012:role/any
      Source: !GetAtt Source.Arn
      SourceParameters: {FilterCriteria: {Filters: [{Pattern: '{"body": {"wanted": [true]}}'}]}}
      Enrichment: !GetAtt Enrich.Arn
      EnrichmentParameters: {InputTemplate: '{"order": <$.body.order>, "by": "<aws.pipes.pipe-name>"}'}
      Target: !GetAtt Target.Arn
      TargetParameters: {InputTemplate: '{"total": <$.total>}'}
"""


def test_a_pipe_filters_enriches_and_hands_over(scene: Scene) -> None:
    """The enrichment gets an array of what its template makes, and the target each item that it returns."""
    scene.runtime.answers["Enrich"] = lambda items: [{"total": item["order"] * 10} for item in items]

    def act(scene: Scene) -> None:
        scene.send("Source", '{"wanted": true, "order": 1}', '{"wanted": false, "order": 2}', "no JSON")

    scene.play(PIPES, act)

    assert scene.runtime.events("Enrich") == [[{"order": 1, "by": "pipe"}]]
    assert [json.loads(body) for body in scene.left["Target"]] == [{"total": 10}]
    assert scene.left["Source"] == []


@pytest.mark.parametrize("nothing", [[], {}, "", None])
def test_an_enrichment_that_returns_nothing_ends_the_way(scene: Scene, nothing: Any) -> None:
    """The target isn't invoked, and the messages are done with."""
    scene.runtime.answers["Enrich"] = lambda _: nothing

    scene.play(PIPES, lambda scene: scene.send("Source", '{"wanted": true, "order": 1}'))

    assert (scene.left["Target"], scene.left["Source"]) == ([], [])


def test_messages_of_a_pipe_that_fails_come_again(scene: Scene) -> None:
    """As long as their queue keeps them."""
    tries: list[int] = []

    def fail_once(items: Any) -> Any:
        tries.append(1)
        return [{"total": 1 // (len(tries) - 1)} for _ in items]

    scene.runtime.answers["Enrich"] = fail_once

    scene.play(PIPES, lambda scene: scene.send("Source", '{"wanted": true, "order": 1}'))

    assert len(tries) == 2
    assert len(scene.left["Target"]) == 1


FIFO_PIPE = """
  Source:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 1, RedrivePolicy: {deadLetterTargetArn: !GetAtt Lost.Arn, maxReceiveCount: 1}}
  Lost: {Type: AWS::SQS::Queue}
  Target: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}
  Pipe:
    Type: AWS::Pipes::Pipe
    Properties:
      RoleArn: arn:aws:iam::123456789012:role/any
      Source: !GetAtt Source.Arn
      Target: !GetAtt Target.Arn
      TargetParameters: {InputTemplate: <$.body.order>, SqsQueueParameters: {MessageGroupId: $.body.customer}}
"""


def test_only_the_records_that_a_target_refuses_come_again(scene: Scene) -> None:
    """A parameter may be a path; a FIFO queue takes nothing without a group."""
    orders = '{"order": "1", "customer": "a"}', '{"order": "2"}', '{"order": "3", "customer": "b"}'

    scene.play(FIFO_PIPE, lambda scene: scene.send("Source", *orders))

    assert sorted(scene.left["Target"]) == ["1", "3"]
    assert scene.left["Lost"] == [orders[1]]


STREAM_PIPE = """
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Lost: {Type: AWS::SQS::Queue}
  Heard: {Type: AWS::SQS::Queue}
  Hear:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [orders], detail-type: [INSERT]}
      Targets: [{Id: queue, Arn: !GetAtt Heard.Arn}]
  Pipe:
    Type: AWS::Pipes::Pipe
    Properties:
      RoleArn: arn:aws:iam::123456789012:role/any
      Source: !GetAtt Orders.StreamArn
      SourceParameters:
        DynamoDBStreamParameters:
          StartingPosition: LATEST
          MaximumRetryAttempts: 1
          DeadLetterConfig: {Arn: !GetAtt Lost.Arn}
      Target: TARGET
      TargetParameters: PARAMETERS
  Work: {Type: AWS::Serverless::Function}
"""


def put_order(scene: Scene) -> None:
    scene.client("dynamodb").put_item(TableName=scene.cloud.topology.table("Orders").name, Item={"pk": {"S": "o-1"}})


def test_a_pipe_takes_a_streams_records_to_a_bus(scene: Scene) -> None:
    """Source and detail type may be paths into the record."""
    bus = "!Sub arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
    parameters = (
        "{EventBridgeEventBusParameters: {Source: orders, DetailType: $.eventName},"
        ' InputTemplate: \'{"pk": "<$.dynamodb.NewImage.pk.S>"}\'}'
    )

    scene.play(STREAM_PIPE.replace("TARGET", bus).replace("PARAMETERS", parameters), put_order)

    assert [json.loads(body)["detail"] for body in scene.left["Heard"]] == [{"pk": "o-1"}]


def test_records_that_a_pipes_function_never_takes_are_told_to_its_dead_letter_queue(scene: Scene) -> None:
    """After as many retries as the source allows; the function gets an array of records."""
    scene.runtime.answers["Work"] = lambda _: 1 // 0

    scene.play(STREAM_PIPE.replace("TARGET", "!GetAtt Work.Arn").replace("PARAMETERS", "{}"), put_order)

    events = scene.runtime.events("Work")
    (letter,) = map(json.loads, scene.left["Lost"])
    assert [record["eventName"] for record in events[0]] == ["INSERT"]
    assert len(events) == 2
    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
