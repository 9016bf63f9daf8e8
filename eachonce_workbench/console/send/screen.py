"""Makes an event by its contract, or anything as JSON, sends it, and leads to its story."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from eachonce_workbench.cloud.store.queues.queues import QueueError
from eachonce_workbench.console.door import ROOT
from eachonce_workbench.console.form import form_of
from eachonce_workbench.console.pages import Pages
from eachonce_workbench.console.place import aside
from eachonce_workbench.console.send.contracts import Checked, Told
from eachonce_workbench.console.send.fields import Field, data_of, field_of, fields_of, texts_of
from eachonce_workbench.console.send.kept import Kept
from eachonce_workbench.console.send.letter import Letter, LetterError, killing, letter_of
from eachonce_workbench.console.send.offers import Offer, offers
from eachonce_workbench.console.send.reader import Reader
from eachonce_workbench.run.books import BooksError
from eachonce_workbench.run.samples import Samples
from eachonce_workbench.run.sending import SendingError, send

_MOST_ASIDE = 100
_MOST_IDS = 20
_FIELD = "field."
_SHOWN = ("source", "type", "id", "subject", "tenant", "data", "twice", "late", "kill")
_OFTEN = ("source", "type", "subject", "tenant", "data", "mode")


class Send:
    """Shows forms, and sends what they say."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._place = pages.place
        self._reader = Reader()
        self._kept = Kept(self._place.folder)
        self._aside: list[Letter] = []
        self._ids: list[str] = []
        self._answer = ""
        self._number = 0
        self._late: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [
            Route("/send", self.show, methods=["GET"]),
            Route("/send", self.post, methods=["POST"]),
            Route("/send/aside", self.post_aside, methods=["POST"]),
        ]

    def end(self) -> None:
        """End the process that has the bundle's code."""
        self._reader.close()

    async def show(self, request: Request) -> Response:
        """Show the form of what is to be sent."""
        if self._place.cloud is None or self._place.record is None:
            return self._pages.page(request, "elsewhere.html", title="Send", why="what becomes of what is sent")
        told, found = await self._offers()
        offer = _chosen(found, request.query_params.get("what", ""))
        last = None if request.query_params.get("fresh") else self._kept.last(offer.name)
        texts = {**offer.texts, **(last or {}), "id": str(uuid.uuid4())}
        return self._shown(request, told, found, offer, texts, last=last is not None)

    async def post(self, request: Request) -> Response:
        """Send what the form says, put it aside, or say what its contract has against it."""
        if self._place.cloud is None or self._place.record is None:
            return await self.show(request)
        asked = {name: values[-1] for name, values in (await form_of(request)).items()}
        told, found = await self._offers()
        offer = _chosen(found, asked.get("what", ""))
        fields = () if offer.known is None else fields_of(offer.known.schema)
        texts = _typed(fields, asked)
        checked = await self._checked(offer, texts["data"])
        if checked.reason is not None and not asked.get("anyway"):
            return self._shown(request, told, found, offer, texts, wrong=checked.reason, may=True)
        if checked.subject is not None and not texts.get("subject"):
            texts["subject"] = checked.subject
        try:
            self._number += 1
            letter = letter_of(offer, texts, number=self._number, sent_at=_now())
            if asked.get("aside"):
                return self._put_aside(offer, letter)
            killed = asked.get("kill", "")
            if killed in offer.consumers and self._place.faults is not None:
                self._place.faults.turn_on(killing(killed, letter, layered=killed in told.layered))
            where = await self._sent(letter)
        except (LetterError, SendingError, QueueError) as error:
            return self._shown(request, told, found, offer, texts, wrong=str(error))
        self._kept.keep(offer.name, {name: texts[name] for name in _OFTEN if name in texts})
        await aside(self._kept.save)
        return RedirectResponse(where or _here(offer.name), status_code=303)

    async def post_aside(self, request: Request) -> Response:
        """Send what was put aside, in one order or another, or forget it."""
        asked = {name: values[-1] for name, values in (await form_of(request)).items()}
        letters, self._aside = self._aside, []
        match asked.get("order"):
            case "reverse":
                letters.reverse()
            case "shuffled":
                random.shuffle(letters)
            case "given":
                pass
            case _:
                letters = []
        failed = []
        for letter in letters if self._place.cloud is not None else ():
            try:
                await self._sent(letter)
            except (SendingError, QueueError) as error:
                failed.append(f"{letter.title}: {error}")
        self._answer = "\n".join(failed)
        sent = letters and not failed
        return RedirectResponse(f"{ROOT}events" if sent else _here(asked.get("what", "")), status_code=303)

    async def _offers(self) -> tuple[Told, list[Offer]]:
        topology = self._place.topology()
        if topology is None:
            raise LookupError("a local cloud has a topology")
        folder = self._place.folder
        told = await self._reader.told(topology.functions)
        samples: list[Any] = []
        if folder is not None:
            try:
                samples = list(await aside(lambda: Samples(folder, topology).inputs(None, None)))
            except BooksError:
                samples = []
        return told, offers(topology, told, samples)

    async def _checked(self, offer: Offer, data: str) -> Checked:
        if offer.known is not None:
            return await self._reader.check(offer.known.kind, offer.known.type, data.encode())
        try:
            msgspec.json.decode(data.encode())
        except msgspec.MsgspecError as error:
            return Checked(reason=f"It is no JSON: {error}")
        return Checked()

    def _put_aside(self, offer: Offer, letter: Letter) -> Response:
        if len(self._aside) >= _MOST_ASIDE:
            raise LetterError(f"{_MOST_ASIDE} are put aside already: send them, or forget them.")
        self._aside.append(letter)
        return RedirectResponse(_here(offer.name), status_code=303)

    async def _sent(self, letter: Letter) -> str | None:
        """Send a letter as it says; return where to look at what becomes of it, None where it is on this page."""
        self._answer = ""
        if letter.late_seconds:
            task = asyncio.create_task(self._send_late(letter), name="sent late")
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            self._answer = f"{letter.title} is sent in {letter.late_seconds} s."
            return _story(letter.source, letter.event_id) if letter.event_id else None
        return await self._send_now(letter)

    async def _send_late(self, letter: Letter) -> None:
        await asyncio.sleep(letter.late_seconds)
        try:
            await self._send_now(letter)
        except (SendingError, QueueError) as error:
            self._answer = f"{letter.title}: {error}"

    async def _send_now(self, letter: Letter) -> str | None:
        record, cloud = self._place.record, self._place.cloud
        assert record is not None and cloud is not None  # noqa: S101, PT018 - a local cloud's place has both
        before = record.newest
        for copy in range(letter.copies):
            # A FIFO queue takes two messages of one name for one.
            given = replace(letter.given, name=f"{letter.given.name}-{copy}")
            answer = await send(cloud(), given, tries=1)
            if answer is not None:
                self._answer = answer.decode(errors="replace")
        if letter.event_id:
            self._ids = [letter.event_id, *(each for each in self._ids if each != letter.event_id)][:_MOST_IDS]
            return _story(letter.source, letter.event_id)
        newest = record.newest
        if letter.given.kind == "bus" and newest is not None and newest is not before:
            return _story(newest.source, newest.event_id)
        self._answer = self._answer or f"{letter.title}: sent."
        return None

    def _shown(
        self,
        request: Request,
        told: Told,
        found: Sequence[Offer],
        offer: Offer,
        texts: Mapping[str, str],
        *,
        wrong: str = "",
        may: bool = False,
        last: bool = False,
    ) -> Response:
        fields = () if offer.known is None else fields_of(offer.known.schema)
        values = {**texts_of(fields, texts.get("data", "")), **_of_fields(texts)}
        groups: dict[str, list[Offer]] = {}
        for each in found:
            groups.setdefault(each.group, []).append(each)
        return self._pages.page(
            request,
            "send.html",
            status=422 if wrong else 200,
            offer=offer,
            groups=groups,
            fields=fields,
            values=values,
            texts={**dict.fromkeys(_SHOWN, ""), **texts},
            mode=texts.get("mode") or ("fields" if fields else "json"),
            wrong=wrong,
            wrong_at=field_of(wrong) if may else None,
            may=may,
            last=last,
            unknown=told.unknown,
            put_aside=self._aside,
            ids=self._ids,
            answer=self._answer,
        )


def _chosen(found: Sequence[Offer], name: str) -> Offer:
    """Return what is wanted, else the first."""
    return next((each for each in found if each.name == name), found[0])


def _typed(fields: Sequence[Field], asked: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a form, whose data are those of its fields where these count."""
    texts = {**asked, "data": asked.get("data", "").replace("\r\n", "\n")}
    if fields and asked.get("mode") != "json":
        texts["data"] = data_of(fields, _of_fields(texts))
    return texts


def _of_fields(texts: Mapping[str, str]) -> dict[str, str]:
    if texts.get("mode") == "json":
        return {}
    return {
        name.removeprefix(_FIELD): text.replace("\r\n", "\n") for name, text in texts.items() if name.startswith(_FIELD)
    }


def _story(source: str, event_id: str) -> str:
    return f"{ROOT}story?{urlencode({'source': source, 'id': event_id})}"


def _here(name: str) -> str:
    return f"{ROOT}send?{urlencode({'what': name})}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
