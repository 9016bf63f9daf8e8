"""CloudFormation's reading calls tell a client what the local cloud was made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.counter import Counter
from tests.templates import read

ACCOUNT = "123456789012"
PLACE = f"eu-west-1:{ACCOUNT}"
TEMPLATE = """
Parameters:
  Name: {Type: String, Default: parcels}
  Secret: {Type: String, Default: hush, NoEcho: true}
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: !Ref Name}}
  Queue: {Type: AWS::SQS::Queue}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [shop]}
      Targets: [{Id: queue, Arn: !GetAtt Queue.Arn}]
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.11
      Events:
        Message: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
Outputs:
  QueueUrl: {Value: !Ref Queue, Export: {Name: !Sub "${Name}-queue"}}
  Arn: {Value: !GetAtt Worker.Arn}
"""
RESOURCES = {
    "Bus": ("AWS::Events::EventBus", "parcels"),
    "Queue": ("AWS::SQS::Queue", f"http://127.0.0.1:4566/{ACCOUNT}/eachonce-Queue"),
    "Table": ("AWS::DynamoDB::Table", "eachonce-Table"),
    "Rule": ("AWS::Events::Rule", "parcels|eachonce-Rule"),
    "Worker": ("AWS::Lambda::Function", "eachonce-Worker"),
    "WorkerRole": ("AWS::IAM::Role", "eachonce-WorkerRole"),
}


@pytest.fixture
def client(tmp_path: Path) -> Any:
    (tmp_path / "code").mkdir()
    return Counter(read(tmp_path, TEMPLATE)).client("cloudformation")


def test_every_resource_is_listed_with_its_physical_id(client: Any) -> None:
    """By which other programs find queues and tables; those that aren't run here are listed, too."""
    summaries = client.list_stack_resources(StackName="eachonce")["StackResourceSummaries"]

    listed = {each["LogicalResourceId"]: (each["ResourceType"], each["PhysicalResourceId"]) for each in summaries}
    mapping_type, mapping_uuid = listed.pop("WorkerMessage")
    assert listed == RESOURCES
    assert mapping_type == "AWS::Lambda::EventSourceMapping"
    assert len(mapping_uuid) == 36
    assert {each["ResourceStatus"] for each in summaries} == {"CREATE_COMPLETE"}


def test_a_resource_is_described_alone_and_among_all(client: Any) -> None:
    """By its logical id, by its physical id, or with the rest of its stack."""
    alone = client.describe_stack_resource(StackName="eachonce", LogicalResourceId="Table")["StackResourceDetail"]
    by_physical_id = client.describe_stack_resources(PhysicalResourceId="eachonce-Table")["StackResources"]
    every = client.describe_stack_resources(StackName="eachonce")["StackResources"]

    assert (alone["PhysicalResourceId"], alone["ResourceType"]) == ("eachonce-Table", "AWS::DynamoDB::Table")
    assert [each["LogicalResourceId"] for each in by_physical_id] == ["Table"]
    assert {each["LogicalResourceId"] for each in every} == {*RESOURCES, "WorkerMessage"}


def test_the_stack_is_described_with_its_parameters_and_outputs(client: Any) -> None:
    """A parameter that isn't to be echoed is masked."""
    (stack,) = client.describe_stacks(StackName="eachonce")["Stacks"]
    (summary,) = client.list_stacks()["StackSummaries"]
    (export,) = client.list_exports()["Exports"]

    queue_url = RESOURCES["Queue"][1]
    assert {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]} == {
        "Name": "parcels",
        "Secret": "****",
    }
    assert {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]} == {
        "QueueUrl": queue_url,
        "Arn": f"arn:aws:lambda:{PLACE}:function:eachonce-Worker",
    }
    assert stack["Outputs"][0]["ExportName"] == export["Name"] == "parcels-queue"
    assert export["Value"] == queue_url
    assert summary["StackId"] == stack["StackId"] == export["ExportingStackId"]


def test_the_template_is_given_as_it_is_written(client: Any, tmp_path: Path) -> None:
    """With its transform, its comments and its short forms."""
    body = client.get_template(StackName="eachonce")["TemplateBody"]

    assert body == (tmp_path / "template.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.list_stack_resources(StackName="other"),
        lambda client: client.describe_stack_resources(StackName="other"),
        lambda client: client.describe_stack_resources(PhysicalResourceId="other"),
        lambda client: client.describe_stack_resource(StackName="eachonce", LogicalResourceId="Other"),
        lambda client: client.get_template(StackName="other"),
    ],
)
def test_what_is_not_there_is_a_validation_error(client: Any, ask: Callable[[Any], Any]) -> None:
    """As on AWS, which has no other word for it."""
    with pytest.raises(ClientError, match=r"ValidationError.*does not exist"):
        ask(client)
