"""A message that was published on a topic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Attributes = Mapping[str, Mapping[str, Any]]
"""By name, in the API's shape: DataType, and StringValue or BinaryValue (bytes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a publisher gave and what SNS added; `text` is one for all protocols, or JSON with one for each."""

    id: str
    topic_arn: str
    text: str
    published_at: float
    subject: str | None = None
    structured: bool = False
    attributes: Attributes = field(default_factory=dict)
    group_id: str | None = None
    deduplication_id: str | None = None
    sequence: int | None = None

    def text_for(self, protocol: str) -> str:
        """The text that a protocol's subscribers get."""
        if not self.structured:
            return self.text
        texts = json.loads(self.text)
        return str(texts.get(protocol, texts["default"]))

    @property
    def sequence_number(self) -> str | None:
        """The place in a FIFO topic, as SNS writes it: twenty digits."""
        return None if self.sequence is None else f"{self.sequence:020d}"
