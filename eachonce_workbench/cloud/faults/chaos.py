"""Chaos: functions' calls go through the faults that are on."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec

from eachonce_workbench.cloud.faults.answers import part_of, refusal
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.faults.faults import Faults
from eachonce_workbench.cloud.faults.naming import HEADER
from eachonce_workbench.cloud.faults.roster import Roster, Worker
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.request import Request, form_of
from eachonce_workbench.cloud.store.protocol import AwsError, Response, decoded, success

Answer = Callable[[Request], Awaitable[Response]]

_KEY = re.compile(r"Credential=([^/,\s]+)/")
_WHY = "a fault that is turned on in this local cloud"


class Chaos:
    """Answers the calls of workers, as far as no fault comes between."""

    def __init__(self, faults: Faults, history: History) -> None:
        self._faults = faults
        self._history = history
        self.roster = Roster()

    @property
    def on(self) -> bool:
        """Whether there is any fault: while there is none, nothing else need be asked."""
        return bool(self._faults)

    async def carry(self, service: str, request: Request, answer: Answer) -> Response | None:
        """Return what `answer` says, or AWS's error; None where nobody is told: the connection ends.

        Raises what `answer` raises.
        """
        worker = self._worker(request)
        if worker is None:
            return await answer(request)
        site, operation = _named(worker, request)
        fault = self._faults.meet(worker.function, site, operation, request.body)
        if fault is None:
            return await answer(request)
        self._history.record(
            "faulted",
            function=worker.function,
            request_id=worker.request_id,
            site=site,
            fault=str(fault),
            body=request.body,
        )
        match fault:
            case CallFault.REFUSED | CallFault.THROTTLED:
                raise refusal(fault, service=service, operation=operation, asked={}, why=_WHY)
            case CallFault.CONFLICT:
                raise refusal(fault, service=service, operation=operation, asked=decoded(request.body), why=_WHY)
            case CallFault.PARTIAL:
                return await _in_part(operation, request, answer)
        await _unheard(fault, worker, request, answer)
        return None

    def _worker(self, request: Request) -> Worker | None:
        signed = _KEY.search(request.headers.get("authorization", ""))
        return None if signed is None else self.roster.who(signed[1])


async def _unheard(fault: CallFault, worker: Worker, request: Request, answer: Answer) -> None:
    """Do with a call what its maker isn't told of."""
    if fault is CallFault.KILLED_BEFORE:
        worker.kill()
        return
    if fault is CallFault.LATE:
        await worker.gone()
    with contextlib.suppress(AwsError):  # which is an answer, too
        await answer(request)
    if fault is CallFault.KILLED_AFTER:
        worker.kill()


async def _in_part(operation: str, request: Request, answer: Answer) -> Response:
    part = part_of(operation, decoded(request.body), why=_WHY)
    if part.asked is None:
        return success(part.whole({}))
    status, headers, content = await answer(replace(request, body=msgspec.json.encode(part.asked)))
    if status != 200:
        return status, headers, content
    return success(part.whole(msgspec.json.decode(content)))


def _named(worker: Worker, request: Request) -> tuple[str, str]:
    """Return the site that a call comes from, and its operation."""
    told = request.headers.get(HEADER) or _operation(request)
    place, _, operation = told.rpartition(" ")
    return (told if place else f"{worker.function} {operation}"), operation


def _operation(request: Request) -> str:
    """Return what a request asks for, by an SDK that names no site."""
    if request.target:
        return request.target.rpartition(".")[2]
    return form_of(request.form).get("Action") or request.method
