"""The buckets: moto stores the objects, in this process, and each change of one is told.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from eachonce_workbench.cloud.buckets.change import Change
from eachonce_workbench.cloud.loopback import is_loopback
from eachonce_workbench.cloud.store.protocol import Response
from eachonce_workbench.cloud.store.services import answered
from eachonce_workbench.template.topology import Topology

if TYPE_CHECKING:
    from eachonce_workbench.cloud.buckets.backend import Backend
    from eachonce_workbench.cloud.request import Request
    from eachonce_workbench.cloud.store.kept import KeptObject

MAX_OBJECT_BYTES = 1024 * 1024 * 1024
"""What one request may bring: S3 takes five times as much, which would be this machine's memory."""

_AMAZON = ".amazonaws.com"
# What a call to change nothing else says in its query string.
_BY_QUERY = {"ObjectTagging": "tagging", "ObjectAcl": "acl"}


class Buckets:
    """The buckets of one topology. Not for threads."""

    def __init__(
        self,
        topology: Topology,
        *,
        notify: Callable[[Change], None],
        clock: Callable[[], float],
        kept: Mapping[str, list[KeptObject]],
    ) -> None:
        """Take the buckets' topology, whom to tell of each change, and what the buckets begin with."""
        self._topology = topology
        self._notify = notify
        self._kept = kept
        self._clock = clock
        self._changes = 0
        self._backend: Backend | None = None
        self._query = ""

    def answer(self, request: Request) -> Response:
        """Answer one request, in either of S3's ways to name a bucket: in the host, or first in the path."""
        self._make()
        from moto.core.request import Request as MotoRequest
        from moto.s3.responses import S3Response

        self._query = request.query
        bucket, key = _named(request)
        path = "/" + quote(f"{bucket}/{key}" if key else bucket, safe="/~")
        url = f"http://localhost{path}" + (f"?{request.query}" if request.query else "")
        region = self._topology.region
        headers = request.headers | {
            "host": "localhost",
            "x-moto-account-id": self._topology.account_id,
            "authorization": f"AWS4-HMAC-SHA256 Credential=local/20000101/{region}/s3/aws4_request",
        }
        asked = MotoRequest.from_primitives(request.method, url, headers, request.body)
        dispatch: Any = S3Response.key_dispatch if key else S3Response.bucket_dispatch
        return answered(lambda: dispatch(asked, url, headers))

    def keep(self) -> dict[str, list[KeptObject]]:
        """Give what the template's buckets hold, the newest version of each object; after the end, too."""
        names = [bucket.name for bucket in self._topology.buckets]
        if self._backend is None:
            return {name: self._kept[name] for name in names if name in self._kept}
        return {name: list(self._backend.keep(name)) for name in names}

    def gone(self) -> Iterator[str]:
        """Tell, a line each, what was kept of buckets that the template has no more."""
        names = {bucket.name for bucket in self._topology.buckets}
        for name, objects in self._kept.items():
            if objects and name not in names:
                yield f"bucket {name}: it is no more in the template, and its {len(objects)} objects are gone"

    def _make(self) -> None:
        """Make the buckets when the first request comes: moto's S3 is a fifth of a second to import."""
        if self._backend is not None:
            return
        from moto.s3 import models, notifications

        from eachonce_workbench.cloud.buckets.backend import backend_of

        models.s3_backends.bucket_accounts.clear()
        models.events_send_notification = lambda *_, **__: None  # type: ignore[attr-defined]  # moto's own routing, which isn't used
        self._backend = backend = backend_of(self._topology, marked=self._marked)
        notifications.send_event = self._changed  # type: ignore[assignment]
        for bucket in self._topology.buckets:
            backend.create_bucket(bucket.name, self._topology.region)
            if bucket.versioned:
                backend.put_bucket_versioning(bucket.name, "Enabled")
            backend.give_back(bucket.name, self._kept.get(bucket.name, ()))

    def _changed(self, _account: str, event: str, bucket: Any, key: Any) -> None:
        """What moto calls after each change."""
        name = str(getattr(event, "value", event)).removeprefix("s3:")
        if not self._is_part(name):
            self._tell(name, bucket, key)

    def _is_part(self, event: str) -> bool:
        """Whether it is only a step of what was asked for, which S3 doesn't tell by itself and moto does."""
        if event == "ObjectCreated:Put":
            return self._backend is not None and self._backend.completing
        return not all(event.startswith(name) <= (query in self._query) for name, query in _BY_QUERY.items())

    def _marked(self, bucket: Any, marker: Any) -> None:
        self._tell("ObjectRemoved:DeleteMarkerCreated", bucket, marker)

    def _tell(self, event: str, bucket: Any, key: Any) -> None:
        self._changes += 1
        created = event.startswith("ObjectCreated")
        self._notify(
            Change(
                event=event,
                bucket=bucket.name,
                bucket_arn=bucket.arn,
                key=key.name,
                size_bytes=key.size if created else None,
                etag=None if event.startswith("ObjectRemoved") else key.etag.replace('"', ""),
                version_id=key.version_id if bucket.is_versioned else None,
                sequence=int(self._clock() * 1000) * 1000 + self._changes % 1000,
                request_id=uuid.uuid4().hex[:16].upper(),
                region=self._topology.region,
                account_id=self._topology.account_id,
                at=self._clock(),
            )
        )


def _named(request: Request) -> tuple[str, str]:
    """The bucket and the key that a request is about; nothing for the list of all buckets."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    bucket = bucket_in(host)
    path = request.path.removeprefix("/")
    if bucket:
        return bucket, path
    bucket, _, key = path.partition("/")
    return bucket, key


def bucket_in(host: str) -> str:
    """The bucket that a host names, or nothing.

    >>> bucket_in("photos.localhost"), bucket_in("photos.s3.eu-west-1.amazonaws.com"), bucket_in("127.0.0.1")
    ('photos', 'photos', '')
    """
    if host.endswith(".localhost"):
        return host.removesuffix(".localhost").removesuffix(".s3")
    if host.endswith(_AMAZON) and not is_loopback(host):
        return host.partition(".s3")[0] if ".s3" in host else ""
    return ""
