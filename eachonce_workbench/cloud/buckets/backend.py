"""moto's S3, told apart from it only by a change that moto tells nobody: that a delete marker was made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from moto.core.base_backend import AccountSpecificBackend
from moto.s3.models import FakeKey, S3Backend, s3_backends

from eachonce_workbench.cloud.store.forgetting import NotRemembered
from eachonce_workbench.cloud.store.kept import KeptObject
from eachonce_workbench.template.topology import Topology


class Backend(S3Backend):
    """The buckets of one account."""

    marked: Callable[[Any, Any], None]
    completing = False

    def complete_multipart_upload(self, *given: Any, **named: Any) -> Any:
        """Make an object of its parts, which moto tells of twice: as a Put, too."""
        self.completing = True
        try:
            return super().complete_multipart_upload(*given, **named)
        finally:
            self.completing = False

    def keep(self, bucket_name: str) -> Iterator[KeptObject]:
        """Give the objects of a bucket, the newest version of each."""
        for key in self.buckets[bucket_name].keys.values():
            if isinstance(key, FakeKey):
                metadata = {name: str(value) for name, value in key.metadata.items()}
                yield KeptObject(key=key.name, value=key.value, metadata=metadata)

    def give_back(self, bucket_name: str, objects: Iterable[KeptObject]) -> None:
        """Put objects where they were; nobody is told of them."""
        for each in objects:
            key = self.put_object(bucket_name, each.key, each.value, disable_notification=True)
            key.set_metadata(dict(each.metadata), replace=True)

    def delete_object(
        self,
        bucket_name: str,
        key_name: str,
        version_id: str | None = None,
        bypass: bool = False,  # noqa: FBT001, FBT002 - moto's signature
    ) -> tuple[bool, dict[str, Any]]:
        """Delete an object, or a version of it."""
        answer = super().delete_object(bucket_name, key_name, version_id=version_id, bypass=bypass)
        bucket = self.get_bucket(bucket_name)
        if version_id is None and bucket.is_versioned:
            self.marked(bucket, bucket.keys[key_name])
        return answer


def backend_of(topology: Topology, *, marked: Callable[[Any, Any], None]) -> Backend:
    """Put a new backend in the place of moto's, and return it."""
    # An object that is overwritten or deleted lets go of its file by itself: moto waits for its own end.
    FakeKey.__del__ = FakeKey.dispose  # type: ignore[method-assign]
    FakeKey.instances_tracked = NotRemembered()  # type: ignore[attr-defined]
    backend = Backend("aws", topology.account_id)
    backend.marked = marked
    regions: AccountSpecificBackend[Any] = AccountSpecificBackend(
        s3_backends.service_name, topology.account_id, S3Backend, use_boto3_regions=False, additional_regions=["aws"]
    )
    s3_backends[topology.account_id] = regions
    regions["aws"] = backend
    return backend
