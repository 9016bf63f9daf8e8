"""The console as an ASGI app: its screens, behind its door."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from eachonce_workbench.console.chaos.screen import Chaos
from eachonce_workbench.console.dead_letters.desk import Desk
from eachonce_workbench.console.dead_letters.screen import DeadLetters
from eachonce_workbench.console.door import ROOT, Door
from eachonce_workbench.console.events.screen import Events
from eachonce_workbench.console.overview.screen import Overview
from eachonce_workbench.console.pages import HERE, Pages
from eachonce_workbench.console.place import Place
from eachonce_workbench.console.proof.screen import Proof
from eachonce_workbench.console.send.screen import Send
from eachonce_workbench.console.story.screen import StoryScreen
from eachonce_workbench.console.stream import Streams
from eachonce_workbench.console.tables.screen import TablesScreen
from eachonce_workbench.operations.account import AccountError
from eachonce_workbench.operations.stack import NoDeadLetterQueueError, UnknownConsumerError, UnknownStackError

_FAILURES = (AccountError, UnknownStackError, UnknownConsumerError, NoDeadLetterQueueError, BotoCoreError, ClientError)


def console(place: Place, *, port: int, token: str | None = None) -> Door:
    """Return the app that shows a place; `port` is that on which it is served."""
    pages = Pages(place)
    streams, desk = Streams(), Desk(place)
    sending = Send(pages)
    screens = (
        Overview(pages),
        Events(pages, streams),
        StoryScreen(pages, desk),
        DeadLetters(pages, desk),
        sending,
        TablesScreen(pages),
        Proof(pages),
        Chaos(pages),
    )
    routes: list[Any] = [route for screen in screens for route in screen.routes()]
    routes.append(Route("/stream", _moves(place, streams, desk)))
    routes.append(Mount("/static", StaticFiles(directory=HERE / "static")))

    async def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 502
        why = error.detail if isinstance(error, HTTPException) else str(error)
        return pages.page(request, "nothing.html", status=status, title="Not here", why=why)

    app = Starlette(
        routes=[Mount(ROOT.rstrip("/"), routes=routes), Route("/", _home)],
        exception_handlers=dict.fromkeys((HTTPException, *_FAILURES), failed),
    )

    def end() -> None:
        streams.end()
        sending.end()

    return Door(app, port=port, token=token, end=end)


async def _home(request: Request) -> Response:  # noqa: ARG001 - as starlette calls it
    return RedirectResponse(ROOT)


def _moves(place: Place, streams: Streams, desk: Desk) -> Any:
    async def moves(request: Request) -> Response:  # noqa: ARG001 - as starlette calls it
        record = place.record
        faults = place.faults
        return streams.answer(
            lambda: {
                "changes": 0 if record is None else record.changes,
                "faults": 0 if faults is None else faults.changes,
                "jobs": desk.moves,
            }
        )

    return moves
