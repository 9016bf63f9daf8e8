"""A rule for event buses: no other account.

Without a policy a bus takes events of its own account's principals alone, by their own rights. A policy can let others
in, by one call; a Deny holds whatever else is allowed.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterator

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.statement import Statement

_PUT_EVENTS = "events:PutEvents"
_NOT = ("StringNotEquals", "StringNotEqualsIfExists")
# A key that a request hasn't got differs from any value: what AWS's services send has no account.
_IS = ("Bool", "BoolIfExists")


def open_buses(resources: Resources) -> Iterator[Breach]:
    """Give buses that other accounts' events could get onto, and policies that keep AWS's own services out."""
    for bus in resources.of_type("AWS::Events::EventBus"):
        found = list(resources.admissions_of(bus))
        refusing = [(policy, each) for policy, each in found if _refuses_others(each, resources.account_id)]
        if not refusing:
            yield Breach(by=bus, what="nothing refuses other accounts")
        for policy, each in refusing:
            if each.condition("aws:PrincipalIsAWSService", *_IS) != ("false",):
                yield Breach(by=policy, what="it refuses AWS's services as well, which have no account")
        for policy, each in found:
            if each.allow and each.covers(_PUT_EVENTS) and each.is_for_anybody and not each.conditions:
                yield Breach(by=policy, what="anybody may publish")


def _refuses_others(statement: Statement, account_id: str) -> bool:
    """Whether it denies all accounts but this one; further conditions but the services' would leave a gap."""
    return (
        not statement.allow
        and statement.is_for_anybody
        and statement.covers(_PUT_EVENTS)
        and statement.condition("aws:PrincipalAccount", *_NOT) == (account_id,)
        and {key for _, key in statement.conditions} <= {"aws:principalaccount", "aws:principalisawsservice"}
    )


RULES = (
    Rule(
        id="open-bus",
        number=108,
        reason="an event of another account would look like one of yours",
        mend="deny events:PutEvents to other accounts, but not to AWS's services, by an AWS::Events::EventBusPolicy",
        link="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html",
        breaches=open_buses,
    ),
)
