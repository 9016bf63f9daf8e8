"""The wire: where botocore would send a request, the simulator decides what becomes of it.

The clients are botocore's own, so that parsing, errors and retries are the real ones.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from eachonce_workbench.cloud.faults.answers import WEB, part_of, refusal
from eachonce_workbench.cloud.faults.call_site import call_site
from eachonce_workbench.cloud.faults.fault import DEADLY, PASSING, CallFault, faults_of
from eachonce_workbench.cloud.rights import Right, rights
from eachonce_workbench.cloud.store.protocol import AwsError, Response
from eachonce_workbench.simulator import strand
from eachonce_workbench.simulator.call import Call
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.worker import Killed, Worker

Answer = Callable[[Call, str], Response | Awaitable[Response]]
"""Gives what is answered to a call, of a function by its logical id."""

Called = Callable[[Call, str, CallFault | None], None]

_FASTEST_SECONDS, _SLOWEST_SECONDS = 0.002, 0.02
_LATEST_SECONDS = 150.0  # longer than any queue hides a message
_NEVER = 1e9
_WHY = "simulated"
# The first few tries of a call meet a fault that lasts, or all that its worker has the time for.
_LASTS_SECONDS = 1.0, 20.0


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

        `used` are the rights that each function needed, and `names` what tables, queues and buses are called in the
        template, by the names that calls have for them. `unreachable` says of a queue's URL whether it is down, and
        `broken` is told of an error of the simulation's own, which no worker must take for one of AWS's. `called` is
        told of each call: its site, and the fault that it meets, if any.
        """
        self._chaos = chaos
        self._answer = answer
        self._unreachable = unreachable
        self._broken = broken
        self._called = called
        self.calls: Counter[str] = Counter()
        self.faults: Counter[tuple[str, CallFault]] = Counter()
        self.used: dict[str, set[Right]] = defaultdict(set)
        self.names: Mapping[str, str] = {}
        self._lasting: dict[str, tuple[CallFault, float]] = {}

    def __call__(self, event_name: str, request: Any, **_: Any) -> AWSResponse:
        """Send one request, in botocore's place (its event "before-send")."""
        call = Call.of(event_name, request)
        try:
            status, headers, content = self.carry(call)
        except TimeoutError:
            raise ReadTimeoutError(endpoint_url=request.url) from None
        answer = AWSResponse(request.url, status, headers, _Raw(content))
        if call.operation == "TransactWriteItems" and status == 400:
            self._be_brief(answer, _site(call.operation))
        return answer

    def carry(self, call: Call) -> Response:
        """Carry one call of the strand that runs, through whatever goes wrong with it.

        Raises TimeoutError where the answer is lost, and Killed where the worker ends.
        """
        worker: Worker = strand.current().owner
        worker.require_alive()
        site = _site(call.operation)
        own = site.startswith(f"{worker.function} ")
        call = replace(call, who=worker.request_id, by_layer=not own, site=site)
        self.calls[site] += 1
        if call.service != WEB:
            self.used[worker.function].update(rights(call.service, call.operation, call.params))
        down = self._down(call)
        fault = CallFault.REFUSED if down else self._fault(worker, call, site)
        self._called(call, site, fault)
        if down:
            return call.refused(AwsError("ServiceUnavailable", f"ServiceUnavailable, {_WHY}", status=503))
        if fault is not None:
            self.faults[site, fault] += 1
        return self._send(worker, call, fault)

    def _fault(self, worker: Worker, call: Call, site: str) -> CallFault | None:
        if worker.spared:
            return None
        about = self._about(worker, call)
        if worker.mortal and (lasting := self._lasts(f"{site} {about}")) is not None:
            worker.hindered = True
            return lasting
        faults = [fault for fault in faults_of(call.operation) if worker.mortal or fault not in DEADLY]
        fault = self._chaos.call(site, about, faults)
        if fault in PASSING and self._chaos.delivery(DeliveryFault.CALL_LASTS, f"{site} {about}"):
            until = asyncio.get_running_loop().time() + self._chaos.between(*_LASTS_SECONDS, self._chaos.last)
            self._lasting[f"{site} {about}"] = fault, until
        return fault

    def _lasts(self, place: str) -> CallFault | None:
        """Return the fault that all calls of a place meet now, if there is one."""
        fault, until = self._lasting.get(place, (None, 0.0))
        return fault if asyncio.get_running_loop().time() < until else None

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

    def _down(self, call: Call) -> bool:
        return call.operation == "SendMessageBatch" and self._unreachable(str(call.params.get("QueueUrl")))

    def _send(self, worker: Worker, call: Call, fault: CallFault | None) -> Response:
        match fault:
            case CallFault.REFUSED | CallFault.THROTTLED | CallFault.CONFLICT:
                self._pause(worker, call)
                return call.refused(
                    refusal(fault, service=call.service, operation=call.operation, asked=call.params, why=_WHY)
                )
            case CallFault.PARTIAL:
                return self._in_part(worker, call)
            case CallFault.KILLED_BEFORE:
                worker.kill()
                raise Killed
            case CallFault.LATE:
                late = self._chaos.between(0.0, _LATEST_SECONDS, self._chaos.last)
                self._arrive(worker, call, late)
                strand.wait(asyncio.sleep(_NEVER))
        answer = self._exchange(worker, call)
        if fault is CallFault.KILLED_AFTER:
            worker.kill()
            raise Killed
        if fault is CallFault.LOST:
            raise TimeoutError("timed out")
        return answer

    def _exchange(self, worker: Worker, call: Call) -> Response:
        return strand.wait(asyncio.shield(self._arrive(worker, call, 0.0)))

    def _arrive(self, worker: Worker, call: Call, late: float) -> asyncio.Task[Response]:
        """Send a request on its way: from now on it arrives, whatever becomes of the worker."""
        seconds = late + self._latency(worker, call)

        async def arrive() -> Response:
            await asyncio.sleep(seconds)
            return await self._answered(call, worker.function)

        return worker.outlived_by(arrive())

    async def _answered(self, call: Call, function: str) -> Response:
        try:
            answer = self._answer(call, function)
            return answer if isinstance(answer, tuple) else await answer
        except AwsError as error:
            return error.response()
        except Exception as error:
            self._broken(error)
            raise

    def _in_part(self, worker: Worker, call: Call) -> Response:
        part = part_of(call.operation, msgspec.json.decode(call.body), why=_WHY)
        if part.asked is None:
            self._pause(worker, call)
            return 200, dict(_JSON), msgspec.json.encode(part.whole({}))
        status, headers, content = self._exchange(worker, replace(call, body=msgspec.json.encode(part.asked)))
        if status != 200:
            return status, headers, content
        return status, headers, msgspec.json.encode(part.whole(msgspec.json.decode(content)))

    def _about(self, worker: Worker, call: Call) -> str:
        """Return what tells a call from others at its site, whatever else goes on."""
        if not call.by_layer:
            first, *rest = call.about
            return " ".join((self.names.get(first, first), *rest))
        found = _ROW_OR_EVENT.search(call.body)
        return worker.function if found is None else f"{worker.function} {(found[1] or found[2]).decode()}"

    def _pause(self, worker: Worker, call: Call) -> None:
        strand.wait(asyncio.sleep(self._latency(worker, call)))

    def _latency(self, worker: Worker, call: Call) -> float:
        return self._chaos.between(_FASTEST_SECONDS, _SLOWEST_SECONDS, f"{len(call.body)} {self._about(worker, call)}")


# The row that a call is about, or the event that it publishes: the first of several. A data key's id is drawn, and
# so tells nothing that the next run would know again.
_ROW_OR_EVENT = re.compile(
    rb'"(?:pk"|Key": ?{"[^"]+"): ?{"S": ?"(?!key#)([^"]+)"|"Detail": ?"{[^}]*?\\"id\\":\\"([^"\\]+)'
)


def _site(operation: str) -> str:
    """Return who makes the call under way, and which: the part of the layer, or else the function."""
    return call_site(operation) or f"{strand.current().owner.function} {operation}"


_JSON = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "simulated"}


class _Raw:
    """A body as urllib3 streams it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.content
