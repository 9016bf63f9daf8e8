"""Rules for the rules of event buses: what they bring to whom, and what they lose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eachonce_workbench.check.deliveries import function, mapped, queue, targets
from eachonce_workbench.check.published import published_by, sources_of
from eachonce_workbench.check.reading import flag, group, is_known
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.matching.pattern import InvalidPattern, Pattern
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.system import is_fifo, service

# What takes every event on purpose: a log of all of them, and another bus, which has rules of its own.
_TAKES_ALL = frozenset({"logs", "events", "firehose"})
_PATTERNS = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html"


def without_dead_letters(resources: Resources) -> Iterator[Breach]:
    """Give targets whose events are dropped when they can't be delivered."""
    for rule, target in targets(resources):
        if is_known(rule, "DeadLetterConfig", "Targets") and not group(target, "DeadLetterConfig").get("Arn"):
            yield Breach(by=rule, what=f"the target {target.get('Id')} has no dead-letter queue")


def without_source(resources: Resources) -> Iterator[Breach]:
    """Give rules that take events whoever published them."""
    for rule, target in targets(resources):
        pattern = _pattern(rule)
        if pattern and not _names_source(pattern) and service(str(target.get("Arn"))) not in _TAKES_ALL:
            yield Breach(by=rule, what="its pattern names no source")


def loops(resources: Resources) -> Iterator[Breach]:
    """Give rules that match what their own consumer publishes."""
    for rule, target in targets(resources):
        for consumer in _consumers(resources, target):
            what = _comes_back(resources, rule, consumer)
            if what is not None:
                yield Breach(by=rule, what=f"it brings {consumer.source} {what}, which {consumer.source} publishes")


def _comes_back(resources: Resources, rule: Declared, consumer: Declared) -> str | None:
    pattern = _pattern(rule)
    # What else a pattern asks for, nobody can tell of an event that isn't there yet.
    if not pattern or not {"source", "detail-type"} >= pattern.keys() or not is_known(rule, "EventPattern", "Pattern"):
        return None
    try:
        wanted = Pattern(pattern)
    except InvalidPattern:
        return None
    bus = _bus(rule.properties.get("EventBusName"))
    for each in published_by(resources, consumer):
        if each.bus == bus and wanted.matches({"source": each.source, "detail-type": each.detail_type}):
            return f"{each.detail_type} of {each.source}"
    if "detail-type" not in pattern:
        for source in sources_of(resources, consumer, bus):
            if wanted.matches({"source": source}):
                return f"all events of {source}"
    return None


def _consumers(resources: Resources, target: Mapping[str, Any]) -> Iterator[Declared]:
    """Give the functions that a target is, or that read the queue which it is."""
    arn = str(target.get("Arn"))
    found = function(resources, arn) if service(arn) == "lambda" else None
    if found is not None:
        yield found
    yield from (each.function for each in mapped(resources, "sqs") if each.source_arn == arn and each.function)


def ungrouped(resources: Resources) -> Iterator[Breach]:
    """Give targets that are FIFO queues and get messages which these can't take."""
    for rule, target in targets(resources):
        arn = str(target.get("Arn"))
        if not is_fifo(arn):
            continue
        if is_known(rule, "SqsParameters") and not group(target, "SqsParameters").get("MessageGroupId"):
            yield Breach(by=rule, what=f"the target {target.get('Id')} is a FIFO queue, and gets no MessageGroupId")
        found = queue(resources, arn)
        if found is None or not is_known(found, "ContentBasedDeduplication"):
            continue
        if not flag(found, "ContentBasedDeduplication"):
            yield Breach(by=found, what=f"{rule.source} sends to it, and it has no ContentBasedDeduplication")


def _pattern(rule: Declared) -> Mapping[str, Any]:
    return group(rule.properties, "EventPattern")


def _names_source(pattern: Mapping[str, Any]) -> bool:
    if "source" in pattern:
        return True
    choices = pattern.get("$or")
    return isinstance(choices, list) and bool(choices) and all(_names_source(group(each)) for each in choices)


def _bus(name: Any) -> str:
    return str(name or "default").rpartition("/")[2]


RULES = (
    Rule(
        id="target-without-dead-letters",
        number=14,
        reason="EventBridge drops an event that it could not deliver: at once without a right to, else after 24 hours",
        mend="give the target a DeadLetterConfig with the ARN of a queue",
        link="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html",
        breaches=without_dead_letters,
    ),
    Rule(
        id="rule-without-source",
        number=15,
        reason="anybody's event that looks alike is taken for yours",
        mend="name the source in the EventPattern",
        link=_PATTERNS,
        breaches=without_source,
    ),
    Rule(
        id="event-loop",
        number=16,
        reason="each event makes another one, for ever, and all of them are paid for",
        mend="narrow the pattern to events that the consumer doesn't publish, by source or detail-type",
        link="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html",
        breaches=loops,
    ),
    Rule(
        id="ungrouped-target",
        number=17,
        reason="a FIFO queue refuses a message without a group, and one that nothing tells from its copies",
        mend="add SqsParameters: {MessageGroupId: ...} to the target, and ContentBasedDeduplication to the queue",
        link="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html",
        breaches=ungrouped,
    ),
)
