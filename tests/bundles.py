"""Two small bundles that nobody has heard of: a library without the layer, and a post office with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.records import cloud_event, on_the_bus, record

ROOT = Path(__file__).parents[1]

LIBRARY = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.11, Handler: app.handler}}
Resources:
  Loans:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: book, AttributeType: S}]
      KeySchema: [{AttributeName: book, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
  Returned:
    Type: AWS::SQS::Queue
    Properties:
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Unreadable.Arn, maxReceiveCount: 2}
  Unreadable: {Type: AWS::SQS::Queue}
  Lend:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: lend, Environment: {Variables: {LOANS: !Ref Loans}}}
  Shelve:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: shelve
      Timeout: 1
      Events: {Books: {Type: SQS, Properties: {Queue: !GetAtt Returned.Arn, BatchSize: 1}}}
"""

LEND = """
import os

import boto3

loans = boto3.resource("dynamodb").Table(os.environ["LOANS"])


def handler(event, context):
    loans.put_item(Item={"book": event["book"]})
    return {"lent": event["book"]}
"""

SHELVE = """
import json


def handler(event, context):
    return [json.loads(record["body"])["book"] for record in event["Records"]]
"""

POST_OFFICE = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Ledger:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{{AttributeName: pk, AttributeType: S}}]
      KeySchema: [{{AttributeName: pk, KeyType: HASH}}]
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {{StreamViewType: NEW_IMAGE}}
  Weights:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{{AttributeName: parcel, AttributeType: S}}]
      KeySchema: [{{AttributeName: parcel, KeyType: HASH}}]
      BillingMode: PAY_PER_REQUEST
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {{ContentUri: {ROOT / "layers" / "eachonce"}}}
  Scales:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {{deadLetterTargetArn: !GetAtt Undeliverable.Arn, maxReceiveCount: 1000}}
  Undeliverable: {{Type: AWS::SQS::Queue}}
  Weigh:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: weigh
      Handler: app.handler
      Runtime: python3.11
      Timeout: 10
      MemorySize: 192
      Layers: [!Ref Layer]
      Policies:
        - DynamoDBCrudPolicy: {{TableName: !Ref Ledger}}
        - DynamoDBCrudPolicy: {{TableName: !Ref Weights}}
        - SQSPollerPolicy: {{QueueName: !GetAtt Scales.QueueName}}
        - SQSSendMessagePolicy: {{QueueName: !GetAtt Undeliverable.QueueName}}
      Environment:
        Variables:
          POWERTOOLS_METRICS_NAMESPACE: Post
          TABLE_JOURNAL: !Ref Ledger
          TABLE_WEIGHTS: !Ref Weights
          QUEUE_URL: !Ref Scales
          DEAD_LETTER_QUEUE_URL: !Ref Undeliverable
      Events:
        Parcels:
          Type: SQS
          Properties:
            Queue: !GetAtt Scales.Arn
            BatchSize: 10
            FunctionResponseTypes: [ReportBatchItemFailures]
"""

WEIGH = """
from eachonce import Consumer, Contract, Event, Work


class Weighed(Contract, frozen=True, kw_only=True):
    parcel: str
    grams: int


consumer = Consumer("weigh")


@consumer.on(Weighed)
def weigh(event: Event[Weighed], work: Work) -> None:
    work.add("Weights", {"parcel": event.data.parcel}, grams=event.data.grams)


handler = consumer
"""


def parcels(*event_ids: str) -> dict[str, object]:
    """Return a batch of weighed parcels."""
    events = [cloud_event("Weighed", {"parcel": "p", "grams": 1}, event_id=event_id) for event_id in event_ids]
    return {"Records": [record(on_the_bus(event), message_id=event["id"]) for event in events]}


def books(*titles: str) -> dict[str, object]:
    """Return a batch of returned books."""
    return {"Records": [record({"book": title}, message_id=title) for title in titles]}


def library(folder: Path, **samples: Mapping[str, object]) -> Path:
    """Make a library, with samples by the names of its functions, such as lend."""
    return _written(folder, LIBRARY, {"lend": LEND, "shelve": SHELVE}, samples)


def post_office(folder: Path, **samples: Mapping[str, object]) -> Path:
    """Make a post office, likewise."""
    return _written(folder, POST_OFFICE, {"weigh": WEIGH}, samples)


def _written(folder: Path, template: str, code: Mapping[str, str], samples: Mapping[str, Mapping[str, object]]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "template.yaml").write_text(template)
    for name, text in code.items():
        (folder / name).mkdir()
        (folder / name / "app.py").write_text(text)
    for function, sample in samples.items():
        (folder / "events" / function).mkdir(parents=True)
        (folder / "events" / function / "one.json").write_text(json.dumps(sample))
    return folder


def eachonce(*arguments: str, bundle: Path) -> subprocess.CompletedProcess[str]:
    """Run the CLI in a bundle's folder."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'eachonce'}"}
    command = [sys.executable, "-c", "from eachonce_workbench.cli.app import app; app()", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=bundle
    )
