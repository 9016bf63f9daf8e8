"""A day's work beside `eachonce serve`: what is rejected is mended and redriven, and nothing is started again."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.interruptible import started

# Whoever waits in vain for a line is told what was said instead.
_PATIENCE_SECONDS = 90

LAYERS = Path(__file__).parents[2] / "layers"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: post}}
  Journal:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Letters:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: to, AttributeType: S}]
      KeySchema: [{AttributeName: to, KeyType: HASH}]
  Dead: {Type: AWS::SQS::Queue}
  Queue:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 20}}
  Spare: {Type: AWS::SQS::Queue}
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: LAYERS/eachonce}}
  CountLetters:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: count
      Handler: app.handler
      Runtime: python3.11
      Layers: [!Ref Layer]
      Timeout: 10
      MemorySize: 512
      Environment:
        Variables:
          TABLE_JOURNAL: !Ref Journal
          TABLE_LETTERS: !Ref Letters
          DEAD_LETTER_QUEUE_URL: !Ref Dead
          POWERTOOLS_SERVICE_NAME: count-letters
      Events:
        Letter:
          Type: SQS
          Properties: {Queue: !GetAtt Queue.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [post]}
      Targets: [{Id: queue, Arn: !GetAtt Queue.Arn}]
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello
      Handler: app.handler
      Runtime: python3.11
      Events: {Get: {Type: HttpApi, Properties: {Path: /hello, Method: get}}}
Outputs:
  JournalTable: {Value: !Ref Journal}
  CountLettersQueueUrl: {Value: !Ref Queue}
  CountLettersDeadLetterQueueUrl: {Value: !Ref Dead}
"""
CONTRACT = """
from eachonce import Consumer, Contract, Event, Reject, Work

class LetterPosted(Contract):
    to: str

consumer = Consumer("count-letters")

@consumer.on(LetterPosted)
def count(event: Event[LetterPosted], work: Work) -> None:
    BODY

handler = consumer
"""
BROKEN = CONTRACT.replace("BODY", 'raise Reject("nobody taught me to count")')
MENDED = CONTRACT.replace("BODY", 'work.add("Letters", {"to": event.data.to}, count=1)')
HELLO = "def handler(event, context):\n    return 'WORD'\n"


class Serving:
    """`eachonce serve` of one bundle, and its clients."""

    def __init__(self, folder: Path, program: subprocess.Popen[str]) -> None:
        assert program.stdout is not None
        self.folder = folder
        self.program = program
        self._lines = iter(program.stdout.readline, "")
        self.said: list[str] = []
        self.endpoint = self.until(lambda line: line.startswith("listening on")).split()[2].rstrip(",")

    def until(self, wanted: Callable[[str], bool]) -> str:
        """The next line that is wanted."""
        for line in self._lines:
            self.said.append(line.rstrip("\n"))
            if wanted(line):
                return line
        raise AssertionError("\n".join(self.said))

    def until_says(self, *words: str) -> str:
        return self.until(lambda line: all(word in line for word in words))

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.endpoint)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def post(self, to: str) -> None:
        event = {
            "specversion": "1.0",
            "id": f"letter-{to}",
            "source": "post",
            "type": "LetterPosted",
            "time": "2026-01-01T00:00:00Z",
            "data": {"to": to},
        }
        entry = {
            "EventBusName": "post",
            "Source": "post",
            "DetailType": "LetterPosted",
            "Detail": json.dumps(event),
        }
        assert self.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def redrive(self) -> str:
        """What `eachonce dlq redrive` says."""
        place = ["--stack", "eachonce", "--endpoint-url", self.endpoint]
        with started("dlq", "redrive", "--yes", *place) as program:
            said, complaint = program.communicate(timeout=60)
        assert program.returncode == 0, complaint
        return said

    def count(self, to: str) -> int:
        """How many letters were counted."""
        item = self.client("dynamodb").get_item(TableName="eachonce-Letters", Key={"to": {"S": to}}).get("Item", {})
        return int(item.get("count", {"N": "0"})["N"])


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    for name, text in (
        ("template.yaml", TEMPLATE.replace("LAYERS", str(LAYERS))),
        ("count/app.py", BROKEN),
        ("hello/app.py", HELLO.replace("WORD", "Hello")),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Serving]:
    template = str(folder / "template.yaml")
    with started("serve", "--template", template, "--port", "0", *arguments) as program:
        patience = threading.Timer(_PATIENCE_SECONDS, program.kill)
        patience.start()
        try:
            yield Serving(folder, program)
        finally:
            patience.cancel()
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=60)


def test_what_is_rejected_is_mended_and_redriven(bundle: Path) -> None:
    """The event has its effect, once, and nothing was started again."""
    with serving(bundle) as cloud:
        cloud.post("Ada")
        rejected = cloud.until_says("CountLetters", "reject", "letter-Ada")
        cloud.write("count/app.py", MENDED)
        reloaded = cloud.until_says("reloaded")
        redriven = cloud.redrive()
        cloud.until_says("CountLetters", "done", "letter-Ada")

        assert "nobody taught me to count" in rejected
        assert reloaded == "reloaded CountLetters: count/app.py\n"
        assert "redrove 1 dead letter" in redriven
        assert cloud.count("Ada") == 1


def test_a_line_and_a_traceback_are_shown_with_file_and_line(bundle: Path) -> None:
    """Of code that was changed meanwhile, too."""
    with serving(bundle) as cloud:
        cloud.write("hello/app.py", "def handler(event, context):\n    print('here')\n    return undefined\n")
        cloud.until_says("reloaded Hello: hello/app.py")
        cloud.client("lambda").invoke(FunctionName="eachonce-Hello", Payload=b"{}")
        cloud.until_says("Hello", "error", "NameError")

        shown = "\n".join(cloud.said)
        assert "here" in shown
        assert f'File "{bundle}/hello/app.py", line 3, in handler' in shown


def test_a_template_is_read_again_and_data_stays(bundle: Path) -> None:
    """One that is broken is told with its line, and changes nothing."""
    template = (bundle / "template.yaml").read_text(encoding="utf-8")
    with serving(bundle) as cloud:
        sqs = cloud.client("sqs")
        spare = sqs.get_queue_url(QueueName="eachonce-Spare")["QueueUrl"]
        sqs.send_message(QueueUrl=spare, MessageBody="kept")
        cloud.client("dynamodb").put_item(TableName="eachonce-Letters", Item={"to": {"S": "Bo"}, "count": {"N": "3"}})

        cloud.write("template.yaml", template.replace("maxReceiveCount: 20", "maxReceiveCount: 2000"))
        refused = cloud.until_says("not reloaded")
        cloud.write("template.yaml", template.replace("  Spare: {", "  More: {Type: AWS::SQS::Queue}\n  Spare: {"))
        reloaded = cloud.until_says("reloaded")

        line = next(number for number, text in enumerate(template.splitlines(), start=1) if "maxReceiveCount" in text)
        assert f"template.yaml:{line}: Queue: maxReceiveCount is 1 to 1000, not 2000" in refused
        assert reloaded == "reloaded template.yaml: 2 functions, 4 queues, 2 tables\n"
        assert sqs.get_queue_url(QueueName="eachonce-More")["QueueUrl"]
        assert [message["Body"] for message in sqs.receive_message(QueueUrl=spare)["Messages"]] == ["kept"]
        assert cloud.count("Bo") == 3


def test_data_is_kept_from_one_start_to_the_next(bundle: Path) -> None:
    """Dead letters, too: what was rejected yesterday is redriven today."""
    data = ("--data", str(bundle / "data"))
    with serving(bundle, *data) as cloud:
        cloud.post("Ada")
        cloud.until_says("CountLetters", "reject", "letter-Ada")
    (bundle / "count" / "app.py").write_text(MENDED, encoding="utf-8")

    with serving(bundle, *data) as cloud:
        assert "redrove 1 dead letter" in cloud.redrive()
        cloud.until_says("CountLetters", "done", "letter-Ada")
        assert cloud.count("Ada") == 1


def test_two_do_not_keep_their_data_in_one_folder(bundle: Path) -> None:
    """The second is told so."""
    arguments = ("serve", "--template", str(bundle / "template.yaml"), "--port", "0", "--data", str(bundle / "data"))
    with serving(bundle, "--data", str(bundle / "data")), started(*arguments) as second:
        _, complaint = second.communicate(timeout=60)

    assert second.returncode == 2
    assert "another local cloud has it" in " ".join(complaint.replace("│", " ").split())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com"])
def test_no_other_machine_may_call(bundle: Path, host: str) -> None:
    """Whoever calls runs the bundle's functions."""
    arguments = ("serve", "--template", str(bundle / "template.yaml"), "--port", "0", "--host", host)
    with started(*arguments) as program:
        _, complaint = program.communicate(timeout=60)

    assert program.returncode == 2
    assert f"{host} is neither an address of this machine alone" in " ".join(complaint.replace("│", " ").split())
