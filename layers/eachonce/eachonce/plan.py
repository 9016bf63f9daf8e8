"""The cheapest plan that commits a work safely.

================================================================  =========================================
the work                                                          the plan
================================================================  =========================================
nothing                                                           none
one guarded write (`create`, `put(newer_than=)`), nothing else    that write; the item carries the event's mark
only published events, or only a result                           the journal row, events inside it
anything else                                                     one transaction: journal row, writes, checks
================================================================  =========================================

Everything here is pure: a plan is a value, and the committer carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum, auto
from typing import Any

import msgspec
from msgspec.structs import replace

from eachonce.errors import WorkError, WorkTooLargeError
from eachonce.journal import TABLE, Mark, State
from eachonce.work import CREATED_BY, WRITTEN_BY, Add, Address, Create, Item, Put, Work, Write, newer_by

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
MAX_OPERATIONS = 100
MAX_BYTES = 4 * 1024 * 1024
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAX_ITEM_BYTES = 400 * 1024
MAX_EXPRESSION_BYTES = 4 * 1024
_MAX_LEVELS = 32

Encode = Callable[[Any], Mapping[str, Any]]


class Guard(Enum):
    """What an operation's condition protects, which tells what its failure means; the first to fail speaks for all."""

    JOURNAL = auto()  # the event is not done yet
    REVISION = auto()  # the item is as it was read
    CREATE = auto()  # the item does not exist
    NEWER = auto()  # the item is older
    NONE = auto()


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation on one item, in the shape of TransactWriteItems."""

    verb: str
    request: dict[str, Any]
    guard: Guard
    address: Address
    expected: str | None = None  # the item's revision as read
    newer_than: str | None = None
    when_late: Operation | None = None  # what is left when the write comes too late: the check of what was read
    by: str = ""  # the mark of the event that writes
    write: Write | None = None  # what is written, where it depends on nothing that was read
    size_bytes: int = 0  # of the whole plan, told by its first operation


Plan = tuple[Operation, ...]


def plan(
    work: Work, mark: Mark, row: Mapping[str, Any], *, fence: str | None, table: Callable[[str], str], encode: Encode
) -> Plan:
    """Return the operations that commit `work`, the journal's first; none where there is nothing to do.

    `row` is the journal row to write and `fence` the claim that it must still hold; `table` gives a table's physical
    name, and `encode` DynamoDB's form of a value. Raises WorkError for what DynamoDB would never take.
    """
    size_bytes = _checked_size_bytes(work, row)
    build = _Builder(mark, table, encode)
    writes = [build.write(address, write, work.reads) for address, write in work.writes.items()]
    checks = [build.check(address, work.reads[address]) for address in work.reads if address not in work.writes]
    leaves_a_trace = bool(work.published) or work.result is not None or fence is not None
    if not leaves_a_trace and not writes:
        return ()
    if not leaves_a_trace and not checks and len(writes) == 1 and writes[0].guard in {Guard.CREATE, Guard.NEWER}:
        return (replace(writes[0], size_bytes=size_bytes),)
    return (build.journal(row, fence, size_bytes), *writes, *checks)


def sum_of(operation: Operation, amounts: Mapping[str, int | Decimal], encode: Encode) -> Operation:
    """Return an add of these amounts in the place of one of them, as the same event's."""
    expression = _Expression()
    expression.add(amounts)
    expression.set({WRITTEN_BY: operation.by})
    request = {
        "TableName": operation.request["TableName"],
        "Key": operation.request["Key"],
        "ExpressionAttributeNames": expression.names,
        "ExpressionAttributeValues": {name: encode(value) for name, value in expression.values.items()},
        "UpdateExpression": expression.update(),
    }
    return replace(operation, request=request)


def _checked_size_bytes(work: Work, row: Mapping[str, Any]) -> int:
    """Refuse what DynamoDB would refuse, in words that say what to do about it; return about how large the work is."""
    touched = 1 + len(work.reads.keys() | work.writes.keys())
    if touched > MAX_OPERATIONS:
        raise WorkTooLargeError(
            f"the work touches {touched} items and a transaction holds {MAX_OPERATIONS}: split the event"
        )
    sizes = [_size_bytes(row), *map(_size_bytes, map(_attributes, work.writes.values()))]
    if max(sizes) > MAX_ITEM_BYTES:
        raise WorkTooLargeError(
            f"an item has {max(sizes):,} bytes and DynamoDB holds {MAX_ITEM_BYTES:,}: split the event"
        )
    if sum(sizes) > MAX_BYTES:
        raise WorkTooLargeError(
            f"the work has {sum(sizes):,} bytes and a transaction holds {MAX_BYTES:,}: split the event"
        )
    return sum(sizes)


def _attributes(write: Write) -> Item:
    return write.amounts if isinstance(write, Add) else write.attributes


def _size_bytes(value: Any, level: int = 0) -> int:
    """Return about how many bytes DynamoDB counts for a value: its text, its bytes, and its names."""
    if level > _MAX_LEVELS + 1:  # AWS's pages don't say whether the attribute itself is one of them
        raise WorkError(f"a value nests too deeply: DynamoDB takes {_MAX_LEVELS} levels")
    if isinstance(value, str):  # nearly all are this, or the next
        return len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
    if isinstance(value, int):
        return 1
    match value:
        case bytes():
            return len(value)
        case Mapping():
            return sum(map(_size_bytes, value)) + sum(_size_bytes(inner, level + 1) for inner in value.values())
        case list() | tuple() | set():
            return sum(_size_bytes(inner, level + 1) for inner in value)
    return 1


class _Builder(msgspec.Struct, frozen=True):
    mark: Mark
    table: Callable[[str], str]
    encode: Encode

    def journal(self, row: Mapping[str, Any], fence: str | None, size_bytes: int) -> Operation:
        condition = (
            "attribute_not_exists(pk) OR #state <> :done" if fence is None else "#state <> :done AND fence = :fence"
        )
        values = {":done": State.DONE.value} | ({} if fence is None else {":fence": fence})
        request = {
            "TableName": self.table(TABLE),
            "Item": self._encoded(row),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": self._encoded(values),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return Operation(
            verb="Put",
            request=request,
            guard=Guard.JOURNAL,
            address=Address.of(TABLE, {"pk": self.mark.pk}),
            size_bytes=size_bytes,
        )

    def check(self, address: Address, revision: str | None) -> Operation:
        expression = _Expression()
        request = self._request(address, expression, expression.is_at(revision, address))
        return Operation(
            verb="ConditionCheck", request=request, guard=Guard.REVISION, address=address, expected=revision
        )

    def write(self, address: Address, write: Write, reads: Mapping[Address, str | None]) -> Operation:
        match write:
            case Create():
                return self.create(address, write, reads)
            case Put(newer_than=str()):
                return self.put_newer(address, write, reads)
        expression = _Expression()
        if isinstance(write, Add):
            expression.add(write.amounts)
        else:
            expression.set(write.attributes)
        return self._update(address, expression, [], reads, guard=Guard.NONE, write=write)

    def create(self, address: Address, write: Create, reads: Mapping[Address, str | None]) -> Operation:
        """A put of the whole item: what it is made of is no expression, and so has no limit but the item's."""
        expression = _Expression()
        conditions = [expression.is_at(None, address), *_still_read(expression, address, reads)]
        marks = {CREATED_BY: str(self.mark), WRITTEN_BY: str(self.mark)}
        item = {name: value for name, value in write.attributes.items() if value is not None}
        request = self._request(address, expression, _all(conditions))
        del request["Key"]
        request["Item"] = self._encoded({**dict(address.key), **item, **marks})
        return Operation(
            verb="Put",
            request=request,
            guard=Guard.REVISION if address in reads else Guard.CREATE,
            address=address,
            expected=reads.get(address),
        )

    def put_newer(self, address: Address, write: Put, reads: Mapping[Address, str | None]) -> Operation:
        expression, newer_than = _Expression(), str(write.newer_than)
        expression.set({**write.attributes, newer_by(newer_than): str(self.mark)})
        newer = expression.is_newer(newer_than, write.attributes[newer_than], self.mark)
        when_late = self.check(address, reads[address]) if address in reads else None
        operation = self._update(address, expression, [newer], reads, guard=Guard.NEWER, write=write)
        return replace(operation, newer_than=newer_than, when_late=when_late)

    def _update(
        self,
        address: Address,
        expression: _Expression,
        conditions: Sequence[str],
        reads: Mapping[Address, str | None],
        *,
        guard: Guard,
        write: Write,
    ) -> Operation:
        expression.set({WRITTEN_BY: str(self.mark)})
        request = self._request(address, expression, _all([*conditions, *_still_read(expression, address, reads)]))
        request["UpdateExpression"] = update = expression.update()
        if len(update) > MAX_EXPRESSION_BYTES:
            raise WorkTooLargeError(
                f"{address.table}: a change of so many attributes is an expression of {len(update):,} bytes, and "
                f"DynamoDB takes {MAX_EXPRESSION_BYTES:,}: keep them in one attribute, a map, or split the event"
            )
        read = address in reads
        return Operation(
            verb="Update",
            request=request,
            guard=Guard.REVISION if read else guard,
            address=address,
            expected=reads.get(address),
            by=str(self.mark),
            write=None if read else write,
        )

    def _request(self, address: Address, expression: _Expression, condition: str) -> dict[str, Any]:
        request = {
            "TableName": self.table(address.table),
            "Key": self._encoded(dict(address.key)),
            "ExpressionAttributeNames": expression.names,
        }
        if expression.values:
            request["ExpressionAttributeValues"] = self._encoded(expression.values)
        if condition:
            request["ConditionExpression"] = condition
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return request

    def _encoded(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.encode(value) for name, value in item.items()}


def _still_read(expression: _Expression, address: Address, reads: Mapping[Address, str | None]) -> list[str]:
    return [expression.is_at(reads[address], address)] if address in reads else []


def _all(conditions: Sequence[str]) -> str:
    return " AND ".join(f"({condition})" for condition in conditions)


class _Expression:
    """DynamoDB expressions with every name and value behind a placeholder, so that no name is a reserved word.

    Placeholders are numbered in order of use, so that works of one shape have one text.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}
        self._placeholders: dict[str, str] = {}
        self._clauses: dict[str, list[str]] = {"SET": [], "REMOVE": [], "ADD": []}

    def set(self, attributes: Mapping[str, Any]) -> None:
        for attribute, value in attributes.items():
            if value is None:
                self._clauses["REMOVE"].append(self._name(attribute))
            else:
                self._clauses["SET"].append(f"{self._name(attribute)} = {self._value(value)}")

    def add(self, amounts: Mapping[str, Any]) -> None:
        self._clauses["ADD"] += [
            f"{self._name(attribute)} {self._value(amount)}" for attribute, amount in amounts.items()
        ]

    def is_at(self, revision: str | None, address: Address) -> str:
        """The item is as it was read: absent, or last written by `revision` (none of ours where that is empty)."""
        if revision is None:
            return f"attribute_not_exists({self._name(address.key[0][0])})"
        if revision == "":
            return f"attribute_not_exists({self._name(WRITTEN_BY)})"
        return f"{self._name(WRITTEN_BY)} = {self._value(revision)}"

    def is_newer(self, attribute: str, value: Any, mark: Mark) -> str:
        """The item's attribute is smaller; equal values are ordered by mark, so that any order of arrival ends alike.

        A reused event id is no news, whatever it says.
        """
        old, new = self._name(attribute), self._value(value)
        by, ours = self._name(newer_by(attribute)), self._value(str(mark))
        newer = f"{old} < {new} OR ({old} = {new} AND {by} < {ours})"
        reused = f"begins_with({by}, {self._value(mark.prefix)})"
        return f"attribute_not_exists({old}) OR (({newer}) AND NOT {reused})"

    def update(self) -> str:
        """Return the update expression."""
        return " ".join(f"{verb} {', '.join(parts)}" for verb, parts in self._clauses.items() if parts)

    def _name(self, attribute: str) -> str:
        placeholder = self._placeholders.setdefault(attribute, f"#n{len(self.names)}")
        self.names[placeholder] = attribute
        return placeholder

    def _value(self, value: Any) -> str:
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        return placeholder
