"""Personal fields on their way through the whole shop: who reads them, and who never sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from eachonce_workbench.cloud.history import Happening
from tests.shop.place import ROOT
from tests.shop.test_dead_letters_cli import Shop

CANARY = "canary-7c1f"
ERASED = "erased-90ab"
PLACED = ("OrderPlaced", "1")
INVOICE = json.loads((ROOT / "events" / "place_order" / "direct.json").read_text())


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail")


@pytest.fixture(scope="module")
def shop(mail: Path) -> Iterator[Shop]:
    shop = Shop(mail)
    yield shop
    shop.stop()


def place(shop: Shop, number: str, **changes: Any) -> dict[str, Any]:
    payload = json.dumps({**INVOICE, "invoice": number, "customer": CANARY, **changes}).encode()
    answer: dict[str, Any] = json.load(
        shop.lambda_.invoke(FunctionName="eachonce-dev-place-order", Payload=payload)["Payload"]
    )
    return answer


def everything(shop: Shop, *, but: frozenset[str]) -> str:
    """Return all that tables, dead-letter queues, logs and commands have and say, but for some tables."""
    tables = [table for table in shop.topology.tables if table.logical_id not in but]
    items = [shop.dynamodb.scan(TableName=table.name)["Items"] for table in tables]
    logs = boto3.client("logs", endpoint_url=shop.endpoint)
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    lines = [logs.filter_log_events(logGroupName=group)["events"] for group in groups]
    assert any(lines)
    listed = [shop.eachonce("dlq", "list"), shop.eachonce("dlq", "list", "--json")]
    letters = json.loads(listed[1].stdout)["reasons"]
    ids = sorted({letter["event_id"] for group in letters for letter in group["letters"]})[:2]
    shown = [shop.eachonce(*command, one) for one in ids if one for command in (("dlq", "show"), ("why",))]
    return repr((items, lines, [(each.stdout, each.stderr) for each in (*listed, *shown)]))


def letter_of(shop: Shop, consumer: str, body: str) -> None:
    shop.sqs.send_message(QueueUrl=shop.topology.queue(f"{consumer}Queue").url, MessageBody=shop.signed(body))


def test_a_personal_field_is_nowhere_but_where_its_handler_put_it(shop: Shop, mail: Path) -> None:
    """In no row, letter, log line or command's words, whatever became of the events."""
    happened: list[Happening] = []
    shop._cloud._history.subscribe(happened.append)
    assert place(shop, "1")["outcome"] == "done"
    assert place(shop, "1")["outcome"] == "duplicate"
    assert place(shop, "1", customer=f"{CANARY}-2")["outcome"] == "reject"
    assert place(shop, "x")["outcome"] == "reject"
    shop.settle()
    (event,) = [event for event in map(json.loads, outboxes(shop)) if (event["type"], event["subject"]) == PLACED]
    for data in ({**event["data"], "customer": event["data"]["customer"][:-8]}, {**event["data"], "country": 7}):
        unsigned = {name: value for name, value in event.items() if name not in ("signature", "signedby")}
        body = {"detail": {**unsigned, "id": f"broken-{len(str(data))}", "data": data}}
        for consumer in ("TrackCustomer", "ReserveStock"):
            letter_of(shop, consumer, json.dumps(body))
    shop.settle()

    said = everything(shop, but=frozenset({"Customers"}))

    assert "eachonce:1:" in said
    assert "a personal field is" in said
    assert CANARY not in said
    assert CANARY not in repr(happened)
    assert CANARY in {row["customer"]["S"] for row in shop.dynamodb.scan(TableName="eachonce-Customers")["Items"]}
    assert CANARY in {json.loads(each.read_text())["customer"] for each in mail.glob("*.json")}


def outboxes(shop: Shop) -> list[bytes]:
    from eachonce.journal import unpack_outbox

    rows = shop.dynamodb.scan(TableName=shop.topology.table("Journal").name)["Items"]
    return [bytes(event) for row in rows if "outbox" in row for event in unpack_outbox(row["outbox"]["B"])]


def test_a_customer_is_erased_by_a_command_that_asks(shop: Shop) -> None:
    """It says whether there was anything to erase, and never of whom."""
    place(shop, "2", customer=ERASED)
    shop.settle()
    asked = shop.eachonce("erase", "--subject", ERASED, answer="n\n")
    assert asked.exit_code == 1

    erased = shop.eachonce("erase", "--subject", ERASED, "--yes")
    again = shop.eachonce("erase", "--subject", ERASED, "--yes")

    assert (erased.exit_code, erased.stdout) == (0, "erased\n")
    assert again.exit_code == 1
    assert ERASED not in erased.stdout + erased.stderr + again.stdout + again.stderr
