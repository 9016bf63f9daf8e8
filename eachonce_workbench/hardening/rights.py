"""Rules for what roles may do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.statement import has_wildcard, texts

_PUT_EVENTS = "events:PutEvents"
# With "ForAnyValue" one entry of a request would speak for all others; with "IfExists" none has to.
_BOUND_BY = ("StringEquals", "ForAllValues:StringEquals")
# What the attribute Arn of a log group ends with: the streams of that one group.
_STREAMS = ":*"


def wildcard_actions(resources: Resources) -> Iterator[Breach]:
    """Give what allows actions that nobody has listed."""
    for by, statement in (*resources.rights(), *resources.admissions()):
        if statement.allow and statement.all_but_actions:
            yield Breach(by=by, what=f"it allows all but {', '.join(statement.actions)}")
        elif statement.allow:
            yield from (Breach(by=by, what=f"it allows {each}") for each in statement.actions if has_wildcard(each))


def wildcard_resources(resources: Resources) -> Iterator[Breach]:
    """Give what allows actions on resources that nobody has listed; AWS's managed policies do."""
    for by, statement in (*resources.rights(), *resources.admissions()):
        actions = ", ".join(statement.actions)
        if statement.allow and statement.all_but_resources:
            yield Breach(by=by, what=f"it allows {actions} on all but {', '.join(statement.resources)}")
        elif statement.allow:
            wide = (each for each in statement.resources if has_wildcard(_without_streams(each)))
            yield from (Breach(by=by, what=f"it allows {actions} on {each}") for each in wide)
    for role in resources.of_type("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
        managed = filter(_is_managed, texts(role.properties.get("ManagedPolicyArns")))
        yield from (Breach(by=role, what=f"{arn.rpartition('/')[2]} is for any resource") for arn in managed)


def shared_roles(resources: Resources) -> Iterator[Breach]:
    """Give functions that have their role in common with another one."""
    users: dict[str, list[Declared]] = defaultdict(list)
    for function in resources.of_type("AWS::Lambda::Function"):
        users[str(function.properties.get("Role"))].append(function)
    for functions in users.values():
        for function in functions:
            others = ", ".join(each.logical_id for each in functions if each is not function)
            if others:
                yield Breach(by=function, what=f"its role is {others}'s too")


def unbound_sources(resources: Resources) -> Iterator[Breach]:
    """Give what may publish events in anybody's name."""
    for by, statement in (*resources.rights(), *resources.admissions()):
        if statement.allow and statement.covers(_PUT_EVENTS) and not statement.condition("events:source", *_BOUND_BY):
            yield Breach(by=by, what="it may publish under any source")


def _is_managed(policy: str) -> bool:
    """Whether a policy is AWS's own: by its ARN, or by the name that SAM has for it."""
    return ":iam::aws:policy/" in policy or not policy.startswith("arn:")


def _without_streams(resource: str) -> str:
    return resource.removesuffix(_STREAMS) if ":log-group:" in resource else resource


RULES = (
    Rule(
        id="wildcard-action",
        number=101,
        reason="AWS adds actions to what a wildcard matches, and nobody reviews them",
        mend="list the actions",
        link="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
        breaches=wildcard_actions,
    ),
    Rule(
        id="wildcard-resource",
        number=102,
        reason="whoever takes the function over can do it to everything of the account",
        mend="name the resource by its ARN, and write policies of your own",
        link="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
        breaches=wildcard_resources,
    ),
    Rule(
        id="shared-role",
        number=103,
        reason="each of the functions can do what any of them needs",
        mend="give each function a role of its own",
        link="https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
        breaches=shared_roles,
    ),
    Rule(
        id="unbound-source",
        number=104,
        reason="an event's source would say nothing of who published it",
        mend='add Condition: {StringEquals: {"events:source": ...}} with its own source',
        link="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html",
        breaches=unbound_sources,
    ),
)
