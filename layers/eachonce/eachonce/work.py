"""Work: what a handler wants to happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from eachonce.errors import HandlerError, WorkError
from eachonce.model import is_model

Item = Mapping[str, Any]
Admit = Callable[["Address"], None]
"""Raises WorkError for an item that the event has no business with."""

# Attributes that the layer keeps on every item that it writes.
WRITTEN_BY = "written_by"  # the mark of the event that wrote the item last: the item's revision
CREATED_BY = "created_by"  # the mark of the event that created it


# Of a partition key; a sort key has half as much, and only DynamoDB knows which is which.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAX_KEY_BYTES = 2048

_NO_KEYS = (bool, type(None), list, tuple, set, frozenset, dict)


class Address(msgspec.Struct, frozen=True):
    """Where an item is: its table's logical name and its key, hashable."""

    table: str
    key: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, table: str, key: Item) -> Address:
        """Return the address of an item; raises WorkError when the key has no attribute or more than two."""
        if not 1 <= len(key) <= 2:
            raise WorkError(f"{table}: a key has one or two attributes, not {len(key)}")
        return cls(table, tuple(sorted(key.items())))

    def __str__(self) -> str:
        return f"{self.table} {dict(self.key)}"


class Create(msgspec.Struct, frozen=True):
    """The item comes into being; that it exists already is a reason to reject the event."""

    attributes: Item


class Put(msgspec.Struct, frozen=True):
    """The attributes take these values, where `newer_than` (an attribute's name) grows; None removes an attribute."""

    attributes: Item
    newer_than: str | None


class Add(msgspec.Struct, frozen=True):
    """The attributes grow by these amounts, from 0 where there is none yet."""

    amounts: Mapping[str, int | Decimal]


Write = Create | Put | Add


def revision_of(item: Item | None) -> str | None:
    """Return which event wrote the item last: None where there is no item, empty where the layer never wrote it."""
    return None if item is None else item.get(WRITTEN_BY, "")


def newer_by(attribute: str) -> str:
    """Return the name of the attribute that says which event gave `attribute` its value: it breaks ties."""
    return f"{attribute}_by"


class Work:
    """A unit of work: reads, writes and published events that take effect together, once, or not at all.

    A handler fills it and returns. Nothing happens before the commit, so a handler may run any number of times.
    """

    def __init__(
        self, fetch: Callable[[Address], Item | None], *, idempotency_key: str = "", admit: Admit | None = None
    ) -> None:
        """Make an empty work that reads through `fetch`, and touches what `admit` lets it."""
        self._fetch = fetch
        self._admit = admit
        self.idempotency_key = idempotency_key
        self.reads: dict[Address, str | None] = {}
        self.writes: dict[Address, Write] = {}
        self.published: list[Any] = []
        self.result: Any = None

    def read(self, table: str, key: Item) -> dict[str, Any] | None:
        """Return an item's attributes, or None; numbers come as Decimal.

        The commit fails, and the handler runs again, when another commit has changed the item by then: reads and
        writes of one work are serializable. Raises WorkError when this work has written the item already, or when no
        item can have this key, and AwsError when DynamoDB can't be asked.
        """
        address = self._address(table, key)
        if address in self.writes:
            raise WorkError(f"{_named(address)} is read after it was written: read first, the write happens at the end")
        item = self._fetch(address)
        self.reads.setdefault(address, revision_of(item))  # a second read may see what the first one did not
        return None if item is None else {name: value for name, value in item.items() if name not in _OWN}

    def create(self, table: str, key: Item, **attributes: Any) -> None:
        """Create an item that must not exist yet; where it does, the event is rejected."""
        self._write(self._address(table, key), Create(attributes))

    def put(self, table: str, key: Item, *, newer_than: str | None = None, **attributes: Any) -> None:
        """Set attributes of an item, whether or not it exists; attributes that are not named stay.

        With `newer_than`, the name of one of the attributes, the item changes only if that attribute grows: the last
        writer by that value wins, in whatever order the events come. Without it the item must have been read first,
        since the result would depend on the order of arrival: raises WorkError otherwise, and when the attribute is
        neither text nor number nor bytes. Events that put an item by the same `newer_than` set the same attributes;
        one that sets fewer leaves the others to whoever came before.
        """
        address = self._address(table, key)
        if newer_than is None and address not in self.reads:
            raise WorkError(
                f"{_named(address)} is put blindly: "
                "read it first, or say newer_than which attribute the last write wins"
            )
        if newer_than is not None and attributes.get(newer_than) is None:
            raise WorkError(f"{_named(address)} is put newer_than {newer_than}, which is not among its attributes")
        if newer_than is not None and not _has_order(attributes[newer_than]):
            kind = type(attributes[newer_than]).__name__
            grow = "only texts, numbers and bytes grow"
            raise WorkError(f"{_named(address)} is put newer_than {newer_than}, a {kind}: {grow}")
        self._write(address, Put(attributes, newer_than), own_note=newer_by(newer_than or ""))

    def add(self, table: str, key: Item, **amounts: int | Decimal) -> None:
        """Add amounts to numbers of an item, whether or not it exists; amounts added to one item sum up."""
        address = self._address(table, key)
        earlier = self.writes.pop(address) if isinstance(self.writes.get(address), Add) else None
        if isinstance(earlier, Add):
            amounts = {
                name: earlier.amounts.get(name, 0) + amounts.get(name, 0) for name in {**earlier.amounts, **amounts}
            }
        self._write(address, Add(amounts))

    def publish(self, data: Any) -> None:
        """Publish an event if, and only if, this work is committed; raises HandlerError when it has no contract."""
        if not is_model(type(data)):
            raise HandlerError(f"what is published is a contract, a dataclass or a model, not a {type(data).__name__}")
        self.published.append(data)

    def _address(self, table: str, key: Item) -> Address:
        address = _address(table, key)
        if self._admit is not None:
            self._admit(address)
        return address

    def _write(self, address: Address, write: Write, *, own_note: str = "") -> None:
        if address in self.writes:
            raise WorkError(f"{_named(address)} is written twice in one work: write it once")
        names = (own_note, *(write.amounts if isinstance(write, Add) else write.attributes))
        if reserved := _OWN.intersection(names):
            raise WorkError(f"{_named(address)}: the layer keeps the attribute {min(reserved)} itself")
        if parts := {name for name, _ in address.key}.intersection(names):
            raise WorkError(f"{_named(address)}: {min(parts)} is a part of the key, and can't be an attribute too")
        self.writes[address] = write


def _has_order(value: Any) -> bool:
    """Whether DynamoDB orders such values: texts, numbers and binaries, and nothing else."""
    return isinstance(value, str | int | Decimal | bytes | bytearray) and not isinstance(value, bool)


_OWN = frozenset({WRITTEN_BY, CREATED_BY})


def _address(table: str, key: Item) -> Address:
    """Return the address of an item; raises WorkError when no item can have this key."""
    for name, value in key.items():
        if isinstance(value, _NO_KEYS):
            raise WorkError(f"{table}: the key's {name} is a text, a number or bytes, not a {type(value).__name__}")
        if isinstance(value, str | bytes | bytearray):
            size = len(value.encode(errors="surrogatepass") if isinstance(value, str) else value)
            if not 1 <= size <= MAX_KEY_BYTES:
                raise WorkError(
                    f"{table}: the key's {name} has {size:,} bytes, and DynamoDB takes 1 to {MAX_KEY_BYTES:,}"
                )
    return Address.of(table, key)


def _named(address: Address) -> str:
    """Return which item it is, for many to read: without the values of its key."""
    return f"{address.table} by {', '.join(name for name, _ in address.key)}"
