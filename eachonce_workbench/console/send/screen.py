"""Makes an event by its contract, or anything as JSON, sends it, and leads to its story."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from eachonce_workbench.console.door import ROOT
from eachonce_workbench.console.form import said_by
from eachonce_workbench.console.pages import Pages
from eachonce_workbench.console.place import aside
from eachonce_workbench.console.send.contracts import Checked, Told
from eachonce_workbench.console.send.fields import Field, data_of, field_of, fields_of, texts_of
from eachonce_workbench.console.send.kept import Kept
from eachonce_workbench.console.send.letter import LetterError, killing, letter_of
from eachonce_workbench.console.send.offers import Offer, offers
from eachonce_workbench.console.send.outgoing import Outgoing
from eachonce_workbench.console.send.reader import Reader
from eachonce_workbench.console.text import indented
from eachonce_workbench.run.books import BooksError, Input
from eachonce_workbench.run.samples import Samples
from eachonce_workbench.template.topology import Topology

_FIELD = "field."
# What imports a bundle takes longer than a person likes to look at nothing.
_PATIENCE_SECONDS = 0.5
_SHOWN = ("source", "type", "id", "subject", "tenant", "data", "twice", "late", "kill")
_OFTEN = ("source", "type", "subject", "tenant", "data", "mode")


class Send:
    """Shows forms, and sends what they say."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._place = pages.place
        self._reader = Reader()
        self._kept = Kept(self._place.folder)
        self._outgoing = Outgoing(self._place)
        self._number = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [
            Route("/send", self.show, methods=["GET"]),
            Route("/send", self.post, methods=["POST"]),
            Route("/send/ready", self.ready),
            Route("/send/aside", self.post_aside, methods=["POST"]),
        ]

    def end(self) -> None:
        """End the process that has the bundle's code."""
        self._reader.close()

    async def show(self, request: Request) -> Response:
        """Show the form of what is to be sent."""
        if self._place.cloud is None or self._place.record is None:
            return self._pages.page(request, "elsewhere.html", title="Send", why="what becomes of what is sent")
        reading = self._reading()
        await asyncio.wait({reading}, timeout=_PATIENCE_SECONDS)
        if not reading.done():
            return self._pages.page(request, "reading.html")
        told, found = reading.result()
        offer = _chosen(found, request.query_params.get("what", ""))
        last = None if request.query_params.get("fresh") else self._kept.last(offer.name)
        texts = {**offer.texts, **(last or {}), "id": str(uuid.uuid4())}
        texts["data"] = indented(texts["data"].encode())
        if last is None and (await self._checked(offer, texts["data"])).subject == texts.get("subject"):
            texts["subject"] = ""  # the contract will say it, whatever becomes of the data
        return self._shown(request, told, found, offer, texts, last=last is not None)

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - as starlette calls it
        """Answer when the contracts are read."""
        if self._place.cloud is not None:
            await self._reading()
        return Response(status_code=204)

    async def post(self, request: Request) -> Response:
        """Send what the form says, put it aside, or say what its contract has against it."""
        if self._place.cloud is None or self._place.record is None:
            return await self.show(request)
        asked = await said_by(request)
        told, found = await self._offers()
        offer = _chosen(found, asked.get("what", ""))
        fields = () if offer.known is None else fields_of(offer.known.schema)
        texts = _typed(fields, asked)
        checked = await self._checked(offer, texts["data"])
        if checked.reason is not None and not asked.get("anyway"):
            return self._shown(request, told, found, offer, texts, wrong=checked.reason, may=True)
        about = {"subject": texts.get("subject") or checked.subject or ""}
        try:
            self._number += 1
            letter = letter_of(offer, texts | about, number=self._number, sent_at=_now())
            if (killed := asked.get("kill", "")) in offer.consumers:
                letter = replace(letter, fault=killing(killed, letter, layered=killed in told.layered))
            if asked.get("aside"):
                self._outgoing.put_aside(letter)
                return RedirectResponse(_here(offer.name), status_code=303)
            where = await self._outgoing.send(letter)
        except LetterError as error:
            return self._shown(request, told, found, offer, texts, wrong=str(error))
        self._kept.keep(offer.name, {name: texts[name] for name in _OFTEN if name in texts})
        await aside(self._kept.save)
        return RedirectResponse(where or _here(offer.name), status_code=303)

    async def post_aside(self, request: Request) -> Response:
        """Send what was put aside, in one order or another, or forget it."""
        asked = await said_by(request)
        order = asked.get("order")
        if order in ("given", "reverse", "shuffled") and self._place.cloud is not None:
            sent = await self._outgoing.send_aside(order)
            return RedirectResponse(f"{ROOT}events" if sent else _here(asked.get("what", "")), status_code=303)
        self._outgoing.aside.clear()
        return RedirectResponse(_here(asked.get("what", "")), status_code=303)

    def _reading(self) -> asyncio.Task[tuple[Told, list[Offer]]]:
        """Begin to look at what there is to send; it goes on when whoever has asked has gone."""
        task = asyncio.create_task(self._offers(), name="reading contracts")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _offers(self) -> tuple[Told, list[Offer]]:
        topology = self._place.topology()
        assert topology is not None  # noqa: S101 - a local cloud has one
        folder = self._place.folder
        told = await self._reader.told(topology.functions)
        if folder is None:
            return told, offers(topology, told, ())
        samples, unread = await aside(lambda: _samples(folder, topology))
        return msgspec.structs.replace(told, unknown=(*told.unknown, *unread)), offers(topology, told, samples)

    async def _checked(self, offer: Offer, data: str) -> Checked:
        if offer.known is not None:
            return await self._reader.check(offer.known.kind, offer.known.type, data.encode())
        try:
            msgspec.json.decode(data.encode())
        except msgspec.MsgspecError as error:
            return Checked(reason=f"It is no JSON: {error}")
        return Checked()

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
            put_aside=self._outgoing.aside,
            ids=self._outgoing.ids,
            answer=self._outgoing.answer,
        )


def _chosen(found: Sequence[Offer], name: str) -> Offer:
    """Return what is wanted, else the first."""
    return next((each for each in found if each.name == name), found[0])


def _samples(folder: Path, topology: Topology) -> tuple[Sequence[Input], tuple[str, ...]]:
    """Return a bundle's samples, and why they can't be read, if there are any."""
    try:
        return Samples(folder, topology).inputs(None, None), ()
    except BooksError as error:
        return (), (str(error),) if any((folder / "events").glob("*/*.json")) else ()


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


def _here(name: str) -> str:
    return f"{ROOT}send?{urlencode({'what': name})}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
