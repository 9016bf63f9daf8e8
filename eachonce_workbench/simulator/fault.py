"""The faults: what can go wrong with one AWS call, and with one delivery."""

from __future__ import annotations

from enum import StrEnum


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


class DeliveryFault(StrEnum):
    """What goes wrong on the way to a function, or in it."""

    INPUT_AGAIN = "sent twice"
    SENT_AGAIN = "bus delivers twice"
    DELAYED = "bus delivers late"
    OVERTAKEN = "message overtaken"
    SEEN_TWICE = "message received by two"
    SHOWN_AGAIN = "shown again while it is handled"
    DELETE_LOST = "delete lost"
    BATCH_SPLIT = "batch split"
    REFUSED_START = "invocation throttled"
    RESULT_LOST = "function's result lost"
    STREAM_AGAIN = "stream records again"
    CALL_LASTS = "a call's fault lasts"  # whoever asks again is answered alike for a while
    HANDLER_FAILED = "handler failed"
    HANDLER_SLOW = "handler slow"
    ONE_REASON = "one reason named"  # a transaction failed for several reasons, and AWS tells the first that it met
    RELAY_DOWN = "relay down for hours"
    DLQ_DOWN = "dead-letter queue down"
    NEED_DOWN = "what a handler needs is down"
    POISON_KILLS = "event kills its worker"
    POISON_FAILS = "event always fails"
    POISON_BROKEN = "event breaks its contract"
    POISON_REUSED = "id used again"
    POISON_ROW = "outbox unreadable"


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
