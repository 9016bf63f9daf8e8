"""Faults of the wire and of AWS, made where botocore sends a request and waits for the answer.

The clients under test are botocore's own, so their parsing, errors and retries are the real ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from eachonce import Aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.models import botocore_stubber

Fault = Callable[[Any, Callable[[], AWSResponse]], AWSResponse]


class Faults:
    """Faults that wait for their call, each for one, in the order in which they were set; and what was called."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Fault]] = {}
        self.calls: list[str] = []
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def next(self, operation: str, fault: Fault, *, times: int = 1) -> None:
        """Let the fault happen to the next calls of an operation."""
        self._waiting.setdefault(operation, []).extend([fault] * times)

    def __call__(self, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        """Stand between botocore and moto."""
        operation = event_name.rsplit(".", 1)[-1]
        self.calls.append(operation)
        self.requests.append((operation, json.loads(request.body or b"{}")))

        def send() -> AWSResponse:
            return botocore_stubber(event_name, request)

        waiting = self._waiting.get(operation)
        return waiting.pop(0)(request, send) if waiting else send()

    @property
    def pauses(self) -> list[int]:
        """The visibility timeouts, in seconds, that were asked for last."""
        asked = [request for operation, request in self.requests if operation == "ChangeMessageVisibilityBatch"]
        return [entry["VisibilityTimeout"] for entry in asked[-1]["Entries"]]

    @property
    def waiting(self) -> bool:
        """Whether a fault has not happened yet."""
        return any(self._waiting.values())


@contextmanager
def between(aws: Aws, stubber: BotocoreStubber = botocore_stubber) -> Iterator[Faults]:
    """Put faults between clients and moto."""
    faults = Faults()
    clients = [aws.dynamodb, aws.sqs, aws.events, aws.kms, aws.secretsmanager, aws.ssm]
    for client in clients:
        client.meta.events.unregister("before-send", stubber)
        client.meta.events.register("before-send", faults)
    try:
        yield faults
    finally:
        for client in clients:
            client.meta.events.unregister("before-send", faults)
            client.meta.events.register("before-send", stubber)


def answer_lost(request: Any, send: Callable[[], AWSResponse]) -> AWSResponse:
    """Do the call; its answer never arrives."""
    send()
    raise ReadTimeoutError(endpoint_url=request.url)


def connection_closed_after(request: Any, send: Callable[[], AWSResponse]) -> AWSResponse:
    """Do the call; the connection closes before the answer."""
    send()
    raise ConnectionClosedError(endpoint_url=request.url)


def never_sent(request: Any, send: Callable[[], AWSResponse]) -> AWSResponse:
    """Close the connection before the call is made."""
    raise ConnectionClosedError(endpoint_url=request.url)


def refused(code: str, *, status: int = 400, **fields: Any) -> Fault:
    """Answer with an error of AWS's; nothing happens."""

    def fault(request: Any, send: Callable[[], AWSResponse]) -> AWSResponse:
        return _response(request, status, {"__type": f"com.amazonaws#{code}", "message": f"{code} of a test", **fields})

    return fault


def refused_after(code: str, *, status: int = 500) -> Fault:
    """Do the call, and answer with an error of AWS's all the same."""

    def fault(request: Any, send: Callable[[], AWSResponse]) -> AWSResponse:
        send()
        return refused(code, status=status)(request, send)

    return fault


def edited(
    request: Any, send: Callable[[], AWSResponse], edit: Callable[[dict[str, Any]], dict[str, Any]]
) -> AWSResponse:
    """Do the call, and change its answer."""
    return _response(request, 200, edit(json.loads(send().content)))


def canceled(*codes: str) -> Fault:
    """Cancel a transaction for these reasons, one an item."""
    reasons = [{"Code": code} if code == "None" else {"Code": code, "Message": f"{code} of a test"} for code in codes]
    return refused("TransactionCanceledException", CancellationReasons=reasons)


def meanwhile(act: Callable[[], object]) -> Fault:
    """Let something else happen just before the call does."""

    def fault(request: Any, send: Callable[[], AWSResponse]) -> AWSResponse:
        act()
        return send()

    return fault


def entries_fail(*places: int, code: str = "InternalFailure") -> Fault:
    """Let some entries of a batch call fail and the others succeed."""

    def fault(request: Any, send: Callable[[], AWSResponse]) -> AWSResponse:
        asked = json.loads(request.body)
        entries = asked["Entries"]
        request.body = json.dumps({**asked, "Entries": [e for p, e in enumerate(entries) if p not in places]}).encode()
        answer = json.loads(send().content) if len(places) < len(entries) else {}
        if "DetailType" in entries[0]:
            return _response(request, 200, _put_events(answer, places, code))
        return _response(request, 200, _send_message_batch(answer, [entries[place]["Id"] for place in places], code))

    return fault


def _put_events(answer: dict[str, Any], places: tuple[int, ...], code: str) -> dict[str, Any]:
    entries = list(answer.get("Entries", []))
    for place in sorted(places):
        entries.insert(place, {"ErrorCode": code, "ErrorMessage": f"{code} of a test"})
    return {"FailedEntryCount": len(places), "Entries": entries}


def _send_message_batch(answer: dict[str, Any], ids: list[str], code: str) -> dict[str, Any]:
    failed = [{"Id": entry_id, "Code": code, "SenderFault": False, "Message": f"{code} of a test"} for entry_id in ids]
    return {"Successful": answer.get("Successful", []), "Failed": failed}


def _response(request: Any, status: int, body: dict[str, Any]) -> AWSResponse:
    content = json.dumps(body).encode()
    headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "r-of-a-test"}
    return AWSResponse(request.url, status, headers, _Raw(content))


class _Raw:
    """A body as urllib3 streams it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content
