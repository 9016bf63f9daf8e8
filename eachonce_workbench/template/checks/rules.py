"""What must fit together in a rule, and between it and its targets' queues.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
"""

from __future__ import annotations

from collections.abc import Iterator

from eachonce_workbench.template.intrinsics import Unresolved
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.system import Resource, System, bus_name, is_fifo


def misfits(rule: Resource, _system: System) -> Iterator[Unresolved]:
    """Give what AWS would refuse."""
    properties = rule.properties
    if "EventPattern" not in properties and "ScheduleExpression" not in properties:
        yield Unresolved(properties.where, "a rule needs EventPattern or ScheduleExpression")
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
    if "ScheduleExpression" in properties and bus_name(properties) != "default":
        yield Unresolved(
            properties.at("ScheduleExpression"), "ScheduleExpression is for rules of the default bus alone"
        )
    seen: set[str] = set()
    for target in properties.groups("Targets"):
        yield from _target(target, seen)
        seen.add(target.text("Id"))


def _target(target: Properties, seen: set[str]) -> Iterator[Unresolved]:
    name = target.text("Id")
    if name in seen:
        yield Unresolved(target.at("Id"), f"the Id of a target is its own in the rule; {name!r} is there twice")
    if is_fifo(target.text("Arn")) and "SqsParameters" not in target:
        # "Parameter(s) MessageGroupId must be specified for target"
        yield Unresolved(target.at("Arn"), f"the target {name} is a FIFO queue and needs SqsParameters.MessageGroupId")
    dead_letters = target.group("DeadLetterConfig")
    if is_fifo(dead_letters.optional_text("Arn") or ""):
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html#eb-rule-dlq
        yield Unresolved(
            dead_letters.at("Arn"), "the dead-letter queue of a target is a standard queue, not a FIFO queue"
        )
