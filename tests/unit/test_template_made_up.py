"""Nothing is demanded of a template: what can't be known here is made up, in the shape that AWS gives it, and said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eachonce_workbench.template.pattern_example import example
from eachonce_workbench.template.source import Source
from tests.templates import FUNCTION, HERE, QUEUE, read, refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the code of one function."""
    (tmp_path / "code").mkdir()
    return tmp_path


def with_parameter(name: str, declaration: str) -> str:
    return f"Parameters:\n  {name}: {declaration}\n{QUEUE}Outputs: {{Value: {{Value: !Ref {name}}}}}\n"


@pytest.mark.parametrize(
    ("name", "declaration", "form"),
    [
        ("TableName", "{Type: String}", "table"),
        ("Stage", "{Type: String, AllowedValues: [dev, prod]}", "dev"),
        ("Count", "{Type: Number}", "1"),
        ("Count", "{Type: Number, MinValue: 5, MaxValue: 7}", "5"),
        ("FunctionMemory", "{Type: Number}", "128"),
        ("VpcId", "{Type: 'AWS::EC2::VPC::Id'}", "vpc-[0-9a-f]{17}"),
        ("Zone", "{Type: 'AWS::EC2::AvailabilityZone::Name'}", "eu-west-1a"),
        ("Image", "{Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>'}", "ami-[0-9a-f]{17}"),
        ("NotificationEmail", "{Type: String}", "me@example.com"),
        ("EventBusArn", "{Type: String}", "arn:aws:events:eu-west-1:123456789012:event-bus/event-bus"),
        ("RoleArn", "{Type: String}", "arn:aws:iam::123456789012:role/role"),
        ("Name", "{Type: String, AllowedPattern: '[A-Z]{3}-[0-9]{4}'}", "[A-Z]{3}-[0-9]{4}"),
        ("Name", "{Type: String, MinLength: 20, MaxLength: 21}", ".{20,21}"),
        ("Name", "{Type: String, MaxLength: 3}", ".{0,3}"),
        ("Password", "{Type: String, AllowedPattern: '^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[a-zA-Z0-9]{8,}$'}", ".{8,}"),
        ("EventBusName", "{Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/bus}", "event-bus"),
    ],
)
def test_a_parameter_without_a_value_gets_one_that_it_allows(
    folder: Path, name: str, declaration: str, form: str
) -> None:
    """By its type, what it allows and its name; and a line says which."""
    topology = read(folder, with_parameter(name, declaration))

    value = topology.outputs["Value"]
    assert re.fullmatch(form, value)
    (line,) = topology.passed_over
    assert line.startswith(f"Parameter {name} ")
    assert line.endswith(f": {value!r} is used here")


def test_a_list_without_a_value_gets_an_item(folder: Path) -> None:
    """It is a list wherever it is used."""
    template = with_parameter("SubnetIds", "{Type: 'List<AWS::EC2::Subnet::Id>'}").replace(
        "!Ref SubnetIds", "!Join ['+', !Ref SubnetIds]"
    )

    assert re.fullmatch("subnet-[0-9a-f]{17}", read(folder, template).outputs["Value"])


def test_a_value_given_for_the_parameter_store_is_what_lies_there(folder: Path) -> None:
    """There is no store to look it up in."""
    template = with_parameter("Bus", "{Type: 'AWS::SSM::Parameter::Value<String>', Default: /shop/bus}")

    topology = read(folder, template, parameters={"Bus": "shop"})

    assert topology.outputs == {"Value": "shop"}
    assert topology.passed_over == ()


def test_what_a_pattern_matches_can_be_written() -> None:
    """Classes, alternatives, repetitions, groups that are named again."""
    for pattern in ("[^a-z]+", r"\d{4}-\d{2}", "(a|b)c?", r"(x)\1", "arn:aws[a-z-]*:iam::[0-9]{12}:role/.+", ".{3,5}"):
        assert re.fullmatch(pattern, example(pattern) or "")


def variable(folder: Path, value: str, more: str = "") -> str:
    template = f"{FUNCTION}      Environment:\n        Variables:\n          VALUE: {value}\n{more}"
    (function,) = read(folder, template).functions
    return function.environment["VALUE"]


@pytest.mark.parametrize(
    ("value", "resource", "form"),
    [
        ("!Ref Thing", "{Type: AWS::Kinesis::Stream}", "eachonce-Thing"),
        ("!Ref Thing", "{Type: AWS::Kinesis::Stream, Properties: {Name: clicks}}", "clicks"),
        ("!GetAtt Thing.Arn", "{Type: AWS::Kinesis::Stream}", "arn:aws:kinesis:eu-west-1:123456789012:stream/.+"),
        ("!GetAtt Thing.Arn", "{Type: AWS::KMS::Key}", "arn:aws:kms:eu-west-1:123456789012:key/[0-9a-f-]{36}"),
        (
            "!Ref Thing",
            "{Type: AWS::SecretsManager::Secret}",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:.+",
        ),
        ("!Ref Thing", "{Type: AWS::StepFunctions::StateMachine}", "arn:aws:states:eu-west-1:123456789012:stateM.+"),
        ("!Ref Thing", "{Type: AWS::Cognito::UserPool}", "eu-west-1_[a-z0-9]{9}"),
        ("!Ref Thing", "{Type: AWS::EC2::VPC}", "vpc-[0-9a-f]{17}"),
        ("!GetAtt Thing.Endpoint.Address", "{Type: AWS::RDS::DBInstance}", r"[a-z0-9.-]+\.example\.com"),
        ("!GetAtt Thing.Endpoint.Port", "{Type: AWS::RDS::DBInstance}", r"\d+"),
        ("!Select [0, !GetAtt Thing.NameServers]", "{Type: AWS::Route53::HostedZone}", ".+"),
        ("!GetAtt Thing.Anything", "{Type: Custom::Thing, Properties: {ServiceToken: a}}", "eachonce-thing-anything"),
        ("!GetAtt ThingQueue.QueueName", "{Type: Example::Work::Queue::MODULE}", "eachonce-thing-queue-queue"),
        ("!Sub '${Thing}/${Thing.Arn}'", "{Type: AWS::ECR::Repository}", "eachonce-Thing/arn:aws:ecr:.+"),
    ],
)
def test_a_resource_that_is_not_run_here_has_a_name_that_looks_like_one_of_awss(
    folder: Path, value: str, resource: str, form: str
) -> None:
    """What refers to it goes on."""
    assert re.fullmatch(form, variable(folder, value, f"  Thing: {resource}\n"))


@pytest.mark.parametrize(
    ("value", "form", "line"),
    [
        ("!ImportValue shop-TableName", "shop-table", "Fn::ImportValue shop-TableName: 'shop-table'"),
        ("'{{resolve:ssm:/shop/db-host:3}}'", "example.com", "ssm /shop/db-host:3: 'example.com'"),
        (
            "!Sub '{{resolve:ssm:/${AWS::Region}/color}}!'",
            "eu-west-1-color!",
            "ssm /eu-west-1/color: 'eu-west-1-color'",
        ),
        (
            "'{{resolve:secretsmanager:shop/db:SecretString:password}}'",
            "password",
            "secretsmanager shop/db:SecretString:password: 'password'",
        ),
    ],
)
def test_what_lies_outside_of_the_template_is_made_up_and_said(folder: Path, value: str, form: str, line: str) -> None:
    """Exports, parameters of SSM's and secrets; within a longer text, too."""
    template = f"{FUNCTION}      Environment: {{Variables: {{VALUE: {value}}}}}\n"

    topology = read(folder, template)

    assert topology.function("Worker").environment["VALUE"] == form
    assert topology.passed_over == (f"{line} is used here",)


def test_what_is_made_up_is_the_same_every_time(folder: Path) -> None:
    """Two that name the same thing mean the same."""
    assert len({variable(folder, "!ImportValue a", "") for _ in range(2)}) == 1


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("!Base64 abc", "YWJj"),
        ("!Select [1, !GetAZs '']", "eu-west-1b"),
        ("!Select [1, !Cidr [10.0.0.0/16, 2, 8]]", "10.0.1.0/24"),
        ("{'Fn::Length': [a, b]}", "2"),
        ("{'Fn::ToJsonString': {a: [1, !Ref AWS::Region]}}", '{"a":[1,"eu-west-1"]}'),
        ("{'Fn::FindInMap': [Sizes, dev, disk, {DefaultValue: none}]}", "none"),
    ],
)
def test_the_other_intrinsic_functions_give_what_cloudformation_gives(
    folder: Path, expression: str, value: str
) -> None:
    """Those of AWS::LanguageExtensions, too."""
    mappings = "Mappings: {Sizes: {dev: {memory: 128}}}\n"

    topology = read(folder, f"{mappings}{QUEUE}Outputs:\n  Value:\n    Value: {expression}\n")

    assert topology.outputs == {"Value": value}


def test_a_key_that_is_there_twice_counts_the_second_time(folder: Path) -> None:
    """`sam` makes one of two before AWS sees them; a person is told."""
    topology = read(folder, f"{QUEUE}    Properties: {{Tags: []}}\n    Properties: {{DelaySeconds: 2}}\n")

    assert topology.queue("Queue").properties == {"DelaySeconds": 2}
    assert topology.passed_over == ("Line 7: the key 'Properties' is here twice; this one counts",)
    lines = Source.read(folder / "template.yaml").lines
    assert ("Resources", "Queue", "Properties", "Tags") not in lines


def test_what_sam_leaves_out_is_no_fault(folder: Path) -> None:
    """It drops what it doesn't know beside the properties of a resource of its own."""
    assert read(folder, FUNCTION.replace("    Properties", "    Comment: mine\n    Properties")).functions


def test_an_attribute_of_a_type_that_is_run_here_is_still_looked_at(folder: Path) -> None:
    """It is misspelt."""
    error = refusal(folder, f"{QUEUE}Outputs: {{Value: {{Value: !GetAtt Queue.Nmae}}}} {HERE}\n")

    assert error.reason == "Queue has no attribute Nmae here"


@pytest.mark.parametrize(
    "value",
    [
        "!Ref Orders",
        "!ImportValue Orders",
        "'{{resolve:ssm:/shop/orders}}'",
        "!GetAtt Made.Orders",
        "!GetAtt Made.OrdersQueueArn",
    ],
)
def test_what_is_made_up_fits_the_property_that_it_is_used_in(folder: Path, value: str) -> None:
    """A queue that nothing is known of is a queue, and its consumer gets what is sent to it."""
    made = "  Made: {Type: Custom::Made, Properties: {ServiceToken: a}}\n"
    events = f"      Events: {{Jobs: {{Type: SQS, Properties: {{Queue: {value}}}}}}}\n"

    topology = read(folder, f"Parameters: {{Orders: {{Type: String}}}}\n{FUNCTION}{events}{made}")

    (mapping,) = topology.queue_mappings
    assert topology.queue(mapping.queue_arn).name.replace("shop-", "").startswith(("orders", "eachonce-made-orders"))


@pytest.mark.parametrize(
    ("kind", "property_"),
    [("String", "MemorySize"), ("Number", "MemorySize"), ("Number", "Timeout"), ("String", "Runtime")],
)
def test_a_parameter_fits_the_property_that_it_is_used_in(folder: Path, kind: str, property_: str) -> None:
    """Whatever its own name is."""
    function = FUNCTION.replace("      Runtime: python3.11\n", "") if property_ == "Runtime" else FUNCTION

    topology = read(folder, f"Parameters: {{Some: {{Type: {kind}}}}}\n{function}      {property_}: !Ref Some\n")

    assert len(topology.functions) == 1


def test_a_mapping_without_this_region_gives_anothers_value(folder: Path) -> None:
    """Which region a stack is in says nothing here."""
    mappings = "Mappings: {Images: {us-east-1: {id: ami-1}}}\n"
    variables = "{VALUE: !FindInMap [Images, !Ref AWS::Region, id]}"

    topology = read(folder, f"{mappings}{FUNCTION}      Environment: {{Variables: {variables}}}\n")

    assert topology.function("Worker").environment["VALUE"] == "ami-1"
    assert topology.passed_over == ("Fn::FindInMap in Images, which has no eu-west-1: 'us-east-1' is used here",)


@pytest.mark.parametrize("pattern", [r"\p{Alpha}+", r"(?<first>[a-z])+", "[a-z&&[^b]]+"])
def test_a_pattern_in_javas_words_is_no_fault(folder: Path, pattern: str) -> None:
    """CloudFormation takes it."""
    template = with_parameter("Name", f"{{Type: String, Default: abc, AllowedPattern: '{pattern}'}}")

    assert read(folder, template).outputs == {"Value": "abc"}
