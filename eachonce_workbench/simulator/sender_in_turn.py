"""The sender of inputs that come in turn: each alone, or those together that come to one queue or bus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.run.books import Input
from eachonce_workbench.run.progress import Progress
from eachonce_workbench.run.sending import SendingError, send
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.manner import Manner
from eachonce_workbench.simulator.poison import FAILS, KILLS
from eachonce_workbench.simulator.poisoned import POISON_MARK
from eachonce_workbench.simulator.runtime import SimulatedRuntime
from eachonce_workbench.simulator.sender import Sender, is_server_error
from eachonce_workbench.simulator.watch import Watch

# Who asks a function and gets no answer asks again, as AWS does for most: longer than anything is down.
_TRIES = 15
_FIRST_PAUSE_SECONDS = 1.0

# What becomes of a delivery that is given up.
_WORDS = {
    "dead-lettered": "it is reported as failed again and again, until its queue puts it aside",
    "undelivered": "it is given up on its way",
}
_POISONS = {KILLS: DeliveryFault.POISON_KILLS, FAILS: DeliveryFault.POISON_FAILS}


class SenderInTurn(Sender):
    """Sends inputs in a manner; `failed` says why of those that came to nothing, by their names.

    Who asks a function waits for its answer before it asks for more. After an input of which nothing comes to an end,
    no more are sent.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        chaos: Chaos,
        watch: Watch,
        progress: Progress,
        *,
        model: Input | None,
        journal: str | None,
        manner: Manner,
        runtime: SimulatedRuntime,
        history: History,
        sent: Callable[[Input], object] = lambda _: None,
    ) -> None:
        super().__init__(cloud, chaos, watch, progress, model=model, journal=journal, sent=sent)
        self._manner = manner
        self._runtime = runtime
        self.failed: dict[str, str] = {}
        self._given_up: list[str] = []
        self._last = ""
        history.subscribe(self._notice)

    async def send(self, inputs: Sequence[Input]) -> dict[str, bytes]:
        """Send inputs; return what functions answered, by the inputs' names."""
        answers: dict[str, bytes] = {}
        sent = 0
        for group in self._groups(inputs):
            self._given_up.clear()
            self._last = ""
            for poison in self._poisons(group):
                await send(self._cloud, poison, tries=1)
            for given in group:
                await self._poison(given.name)
                answer = await self._sent(given)
                if answer is not None:
                    answers[given.name] = answer
            settled = await self._settled()
            self._concluded(group, settled=settled)
            if not settled:
                break
            sent += len(group)
            self._progress.sent(sent, len(inputs))
            await asyncio.sleep(self._manner.pause_seconds)
        return answers

    def _groups(self, inputs: Sequence[Input]) -> Iterator[list[Input]]:
        if self._manner.apart:
            yield from ([given] for given in inputs)
            return
        for (kind, _), group in groupby(inputs, key=lambda given: (given.kind, given.target)):
            if kind == "function":
                yield from ([given] for given in group)
            else:
                yield list(group)

    async def _sent(self, given: Input) -> bytes | None:
        self._note(given)
        if given.kind == "function":
            return await self._asked(given)
        again = _may_come_twice(given) and self._chaos.delivery(DeliveryFault.INPUT_AGAIN, given.name)
        for _ in range(1 + again):
            try:
                await send(self._cloud, given, tries=1)
            except SendingError as error:
                self.failed[given.name] = str(error)
        return None

    async def _asked(self, given: Input) -> bytes | None:
        pause = _FIRST_PAUSE_SECONDS
        for _ in range(_TRIES):
            try:
                answer = await send(self._cloud, given, tries=1)
            except SendingError as error:
                self.failed[given.name] = self._last or str(error)
            else:
                if answer is None or not is_server_error(answer):
                    self.failed.pop(given.name, None)
                    return answer
                self.failed[given.name] = f"{given.name}: {answer.decode(errors='replace')[:300]}"
            await asyncio.sleep(pause)
            pause *= 2
        return None

    async def _settled(self) -> bool:
        try:
            await self._cloud.settle(self._manner.patience_seconds)
        except TimeoutError:
            return False
        return True

    def _concluded(self, group: Sequence[Input], *, settled: bool) -> None:
        for given in group if self._given_up or not settled else ():
            never = self._last or "it comes again and again, and is never done"
            why = self._given_up[0] if self._given_up else never
            self.failed.setdefault(given.name, why)

    def _poisons(self, group: Sequence[Input]) -> Iterator[Input]:
        """Yield poison that comes before a group: the like of its first input, where its readers aren't the layer's."""
        first = group[0]
        if self._manner.layered or self._manner.apart or first.kind == "function" or not self._is_given_up(first):
            return
        for mark, fault in _POISONS.items():
            # What ends its worker is tried by itself alone: no plain function withstands it, and it would hide more.
            if (fault is DeliveryFault.POISON_FAILS or self._chaos.chosen) and self._chaos.often(fault, first.name):
                poison = _marked(first, f"{mark}-{first.name}")
                self._runtime.poisoned[poison.name] = fault
                yield poison

    def _is_given_up(self, given: Input) -> bool:
        """Whether each queue that an input comes to puts aside what fails for ever."""
        read = {mapping.queue_arn for mapping in self._cloud.topology.queue_mappings}
        if given.kind == "queue":
            read &= {self._cloud.topology.queue(given.target).arn}
        return bool(read) and all(self._cloud.topology.queue(arn).max_receive_count for arn in read)

    def _notice(self, happening: Happening) -> None:
        fields = happening.fields
        match happening.kind:
            case "attempted" if fields["status"] == "error":
                self._last = f"{fields['function']}: {fields['error_type']}: {fields.get('error_message', '')}"
                if fields["error_type"] == "ModuleNotFoundError":
                    self._last += "; install beside this tool what the function's requirements.txt names"
            case "concluded" if fields["condition"] != "Success":
                self._given_up.append(self._last)
            case "acknowledged" if fields["message_id"] in self._runtime.poison_ids:
                self._runtime.poisoned_in_vain = True
            case kind if kind in _WORDS:
                self._given_up.append(self._last or _WORDS[kind])


def _may_come_twice(given: Input) -> bool:
    """Whether its sender, an AWS service, may send the same again: anybody else's second message may be another one."""
    if given.kind == "bus":
        return False  # whoever publishes twice publishes two events; that the bus delivers twice is another fault
    try:
        body: Any = json.loads(given.payload)
    except ValueError:
        return False
    match body:
        case {"detail-type": _, "source": _, "detail": _} | {"Type": "Notification", "TopicArn": _}:
            return True
    return False


def _marked(given: Input, mark: str) -> Input:
    """Return the like of an input that can be told from it, and by nothing that a rule or a handler goes by."""
    if given.kind == "bus":
        entry = json.loads(given.payload)
        marked = entry | {"Resources": [*(entry.get("Resources") or ()), mark]}
        return replace(given, name=mark, payload=json.dumps(marked).encode())
    return replace(given, name=mark, attributes={**given.attributes, POISON_MARK: mark})
