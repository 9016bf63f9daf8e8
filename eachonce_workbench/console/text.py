"""What an event holds, as text that a person can read: never more of it than a page can show, nothing that acts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

MOST_CHARACTERS = 10_000

# Control characters, and those that turn the direction of writing or can't be seen: what is shown is what is there.
# https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]")


def readable(text: object, most: int = MOST_CHARACTERS) -> str:
    r"""Return a text without what can't be seen, and no longer than a page can show.

    >>> readable("a\x00b"), readable("abcdef", 3)
    ('a\\x00b', 'abc … and 3 characters more')
    """
    given = str(text)
    shown = _UNSEEN.sub(lambda found: _escape(found[0]), given[:most].encode("utf-8", "replace").decode())
    return shown if len(given) <= most else f"{shown} … and {len(given) - most:,} characters more"


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def indented(document: bytes | str) -> str:
    """Return a JSON document as people read it; what is none, as it is."""
    given = document.encode(errors="replace") if isinstance(document, str) else document
    try:
        return msgspec.json.format(given, indent=2).decode(errors="replace")
    except msgspec.DecodeError:
        return given.decode(errors="replace")


def moment(seconds: float | None) -> str:
    """Return a time (seconds since 1970) as ISO 8601 has it, in UTC.

    >>> moment(0.25), moment(None)
    ('1970-01-01T00:00:00.250Z', '')
    """
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span(seconds: float) -> str:
    """Return how long something took.

    >>> span(0.0004), span(0.25), span(3.21)
    ('0.4 ms', '250 ms', '3.2 s')
    """
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
    return ago(seconds)


def text_of(value: Any) -> str:
    """Return a value of an item as a person reads it.

    >>> text_of("a"), text_of(Decimal("7.50")), text_of({"n": Decimal(1)}), text_of(b"ab")
    ('a', '7.50', '{"n":1}', '2 bytes, 6162')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return f"{len(value)} bytes, {value[:32].hex()}" + ("…" if len(value) > 32 else "")
    if isinstance(value, Decimal):
        return str(value)
    try:
        return _json.encode(value).decode()
    except (msgspec.MsgspecError, TypeError, UnicodeError):
        return str(value)


_json = msgspec.json.Encoder(decimal_format="number", order="sorted")


def ago(seconds: float) -> str:
    """Return a span of time in the unit that suits it.

    >>> ago(0.4), ago(12), ago(300), ago(9000), ago(200000)
    ('0.4 s', '12 s', '5 min', '2.5 h', '2.3 d')
    """
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{round(seconds / size, 1):g} {unit}"
    return f"{round(seconds, 1):g} s"
