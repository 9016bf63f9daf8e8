"""Topics and subscriptions that a program makes by calls, beside those of the template, for as long as the cloud lasts.

https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html and API_Subscribe.html
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.topics.limits import invalid
from eachonce_workbench.matching.pattern import InvalidPattern, Pattern
from eachonce_workbench.template.event_sources import Subscription, Topic
from eachonce_workbench.template.topics import LONGEST_POLICY, RUN

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo")


def new_topic(name: str, attributes: Mapping[str, str], *, region: str, account: str) -> Topic:
    """The topic that CreateTopic makes. Raises `AwsError` InvalidParameter."""
    fifo = attributes.get("FifoTopic") == "true"
    if not _NAME.fullmatch(name) or name.endswith(".fifo") != fifo:
        raise invalid("Topic Name")
    return Topic(
        logical_id="",
        name=name,
        arn=f"arn:aws:sns:{region}:{account}:{name}",
        fifo=fifo,
        content_based_deduplication=attributes.get("ContentBasedDeduplication") == "true",
        display_name=attributes.get("DisplayName", ""),
    )


def new_subscription(topic: Topic, protocol: str, endpoint: str, attributes: Mapping[str, str]) -> Subscription:
    """The subscription that Subscribe makes. Raises `AwsError` InvalidParameter."""
    if protocol not in RUN:
        raise invalid(f"Protocol Reason: the local cloud delivers by {' and '.join(RUN)} alone")
    redrive = _json(attributes, "RedrivePolicy") or {}
    known_as = str(uuid.uuid4())
    return Subscription(
        logical_id=known_as,
        arn=f"{topic.arn}:{known_as}",
        topic_arn=topic.arn,
        protocol=protocol,
        endpoint=endpoint,
        raw=attributes.get("RawMessageDelivery") == "true",
        filter=_filter(attributes),
        filter_scope="MessageBody" if attributes.get("FilterPolicyScope") == "MessageBody" else "MessageAttributes",
        dead_letter_arn=redrive.get("deadLetterTargetArn"),
    )


def _filter(attributes: Mapping[str, str]) -> Pattern | None:
    policy = _json(attributes, "FilterPolicy")
    try:
        return Pattern(policy, longest=LONGEST_POLICY) if policy else None
    except InvalidPattern as error:
        raise invalid(f"FilterPolicy: {error}") from error


def _json(attributes: Mapping[str, str], name: str) -> Any:
    try:
        return json.loads(attributes.get(name) or "null")
    except ValueError:
        raise invalid(f"{name}: failed to parse JSON.") from None


def not_changed(action: str) -> AwsError:
    """What a call is told that would change what the template says."""
    return AwsError(
        "InvalidAction",
        f"The local cloud has no sns operation {action}: template.yaml describes the system. Change it there.",
    )
