"""From the topics and subscriptions of a template to parts of a topology."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from eachonce_workbench.matching.pattern import InvalidPattern, Pattern
from eachonce_workbench.template.event_sources import FilterScope, Subscription, Topic
from eachonce_workbench.template.identity import Identities
from eachonce_workbench.template.intrinsics import Unresolved
from eachonce_workbench.template.properties import Properties

RUN = ("lambda", "sqs")
"""The protocols of subscriptions that reach anybody in the local cloud."""

LONGEST_POLICY = 256 * 1024
"""Characters of a filter policy (https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html)."""


def topic(logical_id: str, identities: Identities, properties: Properties) -> Topic:
    """Read an AWS::SNS::Topic."""
    return Topic(
        logical_id=logical_id,
        name=identities.name(logical_id),
        arn=identities.ref(logical_id, properties.where),
        fifo=properties.flag("FifoTopic", default=False),
        content_based_deduplication=properties.flag("ContentBasedDeduplication", default=False),
        display_name=properties.optional_text("DisplayName") or "",
    )


def inline_subscriptions(logical_id: str, identities: Identities, properties: Properties) -> Iterator[Subscription]:
    """Read the property Subscription of an AWS::SNS::Topic."""
    arn = identities.ref(logical_id, properties.where)
    for number, each in enumerate(properties.groups("Subscription"), start=1):
        if each.text("Protocol") in RUN:
            yield Subscription(
                logical_id=f"{logical_id}Subscription{number}",
                arn=_arn(arn, f"{logical_id}Subscription{number}"),
                topic_arn=arn,
                protocol=each.text("Protocol"),
                endpoint=each.text("Endpoint"),
            )


def subscription(logical_id: str, _identities: Identities, properties: Properties) -> Subscription | None:
    """Read an AWS::SNS::Subscription; None for one whose protocol has no local counterpart."""
    if properties.text("Protocol") not in RUN:
        return None
    scope: FilterScope = (
        "MessageBody" if properties.optional_text("FilterPolicyScope") == "MessageBody" else "MessageAttributes"
    )
    topic_arn = properties.text("TopicArn")
    return Subscription(
        logical_id=logical_id,
        arn=_arn(topic_arn, logical_id),
        topic_arn=topic_arn,
        protocol=properties.text("Protocol"),
        endpoint=properties.text("Endpoint"),
        raw=properties.flag("RawMessageDelivery", default=False),
        filter=_filter(properties),
        filter_scope=scope,
        dead_letter_arn=properties.group("RedrivePolicy").optional_text("deadLetterTargetArn"),
    )


def of_others(topics: Iterable[Topic], subscriptions: Iterable[Subscription]) -> Iterator[Topic]:
    """Give the topics of subscriptions that the template doesn't make: here they are there, to be published to."""
    known = {topic.arn for topic in topics}
    for each in subscriptions:
        if each.topic_arn not in known:
            known.add(each.topic_arn)
            name = each.topic_arn.rpartition(":")[2]
            yield Topic(logical_id=name, name=name, arn=each.topic_arn, fifo=name.endswith(".fifo"))


def _filter(properties: Properties) -> Pattern | None:
    policy = properties.get("FilterPolicy")
    try:
        policy = json.loads(policy) if isinstance(policy, str) else policy
        return Pattern(policy, longest=LONGEST_POLICY) if policy else None
    except (InvalidPattern, ValueError) as error:
        raise Unresolved(properties.at("FilterPolicy"), str(error)) from error


def _arn(topic_arn: str, logical_id: str) -> str:
    # AWS ends it with an id that nobody knows before; here the logical id says which subscription it is.
    return f"{topic_arn}:{logical_id}"
