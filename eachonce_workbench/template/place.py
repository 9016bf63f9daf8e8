"""Where a stack lives."""

from __future__ import annotations

from dataclasses import dataclass

_STACK_UUID = "00000000-0000-4000-8000-000000000000"  # templates cut it up, for a suffix that AWS gives each stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The account, the region and the name of a stack."""

    stack: str
    region: str
    account_id: str
    endpoint: str
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """Make the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def pseudo_parameters(self) -> dict[str, str | list[str]]:
        """Give what CloudFormation lets every template refer to."""
        return {
            "AWS::AccountId": self.account_id,
            "AWS::NotificationARNs": [],
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackId": self.arn("cloudformation", f"stack/{self.stack}/{_STACK_UUID}"),
            "AWS::StackName": self.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
