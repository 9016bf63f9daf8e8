"""Rules for a template: each has what breaks it, what keeps it, and a reason that lets it be."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from eachonce_workbench.hardening import RULES, check
from eachonce_workbench.template import declared
from tests.templates import write

ROLE = """
  Role:
    Type: AWS::IAM::Role
    Metadata: {}
    Properties:
      AssumeRolePolicyDocument: {}
      Policies:
        - PolicyName: one
          PolicyDocument:
            Statement:
              - {Effect: Allow, %s}
"""
FUNCTION = """
  %s:
    Type: AWS::Serverless::Function
    Metadata: {}
    Properties: {InlineCode: "...", Handler: app.handler, Runtime: python3.13, %s}
"""
QUEUE = """
  Queue: {Type: AWS::SQS::Queue, Metadata: {}, Properties: {%s}}
"""
TLS = 'Effect: Deny, Principal: "*", Action: "sqs:*", Condition: {Bool: {aws:SecureTransport: %s}}'
RULE = """
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [shop]}
      Targets: [{Id: queue, Arn: !GetAtt Queue.Arn, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}]
  Dead: {Type: AWS::SQS::Queue}
  Other:
    Type: AWS::Events::Rule
    Properties: {EventPattern: {source: [shop]}}
"""
POLICY = """
  Queue: {Type: AWS::SQS::Queue}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Metadata: {}
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          - {%s}
"""
LET_IN = "Effect: Allow, Principal: {Service: events.amazonaws.com}, Resource: !GetAtt Queue.Arn, "
BY_RULE = "Action: sqs:SendMessage, Condition: {ArnEquals: {aws:SourceArn: %s}}"
BUS = """
  Bus: {Type: AWS::Events::EventBus, Metadata: {}, Properties: {Name: shop}}
"""
BUS_POLICY = """
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: shop}}
  BusPolicy:
    Type: AWS::Events::EventBusPolicy
    Metadata: {}
    Properties:
      EventBusName: !Ref Bus
      StatementId: RefuseOtherAccounts
      Statement: {Effect: Deny, Principal: "*", Action: %s, Resource: !GetAtt Bus.Arn, Condition: %s}
"""
OURS = "StringNotEquals: {aws:PrincipalAccount: !Ref AWS::AccountId}"
NO_SERVICE = 'Bool: {aws:PrincipalIsAWSService: "false"}'
API = """
  Api: {Type: AWS::Serverless::%s, Metadata: {}, Properties: {%s}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "..."
      Handler: app.handler
      Runtime: python3.13
      Events: {Post: {Type: %s, Properties: {%s: !Ref Api, Method: POST, Path: /orders%s}}}
"""
ROUTE = """
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: %s}}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Metadata: {}
    Properties: {ApiId: !Ref Api, RouteKey: %s}
"""
URL = """
  Url: {Type: AWS::Lambda::Url, Metadata: {}, Properties: {TargetFunctionArn: worker, AuthType: %s}}
"""
TOKEN = (
    "Auth: {DefaultAuthorizer: J, Authorizers: {J: {JwtConfiguration: {issuer: i, audience: [a]}, IdentitySource: s}}}"
)

BAD = {
    "wildcard-action": [
        ROLE % 'Action: "*", Resource: !Sub "arn:aws:sqs:${AWS::Region}:1:q"',
        ROLE % 'Action: "sqs:Get*", Resource: "arn:aws:sqs:eu-west-1:1:q"',
        ROLE % 'Action: [sqs:SendMessage, "sqs:?etQueueUrl"], Resource: "arn:aws:sqs:eu-west-1:1:q"',
        ROLE % 'NotAction: sqs:SendMessage, Resource: "arn:aws:sqs:eu-west-1:1:q"',
        POLICY % 'Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: "sqs:*", Resource: !GetAtt Queue.Arn',
    ],
    "wildcard-resource": [
        ROLE % 'Action: sqs:SendMessage, Resource: "*"',
        ROLE % 'Action: sqs:SendMessage, Resource: !Sub "arn:aws:sqs:${AWS::Region}:*:q"',
        ROLE % 'Action: sqs:SendMessage, Resource: ["arn:aws:sqs:eu-west-1:1:q", "arn:aws:sqs:eu-west-1:1:q-?"]',
        ROLE % 'Action: sqs:SendMessage, Resource: !Join [":", [arn, aws, sqs, "", "", "*"]]',
        ROLE % 'Action: logs:PutLogEvents, Resource: "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/*:*"',
        ROLE % 'Action: sqs:SendMessage, NotResource: "arn:aws:sqs:eu-west-1:1:q"',
        FUNCTION % ("Worker", "MemorySize: 128"),
        FUNCTION % ("Worker", "Policies: [AmazonSQSFullAccess]"),
    ],
    "shared-role": [FUNCTION % ("A", "Role: arn:r") + FUNCTION % ("B", "Role: arn:r")],
    "unbound-source": [
        ROLE % 'Action: events:PutEvents, Resource: "arn:b"',
        ROLE % 'Action: "events:Put*", Resource: "arn:b"',
        ROLE % 'Action: "*", Resource: "arn:b"',
        ROLE % 'Action: events:PutEvents, Resource: "arn:b", Condition: {StringLike: {events:source: "*"}}',
        ROLE % 'Action: events:PutEvents, Resource: "arn:b", Condition: {StringEquals: {events:detail-type: a}}',
        ROLE % 'Action: events:PutEvents, Resource: "arn:b", Condition: {StringEqualsIfExists: {events:source: a}}',
        ROLE
        % 'Action: events:PutEvents, Resource: "arn:b", Condition: {"ForAnyValue:StringEquals": {events:source: a}}',
        FUNCTION % ("Worker", "Policies: [{EventBridgePutEventsPolicy: {EventBusName: shop}}]"),
    ],
    "unencrypted": [
        QUEUE % "SqsManagedSseEnabled: false",
        "\n  Topic: {Type: AWS::SNS::Topic, Metadata: {}}\n",
        "\n  Stream: {Type: AWS::Kinesis::Stream, Metadata: {}, Properties: {ShardCount: 1}}\n",
        "\n  Disk: {Type: AWS::EFS::FileSystem, Metadata: {}, Properties: {Encrypted: false}}\n",
    ],
    "open-door": [
        POLICY % 'Effect: Allow, Principal: "*", Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn',
        POLICY % 'Effect: Allow, Principal: {AWS: "*"}, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn',
        POLICY % 'Effect: Allow, NotPrincipal: {AWS: "arn:a"}, Action: sqs:SendMessage, Resource: !GetAtt Queue.Arn',
        POLICY % 'Effect: Allow, Principal: {AWS: "arn:aws:iam::999999999999:root"}, Action: sqs:SendMessage',
        POLICY % (LET_IN + "Action: sqs:SendMessage"),
        POLICY % (LET_IN + BY_RULE % '"arn:aws:events:eu-west-1:123456789012:rule/*"'),
        POLICY % (LET_IN + "Action: [sqs:SendMessage, sqs:ReceiveMessage], Condition: {ArnEquals: {aws:SourceArn: a}}"),
        (POLICY + RULE) % (LET_IN + BY_RULE % "!GetAtt Other.Arn"),
    ],
    "without-tls": [
        QUEUE % "",
        "\n  Bucket: {Type: AWS::S3::Bucket, Metadata: {}}\n",
        "\n  Topic: {Type: AWS::SNS::Topic, Metadata: {}, Properties: {KmsMasterKeyId: alias/aws/sns}}\n",
        (POLICY % TLS % '"true"').replace(
            "Queue: {Type: AWS::SQS::Queue}", "Queue: {Type: AWS::SQS::Queue, Metadata: {}}"
        ),
        (POLICY % TLS % '"false"')
        .replace("sqs:*", "sqs:SendMessage")
        .replace("Queue: {Type: AWS::SQS::Queue}", "Queue: {Type: AWS::SQS::Queue, Metadata: {}}"),
    ],
    "open-bus": [
        BUS,
        BUS_POLICY % ("events:PutEvents", f"{{{OURS}}}"),
        (BUS_POLICY % ("events:PutEvents", f"{{{OURS}, {NO_SERVICE}, StringEquals: {{events:source: shop}}}}")).replace(
            "Properties: {Name: shop}", "Metadata: {}, Properties: {Name: shop}"
        ),
    ],
    "open-endpoint": [
        API % ("HttpApi", "", "HttpApi", "ApiId", ""),
        API % ("HttpApi", TOKEN, "HttpApi", "ApiId", ", Auth: {Authorizer: NONE}"),
        API % ("Api", "StageName: s", "Api", "RestApiId", ""),
        API % ("Api", "StageName: s", "Api", "RestApiId", ", Auth: {ApiKeyRequired: true}"),
        "\n  Api: {Type: AWS::Serverless::HttpApi, Metadata: {}, Properties: {DefinitionUri: api.yaml}}\n",
        "\n  Api: {Type: AWS::ApiGatewayV2::Api, Metadata: {}, Properties: {ProtocolType: HTTP, Target: arn:f}}\n",
        URL % "NONE",
        ROUTE % ("HTTP", "POST /orders"),
        ROUTE % ("HTTP", "$default"),
        ROUTE % ("WEBSOCKET", "$connect"),
    ],
}
GOOD = {
    "wildcard-action": [
        ROLE % "Action: sqs:SendMessage, Resource: arn:q",
        POLICY % TLS % '"false"',
    ],
    "wildcard-resource": [
        ROLE % "Action: sqs:SendMessage, Resource: arn:q",
        ROLE % "Action: logs:PutLogEvents, Resource: !GetAtt Logs.Arn" + "\n  Logs: {Type: AWS::Logs::LogGroup}\n",
    ],
    "shared-role": [FUNCTION % ("A", "Role: arn:r") + FUNCTION % ("B", "Role: arn:s")],
    "unbound-source": [
        ROLE % "Action: events:PutEvents, Resource: arn:b, Condition: {StringEquals: {events:source: shop}}",
        ROLE
        % 'Action: events:PutEvents, Resource: arn:b, Condition: {"ForAllValues:StringEquals": {events:source: [a]}}',
        ROLE % "Action: events:PutRule, Resource: arn:b",
    ],
    "unencrypted": [
        QUEUE % "",
        QUEUE % "KmsMasterKeyId: k",
        "\n  Topic: {Type: AWS::SNS::Topic, Properties: {KmsMasterKeyId: alias/aws/sns}}\n",
        "\n  Logs: {Type: AWS::Logs::LogGroup}\n",
        "\n  Bucket: {Type: AWS::S3::Bucket}\n",
    ],
    "open-door": [
        (POLICY + RULE) % (LET_IN + BY_RULE % "!GetAtt Rule.Arn"),
        ((POLICY + RULE) % (LET_IN + BY_RULE % "!GetAtt Rule.Arn")).replace("[!Ref Queue]", "[!Ref Dead]"),
        POLICY % (LET_IN + BY_RULE % "arn:aws:events:eu-west-1:123456789012:rule/of-another-stack"),
        POLICY % TLS % '"false"',
    ],
    "without-tls": [POLICY % TLS % '"false"'],
    "open-bus": [BUS_POLICY % ("events:PutEvents", f"{{{OURS}, {NO_SERVICE}}}")],
    "open-endpoint": [
        API % ("HttpApi", "Auth: {EnableIamAuthorizer: true, DefaultAuthorizer: AWS_IAM}", "HttpApi", "ApiId", ""),
        API % ("HttpApi", TOKEN, "HttpApi", "ApiId", ""),
        API % ("HttpApi", TOKEN + ", CorsConfiguration: true", "HttpApi", "ApiId", ""),
        API % ("Api", "StageName: s, Cors: \"'*'\", Auth: {DefaultAuthorizer: AWS_IAM}", "Api", "RestApiId", ""),
        URL % "AWS_IAM",
        ROUTE % ("HTTP", "POST /orders, AuthorizationType: AWS_IAM"),
        ROUTE % ("WEBSOCKET", "send"),
    ],
}


def broken(folder: Path, resources: str) -> set[str]:
    return {each.rule for each in check(declared(write(folder, "Resources:" + resources)))}


@pytest.mark.parametrize(("rule", "resources"), [(rule, each) for rule in BAD for each in BAD[rule]])
def test_a_template_that_breaks_a_rule_is_told_which(tmp_path: Path, rule: str, resources: str) -> None:
    """Whatever else is wrong with it."""
    assert rule in broken(tmp_path, resources)


@pytest.mark.parametrize(("rule", "resources"), [(rule, each) for rule in GOOD for each in GOOD[rule]])
def test_a_template_that_keeps_a_rule_is_not_blamed_by_it(tmp_path: Path, rule: str, resources: str) -> None:
    """It may break others."""
    assert rule not in broken(tmp_path, resources)


@pytest.mark.parametrize(("rule", "resources"), [(rule, each) for rule in BAD for each in BAD[rule]])
def test_a_reason_beside_the_resource_lets_it_be(tmp_path: Path, rule: str, resources: str) -> None:
    """For that rule alone, on that resource alone; what SAM makes of a function is the function's affair."""
    reason = f"Metadata: {{Accepted: {{{rule}: it is a specimen of what is bad}}}}"
    before = broken(tmp_path, resources)

    assert broken(tmp_path, resources.replace("Metadata: {}", reason)) == before - {rule}


def test_every_rule_is_tried_here() -> None:
    """What breaks it, and what doesn't."""
    ids = [rule.id for rule in RULES]

    assert ids == list(BAD) == list(GOOD)
    assert all(rule.reason and rule.mend for rule in RULES)


@pytest.mark.parametrize(
    ("accepted", "says"),
    [
        ("wildcard-action: ok", "wildcard-action is accepted without a reason"),
        ('wildcard-action: ""', "wildcard-action is accepted without a reason"),
        ("wildcard-actions: the queue is a specimen", "there is no rule wildcard-actions"),
    ],
)
def test_an_acceptance_says_what_and_why(tmp_path: Path, accepted: str, says: str) -> None:
    """A word is no reason, and a rule that isn't there would be accepted for ever."""
    text = textwrap.dedent(
        f"""
        Resources:
          Queue: {{Type: AWS::SQS::Queue, Metadata: {{Accepted: {{{accepted}, without-tls: a specimen of a queue}}}}}}
        """
    )

    (finding,) = check(declared(write(tmp_path, text)))

    assert (finding.rule, finding.what, finding.resource) == ("acceptance", says, "Queue")


def test_a_finding_leads_to_the_line(tmp_path: Path) -> None:
    """Of the resource that a person mends, with how."""
    file = write(tmp_path, "Resources:\n  One: {Type: AWS::S3::Bucket}\n  Two: {Type: AWS::SQS::Queue}\n")

    first, second = check(declared(file))

    assert (first.resource, second.resource, second.line) == ("One", "Two", 4)
    assert str(second).startswith("4: Two: without-tls: it takes requests without TLS: deny every action")
