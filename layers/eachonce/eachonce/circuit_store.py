"""The store of breakers' states, which workers share: rows of the journal's table, in the form of Powertools' breaker.

Powertools' layer has the states, the cache of each worker and the election of who tries. Here is what makes it right
under calls that come late: a breaker is opened only over one that is closed, and closed, or opened again, only by the
worker whose try it was.

This module is imported where a breaker is used: Powertools' own imports boto3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from types import SimpleNamespace

from aws_lambda_powertools.utilities.circuit_breaker import CircuitBreakerConfig, CircuitState
from aws_lambda_powertools.utilities.circuit_breaker.persistence import (
    CircuitBreakerDynamoDBPersistence,
    CircuitStateRecord,
)

from eachonce.aws import Aws
from eachonce.breaker import CACHE_SECONDS
from eachonce.errors import EachonceError
from eachonce.journal import TABLE
from eachonce.refusal import code_of
from eachonce.work import Item
from eachonce.writer import Writer

_CLOSED_OR_FORGOTTEN = "attribute_not_exists(pk) OR #state = :closed OR expires_at <= :now"
_OURS = "half_open_owner = :owner"


class CircuitStore(CircuitBreakerDynamoDBPersistence):
    """Powertools' persistence in the journal's table, by the layer's own clients.

    A state that can't be read counts as closed; `failed` is told AWS's word for why. What can't be written, or is not
    this worker's to write, raises botocore's errors.
    """

    def __init__(
        self,
        aws: Aws,
        writer: Writer,
        *,
        failed: Callable[[str], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        client = aws.dynamodb
        bare = SimpleNamespace(put_item=client.put_item, update_item=client.update_item)
        super().__init__(writer.table(TABLE), key_attr="pk", expiry_attr="expires_at", boto3_client=bare)
        self._writer = writer
        self._clock = clock
        self._failed = failed
        self._owners: dict[str, str] = {}

    def lasts(self, name: str, time: timedelta) -> None:
        """Say for how long the next election's winner has to end; a row is forgotten an hour after that."""
        config = CircuitBreakerConfig(recovery_timeout=ceil(time.total_seconds()), local_cache_max_age=CACHE_SECONDS)
        self.configure(config, name)

    def elect(self, name: str, owner: str, opened_at: int) -> bool:
        """Return whether `owner`, a name for this try alone, is the one that tries."""
        elected = self.try_acquire_half_open(name, owner, opened_at)
        if elected:
            self._owners[name] = owner
        return elected

    def forget(self, name: str) -> None:
        """Keep nothing of a breaker that nobody here asks for any more."""
        with self._lock:
            del self._settings[name]
        self._owners.pop(name, None)

    def _get_record(self, name: str) -> CircuitStateRecord | None:
        try:
            found = self._writer.fetch_all(TABLE, [{"pk": name}])
        except EachonceError as error:
            self._failed(getattr(error, "code", type(error).__name__))
            return None
        record = self._record_of(found[0]) if found else None
        forgotten = record is not None and (record.expiry_timestamp or 0) <= self._now()
        return None if forgotten else record

    def _put_record(
        self, record: CircuitStateRecord, condition: str | None = None, expected_opened_at: int | None = None
    ) -> None:
        if condition is not None:
            super()._put_record(record, condition, expected_opened_at)
            return
        values = {":closed": self._s(CircuitState.CLOSED.value), ":now": self._n(self._now())}
        with _unless_open():
            self.client.put_item(
                TableName=self.table_name,
                Item=self._record_to_item(record),
                ConditionExpression=_CLOSED_OR_FORGOTTEN,
                ExpressionAttributeNames={"#state": self.state_attr},
                ExpressionAttributeValues=values,
            )

    def _update_record(self, record: CircuitStateRecord) -> None:
        request = self._build_update_query(record)
        request["ConditionExpression"] = _OURS
        request["ExpressionAttributeValues"][":owner"] = self._s(self._owners.get(record.name, "nobody"))
        self.client.update_item(**request)  # refused, it raises: what isn't written is nothing to go by

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _record_of(self, row: Item) -> CircuitStateRecord:
        """Return what a worker goes by of a row; how often it failed, and who tries, is for people and conditions."""
        lease, opened_at = row.get(self.probe_lease_expiry_attr), row.get(self.opened_at_attr)
        return CircuitStateRecord(
            name=row["pk"],
            state=CircuitState(row[self.state_attr]),
            opened_at=None if opened_at is None else int(opened_at),
            probe_lease_expiry=None if lease is None else int(lease),
            expiry_timestamp=int(row[self.expiry_attr]),
        )


@contextmanager
def _unless_open() -> Iterator[None]:
    """Let go of an opening whose condition doesn't hold: another worker has opened it, and the next read tells when."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if code_of(error) != "ConditionalCheckFailedException":
            raise
