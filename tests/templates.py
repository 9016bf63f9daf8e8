"""Small templates, a folder with the code that they name, and what reading them comes to."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from eachonce_workbench.template import TemplateError, load
from eachonce_workbench.template.topology import Topology

HERE = "# <-- here"


def read(folder: Path, text: str, **options: object) -> Topology:
    return load(write(folder, text), **options)  # type: ignore[arg-type]


def write(folder: Path, text: str) -> Path:
    file = folder / "template.yaml"
    file.write_text("Transform: AWS::Serverless-2016-10-31\n" + textwrap.dedent(text), encoding="utf-8")
    return file


def refusal(folder: Path, text: str, **options: object) -> TemplateError:
    """Give the error of a template, having seen that it points at the line marked HERE."""
    with pytest.raises(TemplateError) as caught:
        read(folder, text, **options)
    lines = (folder / "template.yaml").read_text(encoding="utf-8").splitlines()
    marked = [number for number, line in enumerate(lines, start=1) if HERE in line]
    assert [caught.value.line] == marked, caught.value
    assert str(caught.value).startswith(f"{folder / 'template.yaml'}:{caught.value.line}: ")
    return caught.value


FUNCTION = """
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.11
"""
QUEUE = """
Resources:
  Queue:
    Type: AWS::SQS::Queue
"""
RULE = """
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: shop}}
  Queue: {Type: AWS::SQS::Queue}
  Dead: {Type: AWS::SQS::Queue}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: orders
"""
TARGET = (
    RULE
    + """
      EventPattern: '{"source": ["shop"]}'
      Targets:
        - Id: queue
          Arn: !GetAtt Queue.Arn
"""
)
STREAM = (
    FUNCTION
    + """
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Table.StreamArn
            StartingPosition: LATEST
"""
)
TABLE = """
  Dead: {Type: AWS::SQS::Queue}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
"""
