"""The wire: where botocore would send a request, the simulator decides what becomes of it.

The clients are botocore's own, so that parsing, errors and retries are the real ones.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from eachonce_workbench.cloud.rights import Right, rights
from eachonce_workbench.cloud.store.protocol import AwsError, Response
from eachonce_workbench.simulator import strand
from eachonce_workbench.simulator.call_site import call_site
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DEADLY, CallFault, DeliveryFault, faults_of
from eachonce_workbench.simulator.worker import Killed, Worker

Answer = Callable[[str, str, Mapping[str, str], bytes], Response]
"""From the id of an invocation, a service, headers and a body."""

Called = Callable[[str, str, bytes, CallFault | None], None]

_FASTEST_SECONDS, _SLOWEST_SECONDS = 0.002, 0.02
_LATEST_SECONDS = 150.0  # longer than any queue hides a message
_NEVER = 1e9

_SIGNED_FOR = {"eventbridge": "events", "secrets-manager": "secretsmanager"}

_THROTTLE = {"sqs": "RequestThrottled"}  # the others' is the same


class Wire:
    """Carries the calls of all workers, through all faults, to `answer`; one call a time, as the loop says."""

    def __init__(
        self,
        chaos: Chaos,
        answer: Answer,
        *,
        unreachable: Callable[[str], bool],
        broken: Callable[[Exception], None],
        called: Called = lambda *_: None,
    ) -> None:
        """Carry calls to `answer`.

        `used` are the rights that each function needed. `unreachable` says of a queue's URL whether it is down, and
        `broken` is told of an error of the simulation's own, which no worker must take for one of AWS's. `called` is
        told of each call: the invocation's id, the call's site and body, and the fault that it meets, if any.
        """
        self._chaos = chaos
        self._answer = answer
        self._unreachable = unreachable
        self._broken = broken
        self._called = called
        self.calls: Counter[str] = Counter()
        self.faults: Counter[tuple[str, CallFault]] = Counter()
        self.used: dict[str, set[Right]] = defaultdict(set)

    def __call__(self, event_name: str, request: Any, **_: Any) -> AWSResponse:
        """Send one request, in botocore's place (its event "before-send")."""
        service_id, operation = event_name.split(".")[1:]
        service = _SIGNED_FOR.get(service_id, service_id)
        worker: Worker = strand.current().owner
        worker.require_alive()
        site = call_site(operation) or f"{worker.function} {operation}"
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        self.calls[site] += 1
        self.used[worker.function].update(rights(service, operation, msgspec.json.decode(body)))
        if self._down(operation, body):
            self._called(worker.request_id, site, body, CallFault.REFUSED)
            return _error(request, "ServiceUnavailable", status=503)
        faults = [fault for fault in faults_of(operation) if worker.mortal or fault not in DEADLY]
        fault = self._chaos.call(site, _about(worker, body), faults)
        if fault is not None:
            self.faults[site, fault] += 1
        self._called(worker.request_id, site, body, fault)
        answer = self._send(worker, request, service, operation, body, fault)
        if operation == "TransactWriteItems" and answer.status_code == 400:
            self._be_brief(answer, site)
        return answer

    def _be_brief(self, answer: AWSResponse, site: str) -> None:
        """Leave one reason of several that a transaction was cancelled for."""
        said = msgspec.json.decode(answer.raw.content)
        reasons = said.get("CancellationReasons", ())
        places = [place for place, reason in enumerate(reasons) if reason["Code"] != "None"]
        if len(places) < 2 or not self._chaos.often(DeliveryFault.ONE_REASON, site):
            return
        left = places[int(self._chaos.between(0, len(places), self._chaos.last))]
        said["CancellationReasons"] = [
            reason if place == left else {"Code": "None"} for place, reason in enumerate(reasons)
        ]
        answer.raw = _Raw(msgspec.json.encode(said))

    def _down(self, operation: str, body: bytes) -> bool:
        return operation == "SendMessageBatch" and self._unreachable(msgspec.json.decode(body)["QueueUrl"])

    def _send(
        self, worker: Worker, request: Any, service: str, operation: str, body: bytes, fault: CallFault | None
    ) -> AWSResponse:
        match fault:
            case CallFault.REFUSED:
                self._pause(worker, body)
                return _error(request, "InternalServerError", status=500)
            case CallFault.THROTTLED:
                self._pause(worker, body)
                return _error(request, _THROTTLE.get(service, "ThrottlingException"))
            case CallFault.CONFLICT:
                self._pause(worker, body)
                return _conflict(request, operation, body)
            case CallFault.PARTIAL:
                return self._in_part(worker, request, service, operation, body)
            case CallFault.KILLED_BEFORE:
                worker.kill()
                raise Killed
            case CallFault.LATE:
                late = self._chaos.between(0.0, _LATEST_SECONDS, self._chaos.last)
                self._arrive(worker, request, service, body, late)
                strand.wait(asyncio.sleep(_NEVER))
        status, headers, content = self._exchange(worker, request, service, body)
        if fault is CallFault.KILLED_AFTER:
            worker.kill()
            raise Killed
        if fault is CallFault.LOST:
            raise ReadTimeoutError(endpoint_url=request.url)
        return AWSResponse(request.url, status, headers, _Raw(content))

    def _exchange(self, worker: Worker, request: Any, service: str, body: bytes) -> Response:
        return strand.wait(asyncio.shield(self._arrive(worker, request, service, body, 0.0)))

    def _arrive(self, worker: Worker, request: Any, service: str, body: bytes, late: float) -> asyncio.Task[Response]:
        """Send a request on its way: from now on it arrives, whatever becomes of the worker."""
        seconds = late + self._latency(worker, body)
        headers, who = _headers(request), worker.request_id

        async def arrive() -> Response:
            await asyncio.sleep(seconds)
            return self._answered(who, service, headers, body)

        return worker.outlived_by(arrive())

    def _answered(self, who: str, service: str, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            return self._answer(who, service, headers, body)
        except AwsError as error:
            return error.response()
        except Exception as error:
            self._broken(error)
            raise

    def _in_part(self, worker: Worker, request: Any, service: str, operation: str, body: bytes) -> AWSResponse:
        asked = msgspec.json.decode(body)
        if operation == "BatchGetItem":
            ((table, wanted),) = asked["RequestItems"].items()
            now, left = wanted["Keys"][::2], wanted["Keys"][1::2]
            asked["RequestItems"][table] = {**wanted, "Keys": now}
            status, headers, content = self._exchange(worker, request, service, msgspec.json.encode(asked))
            found = msgspec.json.decode(content)
            if left:
                found["UnprocessedKeys"] = {table: {**wanted, "Keys": left}}
            return AWSResponse(request.url, status, headers, _Raw(msgspec.json.encode(found)))
        entries = asked["Entries"]
        taken, failed = entries[1::2], entries[::2]
        answer: dict[str, Any] = {}
        if taken:
            part = msgspec.json.encode({**asked, "Entries": taken})
            _, _, content = self._exchange(worker, request, service, part)
            answer = msgspec.json.decode(content)
        else:
            self._pause(worker, body)
        whole = _put_events(answer, entries) if operation == "PutEvents" else _send_batch(answer, failed)
        return AWSResponse(request.url, 200, _JSON, _Raw(msgspec.json.encode(whole)))

    def _pause(self, worker: Worker, body: bytes) -> None:
        strand.wait(asyncio.sleep(self._latency(worker, body)))

    def _latency(self, worker: Worker, body: bytes) -> float:
        return self._chaos.between(_FASTEST_SECONDS, _SLOWEST_SECONDS, f"{len(body)} {_about(worker, body)}")


# The row that a call is about, or the event that it publishes: the first of several. A data key's id is drawn, and
# so tells nothing that the next run would know again.
_ROW_OR_EVENT = re.compile(
    rb'"(?:pk"|Key": ?{"[^"]+"): ?{"S": ?"(?!key#)([^"]+)"|"Detail": ?"{[^}]*?\\"id\\":\\"([^"\\]+)'
)


def _about(worker: Worker, body: bytes) -> str:
    """Return what tells a call from others at its site, whatever else goes on."""
    found = _ROW_OR_EVENT.search(body)
    return worker.function if found is None else f"{worker.function} {(found[1] or found[2]).decode()}"


_JSON = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "simulated"}


def _put_events(answer: Mapping[str, Any], entries: list[Any]) -> dict[str, Any]:
    taken = iter(answer.get("Entries", ()))
    failure = {"ErrorCode": "InternalFailure", "ErrorMessage": "simulated"}
    results = [next(taken) if place % 2 else failure for place in range(len(entries))]
    return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}


def _send_batch(answer: Mapping[str, Any], failed: list[Any]) -> dict[str, Any]:
    failures = [
        {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False, "Message": "simulated"} for entry in failed
    ]
    return {"Successful": answer.get("Successful", []), "Failed": failures}


def _conflict(request: Any, operation: str, body: bytes) -> AWSResponse:
    if operation != "TransactWriteItems":
        return _error(request, "TransactionConflictException")
    items = msgspec.json.decode(body)["TransactItems"]
    reasons = [{"Code": "TransactionConflict", "Message": "simulated"}, *[{"Code": "None"}] * (len(items) - 1)]
    return _error(request, "TransactionCanceledException", CancellationReasons=reasons)


def _error(request: Any, code: str, *, status: int = 400, **fields: Any) -> AWSResponse:
    status, headers, body = AwsError(code, f"{code}, simulated", status=status, **fields).response()
    return AWSResponse(request.url, status, headers, _Raw(body))


def _headers(request: Any) -> dict[str, str]:
    return {
        name.lower(): value if isinstance(value, str) else value.decode() for name, value in request.headers.items()
    }


class _Raw:
    """A body as urllib3 streams it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.content
