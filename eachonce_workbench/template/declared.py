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
    - `line` is that one's; `made_at` is the line of the part of it that this one was made of, such as an event's
    - `unknown`: the names of properties whose values hang on what only a deployment knows
    """

    logical_id: str
    type: str
    ref: str
    arn: str | None
    properties: Mapping[str, Any]
    source: str
    metadata: Mapping[str, Any]
    line: int
    made_at: int = 1
    unknown: frozenset[str] = frozenset()
