"""Junk: what doesn't belong in a message, and JSON text with it inside.

Every text of it has the canary: whoever repeats a value of the data repeats that.
"""

from __future__ import annotations

import json
import re
from typing import Any

# A part of either is as easily known, so that a text that was cut or flipped is, too.
CANARY = "QzQzQzQz"
CANARY_NUMBER = 411141114111411141114111
_TELLTALES = ("QzQz", "411141114111")

TEXTS = (
    "",
    " ",
    CANARY,
    CANARY * 100,
    f"\x00{CANARY}",
    f"{CANARY}\uffff",
    f"{CANARY}\ud800",
    f"{CANARY}\x1b[2J\r\n\u2028\u202e\ufeff",
    f"é😀{CANARY}",
    f"' - at `$.{CANARY}`",
    f"{CANARY}#%23/{{}}",
    "x" * 257,
    "9" * 5000,
    "0",
    "-1",
    "1e999",
    "NaN",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2010-12-01T08:26:00",
    "2010-12-01T08:26:00Z",
    "{}",
    '{"specversion": "1.0"}',
)
NUMBERS = (0, -1, 1.5, -0.0, 33, 10**9, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, CANARY_NUMBER, 1e300, 5e-324)
VALUES = (
    *TEXTS,
    *NUMBERS,
    None,
    True,
    False,
    [],
    {},
    [CANARY],
    {CANARY: CANARY},
    [[CANARY_NUMBER]] * 3,
    [{CANARY: [CANARY]}],
    {"": CANARY},
    list(range(1000)),
    {f"{CANARY}{number}": number for number in range(300)},
)

# JSON, and what is nearly that, which no value of Python's is written as.
WRITTEN = (
    "9" * 5000,
    "-" + "4111" * 2000,
    "1e999",
    "-1e-999",
    "1e400000000",
    "0." + "4111" * 200,
    "4111" * 200 + ".5e-800",
    "NaN",
    "-Infinity",
    "-0",
    "00",
    "+1",
    ".5",
    "1.",
    "0x10",
    "tru",
    f"'{CANARY}'",
    f'"{CANARY}',
    f'"{CANARY}\\',
    f'"{CANARY}\\ud800"',
    f'"\\udfff\\ud800{CANARY}"',
    f'"{CANARY}\\uffff\\u0000"',
    f'"{CANARY}\x01"',
    f'"{CANARY}\ud800"',
    f'"{CANARY}\uffff"',
    "[" * 60 + "]" * 60,
    "[" * 70 + "]" * 70,
    '{"a":' * 70 + "1" + "}" * 70,
    "[" * 5000,
    "]" * 100,
    "[" * 20_000 + "]" * 20_000,
    '"' + CANARY * 5000 + '"',
    '"' + "\\\\" * 20_000 + '"',
    '"' + '\\"' * 20_000 + '"',
    "[" + ",".join([f'"{CANARY}"'] * 5000) + "]",
    "{" + ",".join(f'"k{number}":{number}' for number in range(3000)) + "}",
    "[,]",
    "{,}",
    "/**/1",
    "\ufeff1",
    "",
)

TWICE = "@twice@"
"""Behind a key: it is written without it, beside another one of its name."""

_PLACE = re.compile('"@written:([0-9]+)@"')


def in_place_of(number: int) -> str:
    """Return the value that is written as that one of `WRITTEN`."""
    return f"@written:{number}@"


def written(value: Any) -> str:
    """Return JSON text of a value."""
    text = json.dumps(value).replace(TWICE, "")
    return _PLACE.sub(lambda place: WRITTEN[int(place[1])], text)


def telltale(text: str) -> str | None:
    """Return what in a text came with an event, and a little of what is around it."""
    for sign in _TELLTALES:
        if (place := text.find(sign)) >= 0:
            return text[max(0, place - 60) : place + 60]
    return None
