"""What Amazon S3 says of its objects, as contracts: on the bus, and in notifications to queues and topics.

A bucket, a key and a sequencer tell one change of an object from any other. S3 delivers at least once, and in any
order; of two changes of one object the later has the greater sequencer, padded with zeros on the left to one length.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

from urllib.parse import unquote_plus

import msgspec

from eachonce.contract import Contract
from eachonce.description import describe


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket, by its name."""

    name: str


class Object(msgspec.Struct, frozen=True, kw_only=True, rename={"version_id": "version-id"}):
    """An object on the bus: its key is as it is."""

    key: str
    sequencer: str
    size: int | None = None
    etag: str | None = None
    version_id: str | None = None


class _Change(Contract, frozen=True, kw_only=True):
    bucket: Bucket
    object: Object
    reason: str | None = None


@describe(
    type="Object Created",
    source="aws.s3",
    identity=("bucket.name", "object.key", "object.sequencer"),
    subject="object.key",
)
class ObjectCreated(_Change, frozen=True, kw_only=True):
    """An object was made or replaced: EventBridge's event of it."""


@describe(
    type="Object Deleted",
    source="aws.s3",
    identity=("bucket.name", "object.key", "object.sequencer"),
    subject="object.key",
)
class ObjectDeleted(_Change, frozen=True, kw_only=True):
    """An object was deleted, or a marker says that it is: EventBridge's event of it."""


class NotedObject(msgspec.Struct, frozen=True, kw_only=True, rename={"etag": "eTag", "version_id": "versionId"}):
    """An object in a notification, in which its key is written as in a form."""

    key: str
    sequencer: str
    size: int | None = None
    etag: str | None = None
    version_id: str | None = None

    @property
    def name(self) -> str:
        """The key as it is: `red flower.jpg`, where the notification says `red+flower.jpg`."""
        return unquote_plus(self.key)


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification says of a bucket and an object in it."""

    bucket: Bucket
    object: NotedObject


class _Notification(Contract, frozen=True, kw_only=True, rename={"event_name": "eventName"}):
    event_name: str
    s3: Noted


@describe(
    type="ObjectCreated:*",
    source="aws:s3",
    identity=("s3.bucket.name", "s3.object.key", "s3.object.sequencer"),
    subject="s3.object.key",
)
class ObjectCreatedNotification(_Notification, frozen=True, kw_only=True):
    """An object was made or replaced: one record of a notification."""


@describe(
    type="ObjectRemoved:*",
    source="aws:s3",
    identity=("s3.bucket.name", "s3.object.key", "s3.object.sequencer"),
    subject="s3.object.key",
)
class ObjectRemovedNotification(_Notification, frozen=True, kw_only=True):
    """An object was deleted, or a marker says that it is: one record of a notification."""
