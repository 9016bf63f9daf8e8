"""The published language of this bundle: its event types, and nothing else."""

from contracts.trip import LockClosed, TripEnded

EVENTS = (TripEnded,)

__all__ = ["EVENTS", "LockClosed", "TripEnded"]
