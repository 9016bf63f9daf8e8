"""Faults, live: those that are on, and those that could be."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.faults.faults import Fault, Faults
from eachonce_workbench.console.chaos.choice import OWN_OPERATIONS, WORDS, ChoiceError, read, sites
from eachonce_workbench.console.door import ROOT
from eachonce_workbench.console.form import said_by, whole_number
from eachonce_workbench.console.pages import Pages

_KEPT = ("function", "often", "percent", "times", "operation")


class Chaos:
    """Shows faults, and turns them on and off."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._place = pages.place

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [
            Route("/chaos", self.show),
            Route("/chaos/turn", self.turn, methods=["POST"]),
            Route("/chaos/end", self.end, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the faults that are on, and what could be."""
        faults = self._place.faults
        if faults is None:
            return self._pages.page(request, "elsewhere.html", title="Chaos", why="functions' calls from AWS's answers")
        return self._shown(request, faults, request.query_params)

    async def turn(self, request: Request) -> Response:
        """Turn a fault on; the same one, which is on, off."""
        faults = self._place.faults
        if faults is None:
            return await self.show(request)
        asked = await said_by(request)
        try:
            fault = read(_pressed(asked), self._functions())
        except ChoiceError as error:
            return self._shown(request, faults, asked, wrong=str(error))
        same = next((each for each in faults.on if each.where == fault.where), None)
        if same is None:
            faults.turn_on(fault)
        else:
            faults.turn_off(same.number)
        return _back({name: asked[name] for name in _KEPT if asked.get(name)})

    async def end(self, request: Request) -> Response:
        """Turn one off by its number, or all of them where none is named."""
        if self._place.faults is not None:
            text = (await said_by(request)).get("number", "")
            if (number := whole_number(text)) is not None:
                self._place.faults.turn_off(number)
            elif not text:
                self._place.faults.turn_all_off()
        return _back({})

    def _shown(self, request: Request, faults: Faults, asked: Mapping[str, str], *, wrong: str = "") -> Response:
        function = asked.get("function", "")
        return self._pages.page(
            request,
            "chaos.html",
            status=400 if wrong else 200,
            wrong=wrong,
            on=[(fault, place_of(fault), often(fault)) for fault in faults.on],
            pressed={(site, fault.kind) for fault in faults.on if fault.function == function for site in fault.sites},
            all_pressed={fault.kind for fault in faults.on if fault.function == function and not fault.sites},
            parts=list(sites()),
            kinds=list(CallFault),
            words=WORDS,
            operations=OWN_OPERATIONS,
            functions=sorted(self._functions()),
            asked={name: asked.get(name, "") for name in _KEPT},
        )

    def _functions(self) -> list[str]:
        topology = self._place.topology()
        return [] if topology is None else [function.logical_id for function in topology.functions]


def place_of(fault: Fault) -> str:
    """Say at which calls a fault is met.

    >>> place_of(Fault(kind=CallFault.LOST)), place_of(Fault(kind=CallFault.LOST, function="Pack"))
    ('any call of any function', 'any call of Pack')
    """
    where = " or ".join(sorted(fault.sites)) or "any call"
    own = bool(fault.function) and all(site.startswith(f"{fault.function} ") for site in fault.sites) and fault.sites
    if not own:
        where += f" of {fault.function or 'any function'}"
    return where + (" about one event" if fault.holding else "")


def often(fault: Fault) -> str:
    """Say how often a fault is met.

    >>> often(Fault(kind=CallFault.LOST, left=1)), often(Fault(kind=CallFault.LOST, share=0.25))
    ('the next one', '25% of them')
    """
    if fault.left is not None:
        return "the next one" if fault.left == 1 else f"the next {fault.left:,}"
    return "every time" if fault.share >= 1 else f"{fault.share:.0%} of them"


def _pressed(asked: dict[str, str]) -> dict[str, str]:
    """Return what a form says with the button that sent it, whose value is "FAULT at SITE"."""
    fault, at, site = asked.get("turn", "").partition(" at ")
    return {**asked, "fault": fault, "site": site} if at else {**asked, "fault": fault or asked.get("fault", "")}


def _back(asked: dict[str, str]) -> Response:
    return RedirectResponse(f"{ROOT}chaos" + (f"?{urlencode(asked)}" if asked else ""), status_code=303)
