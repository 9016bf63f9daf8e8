"""What is on its way: letters that are sent now, late, or put aside to be sent in another order."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from eachonce_workbench.cloud.store.queues.queues import QueueError
from eachonce_workbench.console.door import ROOT
from eachonce_workbench.console.place import Place
from eachonce_workbench.console.send.letter import Letter, LetterError
from eachonce_workbench.run.sending import SendingError, send

_MOST_ASIDE = 100
_MOST_IDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of the last one, and where its story is, if it has one."""

    text: str = ""
    story: str = ""


class Outgoing:
    """Sends letters to a local cloud; all of it is the loop's."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._late: set[asyncio.Task[None]] = set()
        self.aside: list[Letter] = []
        self.ids: list[str] = []
        self.answer = Answer()

    def put_aside(self, letter: Letter) -> None:
        """Keep a letter until it is sent with others. Raises LetterError where there are too many."""
        if len(self.aside) >= _MOST_ASIDE:
            raise LetterError(f"{_MOST_ASIDE} are put aside already: send them, or forget them.")
        self.aside.append(letter)

    async def send_aside(self, order: str) -> bool:
        """Send what was put aside, in "reverse", "shuffled", or as it is; return whether all of it could be.

        Where not, the answer says why.
        """
        letters, self.aside = self.aside, []
        if order == "reverse":
            letters.reverse()
        elif order == "shuffled":
            random.shuffle(letters)
        failed = []
        for letter in letters:
            try:
                await self.send(letter)
            except LetterError as error:
                failed.append(f"{letter.title}: {error}")
        self.answer = Answer(text="\n".join(failed))
        return not failed

    async def send(self, letter: Letter) -> str | None:
        """Send a letter as it says; return where its story is, None where the answer says all. Raises LetterError."""
        self.answer = Answer()
        if not letter.late_seconds:
            return await self._send_now(letter)
        task = asyncio.create_task(self._send_late(letter), name="sent late")
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        story = story_of(letter.source, letter.event_id) if letter.event_id else ""
        self.answer = Answer(text=f"{letter.title} is sent in {letter.late_seconds} s.", story=story)
        return None

    async def _send_late(self, letter: Letter) -> None:
        await asyncio.sleep(letter.late_seconds)
        try:
            await self._send_now(letter)
        except LetterError as error:
            self.answer = Answer(text=f"{letter.title}, which was late: {error}")

    async def _send_now(self, letter: Letter) -> str | None:
        record, faults = self._place.record, self._place.faults
        assert record is not None  # noqa: S101 - a local cloud has one
        if letter.fault is not None and faults is not None:
            faults.turn_on(letter.fault)
        before = record.newest
        try:
            answer = await self._copies(letter)
        except (SendingError, QueueError) as error:
            if letter.fault is not None and faults is not None:
                faults.turn_off(letter.fault.number)
            raise LetterError(str(error).removeprefix(f"{letter.given.name}-0: ")) from error
        if letter.event_id:
            self.ids = [letter.event_id, *(each for each in self.ids if each != letter.event_id)][:_MOST_IDS]
            return story_of(letter.source, letter.event_id)
        newest = record.newest
        if letter.given.kind == "bus" and newest is not None and newest is not before:
            return story_of(newest.source, newest.event_id)
        self.answer = Answer(text=f"{letter.title}: sent." if answer is None else answer.decode(errors="replace"))
        return None

    async def _copies(self, letter: Letter) -> bytes | None:
        """Send each copy; return what the last was answered with."""
        assert self._place.cloud is not None  # noqa: S101 - a local cloud is there
        answer = None
        for copy in range(letter.copies):
            # Its own name: a FIFO queue takes two messages of one for one.
            given = replace(letter.given, name=f"{letter.given.name}-{copy}")
            answer = await send(self._place.cloud(), given, tries=1)
        return answer


def story_of(source: str, event_id: str) -> str:
    """Return the address of an event's story."""
    return f"{ROOT}story?{urlencode({'source': source, 'id': event_id})}"
