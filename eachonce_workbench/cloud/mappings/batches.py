"""Records as the event that a function is invoked with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

Record = dict[str, Any]

# The limit of a synchronous invocation's payload, at which an event source mapping closes a batch:
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html.
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024


def events(records: Sequence[Record]) -> Iterator[tuple[Sequence[Record], bytes]]:
    """Yield `records` in order, in as few parts as their size allows, each with the event (JSON) that carries it."""
    payload = json.dumps({"Records": records}, separators=(",", ":")).encode()
    if len(payload) <= MAX_PAYLOAD_BYTES or len(records) == 1:
        yield records, payload
    else:
        middle = len(records) // 2
        yield from events(records[:middle])
        yield from events(records[middle:])
