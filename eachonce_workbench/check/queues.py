"""Rules for queues: what becomes of a message that nobody could handle, and who hears of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from eachonce_workbench.check.deliveries import (
    dead_letter_queues,
    function,
    mapped,
    name_of,
    queue,
    redriven,
    subscriptions,
    targets,
)
from eachonce_workbench.check.reading import flag, group, is_known, number
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.declared import Declared

_RETENTION_SECONDS = 345_600  # SQS's default
_EVENTS, _TOPICS = "events.amazonaws.com", "sns.amazonaws.com"
_SEND = "sqs:SendMessage"
_SENT = "NumberOfMessagesSent"
_DEAD_LETTERS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"


def retention_seconds(queue_: Declared) -> int | None:
    """Return how long a queue keeps a message; None where that can't be known."""
    return number(queue_, _RETENTION_SECONDS, "MessageRetentionPeriod")


def without_dead_letters(resources: Resources) -> Iterator[Breach]:
    """Give queues that a function reads and that keep a message which fails until they forget it."""
    last = {id(each) for each, _ in dead_letter_queues(resources)}
    for each in _once(each.queue for each in mapped(resources, "sqs") if each.queue is not None):
        if is_known(each, "RedrivePolicy") and not each.properties.get("RedrivePolicy") and id(each) not in last:
            yield Breach(by=each, what="it has no dead-letter queue")


def forgotten_dead_letters(resources: Resources) -> Iterator[Breach]:
    """Give dead-letter queues that keep for less time than the queue before them, which counts from the same moment."""
    for end, source in redriven(resources):
        kept, before = retention_seconds(end), retention_seconds(source)
        if not flag(end, "FifoQueue") and kept is not None and before is not None and kept < before:
            yield Breach(by=end, what=f"it keeps for {kept} s, and {source.source} for {before} s")


def unseen_dead_letters(resources: Resources) -> Iterator[Breach]:
    """Give dead-letter queues that neither an alarm watches nor a function reads."""
    watched = "\n".join(
        json.dumps(each.properties, default=str)
        for each in resources.declared
        if each.type in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::AnomalyDetector", "AWS::Pipes::Pipe")
    )
    read = {each.source_arn for each in mapped(resources, "sqs")}
    for each in _once(end for end, _ in dead_letter_queues(resources)):
        if each.arn not in read and f'"{name_of(each)}"' not in watched and str(each.arn) not in watched:
            yield Breach(by=each, what="no alarm watches it")


def deaf_alarms(resources: Resources) -> Iterator[Breach]:
    """Give alarms on how many messages were sent to a dead-letter queue, as which SQS doesn't count what it moves."""
    by_name = {name_of(end): source for end, source in redriven(resources)}
    sent_to = {name_of(end) for end, by in dead_letter_queues(resources) if by.type != "AWS::SQS::Queue"}
    for alarm in resources.of_type("AWS::CloudWatch::Alarm"):
        named = [group(each).get("Value") for each in alarm.properties.get("Dimensions") or ()]
        for name in by_name.keys() & {str(each) for each in named} - sent_to:
            if alarm.properties.get("MetricName") == _SENT:
                yield Breach(by=alarm, what=f"{_SENT} doesn't count what SQS moves to {name}")


def mixed_kinds(resources: Resources) -> Iterator[Breach]:
    """Give FIFO queues with a standard dead-letter queue, and the other way round."""
    for end, source in redriven(resources):
        if flag(end, "FifoQueue") is not flag(source, "FifoQueue") and is_known(source, "FifoQueue", "RedrivePolicy"):
            kinds = "a FIFO queue has a standard" if flag(source, "FifoQueue") else "a standard queue has a FIFO"
            yield Breach(by=source, what=f"{kinds} dead-letter queue")


def closed_queues(resources: Resources) -> Iterator[Breach]:
    """Give queues that a rule or a topic is to fill, and that no policy of theirs lets it."""
    for by, arn, service in _senders(resources):
        found = queue(resources, arn)
        if found is not None and not _lets_in(resources, found, service):
            yield Breach(by=found, what=f"no policy lets {service} send what {by.source} brings")


def _senders(resources: Resources) -> Iterator[tuple[Declared, object, str]]:
    for rule, target in targets(resources):
        if "RoleArn" not in target:
            yield rule, target.get("Arn"), _EVENTS
        yield rule, group(target, "DeadLetterConfig").get("Arn"), _EVENTS
    for by, properties in subscriptions(resources):
        if properties.get("Protocol") == "sqs":
            yield by, properties.get("Endpoint"), _TOPICS
        yield by, group(properties, "RedrivePolicy").get("deadLetterTargetArn"), _TOPICS


def _lets_in(resources: Resources, found: Declared, service: str) -> bool:
    return any(
        each.allow
        and each.covers(_SEND)
        and (each.is_for_anybody or service in each.principals.get("Service", ()) or _is_unknown(policy))
        for policy, each in resources.admissions_of(found)
    )


def _is_unknown(policy: Declared) -> bool:
    return not is_known(policy, "PolicyDocument", "Principal", "Service", "Queues")


def returning_letters(resources: Resources) -> Iterator[Breach]:
    """Give dead letters that come back to the function that could not handle them."""
    readers = {(each.source_arn, each.function.logical_id) for each in mapped(resources, "sqs") if each.function}
    for end, by in dead_letter_queues(resources):
        for each in _failing(resources, by):
            if (end.arn, each.logical_id) in readers:
                yield Breach(by=end, what=f"{each.source} reads it, and it takes what {each.source} could not handle")


def _failing(resources: Resources, by: Declared) -> Iterator[Declared]:
    """Give the functions whose failures a queue, a function or its settings send on."""
    if by.type == "AWS::SQS::Queue":
        yield from (each.function for each in mapped(resources, "sqs") if each.queue is by and each.function)
    elif by.type == "AWS::Lambda::Function":
        yield by
    elif by.type in ("AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping"):
        found = function(resources, by.properties.get("FunctionName"))
        if found is not None:
            yield found


def _once(queues: Iterator[Declared]) -> Iterator[Declared]:
    return iter({each.logical_id: each for each in queues}.values())


RULES = (
    Rule(
        id="no-dead-letter-queue",
        number=7,
        reason="a message that always fails is brought again until it is forgotten, and then nobody has it",
        mend="add a RedrivePolicy that names a dead-letter queue",
        link=_DEAD_LETTERS,
        breaches=without_dead_letters,
    ),
    Rule(
        id="forgotten-dead-letters",
        number=8,
        reason="a message's time counts from when it was first sent: it may be deleted as soon as it is moved",
        mend="let the dead-letter queue keep longer than its queue, such as 1209600 seconds",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html",
        breaches=forgotten_dead_letters,
    ),
    Rule(
        id="unseen-dead-letters",
        number=9,
        reason="what failed lies there until it is forgotten, and nobody hears of it",
        mend="add an alarm on ApproximateNumberOfMessagesVisible of the queue",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/dead-letter-queues-alarms-cloudwatch.html",
        breaches=unseen_dead_letters,
    ),
    Rule(
        id="deaf-alarm",
        number=10,
        reason="the alarm never rings: the metric counts what is sent, and SQS moves dead letters",
        mend="watch ApproximateNumberOfMessagesVisible instead",
        link=_DEAD_LETTERS,
        breaches=deaf_alarms,
    ),
    Rule(
        id="mixed-queues",
        number=11,
        reason="SQS takes only a FIFO queue behind a FIFO queue, and a standard one behind a standard one",
        mend="make both FIFO queues, or neither",
        link=_DEAD_LETTERS,
        breaches=mixed_kinds,
    ),
    Rule(
        id="closed-queue",
        number=12,
        reason="EventBridge and SNS may not send to a queue whose policy doesn't let them: the events are lost",
        mend="add an AWS::SQS::QueuePolicy that lets the service send, with aws:SourceArn naming the rule or topic",
        link="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
        breaches=closed_queues,
    ),
    Rule(
        id="returning-dead-letters",
        number=13,
        reason="an event that can't be handled goes round for ever, and every round is paid for",
        mend="let a queue that no function reads take the dead letters, and send them back by hand",
        link=_DEAD_LETTERS,
        breaches=returning_letters,
    ),
)
