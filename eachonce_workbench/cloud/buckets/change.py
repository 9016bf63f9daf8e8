"""A change of an object, and how S3 tells it: to queues, topics and functions, or to EventBridge.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and ev-events.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Post": "POST Object",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}
_DETAIL_TYPES = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectAcl": "Object ACL Updated",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
}
_DELETIONS = {
    "ObjectRemoved:Delete": "Permanently Deleted",
    "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}
_CALLER = "127.0.0.1"  # nobody else can call
_OWNER = "LOCAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to one object; `event` is S3's name of it, such as "ObjectCreated:Put"."""

    event: str
    bucket: str
    bucket_arn: str
    key: str
    size_bytes: int | None
    etag: str | None
    version_id: str | None
    sequence: int
    request_id: str
    region: str
    account_id: str
    at: float

    @property
    def sequencer(self) -> str:
        """What orders the changes of one key: the greater one is the later."""
        return f"{self.sequence:018X}"

    @property
    def detail_type(self) -> str | None:
        """EventBridge's name of it; None for what EventBridge isn't told."""
        return _DETAIL_TYPES.get(self.event, _DETAIL_TYPES.get(self.event.partition(":")[0]))

    def notification(self, configuration_id: str) -> str:
        """The message (JSON) for a queue, a topic or a function; its key is written as in a URL's query."""
        stored = None if self.event.startswith("ObjectRemoved") else self.size_bytes
        about = {
            "key": quote_plus(self.key, safe="/"),
            "size": stored,
            "eTag": None if stored is None else self.etag,
            "versionId": self.version_id,
            "sequencer": self.sequencer,
        }
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.region,
            "eventTime": self._time(),
            "eventName": self.event,
            "userIdentity": {"principalId": f"AWS:{_OWNER}"},
            "requestParameters": {"sourceIPAddress": _CALLER},
            "responseElements": {"x-amz-request-id": self.request_id, "x-amz-id-2": self.request_id},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": configuration_id,
                "bucket": {"name": self.bucket, "ownerIdentity": {"principalId": _OWNER}, "arn": self.bucket_arn},
                "object": _known(about),
            },
        }
        return json.dumps({"Records": [record]})

    def detail(self) -> dict[str, Any]:
        """The detail of EventBridge's event."""
        removed = self.event.startswith("ObjectRemoved")
        about = {
            "key": self.key,
            "size": self.size_bytes if self.event.startswith("ObjectCreated") else None,
            "etag": None if removed else self.etag,
            "version-id": self.version_id,
            "sequencer": self.sequencer,
        }
        return _known(
            {
                "version": "0",
                "bucket": {"name": self.bucket},
                "object": _known(about),
                "request-id": self.request_id,
                "requester": self.account_id,
                "source-ip-address": _CALLER,
                "reason": _REASONS.get(self.event),
                "deletion-type": _DELETIONS.get(self.event),
            }
        )

    def _time(self) -> str:
        return datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
