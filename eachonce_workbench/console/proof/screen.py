"""What the last simulation and the last certificate say, and their witnesses, played step by step."""

from __future__ import annotations

import asyncio
import shlex
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from eachonce_workbench.certify.last import NAME as CERTIFICATE
from eachonce_workbench.certify.last import LastCertificate
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.console.door import ROOT
from eachonce_workbench.console.pages import Pages
from eachonce_workbench.console.place import aside
from eachonce_workbench.console.proof.player import marks_of, way_of, ways_of
from eachonce_workbench.console.proof.playing import WITNESS, Played, PlayingError, command, play
from eachonce_workbench.console.proof.table import table_of
from eachonce_workbench.run.kept import FOLDER, KeptError, kept
from eachonce_workbench.simulator.last import NAME as SIMULATION
from eachonce_workbench.simulator.last import LastSimulation

T = TypeVar("T", bound=msgspec.Struct)

_NO_BUNDLE = "Proofs are of a bundle at hand, and there is none where the console was started."
_MOST_DIGITS = 6
_FAULTS = {str(fault): None for fault in CallFault}


class Proof:
    """Shows what is proved of the bundle at hand."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._folder = pages.place.folder
        self._playing = asyncio.Lock()
        self._played: tuple[str, Played | str] | None = None

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [
            Route("/proof", self.show),
            Route("/proof/witness", self.witness),
            Route("/proof/witness", self.play, methods=["POST"]),
            Route("/proof/certificate", self.certificate),
        ]

    async def show(self, request: Request) -> Response:
        """Show what is kept of the last simulation and the last certificate."""
        if self._folder is None:
            return self._nothing(request, _NO_BUNDLE, 200)
        simulation, wrong = await self._kept(self._folder, SIMULATION, LastSimulation)
        certificate, unread = await self._kept(self._folder, CERTIFICATE, LastCertificate)
        return self._pages.page(
            request,
            "proof.html",
            simulation=simulation,
            simulation_wrong=wrong,
            table=None if simulation is None else table_of(simulation.coverage, _FAULTS),
            simulate=_line("simulate", *([] if simulation is None else simulation.asked)),
            certificate=certificate,
            certificate_wrong=unread,
            certify=_line("certify", *([] if certificate is None else certificate.asked)),
        )

    async def witness(self, request: Request) -> Response:
        """Show the last simulation's witness, step by step once it was played."""
        simulation, why = await self._broken()
        if simulation is None or self._folder is None:
            return self._nothing(request, why)
        played = self._played
        fresh = played is not None and played[0] == await self._digest(self._folder)
        result = played[1] if played is not None and fresh else None
        way = way_of(result.steps) if isinstance(result, Played) else None
        return self._pages.page(
            request,
            "witness.html",
            witness=simulation.witness,
            ways=[] if way is None else [way],
            marks=[] if way is None else marks_of(way),
            left_out=result.left_out if isinstance(result, Played) else 0,
            wrong=result if isinstance(result, str) else "",
            command=_line(*_words(simulation), "--json"),
        )

    async def play(self, request: Request) -> Response:  # noqa: ARG002 - as starlette calls it
        """Play the witness again, one at a time, and show it."""
        simulation, _ = await self._broken()
        if simulation is not None and self._folder is not None:
            async with self._playing:
                digest = await self._digest(self._folder)
                try:
                    self._played = digest, await play(self._folder, simulation.asked)
                except PlayingError as error:
                    self._played = digest, str(error)
        return RedirectResponse(f"{ROOT}proof/witness", status_code=303)

    async def certificate(self, request: Request) -> Response:
        """Show a certificate's witness: two ways to deliver the same events, beside each other."""
        certificate, why = None, "There is no certificate of this bundle."
        if self._folder is not None:
            certificate, wrong = await self._kept(self._folder, CERTIFICATE, LastCertificate)
            why = wrong or why
        place, number = _number(request, "consumer"), _number(request, "witness")
        examined = certificate.consumers[place : place + 1] if certificate else []
        pairs = [pair for one in examined for pair in one.witnesses[number : number + 1]]
        if certificate is None or not pairs or pairs[0].witness is None:
            return self._nothing(request, why if certificate is None else "The last certificate has no such witness.")
        return self._pages.page(
            request,
            "ways.html",
            consumer=examined[0].consumer,
            pair=pairs[0],
            witness=pairs[0].witness,
            ways=ways_of(pairs[0].witness),
            command=_line("certify", *certificate.asked),
        )

    async def _broken(self) -> tuple[LastSimulation | None, str]:
        """Return the last simulation, where it has a witness; else why there is nothing to play."""
        if self._folder is None:
            return None, _NO_BUNDLE
        simulation, wrong = await self._kept(self._folder, SIMULATION, LastSimulation)
        if simulation is None or simulation.witness is None:
            return None, wrong or "The last simulation broke no promise, so there is no witness to play."
        return simulation, ""

    async def _kept(self, folder: Path, name: str, kind: type[T]) -> tuple[T | None, str]:
        """Return what a command has kept, and else why it can't be shown, if there is anything."""
        try:
            return await aside(lambda: kept(folder / FOLDER / name, kind)), ""
        except KeptError as error:
            return None, str(error)

    async def _digest(self, folder: Path) -> str:
        """Return what tells one witness from another; empty where there is none."""

        def digest() -> str:
            try:
                return blake2b((folder / WITNESS).read_bytes()).hexdigest()
            except OSError:
                return ""

        return await aside(digest)

    def _nothing(self, request: Request, why: str, status: int = 404) -> Response:
        return self._pages.page(request, "nothing.html", status=status, title="Proof", why=why)


def _number(request: Request, name: str) -> int:
    """Return the number that a parameter is; where it is none, one that nothing has."""
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else 10**_MOST_DIGITS


def _words(simulation: LastSimulation) -> list[str]:
    try:
        return command(simulation.asked)
    except PlayingError:
        return command([])


def _line(*words: Any) -> str:
    return shlex.join(["eachonce", *map(str, words)])
