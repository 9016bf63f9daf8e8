"""The live list of events, filtered, and the batches that held them."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from eachonce_workbench.console.events.selection import Selection, SelectionError
from eachonce_workbench.console.events.view import View
from eachonce_workbench.console.form import whole_number
from eachonce_workbench.console.pages import Pages
from eachonce_workbench.console.stream import Streams

MOST_VIEWS = 20
"""Pages that may look at events at once."""

MOST_ROWS = 200
"""Rows of one answer: more than a screen shows."""


class Events:
    """Shows events as they come."""

    def __init__(self, pages: Pages, streams: Streams) -> None:
        self._pages = pages
        self._streams = streams
        self._place = pages.place
        self._views: dict[str, View] = {}

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [
            Route("/events", self.show),
            Route("/events/stream", self.stream),
            Route("/events/rows", self.rows),
            Route("/events/batch", self.batch),
        ]

    async def show(self, request: Request) -> Response:
        """Show the list; its rows come by themselves."""
        record = self._place.record
        if record is None:
            return self._pages.page(request, "elsewhere.html", title="Events", why="events as they happen")
        asked = _asked(request)
        try:
            selection = Selection.read(asked)
            wrong = ""
        except SelectionError as error:
            selection, wrong = Selection(), str(error)
        types = Counter(event.type for event in record.events.values())
        # What is asked for can be chosen, too, though no event has it yet.
        consumers = {name for event in record.events.values() for name in event.outcomes} | {selection.consumer}
        outcomes = {each for event in record.events.values() for each in event.outcomes.values()}
        return self._pages.page(
            request,
            "events.html",
            selection=selection,
            asked=request.query_params,
            wrong=wrong,
            types=sorted(types.items()),
            consumers=sorted(consumers - {""}),
            outcomes=sorted((outcomes | {"lost", selection.outcome}) - {""}),
            kept=len(record.events),
            forgotten=record.forgotten,
        )

    async def stream(self, request: Request) -> Response:
        """Say how many events a selection has, as they come, and under which name its rows are to be had."""
        record = self._place.record
        if record is None:
            return PlainTextResponse("There is nothing to follow on AWS.\n", 404)
        try:
            selection = Selection.read(_asked(request))
        except SelectionError as error:
            return PlainTextResponse(f"{error}\n", 400)
        if len(self._views) >= MOST_VIEWS:
            return PlainTextResponse(f"{MOST_VIEWS} pages look at events already.\n", 503)
        name = secrets.token_urlsafe(9)
        view = self._views[name] = View(record, selection)
        filling = view.start()

        def state() -> dict[str, Any]:
            return {
                "view": name,
                "count": len(view),
                "last": view.last,
                "version": view.version,
                "filled": view.filled,
                "kept": len(record.events),
                "forgotten": record.forgotten,
            }

        def ended() -> None:
            filling.cancel()
            self._views.pop(name).close()

        return self._streams.answer(state, ended=ended)

    async def rows(self, request: Request) -> Response:
        """Give some rows of a view: `count` from the `start`-th newest on."""
        view = self._views.get(request.query_params.get("view", ""))
        if view is None:
            return PlainTextResponse("Nobody looks at that any more.\n", 404)
        start, count = (whole_number(request.query_params.get(name, "")) for name in ("start", "count"))
        if start is None or count is None:
            return PlainTextResponse("start and count are whole numbers.\n", 400)
        return JSONResponse({"total": len(view), "rows": view.rows(start, min(count, MOST_ROWS))})

    async def batch(self, request: Request) -> Response:
        """Show whom an invocation held, and how it ended."""
        request_id = request.query_params.get("request", "")
        record = self._place.record
        batch = None if record is None else record.batches.get(request_id)
        if record is None or batch is None:
            why = "Nothing is kept of this invocation any more, or it never was."
            return self._pages.page(request, "nothing.html", status=404, title="Batch", why=why)
        return self._pages.page(
            request, "batch.html", batch=batch, request_id=request_id, events=record.batch(request_id)
        )


def _asked(request: Request) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in request.query_params}
