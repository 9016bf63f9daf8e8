"""From scheduled rules and schedules of a template to parts of a topology."""

from __future__ import annotations

from eachonce_workbench.template.event_sources import Schedule, ScheduleTarget
from eachonce_workbench.template.identity import Identities
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.source_limits import TARGETS


def scheduled_rule(logical_id: str, identities: Identities, properties: Properties) -> Schedule | None:
    """Read an AWS::Events::Rule; None for one without a schedule.

    Its Input is sent as it is; with none, each target gets the event that EventBridge makes up.
    """
    if "ScheduleExpression" not in properties:
        return None
    return Schedule(
        logical_id=logical_id,
        name=identities.name(logical_id),
        arn=identities.known(logical_id, "Arn", properties.where),
        kind="rule",
        expression=properties.text("ScheduleExpression"),
        enabled=properties.optional_text("State") != "DISABLED",
    )


def schedule(logical_id: str, identities: Identities, properties: Properties) -> Schedule:
    """Read an AWS::Scheduler::Schedule."""
    target = properties.group("Target")
    return Schedule(
        logical_id=logical_id,
        name=identities.name(logical_id),
        arn=identities.known(logical_id, "Arn", properties.where),
        kind="schedule",
        expression=properties.text("ScheduleExpression"),
        timezone=properties.optional_text("ScheduleExpressionTimezone") or "UTC",
        start=properties.optional_text("StartDate"),
        end=properties.optional_text("EndDate"),
        enabled=properties.optional_text("State") != "DISABLED",
        targets=(_target(target),) if TARGETS.admits(target.text("Arn")) else (),
    )


def _target(target: Properties) -> ScheduleTarget:
    event = target.group("EventBridgeParameters")
    return ScheduleTarget(
        arn=target.text("Arn"),
        input=target.optional_text("Input"),
        message_group_id=target.group("SqsParameters").optional_text("MessageGroupId"),
        source=event.optional_text("Source"),
        detail_type=event.optional_text("DetailType"),
        dead_letter_arn=target.group("DeadLetterConfig").optional_text("Arn"),
    )
