"""Poisoned records: messages that end, or fail, whatever reads their bodies, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eachonce_workbench.simulator import strand
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.worker import Killed

POISON_MARK = "eachonce-poison"
"""The attribute by which a message says that it is poison."""


class PoisonError(RuntimeError):
    """What a function fails with that reads a message on which it always fails."""


class Poisoned(dict[str, Any]):
    """A record of a batch whose body is poison; to look at anything else of it is harmless."""

    kind = DeliveryFault.POISON_FAILS

    @staticmethod
    def put_into(event: Any, kinds: Mapping[str, DeliveryFault]) -> Iterator[str]:
        """Put poisoned records in the place of those of a batch that bear one of these marks; yield their ids."""
        records = event.get("Records") if kinds and isinstance(event, dict) else None
        for place, record in enumerate(records if isinstance(records, list) else ()):
            kind = _kind(record, kinds)
            if kind is not None and records is not None:
                records[place] = poisoned = Poisoned(record)
                poisoned.kind = kind
                yield str(record.get("messageId"))

    def __getitem__(self, name: str) -> Any:
        self._touched(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return what is there under a name; the body has its price."""
        self._touched(name)
        return super().get(name, default)

    def _touched(self, name: str) -> None:
        if name != "body" or not strand.in_strand():
            return
        if self.kind is DeliveryFault.POISON_KILLS:
            strand.current().owner.kill()
            raise Killed
        raise PoisonError("simulated: this message always fails")


def _kind(record: Any, kinds: Mapping[str, DeliveryFault]) -> DeliveryFault | None:
    """Return what poison a record is, which says so by a resource of its event or by an attribute of its message."""
    said = f"{record.get('body')} {record.get('messageAttributes')}" if isinstance(record, dict) else ""
    return next((kind for mark, kind in kinds.items() if mark in said), None)
