"""Bundles that know nothing of the layer: one function that reads a queue, with a body of its own for each."""

from __future__ import annotations

import json
from pathlib import Path

from tests.records import record

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Totals:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}
  Dead: {Type: AWS::SQS::Queue}
  Out: {Type: AWS::SQS::Queue}
  Do:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: do
      Handler: app.handler
      Runtime: python3.11
      Timeout: 10
      Policies: [AdministratorAccess]
      Environment: {Variables: {TABLE: !Ref Totals, OUT: !Ref Out}}
      Events:
        Work:
          Type: SQS
          Properties: {Queue: !GetAtt Work.Arn, BatchSize: 10, FunctionResponseTypes: [ReportBatchItemFailures]}
"""

_AROUND = """
import json, os, time, urllib.request, uuid

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
sqs, mail = boto3.client("sqs"), boto3.client("ses")


def handler(event, context):
    failed = []
    for record in event["Records"]:
        try:
            do(json.loads(record["body"]))
        except Exception:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


"""

COUNTS = """
def do(body):
    add = {":n": body["n"]}
    table.update_item(Key={"id": body["sku"]}, UpdateExpression="ADD n :n", ExpressionAttributeValues=add)
"""

MARKS_FIRST = """
def do(body):
    try:
        table.put_item(Item={"id": f"seen {body['id']}"}, ConditionExpression="attribute_not_exists(id)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return
    table.put_item(Item={"id": body["id"]})
"""

NAMES_BY_CHANCE = """
def do(body):
    table.put_item(Item={"id": str(uuid.uuid4()), "of": body["id"]})
"""

LAST_TO_COME_WINS = """
def do(body):
    table.put_item(Item={"id": body["sku"], "last": body["id"]})
"""

SENDS_MAIL = """
def do(body):
    message = {"Subject": {"Data": body["id"]}, "Body": {"Text": {"Data": "Thank you."}}}
    mail.send_email(Source="a@example.com", Destination={"ToAddresses": ["b@example.com"]}, Message=message)
"""

PAYS = """
def do(body):
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request("https://pay.example.com/payments", json.dumps(body).encode(), headers)
    table.put_item(Item={"id": body["id"], "payment": json.load(urllib.request.urlopen(asked))["id"]})
"""

PAYS_BY_KEY = PAYS.replace('"application/json"', '"application/json", "Idempotency-Key": body["id"]')

PUTS = """
def do(body):
    table.put_item(Item={"id": body["id"], "n": body["n"], "at": int(time.time()), "try": str(uuid.uuid4())})
"""

TELLS = """
def do(body):
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps({"id": body["id"], "at": time.time()}))
"""

FAILS = """
def do(body):
    raise ValueError("whatever it is")
"""


def stranger(folder: Path, code: str, *, messages: int = 2) -> Path:
    """Write a bundle, with a sample of some messages; return its template."""
    folder.mkdir(exist_ok=True)
    template = folder / "template.yaml"
    template.write_text(TEMPLATE)
    (folder / "do").mkdir()
    (folder / "do" / "app.py").write_text(_AROUND + code.lstrip())
    (folder / "events" / "do").mkdir(parents=True)
    bodies = [{"id": f"e{number}", "sku": "a", "n": number} for number in range(1, messages + 1)]
    sample = {"Records": [record(body, message_id=body["id"]) for body in bodies]}
    (folder / "events" / "do" / "batch.json").write_text(json.dumps(sample))
    return template
