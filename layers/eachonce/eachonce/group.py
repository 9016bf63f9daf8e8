"""A group: the plans of several works, as one transaction.

Works that have nothing in common stand side by side. Where two of them touch one item, DynamoDB takes one operation for
both, and there is one that says the same in three cases: adds are summed, equal checks are one, and of several writes
that the newest wins the newest stands for all. What any of them has read, no other may write.

Everything here is pure; `group_commit.py` carries groups out.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, DecimalException, Inexact, Overflow
from typing import Any

import msgspec
from msgspec.structs import replace

from eachonce.plan import MAX_BYTES, MAX_OPERATIONS, Encode, Operation, Plan, sum_of
from eachonce.work import Add, Address, Put

# A sum that DynamoDB's 38 digits don't hold is nobody's to round.
_EXACT = Context(prec=38, traps=[Inexact, Overflow])

_LARGE = 10**38

# A sum of more is no expression of 4 KB any more.
_MOST_ATTRIBUTES = 100

Amounts = Mapping[str, int | Decimal]


class _Shared(msgspec.Struct, frozen=True):
    """One operation of the transaction, and the places of the works that want it.

    `amounts` is their sum, where it is more than the operation's own.
    """

    operation: Operation
    places: tuple[int, ...]
    amounts: Amounts | None = None


class Group:
    """Plans that one transaction may hold, in the order in which they came."""

    def __init__(self) -> None:
        self._shared: dict[Address, _Shared] = {}
        self._size_bytes = 0
        self._places = 0

    def __len__(self) -> int:
        return self._places

    def joined(self, plan: Plan) -> dict[Address, _Shared] | None:
        """Return the operations as they would be with this plan among them; None where it can't be."""
        joined: dict[Address, _Shared] = {}
        for operation in plan:
            shared = self._shared.get(operation.address)
            one = _Shared(operation, (self._places,)) if shared is None else _both(shared, operation, self._places)
            if one is None:
                return None
            joined[operation.address] = one
        return joined

    def holds(self, plan: Plan) -> bool:
        """Whether the transaction has room for this plan."""
        if not self._places:
            return True
        more = sum(operation.address not in self._shared for operation in plan)
        return len(self._shared) + more <= MAX_OPERATIONS and self._size_bytes + plan[0].size_bytes <= MAX_BYTES

    def add(self, plan: Plan) -> bool:
        """Take a plan in that there is room for; return whether it may be among the others."""
        joined = self.joined(plan)
        if joined is None:
            return False
        self._shared |= joined
        self._size_bytes += plan[0].size_bytes
        self._places += 1
        return True

    def operations(self, encode: Encode) -> Plan:
        """Return the transaction's operations."""
        return tuple(
            one.operation if one.amounts is None else sum_of(one.operation, one.amounts, encode)
            for one in self._shared.values()
        )

    def overtook(self, plan: Plan) -> bool:
        """Whether a plan that is one write alone has met a newer one, which stands for it."""
        only = plan[0]  # of what is alone in its plan, only such a write is ever shared with another's
        return len(plan) == 1 and self._shared[only.address].operation.by != only.by

    def wanted_by(self, operation: Operation) -> tuple[int, ...]:
        """Return the places, in the order in which they came, of the plans that an operation is for."""
        return self._shared[operation.address].places


def _both(shared: _Shared, operation: Operation, place: int) -> _Shared | None:
    """Return one operation that says the same as two works' on one item, one after the other; None if there is none."""
    places = (*shared.places, place)
    match shared.operation.write, operation.write:
        case Add(), Add(amounts):
            total = _sum(shared.operation.write.amounts if shared.amounts is None else shared.amounts, amounts)
            return None if total is None else _Shared(operation, places, total)
        case Put() as earlier, Put() as later:
            newest = _newest(shared.operation, earlier, operation, later)
            return None if newest is None else _Shared(newest, places)
    same = shared.operation.verb == operation.verb == "ConditionCheck"
    return replace(shared, places=places) if same and shared.operation.expected == operation.expected else None


def _sum(some: Amounts, more: Amounts) -> Amounts | None:
    names = some.keys() | more.keys()
    if len(names) > _MOST_ATTRIBUTES:
        return None
    if all(type(amount) is int for amount in (*some.values(), *more.values())):
        total = {name: some.get(name, 0) + more.get(name, 0) for name in sorted(names)}
        return total if all(-_LARGE < amount < _LARGE for amount in total.values()) else None
    try:
        return {name: _EXACT.add(Decimal(some.get(name, 0)), Decimal(more.get(name, 0))) for name in sorted(names)}
    except DecimalException:
        return None


def _newest(first: Operation, earlier: Put, second: Operation, later: Put) -> Operation | None:
    """Return the write that wins in either order, where it leaves nothing of the other; None where none does.

    Whatever the item is: if the newer of them is refused, so is the older, and if it isn't, all that the older would
    have set is set by the newer. An id that is used again is for the journal to tell.
    """
    named = str(first.newer_than)
    one, other = earlier.attributes[named], later.attributes.get(named)
    if first.newer_than != second.newer_than or _order(one) != _order(other) or _event(first) == _event(second):
        return None
    second_wins = (one, first.by) < (other, second.by)
    winner, loser = (later, earlier) if second_wins else (earlier, later)
    if not winner.attributes.keys() >= loser.attributes.keys():
        return None
    return second if second_wins else first


def _order(value: Any) -> type:
    """Return which of DynamoDB's orders a value is in."""
    match value:
        case str():
            return str
        case bytes() | bytearray():
            return bytes
    return Decimal


def _event(operation: Operation) -> str:
    """Return what the marks of one event have in common, whatever its content."""
    return operation.by.rpartition("#")[0]
