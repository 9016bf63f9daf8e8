"""From the buckets of a template to parts of a topology.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-notificationconfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator

from eachonce_workbench.template.event_sources import Bucket, Notification
from eachonce_workbench.template.identity import Identities
from eachonce_workbench.template.intrinsics import Unresolved
from eachonce_workbench.template.properties import Properties

_CONFIGURATIONS = {"LambdaConfigurations": "Function", "QueueConfigurations": "Queue", "TopicConfigurations": "Topic"}


def bucket(logical_id: str, identities: Identities, properties: Properties) -> Bucket:
    """Read an AWS::S3::Bucket."""
    configuration = properties.group("NotificationConfiguration")
    bus = configuration.group("EventBridgeConfiguration")
    return Bucket(
        logical_id=logical_id,
        name=identities.name(logical_id),
        arn=identities.known(logical_id, "Arn", properties.where),
        versioned=properties.group("VersioningConfiguration").optional_text("Status") == "Enabled",
        notifications=tuple(_notifications(configuration)),
        # The group is there to turn it on: its only property is true by default.
        tells_bus="EventBridgeConfiguration" in configuration and bus.flag("EventBridgeEnabled", default=True),
    )


def _notifications(configuration: Properties) -> Iterator[Notification]:
    for name, target in _CONFIGURATIONS.items():
        for number, each in enumerate(configuration.groups(name), start=1):
            keys = dict(_key_filter(each))
            yield Notification(
                id=each.optional_text("Id") or f"{name}{number}",
                target_arn=each.text(target),
                events=(each.text("Event"),),
                prefix=keys.get("prefix", ""),
                suffix=keys.get("suffix", ""),
            )


def _key_filter(configuration: Properties) -> Iterator[tuple[str, str]]:
    for rule in configuration.group("Filter").group("S3Key").groups("Rules"):
        name = rule.text("Name").lower()
        if name not in ("prefix", "suffix"):
            raise Unresolved(rule.at("Name"), f"Name is prefix or suffix, not {rule.text('Name')}")
        yield name, rule.text("Value")
