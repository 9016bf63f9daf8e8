"""What subscribers get of a message: SNS's envelope, the record for a function, or the text alone.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from eachonce_workbench.cloud.topics.message import Message
from eachonce_workbench.template.event_sources import Subscription

# Nobody here could check a signature, since AWS's certificate is not ours to sign with.
_SIGNATURE = "the local cloud signs nothing"
_SITE = "https://sns.{region}.amazonaws.com/"


def envelope(message: Message, subscription: Subscription) -> str:
    """The JSON text that a queue gets, unless it wants the raw message."""
    region = _region(message)
    document = _told(message, subscription) | {
        "SequenceNumber": message.sequence_number,
        "SigningCertURL": _certificate(region),
        "UnsubscribeURL": _unsubscribe(region, subscription.arn),
        "MessageAttributes": _attributes(message) or None,
    }
    return json.dumps({name: value for name, value in document.items() if value is not None})


def function_event(message: Message, subscription: Subscription) -> bytes:
    """The event (JSON) that a function is invoked with; it has one record."""
    region = _region(message)
    sns = _told(message, subscription) | {
        "SigningCertUrl": _certificate(region),
        "UnsubscribeUrl": _unsubscribe(region, subscription.arn),
        "MessageAttributes": _attributes(message),
    }
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription.arn, "Sns": sns}
    return json.dumps({"Records": [record]}).encode()


def _told(message: Message, subscription: Subscription) -> dict[str, Any]:
    """What queues and functions are told alike."""
    return {
        "Type": "Notification",
        "MessageId": message.id,
        "TopicArn": message.topic_arn,
        "Subject": message.subject,
        "Message": message.text_for(subscription.protocol),
        "Timestamp": _time(message.published_at),
        "SignatureVersion": "1",
        "Signature": _SIGNATURE,
    }


def _region(message: Message) -> str:
    return message.topic_arn.split(":")[3]


def _attributes(message: Message) -> dict[str, dict[str, str]]:
    return {name: {"Type": value["DataType"], "Value": _text(value)} for name, value in message.attributes.items()}


def _text(value: Mapping[str, Any]) -> str:
    if value.get("BinaryValue") is not None:
        return base64.b64encode(value["BinaryValue"]).decode()
    return str(value["StringValue"])


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _certificate(region: str) -> str:
    return f"{_SITE.format(region=region)}SimpleNotificationService-local.pem"


def _unsubscribe(region: str, arn: str) -> str:
    return f"{_SITE.format(region=region)}?Action=Unsubscribe&SubscriptionArn={arn}"
