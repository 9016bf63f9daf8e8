"""Which messages of a topic a subscription wants.

https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html: the language is that of event patterns,
applied to the message's attributes or to its body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eachonce_workbench.cloud.topics.message import Message
from eachonce_workbench.matching.reading import read_json
from eachonce_workbench.template.event_sources import Subscription


def admits(subscription: Subscription, message: Message) -> bool:
    """Whether the subscription's filter policy, if it has one, wants the message.

    A body that is no JSON object is wanted by no policy of the scope MessageBody.
    """
    if subscription.filter is None:
        return True
    if subscription.filter_scope == "MessageAttributes":
        return subscription.filter.matches(_attributes(message))
    try:
        body = read_json(message.text_for(subscription.protocol))
    except ValueError:
        return False
    return isinstance(body, dict) and subscription.filter.matches(body)


def _attributes(message: Message) -> dict[str, Any]:
    read = ((name, _value(attribute)) for name, attribute in message.attributes.items())
    return {name: value for name, value in read if value is not None}


def _value(attribute: Mapping[str, Any]) -> Any:
    """The value as a policy sees it; None for a binary one, which none can ask for."""
    kind, text = str(attribute["DataType"]), attribute.get("StringValue")
    if text is None:
        return None
    if not kind.startswith("Number") and kind != "String.Array":
        return text
    try:
        return read_json(str(text))
    except ValueError:
        return text
