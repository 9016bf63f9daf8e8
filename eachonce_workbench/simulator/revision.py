"""Revisions: each write leaves one on its item, by which whoever has read the item knows that it has changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eachonce.work import WRITTEN_BY

from eachonce_workbench.simulator.call import Call

_COMMITS = ("committer.commit ", "group_commit._commit ")


def without_revision(call: Call, site: str) -> Iterator[str]:
    """Yield the writes of a commit that leave no revision, each by its table and key; the journal's rows have none."""
    if site.startswith(_COMMITS):
        for write in _writes(call.params):
            item, names = write.get("Item", {}), write.get("ExpressionAttributeNames", {})
            if WRITTEN_BY not in item and "fingerprint" not in item and WRITTEN_BY not in names.values():
                yield f"{write['TableName']} {write.get('Key', item)}"


def _writes(params: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a call writes, alone or in a transaction."""
    if "TransactItems" not in params:
        yield params
        return
    for operation in params["TransactItems"]:
        for verb, asked in operation.items():
            if verb != "ConditionCheck":
                yield asked
