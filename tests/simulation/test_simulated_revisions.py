"""What a commit writes leaves a revision, and what doesn't is seen on its way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eachonce.work import WRITTEN_BY

from eachonce_workbench.simulator.call import Call
from eachonce_workbench.simulator.revision import without_revision

KEY = {"TableName": "Stock", "Key": {"sku": {"S": "1"}}}
ADD = {"Update": {**KEY, "ExpressionAttributeNames": {"#n0": "parts", "#n1": WRITTEN_BY}}}
CREATE = {"Put": {"TableName": "Stock", "Item": {"sku": {"S": "1"}, WRITTEN_BY: {"S": "e-1"}}}}
JOURNAL = {"Put": {"TableName": "Journal", "Item": {"pk": {"S": "e-1"}, "fingerprint": {"S": "f"}}}}
CHECK = {"ConditionCheck": {**KEY, "ExpressionAttributeNames": {"#n0": WRITTEN_BY}}}


def found(asked: dict[str, Any], site: str = "committer.commit") -> list[str]:
    operation = "TransactWriteItems" if "TransactItems" in asked else "UpdateItem"
    body = json.dumps(asked).encode()
    call = Call(service="dynamodb", operation=operation, method="POST", url="http://nowhere", body=body)
    return list(without_revision(call, f"{site} {operation}"))


@pytest.mark.parametrize("site", ["committer.commit", "group_commit._commit"])
def test_a_commit_leaves_revisions(site: str) -> None:
    """On whatever it writes, but for the journal's rows and what it only checks."""
    plain = {"Update": {**KEY, "ExpressionAttributeNames": {"#n0": "parts"}}}
    created = {"Put": {"TableName": "Stock", "Item": {"sku": {"S": "1"}}}}

    assert found({"TransactItems": [JOURNAL, ADD, CREATE, CHECK]}, site) == []
    assert len(found({"TransactItems": [JOURNAL, ADD, plain, created]}, site)) == 2


def test_a_single_write_leaves_one_too() -> None:
    """What is no commit needs none."""
    assert found(ADD["Update"]) == []
    assert found(KEY) == ["Stock {'sku': {'S': '1'}}"]
    assert found(KEY, "ledger.failed") == []
