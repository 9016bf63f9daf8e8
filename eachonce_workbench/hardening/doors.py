"""Rules for queues, topics and buckets: who is let in, and over what."""

from __future__ import annotations

from collections.abc import Iterator

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.statement import Statement, has_wildcard, listed

# What a service needs to bring something in, and what every request of that service is refused by.
_BRINGS = {"AWS::SQS::Queue": "sqs:SendMessage", "AWS::SNS::Topic": "sns:Publish"}
_ANY_OF = {"AWS::SQS::Queue": "sqs:ReceiveMessage", "AWS::SNS::Topic": "sns:Publish", "AWS::S3::Bucket": "s3:GetObject"}
_ARN_IS = ("ArnEquals", "StringEquals", "ArnLike", "StringLike")
_EVENTS = "events.amazonaws.com"


def open_doors(resources: Resources) -> Iterator[Breach]:
    """Give policies that let in more than one named sender."""
    for door in resources.of_type(*_ANY_OF):
        for policy, statement in resources.admissions_of(door):
            if statement.allow:
                yield from (Breach(by=policy, what=what) for what in _too_wide(resources, door, statement))


def without_tls(resources: Resources) -> Iterator[Breach]:
    """Give what takes requests that anybody on the way can read."""
    for door in resources.of_type(*_ANY_OF):
        if not any(_refuses_plain(each, _ANY_OF[door.type]) for _, each in resources.admissions_of(door)):
            yield Breach(by=door, what="it takes requests without TLS")


def _too_wide(resources: Resources, door: Declared, statement: Statement) -> Iterator[str]:
    senders = statement.condition("aws:SourceArn", *_ARN_IS)
    if statement.is_for_anybody and senders is None:
        yield "anybody is let in"
    for account in statement.principals.get("AWS", ()):
        if account != "*" and resources.account_id not in account:
            yield f"another account is let in: {account}"
    services = statement.principals.get("Service", ())
    if services and senders is None:
        yield f"{', '.join(services)} is let in on whosoever's behalf"
    yield from (f"any sender like {each} is let in" for each in senders or () if has_wildcard(each))
    allowed = _BRINGS.get(door.type)
    if services and allowed is not None:
        yield from (
            f"{services[0]} may do {each}, too" for each in statement.actions if each.lower() != allowed.lower()
        )
    if _EVENTS in services:
        yield from _strange_rules(resources, door, senders or ())


def _strange_rules(resources: Resources, door: Declared, senders: tuple[str, ...]) -> Iterator[str]:
    """Give the rules of the template that are let in, and have nothing to bring."""
    for rule in resources.of_type("AWS::Events::Rule"):
        if rule.arn in senders and door.arn not in _brought_to(rule):
            yield f"{rule.logical_id} is let in, and brings nothing here"


def _brought_to(rule: Declared) -> set[str]:
    targets = [each for each in listed(rule.properties.get("Targets")) if isinstance(each, dict)]
    return {str(place.get("Arn")) for each in targets for place in (each, each.get("DeadLetterConfig", {}))}


def _refuses_plain(statement: Statement, action: str) -> bool:
    return (
        not statement.allow
        and statement.is_for_anybody
        and statement.covers(action)
        and statement.condition("aws:SecureTransport", "Bool", "BoolIfExists") == ("false",)
    )


RULES = (
    Rule(
        id="open-door",
        number=106,
        reason="others could send what looks like an event, or read and delete what waits",
        mend="let in one service for its one action, with aws:SourceArn naming the rule or topic that sends",
        link="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
        breaches=open_doors,
    ),
    Rule(
        id="without-tls",
        number=107,
        reason="who stands on the way could read or change a request",
        mend='deny every action where Bool: {"aws:SecureTransport": "false"}',
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
        breaches=without_tls,
    ),
)
