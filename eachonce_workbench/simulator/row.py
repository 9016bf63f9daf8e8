"""A row of the journal, as the watch reads it: what the layer says of an event at a consumer."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Self

import msgspec
from eachonce.journal import State, read_key

_FINAL = frozenset({State.DONE, State.REJECTED})


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a row; `errors` are names and reasons of failures, and `begun` the starts that haven't ended."""

    pk: str
    state: str | None = None
    fingerprint: str | None = None
    attempts: int = 0
    errors: tuple[tuple[str, str], ...] = ()
    first_seen: str | None = None
    begun: frozenset[str] = frozenset()
    fence: str | None = None
    lease_until: int = 0
    uncertain: bool = False
    reason: str | None = None
    done_at: str | None = None
    rejected_at: str | None = None
    expires_at: int = 0
    outbox: bytes | None = None

    @classmethod
    def of(cls, item: Any) -> Self | None:
        """Read an item of the store's stream; None for none, and for a row that is no event's, as a breaker's."""
        attributes = None if item is None else item.attrs
        if attributes is None or "fingerprint" not in attributes:
            return None
        named = {name: read(attributes[name].value) for name, read in _READ.items() if name in attributes}
        return cls(**named)

    @property
    def consumer(self) -> str:
        """Whose row it is."""
        return read_key(self.pk)[0]

    @property
    def event_id(self) -> str:
        """The id of its event, or the digest that stands for it."""
        return read_key(self.pk)[2]

    @property
    def final(self) -> bool:
        """Whether the event has its end here, one way or the other."""
        return self.state in _FINAL

    @property
    def done(self) -> bool:
        """Whether the event is committed."""
        return self.state == State.DONE

    @property
    def started(self) -> bool:
        """Whether a handler is under way, as far as the journal knows."""
        return self.state == State.STARTED


def lease_until(fence: str) -> int:
    """Return when the lease of a start is over, in milliseconds since 1970: its name says it."""
    return int(fence.partition("-")[0])


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else base64.b64decode(value)


def _errors(values: Any) -> tuple[tuple[str, str], ...]:
    return tuple(_error(_plain(value)) for value in values)


def _error(said: Mapping[str, Any]) -> tuple[str, str]:
    return str(_plain(said.get("error", ""))), str(_plain(said.get("reason", "")))


def _plain(value: Any) -> Any:
    """Return what an attribute inside another one holds."""
    return getattr(value, "value", value)


_READ: Mapping[str, Any] = {
    "pk": str,
    "state": str,
    "fingerprint": str,
    "attempts": int,
    "errors": _errors,
    "first_seen": str,
    "begun": frozenset,
    "fence": str,
    "lease_until": int,
    "uncertain": bool,
    "reason": str,
    "done_at": str,
    "rejected_at": str,
    "expires_at": int,
    "outbox": _bytes,
}
