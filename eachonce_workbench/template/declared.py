"""What a template declares, resource by resource, whether or not the local cloud has a counterpart of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A resource of the translated template with its resolved properties.

    - `ref` and `arn`: what `Ref` and the attribute `Arn` give for it; no ARN where its type has none here
    - `source`: the resource of the template itself that it was made of, which is where a person mends it
    - `metadata`: what stands beside that one's properties
    """

    logical_id: str
    type: str
    ref: str
    arn: str | None
    properties: Mapping[str, Any]
    source: str
    metadata: Mapping[str, Any]
    line: int
