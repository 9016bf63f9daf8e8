"""Faults that are turned on in a local cloud: what a function's call meets, and that its effect is one all the same."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.faults.faults import Fault, Faults
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from tests.bundles import library, parcels, post_office

COMMITS = frozenset({"committer.commit TransactWriteItems", "group_commit._commit TransactWriteItems"})
FAULTS = (
    CallFault.REFUSED,
    CallFault.THROTTLED,
    CallFault.CONFLICT,
    CallFault.LOST,
    CallFault.KILLED_BEFORE,
    CallFault.KILLED_AFTER,
)


class Told:
    """Counts what met a fault, and how invocations ended."""

    def __init__(self) -> None:
        self.met: Counter[tuple[str, str]] = Counter()
        self.ended: Counter[str] = Counter()
        self.history = History()
        self.history.subscribe(self._hear)

    def _hear(self, happening: Happening) -> None:
        if happening.kind == "faulted":
            self.met[happening.fields["site"], happening.fields["fault"]] += 1
        elif happening.kind == "attempted":
            self.ended[happening.fields["status"]] += 1


def test_each_fault_of_a_commit_leaves_one_effect(tmp_path: Path) -> None:
    """The worker is really killed, the connection really ends, and what is delivered again changes nothing more."""

    async def main() -> tuple[Told, int, int]:
        told, faults = Told(), Faults()
        async with LocalCloud(post_office(tmp_path) / "template.yaml", history=told.history, faults=faults) as cloud:
            for kind in FAULTS:
                faults.turn_on(Fault(kind=kind, sites=COMMITS, left=1))
                batch = json.dumps(parcels(kind.name)).encode()
                while not (ended := await cloud.invoke("Weigh", batch)).ok or b"itemIdentifier" in ended.payload:
                    pass
            (weights,) = (table for table in cloud.topology.tables if table.logical_id == "Weights")
            asked = msgspec.json.encode({"TableName": weights.name, "Key": {"parcel": {"S": "p"}}})
            headers = {"x-amz-target": "DynamoDB_20120810.GetItem", "content-type": "application/x-amz-json-1.0"}
            _, _, answer = cloud.store.handle("dynamodb", headers, asked, "/")
            return told, int(msgspec.json.decode(answer)["Item"]["grams"]["N"]), len(faults.on)

    told, grams, left = asyncio.run(asyncio.wait_for(main(), 60))

    assert grams == len(FAULTS)
    assert {fault for _, fault in told.met} == set(FAULTS)
    assert told.ended["crash"] == 2
    assert left == 0


def list_tables(endpoint: str, key: str) -> str:
    """Call as a function's process does that has this access key; return what comes of it."""
    credential = f"AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/dynamodb/aws4_request"
    headers = {"authorization": credential, "x-amz-target": "DynamoDB_20120810.ListTables"}
    with closing(http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)) as connection:
        connection.request("POST", "/", b"{}", headers)
        try:
            return str(connection.getresponse().status)
        except http.client.HTTPException as error:
            return type(error).__name__


def test_a_function_without_the_layer_meets_faults_by_its_own_name(tmp_path: Path) -> None:
    """Its calls have no site in the layer, and those of others meet nothing."""

    async def main() -> tuple[Told, list[str], str]:
        told, faults = Told(), Faults()
        async with LocalCloud(library(tmp_path) / "template.yaml", history=told.history, faults=faults) as cloud:
            for function in ("Shelve", "Lend"):
                faults.turn_on(Fault(kind=CallFault.CONFLICT, function=function, sites=frozenset({"Lend PutItem"})))
            ended = await cloud.invoke("Lend", b'{"book": "Emma"}')
            faults.turn_all_off()
            again = await cloud.invoke("Lend", b'{"book": "Emma"}')
            faults.turn_on(Fault(kind=CallFault.LOST, function="Lend", sites=frozenset({"Lend ListTables"})))
            lost = await asyncio.to_thread(list_tables, cloud.endpoint, "local-1")
            return told, [ended.error_message, again.payload.decode()], lost

    told, said, lost = asyncio.run(asyncio.wait_for(main(), 60))

    assert "TransactionConflictException, a fault that is turned on" in said[0]
    assert json.loads(said[1]) == {"lent": "Emma"}
    assert lost == "RemoteDisconnected"
    assert set(told.met) == {("Lend PutItem", "conflict"), ("Lend ListTables", "answer lost")}
