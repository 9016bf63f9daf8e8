"""What the local cloud's own work costs, an operation.

Processor time of this process; the server's share of a request is measured with a client in another process.

    python -m bench.store_costs
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import uvloop

from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.functions.invocations import Invocations
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.server import Endpoint
from eachonce_workbench.cloud.serving import Server, endpoint_of, listen
from eachonce_workbench.cloud.store.store import Store
from tests.topologies import bus, queue, rule, table, target, topology

ORDERS = queue("orders")
OUTBOX = "aGVsbG8h" * 500  # 3 KB of events
REQUESTS = 3000


def system() -> Any:
    return topology(
        tables=(table("journal", stream_view="NEW_IMAGE"), table("stock")),
        queues=(ORDERS,),
        buses=(bus("shop"),),
        rules=(rule("orders", {"source": ["shop"], "detail-type": ["OrderPlaced"]}, target(ORDERS)),),
    )


def put(number: int) -> dict[str, Any]:
    return {
        "TableName": "journal",
        "Item": {
            "pk": {"S": f"reserve-stock#{number}"},
            "state": {"S": "DONE"},
            "fingerprint": {"S": "x" * 32},
            "expires_at": {"N": "1800000000"},
            "outbox": {"B": OUTBOX},
        },
        "ConditionExpression": "attribute_not_exists(pk) OR #state <> :done",
        "ExpressionAttributeNames": {"#state": "state"},
        "ExpressionAttributeValues": {":done": {"S": "DONE"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def add(number: int) -> dict[str, Any]:
    return {
        "TableName": "stock",
        "Key": {"pk": {"S": f"sku-{number % 2000}"}},
        "UpdateExpression": "ADD #a :a, #b :b",
        "ExpressionAttributeNames": {"#a": "sold", "#b": "revenue"},
        "ExpressionAttributeValues": {":a": {"N": "3"}, ":b": {"N": "7.65"}},
    }


def transaction(number: int) -> dict[str, Any]:
    adds = [{"Update": add(number * 40 + line)} for line in range(40)]
    return {"TransactItems": [{"Put": put(number)}, *adds], "ClientRequestToken": f"token-{number}"}


def cost(name: str, times: int, operation: Callable[[int], Any]) -> None:
    began = time.process_time()
    for number in range(times):
        operation(number)
    print(f"{name:<42}{(time.process_time() - began) / times * 1000:8.3f} ms")


def ask(store: Store, operation: str) -> Callable[[bytes], None]:
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"}

    def send(body: bytes) -> None:
        status, _, answer = store.handle("dynamodb", headers, body)
        assert status == 200, answer

    return send


def in_process() -> None:
    built = system()
    store = Store(built)
    store.create()
    puts = [json.dumps(put(10**6 + number)).encode() for number in range(REQUESTS)]
    updates = [json.dumps(add(number)).encode() for number in range(REQUESTS)]
    transactions = [json.dumps(transaction(number)).encode() for number in range(REQUESTS)]
    put_item, update_item, transact = (ask(store, name) for name in ("PutItem", "UpdateItem", "TransactWriteItems"))
    cost("PutItem, conditional, 3 KB", REQUESTS, lambda number: put_item(puts[number]))
    cost("UpdateItem, 2 sums", REQUESTS, lambda number: update_item(updates[number]))
    cost("TransactWriteItems of 41, first 100", 100, lambda number: transact(transactions[number]))
    cost("TransactWriteItems of 41, next 2800", REQUESTS - 200, lambda number: transact(transactions[100 + number]))
    cost("TransactWriteItems of 41, last 100", 100, lambda number: transact(transactions[REQUESTS - 100 + number]))
    cost("stream: read and trim 100 records", 50, lambda number: read(store, number))
    entry = {"Source": "shop", "DetailType": "OrderPlaced", "EventBusName": "shop"}
    detail = json.dumps({"id": "1", "data": {"lines": [{"sku": "85123A", "quantity": 6, "price": "2.55"}] * 40}})
    history = History()
    routes = Bus(built, store.queues, history, after=lambda *_: None)
    cost(
        "PutEvents of 10, delivered to one queue", 1000, lambda _: routes.put_events([entry | {"Detail": detail}] * 10)
    )
    cost("receive and delete 10 of 10,000", 500, lambda _: take(store))


def read(store: Store, number: int) -> None:
    _, after = store.streams.read("journal", number * 100, 100)
    store.streams.trim("journal", after)


def take(store: Store) -> None:
    for record in store.queues.receive(ORDERS.arn, max_messages=10):
        store.queues.delete(ORDERS.arn, record["receiptHandle"])


CLIENT = """
import http.client, sys
host, port = sys.argv[1].removeprefix("http://").split(":")
connection = http.client.HTTPConnection(host, int(port))
headers = {"X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Type": "application/x-amz-json-1.0",
    "User-Agent": "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux lang/python#3.11", "X-Amz-Date": "20260101T000000Z",
    "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=a"}
for _ in range(int(sys.argv[2])):
    connection.request("POST", "/", b'{"TableName":"stock","Key":{"pk":{"S":"a"}}}', headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    response.read()
"""


async def over_http() -> None:
    built = system()
    store = Store(built)
    store.create()
    invocations = Invocations(built, None)  # type: ignore[arg-type]
    routes = Bus(built, store.queues, History(), after=asyncio.get_running_loop().call_later)
    listening = listen()
    server = Server(Endpoint(store, routes, invocations), listening)
    await server.start()
    began = time.process_time()
    command = [sys.executable, "-c", CLIENT, endpoint_of(listening), str(REQUESTS)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    print(f"{'a request over HTTP (GetItem), all of it':<42}{(time.process_time() - began) / REQUESTS * 1000:8.3f} ms")
    await server.stop()


if __name__ == "__main__":
    in_process()
    uvloop.run(over_http())
