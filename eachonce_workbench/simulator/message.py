"""Messages, as far as a simulation reads them: what a bus puts into a queue, and whatever else lies there."""

from __future__ import annotations

import json
from typing import Any


def document_in(body: str) -> dict[str, Any]:
    """Return the JSON object that a message is; an empty one where it is something else."""
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def detail_in(body: str) -> dict[str, Any]:
    """Return the event that a bus has put into a message; an empty one where there is none."""
    detail = document_in(body).get("detail")
    return detail if isinstance(detail, dict) else {}
