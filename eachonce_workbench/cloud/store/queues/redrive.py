"""Where a queue's dead letters go, and which queues a dead-letter queue lets in.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.sqs.exceptions import SQSException

from eachonce_workbench.cloud.store.queues.refusals import invalid, invalid_value

Policy = dict[str, Any]

_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+")
_MAX_RECEIVES = 1000
_MAX_SOURCES = 10
_PERMISSIONS = ("allowAll", "denyAll", "byQueue")


def policy(text: str) -> Policy | None:
    """A redrive policy, with `maxReceiveCount` as a number; None for an empty text, which takes it away.

    Raises `SQSException` as SQS refuses it.
    """
    if not text:
        return None
    found = _map("RedrivePolicy", text, "Redrive policy is not a valid JSON map.")
    for name in ("maxReceiveCount", "deadLetterTargetArn"):
        if name not in found:
            raise _refused(text, f"Redrive policy does not contain mandatory attribute: {name}.")
    if len(found) > 2:
        raise _refused(text, "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].")
    receives = str(found["maxReceiveCount"])
    if not re.fullmatch("[0-9]{1,4}", receives) or not 1 <= int(receives) <= _MAX_RECEIVES:
        reason = f"Invalid value for maxReceiveCount: {receives}, valid values are from 1 to 1000 both inclusive."
        raise _refused(text, reason)
    arn = found["deadLetterTargetArn"]
    if not isinstance(arn, str) or not _ARN.fullmatch(arn):
        raise _refused(text, "Invalid value for deadLetterTargetArn.")
    if arn.split(":")[2] != "sqs":
        raise _refused(text, "Only SQS queues are valid resources for deadLetterTargetArn.")
    return found | {"maxReceiveCount": int(receives)}


def allow_policy(text: str) -> Policy | None:
    """A redrive allow policy; None for an empty text, which takes it away.

    Raises `SQSException` as SQS refuses it.
    """
    if not text:
        return None
    unreadable = "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format."
    found = _map("RedriveAllowPolicy", text, unreadable)
    permission, sources = found.get("redrivePermission"), found.get("sourceQueueArns", [])
    if permission not in _PERMISSIONS or found.keys() - {"redrivePermission", "sourceQueueArns"}:
        raise _unreadable("RedriveAllowPolicy", unreadable)
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise _unreadable("RedriveAllowPolicy", unreadable)
    if (reason := _imbalance(permission, sources)) is not None:
        raise invalid_value("RedriveAllowPolicy", text, f"Amazon SQS can't create the redrive allow policy. {reason}")
    return found


def check_target(found: Policy, source_arn: str, target: Any) -> None:
    """Raise `SQSException` unless `target`, the queue that a redrive policy names, takes the source's dead letters."""
    text = json.dumps(found, separators=(",", ":"))
    if target is None:
        raise _refused(text, "Dead letter target does not exist.")
    if target.fifo_queue != source_arn.endswith(".fifo"):
        raise _refused(text, "Dead-letter queue must be same type of queue as the source.")
    allowed = getattr(target, "redrive_allow_policy", None) or {"redrivePermission": "allowAll"}
    if allowed["redrivePermission"] == "allowAll" or source_arn in allowed.get("sourceQueueArns", ()):
        return
    raise _refused(text, "The dead-letter queue's redrive allow policy does not let this source queue in.")


def _imbalance(permission: str, sources: list[str]) -> str | None:
    if sources and permission != "byQueue":
        return "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
    if permission == "byQueue" and not sources:
        return "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values."
    if len(sources) > _MAX_SOURCES:
        return f"The maximum number of source queue ARNs you can specify is {_MAX_SOURCES}."
    return None


def _map(parameter: str, text: str, otherwise: str) -> Policy:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _unreadable(parameter, otherwise)
    return found


def _unreadable(parameter: str, reason: str) -> SQSException:
    return invalid(f"Invalid value for the parameter {parameter}. Reason: {reason}")


def _refused(text: str, reason: str) -> SQSException:
    return invalid_value("RedrivePolicy", text, reason)
