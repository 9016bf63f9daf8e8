"""What a form of the console's own sends: names and texts."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_BYTES = 4 * 1024 * 1024
_MOST_DIGITS = 9


async def form_of(request: Request, most_bytes: int = MOST_BYTES) -> dict[str, list[str]]:
    """Return what a form sent, each name with its values. Raises HTTPException where it is too much."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise HTTPException(413, f"A form has at most {most_bytes:,} bytes.")
    return parse_qs(body.decode("ascii", "replace"), keep_blank_values=True)


async def said_by(request: Request) -> dict[str, str]:
    """Return what a form sent, each name with its last value. Raises HTTPException where it is too much."""
    return {name: values[-1] for name, values in (await form_of(request)).items()}


def whole_number(text: str) -> int | None:
    """Return the number that a text is; None where it is none, or one that nobody means.

    >>> whole_number("12"), whole_number("-1"), whole_number("1" * 10)
    (12, None, None)
    """
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None
