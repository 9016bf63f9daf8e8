"""One batch of a stream, and what is left of it after an invocation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from eachonce_workbench.cloud.mappings.batch_response import BatchResponseError, failed_items
from eachonce_workbench.cloud.mappings.batches import Record

if TYPE_CHECKING:
    from eachonce_workbench.cloud.functions.runtime import Invocation
    from eachonce_workbench.template.topology import StreamMapping

_FIRST_PAUSE_SECONDS = 0.1
_MOST_DOUBLINGS = 7  # to 12.8 seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records to hand over together, and how often that went wrong.

    `failures` are those that the mapping's retries are spent on; a throttle is only one of its `invocations`. `last` is
    how the last of them ended.
    """

    records: Sequence[Record]
    failures: int = 0
    invocations: int = 0
    last: Invocation | None = None

    @property
    def pause_seconds(self) -> float:
        """How long to wait before the next invocation: nothing at first, then twice as long each time."""
        if self.invocations == 0:
            return 0.0
        return float(_FIRST_PAUSE_SECONDS * 2 ** min(self.invocations - 1, _MOST_DOUBLINGS))

    def exhausted(self, mapping: StreamMapping) -> bool:
        """Whether `mapping` allows no other try."""
        return mapping.max_retries is not None and self.failures > mapping.max_retries

    def after(self, invocation: Invocation, mapping: StreamMapping) -> list[Batch]:
        """Return what is still to be handed over, in order, once the batch was.

        Throttles cost no retry (https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html), nor does a
        split. A report checkpoints at the lowest sequence number that failed, and all after it comes again
        (https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
        """
        if invocation.status == "throttled":
            return [replace(self, invocations=self.invocations + 1, last=invocation)]
        done = self._done(invocation, mapping)
        rest = self.records[done:]
        if not rest:
            return []
        if mapping.bisect and len(self.records) > 1:
            return [Batch(records=rest)] if done else _halves(rest)
        if done:
            return [Batch(records=rest, failures=1, invocations=1, last=invocation)]
        return [replace(self, failures=self.failures + 1, invocations=self.invocations + 1, last=invocation)]

    def _done(self, invocation: Invocation, mapping: StreamMapping) -> int:
        """Return how many records at the front need no other try."""
        if not invocation.ok:
            return 0
        if not mapping.report_failures:
            return len(self.records)
        numbers = [sequence_number(record) for record in self.records]
        try:
            failed = failed_items(invocation.payload, set(numbers))
        except BatchResponseError:
            return 0
        return min((numbers.index(number) for number in failed), default=len(numbers))


def sequence_number(record: Record) -> str:
    """Return what identifies a record within its shard."""
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def created_at(record: Record) -> float:
    """Return when a record's change was made, in seconds since the epoch."""
    seconds: float = record["dynamodb"]["ApproximateCreationDateTime"]
    return seconds


def _halves(records: Sequence[Record]) -> list[Batch]:
    middle = len(records) // 2
    return [Batch(records=records[:middle]), Batch(records=records[middle:])]
