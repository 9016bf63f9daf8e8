"""The resources of a template, and whom their policies let do what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.statement import Statement, listed, statements_of

# Types whose properties hold policies of a principal's, by the property; the rest of them are a resource's own.
_OF_A_PRINCIPAL = {
    "AWS::IAM::Group": "Policies",
    "AWS::IAM::GroupPolicy": "PolicyDocument",
    "AWS::IAM::ManagedPolicy": "PolicyDocument",
    "AWS::IAM::Policy": "PolicyDocument",
    "AWS::IAM::Role": "Policies",
    "AWS::IAM::RolePolicy": "PolicyDocument",
    "AWS::IAM::User": "Policies",
    "AWS::IAM::UserPolicy": "PolicyDocument",
}
_OF_A_RESOURCE = {
    "AWS::Events::EventBus": "Policy",
    "AWS::Events::EventBusPolicy": "Statement",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicInlinePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueueInlinePolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
}
# By which property such a policy says what it is about.
_ABOUT = {
    "AWS::Events::EventBusPolicy": "EventBusName",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::TopicInlinePolicy": "TopicArn",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SQS::QueueInlinePolicy": "Queue",
    "AWS::SQS::QueuePolicy": "Queues",
}


@dataclass(frozen=True, slots=True)
class Resources:
    """What a template declares, as rules look at it; `root` is what its folders of code are relative to."""

    declared: Sequence[Declared]
    account_id: str = "123456789012"
    root: Path | None = None

    def of_type(self, *types: str) -> Iterator[Declared]:
        """Give the resources of these types."""
        return (each for each in self.declared if each.type in types)

    def rights(self) -> Iterator[tuple[Declared, Statement]]:
        """Give each statement that lets a principal do something, with the resource that it stands in."""
        return self._statements(_OF_A_PRINCIPAL)

    def admissions(self) -> Iterator[tuple[Declared, Statement]]:
        """Give each statement that a resource lets others in by, or keeps them out."""
        return self._statements(_OF_A_RESOURCE)

    def admissions_of(self, resource: Declared) -> Iterator[tuple[Declared, Statement]]:
        """Give the statements about one resource: a queue, a topic, a bucket or a bus."""
        return ((policy, each) for policy, each in self.admissions() if _is_about(policy, resource))

    def _statements(self, types: dict[str, str]) -> Iterator[tuple[Declared, Statement]]:
        for each in self.of_type(*types):
            for document in _documents(each.properties.get(types[each.type])):
                yield from ((each, statement) for statement in statements_of(document))


def _documents(value: Any) -> Iterable[Any]:
    """Give policy documents, whichever way a property has them: by themselves, or each under a name."""
    return (each.get("PolicyDocument", each) for each in listed(value) if isinstance(each, dict))


def _is_about(policy: Declared, resource: Declared) -> bool:
    return policy is resource or resource.ref in listed(policy.properties.get(_ABOUT.get(policy.type, "")))
