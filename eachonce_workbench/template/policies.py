"""What a function's role lets it do, as far as its template says.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from eachonce_workbench.template.statement import Statement, listed, statement_of

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
class Policy:
    """What a role lets its function do; `whole` is False where it has policies that the template doesn't show.

    A condition is taken as met where a statement allows, and as not met where it denies.
    """

    statements: tuple[Statement, ...]
    whole: bool = True

    def allows(self, action: str, arn: str) -> bool | None:
        """Whether an action on a resource is allowed; None where nobody can say."""
        matching = [each for each in self.statements if each.covers(action) and each.concerns(arn)]
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
    documents = [each.get("PolicyDocument", {}) for each in listed(role.get("Policies")) if isinstance(each, Mapping)]
    statements = [found for document in (*documents, *attached) for found in _statements(document)]
    whole = True
    for arn in listed(role.get("ManagedPolicyArns")):
        if str(arn) in managed:
            statements += _statements(managed[str(arn)])
            continue
        name = str(arn).rpartition("/")[2]
        whole = whole and name in _MANAGED
        if _MANAGED.get(name):
            statements.append(Statement(allow=True, actions=_MANAGED[name], resources=("*",)))
    return Policy(statements=tuple(statements), whole=whole)


def _statements(document: Any) -> Iterator[Statement]:
    for each in listed(document.get("Statement") if isinstance(document, Mapping) else None):
        statement = statement_of(each)
        if statement.allow or "Condition" not in each:
            yield statement if {"Resource", "NotResource"} & each.keys() else replace(statement, resources=("*",))
