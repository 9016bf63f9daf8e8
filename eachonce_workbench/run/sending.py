"""Sending: how inputs get into a bundle, and what functions answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.run.books import Input


class SendingError(RuntimeError):
    """An input can't be sent, or its function failed on it again and again; the message has its last error."""


async def send(cloud: LocalCloud, given: Input, *, tries: int) -> bytes | None:
    """Send an input; return what its function answered, None where it is for no function. Raises SendingError."""
    match given.kind:
        case "function":
            return await _invoke(cloud, given, tries)
        case "queue":
            _enqueue(cloud, given)
        case "bus":
            _publish(cloud, given)
    return None


async def send_all(
    cloud: LocalCloud, inputs: Iterable[Input], *, at_once: int, tries: int
) -> AsyncIterator[tuple[Input, bytes | SendingError | None]]:
    """Send inputs, several at once; yield each with its function's answer, or with what was wrong."""
    waiting = iter(inputs)
    sending: set[asyncio.Task[tuple[Input, bytes | SendingError | None]]] = set()

    async def one(given: Input) -> tuple[Input, bytes | SendingError | None]:
        try:
            return given, await send(cloud, given, tries=tries)
        except SendingError as error:
            return given, error

    try:
        while True:
            while len(sending) < at_once and (following := next(waiting, None)) is not None:
                sending.add(asyncio.create_task(one(following)))
            if not sending:
                return
            sent, sending = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
            for task in sent:
                yield task.result()
    finally:
        for task in sending:
            task.cancel()


async def _invoke(cloud: LocalCloud, given: Input, tries: int) -> bytes:
    payload = cloud.seal.payload(given.target, given.payload)
    for _ in range(tries):
        invocation = await cloud.invoke(given.target, payload)
        if invocation.ok:
            return invocation.payload
    shown = invocation.payload.decode(errors="replace")[:500]
    raise SendingError(f"{given.name}: {invocation.error_type}: {shown}")


def _enqueue(cloud: LocalCloud, given: Input) -> None:
    queue, seal = cloud.topology.queue(given.target), cloud.seal
    body = given.payload.decode()
    cloud.store.queues.send(
        queue.arn,
        seal.body(body),
        attributes=seal.attributes(given.attributes, body),
        group_id=(given.group or given.name) if queue.fifo else given.group,
        deduplication_id=given.name if queue.fifo else None,
    )


def _publish(cloud: LocalCloud, given: Input) -> None:
    entry: dict[str, Any] = json.loads(given.payload)
    buses = {name: bus.name for bus in cloud.topology.buses for name in (bus.logical_id, bus.name, bus.arn) if name}
    name = buses.get(given.target, given.target)
    sealed = {**entry, "Detail": cloud.seal.body(entry["Detail"]), "EventBusName": name}
    (result,) = cloud.bus.put_events([sealed])["Entries"]
    if "ErrorCode" in result:
        raise SendingError(f"{given.name}: {result['ErrorCode']}: {result.get('ErrorMessage', '')}")
