"""How a function is named in a request, a template or an ARN.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, FunctionName
"""

from __future__ import annotations

import re

LATEST = "$LATEST"

_REFERENCE = re.compile(r"(?:(?:arn:[^:]+:lambda:[^:]+:)?\d{12}:function:)?(?P<name>[^:]+)(?::(?P<qualifier>[^:]+))?")


def parse(reference: str) -> tuple[str, str]:
    """Return the name and the qualifier of a name, or of a whole or partial ARN; a qualifier is $LATEST by default.

    >>> parse("arn:aws:lambda:eu-west-1:123456789012:function:my-function:live")
    ('my-function', 'live')
    >>> parse("my-function:1"), parse("123456789012:function:my-function")
    (('my-function', '1'), ('my-function', '$LATEST'))
    """
    found = _REFERENCE.fullmatch(reference)
    return (reference, LATEST) if found is None else (found["name"], found["qualifier"] or LATEST)


def spelled(logical_id: str, *, between: str) -> str:
    """Return a logical id in lower case, with something between its words.

    >>> spelled("TrackParcel", between="-")
    'track-parcel'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", between, logical_id).lower()
