"""Dead letters: grouped by why and where, and what a person does about them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from eachonce_workbench.cloud.store.queues.queues import QueueMissing
from eachonce_workbench.console.dead_letters.desk import MOST_LETTERS, BusyError, Desk
from eachonce_workbench.console.dead_letters.groups import grouped
from eachonce_workbench.console.dead_letters.job import Job
from eachonce_workbench.console.door import ROOT
from eachonce_workbench.console.failure import place_of
from eachonce_workbench.console.form import form_of, whole_number
from eachonce_workbench.console.pages import Pages, is_refresh
from eachonce_workbench.operations.dead_letter import DeadLetter, Selection
from eachonce_workbench.operations.failure_place import FailurePlace, place_in_reason
from eachonce_workbench.operations.letter_file import LetterFile
from eachonce_workbench.operations.letters import Letters, Rounds
from eachonce_workbench.operations.pace import Pace, RisingPace
from eachonce_workbench.operations.stack import consumer_name

MOST_SHOWN = 50
"""Letters of one group that are shown one by one."""

MOST_JOBS_SHOWN = 5
"""Jobs that are told of, beside those that are under way."""

_LEAST_PER_SECOND = 0.01
_FILTER = ("consumer", "reason", "type", "id")


class ChoiceError(ValueError):
    """What was asked for makes no sense; the message says what does."""


class DeadLetters:
    """Shows dead letters, and works on those that are chosen."""

    def __init__(self, pages: Pages, desk: Desk) -> None:
        self._pages = pages
        self._place = pages.place
        self._desk = desk

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [
            Route("/dead-letters", self.show),
            Route("/dead-letters", self.act, methods=["POST"]),
            Route("/dead-letters/letter", self.letter),
        ]

    async def show(self, request: Request) -> Response:
        """Show what lies in the queues; they are read now, unless only the progress of jobs is asked for."""
        if not is_refresh(request):
            await self._desk.look()
        asked = {name: request.query_params.get(name, "").strip() for name in _FILTER}
        return self._shown(request, asked)

    async def act(self, request: Request) -> Response:
        """Do what a form asks for, in the background, and show the list again."""
        if not self._place.may_change:
            raise HTTPException(403, "This console only reads: start it with --write to let it change something.")
        form = await form_of(request)
        asked = {name: form.get(name, [""])[-1] for name in _FILTER}
        try:
            await self._act(form)
        except (ChoiceError, BusyError) as error:
            return self._shown(request, asked, wrong=str(error))
        query = urlencode({name: value for name, value in asked.items() if value})
        return RedirectResponse(f"{ROOT}dead-letters" + (f"?{query}" if query else ""), status_code=303)

    async def letter(self, request: Request) -> Response:
        """Show a letter whole."""
        message_id = request.query_params.get("id", "")
        letter = await self._desk.whole(message_id)
        if letter is None:
            why = "No dead-letter queue has this letter now: it was redriven, archived or dropped, or a job has it."
            return self._pages.page(request, "nothing.html", status=404, title="Dead letter", why=why)
        facts = {name: value for name, value in letter.as_dict().items() if value is not None}
        return self._pages.page(
            request,
            "letter.html",
            letter=letter,
            facts=facts,
            place_of_failure=self._place_of(letter),
            command=self._place.command("dlq", "show", message_id),
        )

    def _shown(self, request: Request, asked: dict[str, str], *, wrong: str = "") -> Response:
        seen = self._desk.seen
        selection = Selection(
            reason=asked["reason"] or None, event_type=asked["type"] or None, some_id=asked["id"] or None
        )
        letters = [each for each in seen.letters if each in selection and _is_of(each, asked["consumer"])]
        return self._pages.page(
            request,
            "dead_letters.html",
            status=400 if wrong else 200,
            asked=asked,
            wrong=wrong,
            seen=seen,
            groups=grouped(letters, self._place_of, seen.standings),
            count=len(letters),
            consumers=sorted({each.consumer for each in seen.letters}),
            types=sorted({each.event_type for each in seen.letters if each.event_type}),
            jobs=[each for place, each in enumerate(self._desk.jobs) if each.running or place < MOST_JOBS_SHOWN],
            waiting=self._waiting(),
            most_shown=MOST_SHOWN,
            most_letters=MOST_LETTERS,
            archives=self._place.folder is not None,
            command=self._command,
            filtered=_options(asked),
        )

    def _command(self, verb: str, options: Sequence[str], *more: str) -> str:
        return self._place.command("dlq", verb, *more, *options)

    def _waiting(self) -> int | None:
        """How many letters lie in the local cloud's dead-letter queues now; None where only reading tells."""
        topology = self._place.topology()
        if self._place.cloud is None or topology is None:
            return None
        store, total = self._place.cloud().store, 0
        read = {mapping.queue_arn for mapping in topology.queue_mappings}
        for arn in {queue.dead_letter_arn for queue in topology.queues if queue.arn in read and queue.dead_letter_arn}:
            with suppress(QueueMissing):
                total += store.queues.depth(arn).total
        return total

    def _place_of(self, letter: DeadLetter) -> FailurePlace | None:
        """Return where its handler failed: as the record has it from the trace, or as the reason says."""
        record, event = self._place.record, None
        if record is not None and letter.event_id is not None:
            known = None if letter.event is None else record.find(letter.event.source, letter.event_id)
            event = known or record.called(letter.event_id)
        for handling in reversed(event.handlings if event is not None else ()):
            if handling.trace and consumer_name(handling.consumer) in letter.consumer.split("+"):
                return place_of(handling, self._place.topology())
        return place_in_reason(letter.reason)

    # What is done.

    async def _act(self, form: dict[str, list[str]]) -> None:
        verb = form.get("do", [""])[-1]
        if verb == "stop":
            self._desk.stop(whole_number(form.get("job", [""])[-1]) or 0)
            return
        if verb not in ("redrive", "archive", "drop"):
            raise ChoiceError("Say what is to be done: redrive, archive or drop.")
        letters = self._chosen(form)
        match verb:
            case "redrive":
                rate, rising = _rate(form), "rising" in form
                await self._desk.begin(
                    "redrive", letters, lambda office, job: _redriving(office, job, letters, rising=rising), rate=rate
                )
            case "archive":
                path = self._archive()
                await self._desk.begin(
                    "archive", letters, lambda office, job: _archiving(office, job, letters, path), file=str(path)
                )
            case _:
                await self._desk.begin("drop", letters, lambda office, job: office.drop(letters, job.tally))

    def _chosen(self, form: dict[str, list[str]]) -> list[DeadLetter]:
        seen = self._desk.seen
        ticked, wanted = set(form.get("letter", ())), set(form.get("group", ()))
        if wanted and form.get("at", [""])[-1] != repr(seen.at):
            raise ChoiceError("The queues were read again since, and a group may hold other letters now: choose again.")
        for group in grouped(seen.letters, self._place_of, seen.standings) if wanted else ():
            if group.key in wanted:
                ticked |= {letter.message_id for letter in group.letters}
        letters = [letter for letter in seen.letters if letter.message_id in ticked]
        if not letters:
            raise ChoiceError("Tick the letters, or a group of them, that are meant.")
        return letters

    def _archive(self) -> Path:
        if self._place.folder is None:
            raise ChoiceError("There is no folder here to archive to: `eachonce dlq archive FILE` takes one.")
        name = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S-%f}Z.jsonl"
        return self._place.folder / ".run" / "dead-letters" / name


def _redriving(office: Letters, job: Job, letters: Sequence[DeadLetter], *, rising: bool) -> Rounds:
    pace: Pace | None = None
    if job.rate is not None:
        pace = (
            RisingPace(job.rate, tell=job.lines.append, sleep=job.sleep) if rising else Pace(job.rate, sleep=job.sleep)
        )
    return office.redrive(letters, job.tally, pace=pace)


def _archiving(office: Letters, job: Job, letters: Sequence[DeadLetter], path: Path) -> Rounds:
    with LetterFile(path) as file:
        yield from office.archive(letters, job.tally, keep=file.keep)


def _rate(form: dict[str, list[str]]) -> float | None:
    text = form.get("rate", [""])[-1].strip()
    if not text:
        if "rising" in form:
            raise ChoiceError("How far is it to rise? Say a rate, too.")
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not _LEAST_PER_SECOND <= rate < float("inf"):
        raise ChoiceError(f"A rate is a number of letters a second, {_LEAST_PER_SECOND} or more.")
    return rate


def _is_of(letter: DeadLetter, consumer: str) -> bool:
    """Whether a letter is of a consumer, by its name or its logical id; several may share a queue."""
    return consumer in ("", letter.consumer) or not {consumer, consumer_name(consumer)}.isdisjoint(
        letter.consumer.split("+")
    )


def _options(asked: dict[str, str]) -> list[Any]:
    return [word for name, value in asked.items() if value for word in (f"--{name}", value)]
