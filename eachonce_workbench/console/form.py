"""What a form of the console's own sends: names and texts."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_BYTES = 4 * 1024 * 1024


async def form_of(request: Request, most_bytes: int = MOST_BYTES) -> dict[str, list[str]]:
    """Return what a form sent, each name with its values. Raises HTTPException where it is too much."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise HTTPException(413, f"A form has at most {most_bytes:,} bytes.")
    return parse_qs(body.decode("ascii", "replace"), keep_blank_values=True)
