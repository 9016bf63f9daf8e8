"""A message, and where it is in its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Message:
    """One message of one queue; times are seconds since the epoch, `attributes` and `system` are in the API's shape.

    It is visible, in flight (received, and neither deleted nor back), delayed (neither) or gone.
    """

    id: str
    body: str
    attributes: Mapping[str, Mapping[str, Any]]
    system: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    group_id: str | None = None
    deduplication_id: str | None = None
    sequence: int = 0
    sent_at: float = 0.0
    first_received_at: float | None = None
    receives: int = 0
    receipt: str = ""
    source_arn: str | None = None
    hidden_until: float = 0.0
    visible: bool = False
    in_flight: bool = False
    gone: bool = False
