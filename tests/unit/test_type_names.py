"""Which types of resources there are."""

from __future__ import annotations

import json
from collections import defaultdict
from importlib.resources import files
from itertools import chain

import pytest
from samtranslator.model import sam_resources

from eachonce_workbench.template.type_names import LIST, why_unknown


def listed() -> str:
    """Return the file as it should be: the types of cfn-lint's schemas, and those of the SAM translator."""
    providers = files("cfnlint.data.schemas.providers")
    regions = (json.loads(each.read_text()) for each in providers.iterdir() if each.name.endswith(".json"))
    sam = (str(getattr(each, "resource_type", "")) for each in vars(sam_resources).values())
    services: dict[str, set[str]] = defaultdict(set)
    for name in chain(*regions, (name for name in sam if name.startswith("AWS::Serverless::"))):
        service, _, kind = name.rpartition("::")
        services[service].add(kind)
    return "".join(f"{service} {' '.join(sorted(services[service]))}\n" for service in sorted(services))


def test_the_list_is_that_of_the_tools_that_know_aws() -> None:
    """`python -m tests.unit.test_type_names` writes it anew when one of them has moved on."""
    assert LIST.read_text(encoding="utf-8") == listed()


@pytest.mark.parametrize(
    "name",
    [
        "AWS::SQS::Queue",
        "AWS::Pipes::Pipe",
        "AWS::Serverless::Function",
        "AWS::CloudFormation::CustomResource",
        "Alexa::ASK::Skill",
        "Custom::MailDomain",
        "Custom::mail-domain@2",
        "Datadog::Monitors::Monitor",
        "Example::Network::Vpc::MODULE",
    ],
)
def test_a_type_of_anybodys_is_known(name: str) -> None:
    """AWS's, a third party's, a module, and what a template's own function makes."""
    assert why_unknown(name) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("AWS::SQS::Queu", "AWS::SQS::Queue"),
        ("AWS::Lambda::Functon", "AWS::Lambda::Function"),
        ("AWS::Serverless::Functions", "AWS::Serverless::Function"),
        ("AWS::Pipes::Pip", "AWS::Pipes::Pipe"),
        ("aws::sqs::queue", "AWS::SQS::Queue"),
        ("AWS::DynamoDb::Table", "AWS::DynamoDB::Table"),
        ("SQS::Queue", "AWS::SQS::Queue"),
        ("AWS:SQS:Queue", "AWS::SQS::Queue"),
        ("AWS::SQS::Queue ", "AWS::SQS::Queue"),
    ],
)
def test_a_type_misspelt_is_unknown_and_the_one_that_was_meant_is_named(name: str, meant: str) -> None:
    """However it is misspelt: a letter, the case, a part that is missing."""
    assert why_unknown(name) == f"there is no resource type {name}: did you mean {meant}?"


@pytest.mark.parametrize(
    "name", ["AWS::Wholly::Different", "Dev::Any::Thing", "Queue", "Custom::", "A::B::C", "", "日本"]
)
def test_what_looks_like_no_type_is_unknown(name: str) -> None:
    """The namespaces of Amazon's own are nobody else's."""
    assert str(why_unknown(name)).startswith(f"there is no resource type {name}")


if __name__ == "__main__":
    LIST.write_text(listed(), encoding="utf-8")
