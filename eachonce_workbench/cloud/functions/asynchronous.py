"""Lambda's asynchronous invocations: nobody waits for them, so Lambda tries again and tells how they ended.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from eachonce_workbench.cloud.functions.destinations import DestinationError, Message, Send, nowhere
from eachonce_workbench.cloud.functions.invocation_record import Condition, dead_letter_attributes, record
from eachonce_workbench.cloud.functions.runtime import Invocation, Runtime
from eachonce_workbench.cloud.history import History
from eachonce_workbench.template.topology import EventInvoke, Function

_MINUTE = 60.0
_LONGEST_THROTTLE_SECONDS = 300.0


@dataclass(slots=True, kw_only=True)
class _Event:
    """One event, and how often it was tried; `throttles` are those since the last run."""

    function: Function
    qualifier: str
    payload: bytes
    accepted_at: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    invokes: int = 0
    throttles: int = 0
    skipped_seconds: float = 0.0
    last: Invocation | None = None

    @property
    def arn(self) -> str:
        return f"{self.function.arn}:{self.qualifier}"

    @property
    def settings(self) -> EventInvoke:
        return self.function.event_invokes.get(self.qualifier, EventInvoke())


class Asynchronous:
    """Invokes functions until they succeed, or until Lambda would give up; then tells their destinations.

    A function's failure is tried again after one minute and then after two, as long as its settings allow; a throttle
    after one second and then twice as long each time, at most five minutes, as long as the event is young enough. What
    passes for a minute between failures is `minute_seconds`: a person would wait for nothing. An event's age counts it
    as the minute that it is on AWS.
    """

    def __init__(
        self, runtime: Runtime, *, send: Send = nowhere, history: History | None = None, minute_seconds: float = 1.0
    ) -> None:
        """Take what runs functions, what sends to destinations, whom to tell, and how long a minute is."""
        self._runtime = runtime
        self._send = send
        self._history = History() if history is None else history
        self._pace = minute_seconds / _MINUTE
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many events aren't done with."""
        return len(self._tasks)

    def begin(self, function: Function, qualifier: str, payload: bytes) -> str:
        """Take an event; returns the request id, the same for each of its tries."""
        event = _Event(function=function, qualifier=qualifier, payload=payload, accepted_at=_now())
        task = asyncio.ensure_future(self._work(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return event.request_id

    async def stop(self) -> None:
        """Forget every event; what runs is cancelled."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, event: _Event) -> None:
        while (condition := await self._try(event)) is None:
            pass
        self._conclude(event, condition)

    async def _try(self, event: _Event) -> Condition | None:
        """Invoke once; return how the event has ended, or None, after a pause, when it is to be tried again."""
        if event.function.reserved_concurrency == 0:
            return "ZeroReservedConcurrency"
        ended = await self._runtime.invoke(event.function.logical_id, event.payload, request_id=event.request_id)
        if ended.status == "throttled":
            return await self._after_throttle(event)
        event.last, event.invokes, event.throttles = ended, event.invokes + 1, 0
        return "Success" if ended.ok else await self._after_failure(event)

    async def _after_throttle(self, event: _Event) -> Condition | None:
        left = event.settings.max_age_seconds - _age_seconds(event)
        if left <= 0:
            return "EventAgeExceeded"
        pause = min(2.0**event.throttles, _LONGEST_THROTTLE_SECONDS, left)
        event.throttles += 1
        await asyncio.sleep(pause)
        return None

    async def _after_failure(self, event: _Event) -> Condition | None:
        if event.invokes > event.settings.max_retries:
            return "RetriesExhausted"
        pause = _MINUTE * event.invokes
        if _age_seconds(event) + pause >= event.settings.max_age_seconds:
            return "EventAgeExceeded"
        waited = pause * self._pace
        self._tell("retried", event, in_seconds=waited)
        await asyncio.sleep(waited)
        event.skipped_seconds += pause - waited
        return None

    def _conclude(self, event: _Event, condition: Condition) -> None:
        """Tell the destination, and keep what failed in the function's dead-letter queue: either, both or none."""
        told: list[str] = []
        refused: dict[str, str] = {}
        for arn, message in _messages(event, condition):
            try:
                self._send(arn, message)
            except DestinationError as error:
                refused[arn] = str(error)
            else:
                told.append(arn)
        self._tell("concluded", event, condition=condition, told=told, refused=refused)

    def _tell(self, kind: Literal["retried", "concluded"], event: _Event, **fields: Any) -> None:
        self._history.record(kind, function=event.function.logical_id, request_id=event.request_id, **fields)


def _messages(event: _Event, condition: Condition) -> Iterator[tuple[str, Message]]:
    if condition == "Success":
        if event.settings.on_success_arn is not None:
            yield event.settings.on_success_arn, _record(event, condition)
        return
    if event.settings.on_failure_arn is not None:
        yield event.settings.on_failure_arn, _record(event, condition)
    if event.function.dead_letter_arn is not None:
        yield event.function.dead_letter_arn, _dead_letter(event, condition)


def _record(event: _Event, condition: Condition) -> Message:
    body = record(
        condition,
        function_arn=event.arn,
        request_id=event.request_id,
        payload=event.payload,
        invokes=event.invokes,
        last=event.last,
        now=time.time(),
    )
    return Message(body=body, function_arn=event.arn, result="Success" if condition == "Success" else "Failure")


def _dead_letter(event: _Event, condition: Condition) -> Message:
    return Message(
        body=event.payload.decode(errors="replace"),
        function_arn=event.arn,
        result="Failure",
        attributes=dead_letter_attributes(condition, request_id=event.request_id, last=event.last),
    )


def _age_seconds(event: _Event) -> float:
    return _now() - event.accepted_at + event.skipped_seconds


def _now() -> float:
    return asyncio.get_running_loop().time()
