"""What a function's answer says of how it ended."""

from __future__ import annotations

import json
from typing import Any

# What Lambda, or a language's runtime, makes of an error.
# https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
_ERROR_FIELDS = frozenset({"cause", "errorMessage", "errorType", "requestId", "stackTrace", "trace"})


def failure(answer: str) -> str | None:
    """Say in one line how the function failed whose answer `sam local invoke` printed; None when it didn't."""
    try:
        value = json.loads(answer)
    except ValueError:
        return _first_line(answer)  # words instead of an answer, such as "Task timed out after 10.00 seconds"
    if not isinstance(value, dict):
        return None
    return _error(value) or _unfinished(value.get("batchItemFailures"))


def _error(value: dict[str, Any]) -> str | None:
    if not value.keys() & {"errorMessage", "errorType"} or not value.keys() <= _ERROR_FIELDS:
        return None
    return _first_line(": ".join(str(value[name]) for name in ("errorType", "errorMessage") if value.get(name)))


def _unfinished(failures: Any) -> str | None:
    """A batch of which a part comes again is no success here, where nobody brings it again."""
    if not isinstance(failures, list) or not failures:
        return None
    return f"{len(failures)} of its records would come again (batchItemFailures)"


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "for no reason that it gave")
