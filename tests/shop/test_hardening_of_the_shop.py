"""What the shop's template lets anybody do: no more than is written down, with the reason where it is more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eachonce_workbench.hardening import check
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.template import declared
from eachonce_workbench.template.declared import Declared

FILE = Path(__file__).parents[2] / "template.yaml"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    "parameters", [{}, {"MailSender": "shop@example.com", "Stage": "prod"}, {"KeyArn": KEY}], ids=repr
)
def test_nothing_is_wider_than_it_has_to_be(parameters: dict[str, str]) -> None:
    """Rights, stores, queues, the bus and the API, whatever the parameters are."""
    assert [str(each) for each in check(declared(FILE, parameters=parameters))] == []


def test_what_checkov_passes_over_has_a_reason() -> None:
    """A sentence, for one check, on one resource."""
    skipped = [skip for each in declared(FILE) for skip in each.metadata.get("checkov", {}).get("skip", [])]

    assert skipped
    assert [skip for skip in skipped if set(skip) != {"id", "comment"} or not skip["comment"].endswith(".")] == []


def test_the_template_is_checked_by_checkov_too() -> None:
    """By `make check`, which the CI runs; it asks nobody for rules."""
    recipe = (FILE.parent / "Makefile").read_text().partition("\ncheck: ")[2].partition("\n\n")[0]

    assert "$(CHECKOV) --file template.yaml" in recipe
    assert "--skip-download" in next(
        line for line in (FILE.parent / "Makefile").read_text().splitlines() if line.startswith("CHECKOV := ")
    )


def test_who_publishes_does_so_in_the_shops_own_name() -> None:
    """The source that its functions are told is the one that the role is bound to."""
    resources = declared(FILE)
    (source,) = {
        each.properties["Environment"]["Variables"]["EVENT_SOURCE"]
        for each in resources
        if each.type == "AWS::Lambda::Function"
    }

    bound = [
        statement.condition("events:source", "StringEquals")
        for _, statement in Resources(resources).rights()
        if statement.covers("events:PutEvents")
    ]
    assert bound == [(source,)]


def test_a_key_of_ones_own_is_used_for_all_that_is_kept() -> None:
    """But for what a bus could not use it for."""
    under = keys_of(declared(FILE, parameters={"KeyArn": KEY}))

    assert under.pop("BusDeadLetterQueue") is None
    assert {
        "Journal",
        "Orders",
        "Bus",
        "Archive",
        "ApiLogs",
        "ReserveStockQueue",
        "RelayOutboxLogs",
        "SigningSecret",
    } <= under.keys()
    assert set(under.values()) == {KEY}


def test_without_a_key_nothing_is_different() -> None:
    """No store names a key, no role may use one, and there is no queue for what a key fails.

    Personal fields have a key of theirs, which encrypts no store.
    """
    resources = declared(FILE, parameters={"PersonalFields": "clear"})

    assert set(keys_of(resources).values()) == {None}
    assert "BusDeadLetterQueue" not in keys_of(resources)
    assert [
        each for _, right in Resources(resources).rights() for each in right.actions if each.startswith("kms:")
    ] == []


def test_a_key_is_used_only_by_way_of_what_it_encrypts() -> None:
    """A function that is taken over can't decrypt what it could not read."""
    resources = Resources(declared(FILE, parameters={"KeyArn": KEY, "PersonalFields": "clear"}))
    rights = {by.source: each for by, each in resources.rights() if each.covers("kms:Decrypt")}

    via = {by: each.condition("kms:ViaService", "StringEquals") for by, each in rights.items()}
    assert via.pop("SigningPolicy") == ("secretsmanager.eu-west-1.amazonaws.com",)
    assert via.pop("PlaceOrderRole") == ("dynamodb.eu-west-1.amazonaws.com",)
    assert set(via) == {each.source for each in resources.of_type("AWS::IAM::Role")} - {"PlaceOrderRole"}
    assert set(via.values()) == {("dynamodb.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com")}
    assert {each.resources for each in rights.values()} == {(KEY,)}


def test_mail_goes_to_whom_it_may() -> None:
    """The role is bound to the sender, and to the recipients that the parameter names."""
    parameters = {"MailSender": "shop@example.com", "MailRecipients": "*@example.com,*@example.org"}
    resources = Resources(declared(FILE, parameters=parameters))

    (right,) = [each for _, each in resources.rights() if each.covers("ses:SendEmail")]
    assert right.condition("ses:FromAddress", "StringEquals") == ("shop@example.com",)
    assert right.condition("ses:Recipients", "ForAllValues:StringLike") == ("*@example.com", "*@example.org")


def test_the_apis_log_names_the_caller() -> None:
    """By IAM's id and ARN: one of them is the same when a role is made anew, the other tells people."""
    (stage,) = [each for each in declared(FILE) if each.type == "AWS::ApiGatewayV2::Stage"]

    log = json.loads(stage.properties["AccessLogSettings"]["Format"])
    assert (log["caller"], log["arn"]) == ("$context.identity.caller", "$context.identity.userArn")


_KEYS = {
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::Events::Archive": ("KmsKeyIdentifier",),
    "AWS::Events::EventBus": ("KmsKeyIdentifier",),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::SecretsManager::Secret": ("KmsKeyId",),
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
}


def keys_of(resources: list[Declared]) -> dict[str, str | None]:
    """Give the key that each store names."""
    found: dict[str, str | None] = {}
    for each in resources:
        if each.type in _KEYS:
            value: Any = each.properties
            for name in _KEYS[each.type]:
                value = value.get(name, {}) if isinstance(value, dict) else value
            found[each.source] = value or None
    return found
