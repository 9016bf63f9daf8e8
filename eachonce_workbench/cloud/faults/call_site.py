"""Call sites: which part of the layer makes an AWS call, and for what.

Functions' own processes load this file by its path: it needs nothing but Python.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

# Each place in the layer that means something of its own by a call, and the calls that it makes. Calls are made on its
# behalf by `writer`, which is no site. A call from elsewhere in the layer is an error, so that none is forgotten.
CALL_SITES: Mapping[str, tuple[str, ...]] = {
    "committer.commit": ("PutItem", "UpdateItem", "TransactWriteItems"),
    "committer._judge_existing": ("GetItem",),
    "group_commit._commit": ("TransactWriteItems",),
    "former.former_rows": ("BatchGetItem",),
    "ledger.rows": ("BatchGetItem",),
    "ledger.begin": ("UpdateItem",),
    "ledger.begin_all": ("UpdateItem", "TransactWriteItems"),
    "ledger.failed": ("UpdateItem",),
    "ledger.release": ("UpdateItem",),
    "ledger.doubt": ("UpdateItem",),
    "ledger.rejected": ("UpdateItem",),
    "ledger._forget_oldest_errors": ("UpdateItem",),
    "circuit_store._get_record": ("BatchGetItem",),
    "circuit_store._put_record": ("PutItem",),
    "circuit_store._update_record": ("UpdateItem",),
    "acknowledger.let_go": ("DeleteMessageBatch",),
    "acknowledger.respond": ("ChangeMessageVisibilityBatch",),
    "acknowledger._send": ("SendMessageBatch",),
    "keyring._create": ("TransactWriteItems",),
    "keyring._fetch": ("GetItem",),
    "keyring._kms": ("Decrypt", "GenerateDataKey"),
    "publisher._put": ("PutEvents",),
    "relay._set_aside": ("SendMessageBatch",),
    "work.read": ("GetItem",),
    "keys._read_secret": ("GetSecretValue",),
    "keys._announced": ("GetParameter",),
    "keys._announce": ("PutParameter",),
    "keys._read": ("GetParametersByPath",),
}

_LAYER = "eachonce."
_SITES = frozenset(CALL_SITES)
# Where the layer calls a function's handler: what that calls itself is none of the layer's.
_HANDLERS = "handler.run"


class UnknownCallSiteError(AssertionError):
    """The layer makes a call that CALL_SITES doesn't list."""


def call_site(operation: str) -> str | None:
    """Return where the call under way comes from, as "ledger.begin UpdateItem"; None for a call that isn't the layer's.

    Raises UnknownCallSiteError.
    """
    frame, seen = sys._getframe(1), ""  # noqa: SLF001 - as the standard library's own callers do
    while (outer := frame.f_back) is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_LAYER):
            place = f"{module.removeprefix(_LAYER)}.{frame.f_code.co_name}"
            if place in _SITES:
                if operation not in CALL_SITES[place]:
                    raise UnknownCallSiteError(f"{place} calls {operation}")
                return f"{place} {operation}"
            if place == _HANDLERS and not seen:
                return None
            seen = place
        frame = outer
    if seen:
        raise UnknownCallSiteError(f"{seen} calls {operation}")
    return None
