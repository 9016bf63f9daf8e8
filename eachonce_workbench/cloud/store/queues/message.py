"""A message, and where it is in its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SYSTEM_ATTRIBUTES = (
    "AWSTraceHeader",
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "DeadLetterQueueSourceArn",
    "MessageDeduplicationId",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
    "SequenceNumber",
)

_SENDER = "AIDAIT2UOQQY3AUEKVGXU"


@dataclass(slots=True, kw_only=True)
class Message:
    """One message of one queue; times are seconds since the epoch, `attributes` and `system` are in the API's shape.

    It is visible, in flight (received, and neither deleted nor back), delayed (neither) or gone.
    """

    id: str
    body: str
    attributes: Mapping[str, Mapping[str, Any]]
    system: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    group_id: str | None = None
    deduplication_id: str | None = None
    sequence: int = 0
    sent_at: float = 0.0
    received_at: float = 0.0
    first_received_at: float | None = None
    receives: int = 0
    receipt: str = ""
    source_arn: str | None = None
    hidden_until: float = 0.0
    visible: bool = False
    in_flight: bool = False
    gone: bool = False

    def system_attributes(self) -> dict[str, str]:
        """What SQS says of the message beside what it carries; times are whole milliseconds.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html
        """
        known = {
            "ApproximateReceiveCount": str(self.receives),
            "SentTimestamp": str(int(self.sent_at * 1000)),
            "SenderId": _SENDER,
            "ApproximateFirstReceiveTimestamp": str(int((self.first_received_at or self.sent_at) * 1000)),
            "SequenceNumber": str(self.sequence) if self.sequence else None,
            "MessageGroupId": self.group_id,
            "MessageDeduplicationId": self.deduplication_id,
            "DeadLetterQueueSourceArn": self.source_arn,
            "AWSTraceHeader": self.system.get("AWSTraceHeader", {}).get("StringValue"),
        }
        return {name: value for name, value in known.items() if value is not None}
