"""Descriptions: what the events of a contract are called where they are published, and which of them is which.

A CloudEvents event says both itself. A plain event says neither: its contract does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from eachonce.errors import HandlerError
from eachonce.identity import Fields

T = TypeVar("T")

ENVELOPE: Final = "envelope"

_ATTRIBUTE = "__eachonce__"
_MAX_NAME = 256


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a contract's events.

    - `type`: what they are called: EventBridge's `detail-type`, S3's `eventName`; `ObjectCreated:*` is all of these
    - `source`: whose they are; None where anybody's are taken
    - `identity`: the paths of the data's fields that tell one from any other of its source and type, or "envelope", the
      id that its bus, topic or queue gave it; None where only CloudEvents tell
    - `subject`: the path of what one is about, where plain events are to have a lane
    - `person`: the path of whom its personal fields are about, whose key encrypts them; its subject, where it says none
    - `raw`: whether a body is the data alone
    - `plain`: whether they are published as plain EventBridge events, whose detail is the data alone
    """

    type: str
    source: str | None = None
    identity: str | Sequence[str] | None = None
    subject: str | None = None
    person: str | None = None
    raw: bool = False
    plain: bool = False

    def __post_init__(self) -> None:
        """Raise HandlerError where it says what can't be meant."""
        if self.identity is not None and self.identity != ENVELOPE:
            paths = (self.identity,) if isinstance(self.identity, str) else _tuple(self.identity)
            msgspec.structs.force_setattr(self, "identity", paths)
            _fields(paths)
        for name, value in (("type", self.type), ("source", self.source)):
            if value is not None and (not isinstance(value, str) or not 1 <= len(value) <= _MAX_NAME):
                raise HandlerError(f"the {name} of a contract's events is a text of 1 to {_MAX_NAME} characters")
        if self.raw and (self.source is None or self.identity is None):
            raise HandlerError(f"{self.type} is raw: its contract says source and identity, since no envelope does")
        if self.plain and self.fields is None:
            raise HandlerError(f"{self.type} is published plain: its contract says by which fields one is told")
        for path in (self.subject, self.person):
            if path is not None:
                _fields((path,))

    @property
    def fields(self) -> Fields | None:
        """The fields that are the identity; None where it is not in the data."""
        return _fields(self.identity) if isinstance(self.identity, tuple) else None


def describe(
    *,
    type: str | None = None,  # noqa: A002 - CloudEvents' own name
    source: str | None = None,
    identity: str | Sequence[str] | None = None,
    subject: str | None = None,
    person: str | None = None,
    raw: bool = False,
    plain: bool = False,
) -> Callable[[type[T]], type[T]]:
    """Return a decorator that says what a contract's events are called and where their identity lies.

    The contract is a Contract, a dataclass or a pydantic model, and stays the same class. Its subclasses are described
    alike, but for the type, which is a class's own: its name, unless it says another. Raises HandlerError when that
    can't be meant.

    >>> @describe(type="order.placed", source="shop", identity="order_id")
    ... class OrderPlaced(msgspec.Struct, frozen=True):
    ...     order_id: str
    >>> description_of(OrderPlaced).identity
    ('order_id',)
    """
    said = {
        "source": source,
        "identity": identity,
        "subject": subject,
        "person": person,
        "raw": raw,
        "plain": plain,
    }

    def decorate(contract: Any) -> Any:
        described = Description(type=contract.__name__ if type is None else type, **said)  # type: ignore[arg-type]
        setattr(contract, _ATTRIBUTE, described)
        return contract

    return decorate


def describing(contract: type[Any], **said: Any) -> Description:
    """Return what is said of a contract's events, with what is said here in its place; raises HandlerError."""
    try:
        return replace(description_of(contract), **said)
    except TypeError:
        known = ", ".join(sorted(name for name in Description.__struct_fields__))
        raise HandlerError(f"what is said of a contract's events is {known}, and not {', '.join(said)}") from None


def _tuple(paths: Any) -> tuple[str, ...]:
    if not isinstance(paths, Sequence):
        raise HandlerError(f"an identity is {ENVELOPE!r}, a path or several of them, and not a {type(paths).__name__}")
    return tuple(paths)


@cache
def _fields(paths: tuple[str, ...]) -> Fields:
    return Fields(paths)


def description_of(contract: type[Any]) -> Description:
    """Return what is said of a contract's events; nothing but their type, where nobody has described them."""
    described: Description | None = getattr(contract, _ATTRIBUTE, None)
    named = getattr(contract, "event_type", None)  # a Contract may say it in a way of its own
    event_type = type_name(contract) if named is None else named()
    return Description(type=event_type) if described is None else replace(described, type=event_type)


def type_name(contract: type[Any]) -> str:
    """Return the type of a contract's events: what was said of this very class, or its name."""
    own: Description | None = vars(contract).get(_ATTRIBUTE)
    return contract.__name__ if own is None else own.type
