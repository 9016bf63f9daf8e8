"""Queues to talk to over the wire, in both of SQS's protocols."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.store.store import Store
from tests.topologies import queue, topology

DEAD = queue("dead")
ORDERS = queue("orders", dead_letters=DEAD, max_receives=1)
OTHERS = queue("others", dead_letters=DEAD, max_receives=1)
PLAIN = queue("plain")
DEAD_LEDGER = queue("dead-ledger.fifo")
LEDGER = queue("ledger.fifo", dead_letters=DEAD_LEDGER)
CONTENT = queue("content.fifo", properties={"ContentBasedDeduplication": True})
GROUPS = queue(
    "groups.fifo", properties={"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
)
QUEUES = (DEAD, ORDERS, OTHERS, PLAIN, DEAD_LEDGER, LEDGER, CONTENT, GROUPS)


class PostOffice:
    """A store with some queues, and its requests in short."""

    def __init__(self) -> None:
        self.happenings: list[Happening] = []
        history = History()
        history.subscribe(self.happenings.append)
        self.store = Store(topology(queues=QUEUES), history=history)
        self.store.create()

    def ask(self, operation: str, /, **params: Any) -> dict[str, Any]:
        """Send a request that must succeed."""
        status, _, told = self.answer(operation, json.dumps(params).encode())
        assert status == 200, told
        return told

    def refused(self, operation: str, /, **params: Any) -> tuple[str, str]:
        """Send a request that must fail; the code as SDKs know it, and the message."""
        status, headers, told = self.answer(operation, json.dumps(params).encode())
        assert 400 <= status < 500, told
        code, _, fault = headers["x-amzn-query-error"].partition(";")
        assert fault == "Sender"
        return code, told["Message"]

    def misshapen(self, operation: str, /, **params: Any) -> dict[str, Any]:
        """Send a request that isn't one of that operation."""
        status, _, told = self.answer(operation, json.dumps(params).encode())
        assert status == 400
        return told

    def answer(self, operation: str, body: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Send anything as a request of the JSON protocol."""
        headers = {"x-amz-target": f"AmazonSQS.{operation}", "content-type": "application/x-amz-json-1.0"}
        status, answered, told = self.store.handle("sqs", headers, body)
        return status, answered, json.loads(told or b"{}")

    def by_query(self, action: str, /, **params: str) -> tuple[int, str]:
        """Send a request of the query protocol; dots in names are written as two underlines."""
        form = {name.replace("__", "."): value for name, value in params.items()}
        body = urlencode({"Action": action, "Version": "2012-11-05"} | form).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        status, _, told = self.store.handle("sqs", headers, body)
        return status, told.decode()

    def receive(self, url: str, **params: Any) -> list[dict[str, Any]]:
        """Receive ten messages, with all that is known of them."""
        wanted = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]}
        messages: list[dict[str, Any]] = self.ask("ReceiveMessage", QueueUrl=url, **wanted | params).get("Messages", [])
        return messages

    def bodies(self, url: str, **params: Any) -> list[str]:
        """Receive ten messages, and see what is in them."""
        return [message["Body"] for message in self.receive(url, **params)]

    def attributes(self, url: str) -> dict[str, str]:
        """All that a queue says of itself."""
        told: dict[str, str] = self.ask("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return told


class Desk:
    """A post office's place for the layer: its port to SQS, without a network."""

    exceptions: Any = None

    def __init__(self, office: PostOffice) -> None:
        self._office = office
        self.calls: list[str] = []

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        return self._call("SendMessageBatch", request)

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        return self._call("DeleteMessageBatch", request)

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        return self._call("ChangeMessageVisibilityBatch", request)

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(operation)
        status, _, told = self._office.answer(operation, json.dumps(request).encode())
        if status != 200:
            raise ClientError({"Error": {"Code": told["__type"], "Message": told["Message"]}}, operation)
        return told


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}
