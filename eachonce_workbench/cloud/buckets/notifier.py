"""Whom a bucket tells of a change: those that its NotificationConfiguration names.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html. The test
message that S3 sends when a configuration is made is not sent here: it is about no event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from eachonce_workbench.cloud.buckets.change import Change
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.post import Post, UndeliverableError
from eachonce_workbench.template.event_sources import Bucket, Notification


class Announce(Protocol):
    """Publishes an event of a service of AWS's own on the default bus."""

    def __call__(self, source: str, detail_type: str, detail: dict[str, Any], *, resources: list[str]) -> None:
        """Publish it."""
        ...


class Notifier:
    """Tells queues, topics, functions and EventBridge; each is told by itself, once."""

    def __init__(self, buckets: Mapping[str, Bucket], *, post: Post, announce: Announce, history: History) -> None:
        """Take the buckets by name, and what reaches those that are told."""
        self._buckets = buckets
        self._post = post
        self._announce = announce
        self._history = history

    def __call__(self, change: Change) -> None:
        """Tell of a change."""
        bucket = self._buckets.get(change.bucket)
        if bucket is None:
            return  # made by a call, and nobody has said whom it tells
        for notification in bucket.notifications:
            if _wants(notification, change):
                self._tell(bucket, notification, change)
        if bucket.tells_bus and change.detail_type is not None:
            self._history.record("notified", event_id=change.request_id, bucket=bucket.name, target_arn="aws.s3")
            self._announce("aws.s3", change.detail_type, change.detail(), resources=[change.bucket_arn])

    def _tell(self, bucket: Bucket, notification: Notification, change: Change) -> None:
        about = {"event_id": change.request_id, "bucket": bucket.name, "target_arn": notification.target_arn}
        self._history.record("notified", **about)
        try:
            self._post.send(notification.target_arn, change.notification(notification.id))
        except UndeliverableError as error:
            self._history.record("undelivered", **about, reason=error.code, message=error.message)
        else:
            self._history.record("delivered", **about)


def _wants(notification: Notification, change: Change) -> bool:
    return (
        change.key.startswith(notification.prefix)
        and change.key.endswith(notification.suffix)
        and any(_covers(event.removeprefix("s3:"), change.event) for event in notification.events)
    )


def _covers(wanted: str, event: str) -> bool:
    return event.startswith(wanted[:-1]) if wanted.endswith("*") else event == wanted
