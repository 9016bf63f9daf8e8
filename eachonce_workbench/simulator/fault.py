"""The faults of deliveries: what can go wrong with one."""

from __future__ import annotations

from enum import StrEnum


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
