"""Manners: how the inputs of a simulation come, when, and what is known of those who get them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from eachonce_workbench.simulator.clock import START


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """One by one where they come `apart`: all that follows from an input is over before the next one is sent.

    Otherwise those for one queue or bus come together. `pause_seconds` lie between, `start` is when the first is sent,
    and all must be over `patience_seconds` after the last. `layered` says that the layer keeps the journal of each
    function, so that all of its promises can be watched.
    """

    apart: bool = False
    start: datetime = START
    pause_seconds: float = 1.0
    patience_seconds: float = 3 * 86_400.0
    layered: bool = False
