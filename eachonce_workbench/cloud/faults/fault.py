"""The faults of calls: what can go wrong with one AWS call of a function."""

from __future__ import annotations

from enum import StrEnum

from eachonce_workbench.cloud.faults.call_site import CALL_SITES


class CallFault(StrEnum):
    """What goes wrong with one AWS call of a function."""

    REFUSED = "refused before"  # a 500, and nothing happened
    THROTTLED = "throttled"  # AWS asks to slow down, and nothing happened
    CONFLICT = "conflict"  # another transaction has the item, and nothing happened
    PARTIAL = "partly done"  # some entries of a batch call failed, or some keys were left
    LOST = "answer lost"  # it happened, and nobody was told
    KILLED_BEFORE = "killed before"  # the worker ended, and nothing happened
    KILLED_AFTER = "killed after"  # it happened, and the worker ended
    LATE = "late"  # the worker waited until it was ended, and it happened after that


PASSING = frozenset({CallFault.REFUSED, CallFault.THROTTLED, CallFault.CONFLICT, CallFault.PARTIAL})
"""The faults of which whoever asked is told, and after which it may ask again."""

DEADLY = frozenset({CallFault.KILLED_BEFORE, CallFault.KILLED_AFTER, CallFault.LATE})

_READS = frozenset(
    {
        "GetItem",
        "BatchGetItem",
        "Decrypt",
        "GenerateDataKey",
        "GetSecretValue",
        "GetParameter",
        "GetParametersByPath",
    }
)
_IN_PART = frozenset({"BatchGetItem", "BatchWriteItem", "PutEvents", "SendMessageBatch"})
_CONFLICTING = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})


def faults_of(operation: str) -> tuple[CallFault, ...]:
    """Return the faults that AWS has for an operation, as its API names it."""
    return tuple(fault for fault in CallFault if _applies(fault, operation))


def _applies(fault: CallFault, operation: str) -> bool:
    match fault:
        case CallFault.CONFLICT:
            return operation in _CONFLICTING
        case CallFault.PARTIAL:
            return operation in _IN_PART
        case CallFault.LATE:  # a read that comes late is read by nobody
            return operation not in _READS
    return True


def all_faults() -> list[tuple[str, CallFault]]:
    """Return every fault that can happen at every call site of the layer."""
    return [
        (f"{place} {operation}", fault)
        for place, operations in CALL_SITES.items()
        for operation in operations
        for fault in faults_of(operation)
    ]
