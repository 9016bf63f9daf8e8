"""What a function's role lets it do, as far as its template says.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

# AWS's own policies for Lambda's pollers, tracing and networks, by the ends of their ARNs, and what they allow of it.
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_MANAGED: Mapping[str, tuple[str, ...]] = {
    "AWSLambdaBasicExecutionRole": (),
    "AWSLambdaDynamoDBExecutionRole": (
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    ),
    "AWSLambdaSQSQueueExecutionRole": ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
    "AWSLambdaVPCAccessExecutionRole": (),
    "AWSXRayDaemonWriteAccess": (),
    "AWSXrayWriteOnlyAccess": (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement of a policy; a condition is taken as met where it allows, and as not met where it denies."""

    allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    all_but_actions: bool = False
    all_but_resources: bool = False

    def matches(self, action: str, arn: str) -> bool:
        """Whether it is about this action on this resource."""
        named = any(_pattern(each.lower()).fullmatch(action.lower()) for each in self.actions)
        there = any(_pattern(each).fullmatch(arn) for each in self.resources)
        return named is not self.all_but_actions and there is not self.all_but_resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a role lets its function do; `whole` is False where it has policies that the template doesn't show."""

    statements: tuple[Statement, ...]
    whole: bool = True

    def allows(self, action: str, arn: str) -> bool | None:
        """Whether an action on a resource is allowed; None where nobody can say."""
        matching = [each for each in self.statements if each.matches(action, arn)]
        if not all(each.allow for each in matching):
            return False
        if matching:
            return True
        return False if self.whole else None


def policy_of(
    role: Mapping[str, Any], attached: Iterable[Mapping[str, Any]], managed: Mapping[str, Any] = {}
) -> Policy:
    """Return what a role's resolved properties allow, with the policy documents that other resources attach to it.

    `managed` are the documents of the template's own managed policies, by their ARNs.
    """
    documents = [each.get("PolicyDocument", {}) for each in _list(role.get("Policies")) if isinstance(each, Mapping)]
    statements = [found for document in (*documents, *attached) for found in _statements(document)]
    whole = True
    for arn in _list(role.get("ManagedPolicyArns")):
        if str(arn) in managed:
            statements += _statements(managed[str(arn)])
            continue
        name = str(arn).rpartition("/")[2]
        whole = whole and name in _MANAGED
        if _MANAGED.get(name):
            statements.append(Statement(allow=True, actions=_MANAGED[name], resources=("*",)))
    return Policy(statements=tuple(statements), whole=whole)


def _statements(document: Any) -> Iterator[Statement]:
    for each in _list(document.get("Statement") if isinstance(document, Mapping) else None):
        allow = each.get("Effect") == "Allow"
        if not allow and "Condition" in each:
            continue
        yield Statement(
            allow=allow,
            actions=tuple(map(str, _list(each.get("Action", each.get("NotAction"))))),
            resources=tuple(map(str, _list(each.get("Resource", each.get("NotResource", "*"))))),
            all_but_actions="NotAction" in each,
            all_but_resources="NotResource" in each,
        )


def _list(value: Any) -> Sequence[Any]:
    """Return what IAM takes alone or in a list."""
    if value is None:
        return []
    return value if isinstance(value, list | tuple) else [value]


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in text), re.DOTALL)
