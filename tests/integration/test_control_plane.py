"""EventBridge and Lambda tell a client what the template describes, and change nothing of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.counter import Counter
from tests.templates import read

ACCOUNT = "123456789012"
PLACE = f"eu-west-1:{ACCOUNT}"
WORKER = f"arn:aws:lambda:{PLACE}:function:eachonce-Worker"
QUEUE = f"arn:aws:sqs:{PLACE}:eachonce-Queue"
TEMPLATE = """
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: parcels}}
  Queue: {Type: AWS::SQS::Queue}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      Name: posted
      Description: What was posted.
      State: DISABLED
      EventPattern: {source: [shop]}
      Targets: [{Id: queue, Arn: !GetAtt Queue.Arn, InputPath: $.detail, RetryPolicy: {MaximumRetryAttempts: 3}}]
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.11
      Timeout: 7
      MemorySize: 256
      AutoPublishAlias: live
      ReservedConcurrentExecutions: 5
      Environment: {Variables: {COLOUR: blue}}
      EventInvokeConfig: {MaximumRetryAttempts: 1}
      FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: ["*"]}}
      Events:
        Message:
          Type: SQS
          Properties: {Queue: !GetAtt Queue.Arn, BatchSize: 3, ScalingConfig: {MaximumConcurrency: 4}}
        Change: {Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn, StartingPosition: LATEST}}
  Plain:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code, Handler: app.handler, Runtime: python3.11}
"""


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    (tmp_path / "code").mkdir()
    return Counter(read(tmp_path, TEMPLATE))


@pytest.fixture
def events(counter: Counter) -> Any:
    return counter.client("events")


@pytest.fixture
def functions(counter: Counter) -> Any:
    return counter.client("lambda")


def test_buses_are_told(events: Any) -> None:
    """The account's own, and those of the template; one alone by its name, and the account's own by none."""
    arn = f"arn:aws:events:{PLACE}:event-bus/parcels"

    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default", "parcels"]
    assert [bus["Arn"] for bus in events.list_event_buses(NamePrefix="par")["EventBuses"]] == [arn]
    assert events.describe_event_bus(Name="parcels")["Arn"] == arn
    assert events.describe_event_bus()["Name"] == "default"


def test_rules_are_told_with_their_patterns(events: Any) -> None:
    """Those of the bus that is asked for, the account's own by default."""
    (rule,) = events.list_rules(EventBusName="parcels")["Rules"]
    described = events.describe_rule(Name="posted", EventBusName="parcels")

    assert (rule["Name"], rule["State"], rule["Description"]) == ("posted", "DISABLED", "What was posted.")
    assert json.loads(described["EventPattern"]) == {"source": ["shop"]}
    assert described["Arn"] == rule["Arn"] == f"arn:aws:events:{PLACE}:rule/parcels/posted"
    assert events.list_rules()["Rules"] == []
    assert events.list_rules(EventBusName="parcels", NamePrefix="x")["Rules"] == []


def test_targets_are_told_as_the_template_has_them(events: Any) -> None:
    """By their rule, and rules by their targets."""
    targets = events.list_targets_by_rule(Rule="posted", EventBusName="parcels")["Targets"]
    rules = events.list_rule_names_by_target(TargetArn=QUEUE, EventBusName="parcels")["RuleNames"]

    assert targets == [
        {"Id": "queue", "Arn": QUEUE, "InputPath": "$.detail", "RetryPolicy": {"MaximumRetryAttempts": 3}}
    ]
    assert rules == ["posted"]
    assert events.list_rule_names_by_target(TargetArn=WORKER, EventBusName="parcels")["RuleNames"] == []


def test_functions_are_told_with_their_settings(functions: Any) -> None:
    """In a list and one alone, by its name or its ARN."""
    listed = {each["FunctionName"]: each for each in functions.list_functions()["Functions"]}
    alone = functions.get_function(FunctionName=WORKER)
    configuration = functions.get_function_configuration(FunctionName="eachonce-Worker")

    told = listed["eachonce-Worker"]
    assert set(listed) == {"eachonce-Worker", "eachonce-Plain"}
    assert (told["FunctionArn"], told["Handler"], told["Runtime"]) == (WORKER, "app.handler", "python3.11")
    assert (told["Timeout"], told["MemorySize"], told["Version"]) == (7, 256, "$LATEST")
    assert told["Environment"]["Variables"] == {"COLOUR": "blue"}
    assert alone["Configuration"] == told
    assert alone["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    assert {**configuration, "ResponseMetadata": None} == {**told, "ResponseMetadata": None}


def test_versions_and_aliases_are_told(functions: Any) -> None:
    """An alias with the version that it stands for."""
    versions = functions.list_versions_by_function(FunctionName="eachonce-Worker")["Versions"]
    (alias,) = functions.list_aliases(FunctionName="eachonce-Worker")["Aliases"]

    assert [each["Version"] for each in versions] == ["$LATEST", "1"]
    assert (alias["Name"], alias["FunctionVersion"], alias["AliasArn"]) == ("live", "1", f"{WORKER}:live")
    assert functions.get_alias(FunctionName="eachonce-Worker", Name="live")["FunctionVersion"] == "1"
    assert functions.get_function(FunctionName="eachonce-Worker", Qualifier="live")["Configuration"]["Version"] == "1"
    assert functions.list_aliases(FunctionName="eachonce-Plain")["Aliases"] == []


def test_mappings_are_told_with_their_settings(functions: Any) -> None:
    """All of them, those of a source or a function, and one by its UUID."""
    every = functions.list_event_source_mappings()["EventSourceMappings"]
    (queue,) = functions.list_event_source_mappings(EventSourceArn=QUEUE)["EventSourceMappings"]
    alone = functions.get_event_source_mapping(UUID=queue["UUID"])

    assert len(every) == 2
    assert (queue["BatchSize"], queue["State"]) == (3, "Enabled")
    assert queue["ScalingConfig"] == {"MaximumConcurrency": 4}
    assert alone["EventSourceArn"] == QUEUE
    assert {each.get("StartingPosition") for each in every} == {None, "LATEST"}
    assert {each["FunctionArn"].removesuffix(":live") for each in every} == {WORKER}
    assert functions.list_event_source_mappings(FunctionName="eachonce-Plain")["EventSourceMappings"] == []


def test_the_settings_of_asynchronous_invocations_are_told(functions: Any) -> None:
    """By the alias that they are for."""
    (settings,) = functions.list_function_event_invoke_configs(FunctionName="eachonce-Worker")[
        "FunctionEventInvokeConfigs"
    ]
    alone = functions.get_function_event_invoke_config(FunctionName="eachonce-Worker", Qualifier="live")

    assert settings["MaximumRetryAttempts"] == alone["MaximumRetryAttempts"] == 1
    assert settings["FunctionArn"] == f"{WORKER}:live"


def test_the_url_of_a_function_is_told(functions: Any) -> None:
    """Where it answers, which is here."""
    told = functions.get_function_url_config(FunctionName="eachonce-Worker", Qualifier="live")

    assert told["FunctionUrl"] == "http://127.0.0.1:4566/_apis/WorkerUrl/"
    assert told["FunctionArn"] == f"{WORKER}:live"
    assert (told["AuthType"], told["Cors"]["AllowOrigins"]) == ("NONE", ["*"])


@pytest.mark.parametrize(
    ("service", "ask"),
    [
        ("events", lambda client: client.describe_event_bus(Name="nowhere")),
        ("events", lambda client: client.list_rules(EventBusName="nowhere")),
        ("events", lambda client: client.describe_rule(Name="posted")),
        ("events", lambda client: client.list_targets_by_rule(Rule="other", EventBusName="parcels")),
        ("lambda", lambda client: client.get_function(FunctionName="nobody")),
        ("lambda", lambda client: client.get_function(FunctionName="eachonce-Worker", Qualifier="7")),
        ("lambda", lambda client: client.get_alias(FunctionName="eachonce-Worker", Name="dead")),
        ("lambda", lambda client: client.get_policy(FunctionName="eachonce-Worker")),
        ("lambda", lambda client: client.get_function_url_config(FunctionName="eachonce-Plain")),
        ("lambda", lambda client: client.get_function_event_invoke_config(FunctionName="eachonce-Plain")),
        ("lambda", lambda client: client.get_event_source_mapping(UUID="0" * 36)),
        ("lambda", lambda client: client.list_event_source_mappings(FunctionName="nobody")),
    ],
)
def test_what_is_not_there_is_not_found(counter: Counter, service: str, ask: Callable[[Any], Any]) -> None:
    """By the error that the service has for it."""
    client = counter.client(service)

    with pytest.raises(client.exceptions.ResourceNotFoundException):
        ask(client)


@pytest.mark.parametrize(
    ("service", "ask"),
    [
        ("events", lambda client: client.disable_rule(Name="posted", EventBusName="parcels")),
        ("events", lambda client: client.create_event_bus(Name="other")),
        ("lambda", lambda client: client.delete_function(FunctionName="eachonce-Worker")),
        ("lambda", lambda client: client.update_event_source_mapping(UUID="0" * 36, BatchSize=1)),
        ("cloudformation", lambda client: client.delete_stack(StackName="eachonce")),
    ],
)
def test_what_would_change_it_is_refused(counter: Counter, service: str, ask: Callable[[Any], Any]) -> None:
    """The template is where it is changed."""
    with pytest.raises(ClientError, match=rf"UnsupportedOperation.*no {service} operation .*template.yaml describes"):
        ask(counter.client(service))


def test_a_mapping_is_turned_off_and_on(functions: Any) -> None:
    """By its UUID; all else that is said of it the template says."""
    (mapping,) = functions.list_event_source_mappings(EventSourceArn=QUEUE)["EventSourceMappings"]

    off = functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    is_off = functions.get_event_source_mapping(UUID=mapping["UUID"])["State"]
    on = functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    same = functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    assert off["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert [told["State"] for told in (off, on, same)] == ["Disabling", "Enabling", "Enabled"]
    assert is_off == "Disabled"
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.update_event_source_mapping(UUID="0" * 36, Enabled=False)
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*template.yaml describes"):
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False, BatchSize=1)


def test_the_caller_is_of_the_account_of_the_stack(counter: Counter) -> None:
    """Whatever its credentials are."""
    assert counter.client("sts").get_caller_identity()["Account"] == ACCOUNT


STORED = """
Resources:
  Plain: {Type: AWS::SSM::Parameter, Properties: {Name: /app/plain, Type: String, Value: blue}}
  Several: {Type: AWS::SSM::Parameter, Properties: {Name: /app/several, Type: StringList, Value: "a,b"}}
  Unnamed: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: red}}
  Known: {Type: AWS::SecretsManager::Secret, Properties: {Name: app/known, SecretString: hush}}
  Made:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {SecretStringTemplate: '{"user": "a"}', GenerateStringKey: password, PasswordLength: 20}
Outputs:
  Unnamed: {Value: !Ref Unnamed}
"""


def test_parameters_and_secrets_of_the_template_are_there(tmp_path: Path) -> None:
    """With the values that it gives them, by their names; a secret by the ARN that Ref gives, too."""
    topology = read(tmp_path, STORED)
    counter = Counter(topology)
    ssm, secrets = counter.client("ssm"), counter.client("secretsmanager")
    physical = {each.logical_id: each.physical_id for each in topology.resources}

    path = ssm.get_parameters_by_path(Path="/app")["Parameters"]
    made = json.loads(secrets.get_secret_value(SecretId=physical["Made"])["SecretString"])

    assert {each["Name"]: (each["Type"], each["Value"]) for each in path} == {
        "/app/plain": ("String", "blue"),
        "/app/several": ("StringList", "a,b"),
    }
    assert ssm.get_parameter(Name=physical["Unnamed"])["Parameter"]["Value"] == "red"
    assert secrets.get_secret_value(SecretId="app/known")["SecretString"] == "hush"
    assert secrets.get_secret_value(SecretId=physical["Known"])["SecretString"] == "hush"
    assert (made["user"], len(made["password"])) == ("a", 20)
    assert topology.passed_over == ()
