"""The sender: sends inputs, again and again until they are taken, and lets poison in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.run.books import Input
from eachonce_workbench.run.progress import Progress
from eachonce_workbench.run.sending import SendingError, send
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.poison import event_in, poison_before, poison_row_before, used_again
from eachonce_workbench.simulator.tables import put
from eachonce_workbench.simulator.watch import Watch

_AT_ONCE = 4
_EVERY_SECONDS = 0.2
_TRIES = 20
# Who got no answer waits: all rounds together take longer than any fault of a call lasts.
_PAUSE_SECONDS = 1.0
_ROUNDS = 50


class Sender:
    """Sends one simulation's inputs, and poison made of `model` before them.

    `poison_rows` are the keys of the rows in the table `journal` that nobody can relay.
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
        sent: Callable[[Input], object] = lambda _: None,
    ) -> None:
        """`sent` hears of each input, and of each poison, before it is sent."""
        self._sent_now = sent
        self._cloud = cloud
        self._chaos = chaos
        self._watch = watch
        self._progress = progress
        self._model = model
        self._journal = journal
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self.poison_rows: set[str] = set()

    async def send(self, inputs: Sequence[Input]) -> dict[str, bytes]:
        """Send inputs; return what functions answered, by the inputs' names. Raises SendingError."""
        answers: dict[str, bytes] = {}
        done = 0

        async def one(given: Input) -> None:
            nonlocal done
            async with self._slots:
                answer = await self._patiently(given)
            if answer is not None:
                answers[given.name] = answer
            done += 1
            self._progress.sent(done, len(inputs))

        try:
            async with asyncio.TaskGroup() as sending:
                for given in inputs:
                    await self._poison(given.name)
                    sending.create_task(one(given))
                    await asyncio.sleep(_EVERY_SECONDS)
        except* SendingError as failed:
            first = failed.exceptions[0]
        else:
            return answers
        raise first

    async def _patiently(self, given: Input) -> bytes | None:
        self._note(given)
        for left in reversed(range(_ROUNDS)):
            try:
                answer = await send(self._cloud, given, tries=_TRIES)
            except SendingError:
                if not left:
                    raise
            else:
                if answer is None or not is_server_error(answer) or not left:
                    return answer
            await asyncio.sleep(_PAUSE_SECONDS)
        return None

    async def _poison(self, name: str) -> None:
        for poison in () if self._model is None else poison_before(self._chaos, name, model=self._model):
            self._watch.poisonous.add(poison.name)
            self._note(poison)
            await send(self._cloud, poison, tries=1)
        row = None if self._journal is None else poison_row_before(self._chaos, name)
        if row is not None and self._journal is not None:
            self.poison_rows.add(row["pk"]["S"])
            put(self._cloud, self._journal, row)

    async def use_again(self) -> None:
        """Publish other events with the ids of some that are settled, each on its bus, as the first was published."""
        published = {event_id: event["detail"] for event_id, (_, event) in self._watch.innocent.items()}
        for event in used_again(self._chaos, published):
            bus, first = self._watch.innocent[event["id"]]
            self._watch.reused.add(event["id"])
            entry = {"Source": first["source"], "DetailType": first["detail-type"], "Detail": json.dumps(event)}
            given = Input(name=event["subject"], kind="bus", target=bus, payload=json.dumps(entry).encode())
            await send(self._cloud, given, tries=1)

    def _note(self, given: Input) -> None:
        """Let the watch expect what comes from outside: no commit is its cause, and no bus delivers it to a queue."""
        self._sent_now(given)
        if (event := event_in(given)) is not None:
            self._watch.from_outside.add(str(event["id"]))
            if given.kind == "queue":
                self._watch.delivered[str(event["id"])].add(self._cloud.topology.queue(given.target).arn)


def is_server_error(answer: bytes) -> bool:
    """Whether an API's answer says that whoever asked may ask again."""
    try:
        read = json.loads(answer)
    except ValueError:
        return False
    return isinstance(read, dict) and isinstance(read.get("statusCode"), int) and read["statusCode"] >= 500
