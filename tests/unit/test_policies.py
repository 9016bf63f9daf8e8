"""What a function's role lets it do, read from its template."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.simulator.permissions import denied
from eachonce_workbench.template import load
from eachonce_workbench.template.policies import Policy
from eachonce_workbench.template.topology import Topology

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: parcels
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
      ManagedPolicyArns: [%(managed)s]
      Policies:
        - PolicyName: role
          PolicyDocument: {Statement: %(statement)s}
  Worker:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: app.handler, Runtime: python3.13, Role: !GetAtt Role.Arn}
"""
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
ALLOW = "Effect: Allow, Resource: !GetAtt Table.Arn"


def system(folder: Path, statement: str, managed: str = BASIC) -> Topology:
    (folder / "template.yaml").write_text(TEMPLATE % {"statement": statement, "managed": managed})
    return load(folder / "template.yaml")


def policy(topology: Topology) -> Policy:
    found = topology.function("Worker").policy
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (f"{{{ALLOW}, Action: dynamodb:PutItem}}", True),
        (f"[{{{ALLOW}, Action: [dynamodb:GetItem, dynamodb:PutItem]}}]", True),
        (f"{{{ALLOW}, Action: 'DynamoDB:put*'}}", True),
        (f"{{{ALLOW}, Action: '*', Condition: {{StringEquals: {{a: b}}}}}}", True),
        ("{Effect: Allow, Resource: '*', Action: dynamodb:PutItem}", True),
        ("{Effect: Allow, Resource: 'arn:aws:dynamodb:*:*:table/par?els', Action: dynamodb:PutItem}", True),
        ("{Effect: Allow, Resource: '*', NotAction: dynamodb:GetItem}", True),
        (f"{{{ALLOW}, Action: dynamodb:UpdateItem}}", False),
        ("{Effect: Allow, Resource: 'arn:aws:dynamodb:*:*:table/letters', Action: dynamodb:PutItem}", False),
        ("{Effect: Allow, NotResource: !GetAtt Table.Arn, Action: dynamodb:PutItem}", False),
        ("{Effect: Allow, Resource: '*', NotAction: dynamodb:PutItem}", False),
        (f"[{{{ALLOW}, Action: '*'}}, {{Effect: Deny, Resource: '*', Action: dynamodb:PutItem}}]", False),
        ("[]", False),
    ],
)
def test_a_policy_allows_what_it_says(tmp_path: Path, statement: str, allowed: bool) -> None:
    """By patterns, in any case; a denial is stronger than everything."""
    topology = system(tmp_path, statement)

    assert policy(topology).allows("dynamodb:PutItem", topology.table("Table").arn) is allowed


def test_what_the_template_does_not_show_is_not_judged(tmp_path: Path) -> None:
    """A policy of somebody's own may allow anything."""
    topology = system(tmp_path, "[]", managed=f"{BASIC}, 'arn:aws:iam::123456789012:policy/ours'")

    assert policy(topology).allows("dynamodb:PutItem", topology.table("Table").arn) is None
    assert list(denied(topology, {"Worker": {("dynamodb:PutItem", "parcels")}})) == []


def test_a_policy_may_be_attached_by_another_resource(tmp_path: Path) -> None:
    """As AWS::IAM::Policy does, and SAM's own policy templates in a role that SAM makes."""
    attached = """
  Attached:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: attached
      Roles: [!Ref Role]
      PolicyDocument: {Statement: {Effect: Allow, Resource: !GetAtt Table.Arn, Action: dynamodb:PutItem}}
  Other:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: app.handler
      Runtime: python3.13
      Policies: [DynamoDBCrudPolicy: {TableName: !Ref Table}]
"""
    (tmp_path / "template.yaml").write_text(TEMPLATE % {"statement": "[]", "managed": BASIC} + attached)
    topology = load(tmp_path / "template.yaml")
    arn = topology.table("Table").arn
    other = topology.function("Other").policy

    assert policy(topology).allows("dynamodb:PutItem", arn) is True
    assert other is not None
    assert other.allows("dynamodb:PutItem", arn) is True
    assert other.allows("dynamodb:CreateTable", arn) is False


def test_what_aws_would_refuse_is_told(tmp_path: Path) -> None:
    """Function, action and table, in a line."""
    topology = system(tmp_path, f"{{{ALLOW}, Action: dynamodb:GetItem}}")
    used = {"Worker": {("dynamodb:GetItem", "parcels"), ("dynamodb:PutItem", "parcels")}}

    assert list(denied(topology, used)) == ["Worker needs dynamodb:PutItem on parcels, which its role doesn't allow"]


OWN = """
  Own:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: ssm:PutParameter, Resource: "arn:aws:ssm:*:*:parameter/keys/shop/*"}
          - {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref Secret}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {}}}
"""


@pytest.mark.parametrize(
    ("action", "name", "refused"),
    [
        ("ssm:PutParameter", "/keys/shop/a", False),
        ("ssm:PutParameter", "/keys/till/a", True),
        ("ssm:GetParameter", "/keys/shop/a", True),
        ("secretsmanager:GetSecretValue", "the secret", False),
        ("secretsmanager:PutSecretValue", "the secret", True),
        ("dynamodb:PutItem", "parcels", True),
    ],
)
def test_a_managed_policy_of_the_templates_own_is_read(
    tmp_path: Path, action: str, name: str, *, refused: bool
) -> None:
    """It stands in the template, so that nothing more is unknown."""
    (tmp_path / "template.yaml").write_text(TEMPLATE % {"statement": "[]", "managed": "!Ref Own"} + OWN)
    topology = load(tmp_path / "template.yaml")
    (secret,) = topology.stored_values

    found = list(denied(topology, {"Worker": {(action, secret.arn if name == "the secret" else name)}}))

    assert policy(topology).whole
    assert bool(found) is refused
