"""Authenticity: which deliveries are from who they say they are.

It is told before anything else is: what an event says of itself, down to its id, counts only when it is authentic.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from eachonce.errors import EachonceError, UnauthenticError
from eachonce.listener import Delivery
from eachonce.signing import Verifier


def authentic(deliveries: Sequence[Delivery], verifier: Verifier, *, received: datetime) -> list[Delivery]:
    """Return the deliveries; one whose event is not authentic has no event, but a flaw.

    One of which nobody can say it now has none either, and is to come again.
    """
    return [_checked(delivery, verifier, received) for delivery in deliveries]


def _checked(delivery: Delivery, verifier: Verifier, received: datetime) -> Delivery:
    event = delivery.event
    if event is None:
        return delivery
    try:
        verifier.verify(event, received=received)
    except UnauthenticError as error:
        return replace(delivery, event=None, flaw=error.reason, flaw_kind=type(error).__name__, subject=None)
    except EachonceError as error:  # its lane must not go on without it
        return replace(
            delivery, event=None, later=error, subject=delivery.subject if event.subject is None else event.subject
        )
    return delivery
