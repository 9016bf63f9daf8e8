"""What tables, queues and buckets hold, as a value: for the next local cloud, in this process or in one to come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from eachonce_workbench.cloud.store.queues.message import Message
from eachonce_workbench.cloud.store.tables.attributes import Wire

FORMAT = 1


class KeptError(ValueError):
    """These bytes are nothing that was kept, or not by this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptChange:
    """A record of a stream that isn't done with; `at` is in seconds since the epoch."""

    id: str
    at: float
    old: dict[str, Wire] | None
    new: dict[str, Wire] | None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTable:
    """A table's items by its key, and its stream from the first record that isn't done with.

    `unread` is how many of the last records each function has not done with, by its logical id.
    """

    key: dict[str, str]
    items: list[dict[str, Wire]]
    changes: list[KeptChange] = field(default_factory=list)
    unread: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptQueue:
    """A queue's messages, and those that a FIFO queue has seen of late: group, deduplication id, when, message id."""

    fifo: bool
    messages: list[Message]
    recent: list[tuple[str | None, str, float, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptObject:
    """The newest version of a bucket's object; `metadata` has its content type and its like, too."""

    key: str
    value: bytes
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An archive's event as JSON text, and when it came, in seconds since the epoch."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Tables, queues, buckets and archives by their names.

    `switched` are the event source mappings, by their UUID, that are on or off against what the template says.
    """

    tables: dict[str, KeptTable] = field(default_factory=dict)
    queues: dict[str, KeptQueue] = field(default_factory=dict)
    buckets: dict[str, list[KeptObject]] = field(default_factory=dict)
    format: int = FORMAT
    switched: dict[str, bool] = field(default_factory=dict)
    archives: dict[str, list[KeptEvent]] = field(default_factory=dict)

    def encoded(self) -> bytes:
        """Give it as MessagePack, which knows binary values."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decoded(cls, text: bytes) -> Kept:
        """Read it. Raises KeptError."""
        try:
            told = msgspec.msgpack.decode(text, type=dict[str, Any])
            if told.get("format") != FORMAT:
                raise KeptError(f"it has the format {told.get('format')}, and this version reads {FORMAT}")
            return msgspec.convert(told, cls)
        except msgspec.MsgspecError as error:
            raise KeptError(str(error)) from error
