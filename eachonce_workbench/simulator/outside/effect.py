"""Effects: what functions asked of others than the local cloud, as those would see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.cloud.faults.answers import WEB
from eachonce_workbench.simulator.call import Call

# Asking twice changes nothing: RFC 9110, 9.2.1 and 9.2.2.
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_IDEMPOTENT_METHODS = frozenset({"PUT", "DELETE"})
# AWS has no list of the operations that change nothing; its names of them begin so. What a model answers is a reading.
_READING = re.compile(
    "(?:Analyze|Batch(?:Detect|Get)|Check|Classify|Compare|Converse|Count|Decrypt|Describe|Detect|Encrypt|Estimate|"
    "GenerateDataKey|Get|Head|InvokeModel|List|Lookup|Query|Recognize|Retrieve|Scan|Search|Select|Simulate|Synthesize|"
    "Translate|Validate|Verify)"
)
_KEY_HEADERS = frozenset({"idempotency-key", "x-idempotency-key"})
# What AWS's services, and others, call the key by which they know a second try.
_KEY_PARAMS = frozenset(
    {"clienttoken", "clientrequesttoken", "idempotencytoken", "messagededuplicationid", "idempotency_key"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect: what was asked of whom, and by whom (a function's logical id).

    `key` is what the receiver knows a second try by, None where it can't; `repeatable` says that a second one, alike,
    changes nothing.
    """

    function: str
    what: str
    content: Any
    key: str | None = None
    repeatable: bool = False


def only_asks(operation: str) -> bool:
    """Whether an operation of AWS's changes nothing."""
    return _READING.match(operation) is not None


def effect_of(call: Call, function: str) -> Effect | None:
    """Return the effect that a call has on whoever gets it; None where it only asks."""
    if call.service == WEB:
        if call.method in _READING_METHODS:
            return None
        what, repeatable = f"{call.method} {call.place}{call.path}", call.method in _IDEMPOTENT_METHODS
    else:
        if only_asks(call.operation):
            return None
        what, repeatable = f"{call.service} {call.operation}", call.operation.startswith(("Delete", "Put"))
    return Effect(function=function, what=what, content=_content(call), key=_key(call), repeatable=repeatable)


def _content(call: Call) -> Any:
    if call.params:
        return call.params
    return call.body.decode(errors="replace") or call.path


def _key(call: Call) -> str | None:
    named = {name: value for name, value in call.headers.items() if name in _KEY_HEADERS}
    named |= {name: str(value) for name, value in call.params.items() if name.lower() in _KEY_PARAMS}
    return next(iter(named.values()), None)
