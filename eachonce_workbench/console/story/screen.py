"""One event's page: its way, its causes and consequences, and what journal, rules and tables say of it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eachonce_workbench.console.dead_letters.desk import Desk
from eachonce_workbench.console.known import KnownEvent
from eachonce_workbench.console.pages import Pages, is_refresh
from eachonce_workbench.console.place import aside
from eachonce_workbench.console.story.attempts import attempts_of
from eachonce_workbench.console.story.rules import RuleStory, rules_of
from eachonce_workbench.console.story.waterfall import waterfall
from eachonce_workbench.matching.reading import read_json
from eachonce_workbench.operations.account import AccountError
from eachonce_workbench.operations.dead_letter import DeadLetter, Selection
from eachonce_workbench.operations.stack import Stack, UnknownStackError
from eachonce_workbench.operations.story import Story, sources, tell
from eachonce_workbench.operations.tables import Tables, Written
from eachonce_workbench.template.topology import Topology

MOST_CONSEQUENCES = 200
MOST_ITEMS = 2_000
"""Items of each table that are looked at for an event's marks: a page must cost the local cloud little."""

_LONGEST_NUMBER = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What journal, dead-letter queues and tables say of an event; `failed` is why they can't be asked.

    `stories` are those of the sources that it may have. `letters` are None where the queues weren't read; `written` is
    None where there are no tables that may be looked through.
    """

    stories: tuple[Story, ...] = ()
    letters: tuple[DeadLetter, ...] | None = None
    written: Written | None = None
    failed: str = ""


class StoryScreen:
    """Shows an event's story."""

    def __init__(self, pages: Pages, desk: Desk) -> None:
        self._pages = pages
        self._place = pages.place
        self._desk = desk

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [Route("/story", self.show)]

    async def show(self, request: Request) -> Response:
        """Show the event of a source and an id; a source may be left out. What no address can hold has a number."""
        source, event_id = (request.query_params.get(name, "") for name in ("source", "id"))
        event = self._find(source, event_id) or self._numbered(request.query_params.get("number", ""))
        if event is not None:
            source, event_id = event.source, event.event_id
        refresh = is_refresh(request)
        with_letters = "letters" in request.query_params
        kept = Kept()
        if event_id and not refresh:
            kept = await self._kept(source, event_id, event, with_letters=with_letters)
        known = event is not None or refresh or bool(kept.stories)
        local = {} if event is None else await self._local(event, refresh=refresh)
        words = ["--source", source] if source else []
        return self._pages.page(
            request,
            "story.html",
            status=200 if known or kept.failed or not event_id else 404,
            source=source,
            event_id=event_id,
            event=event,
            kept=kept,
            known=known,
            refresh=refresh,
            story=next(iter(kept.stories), None),
            **{**_NOTHING_LOCAL, **local},
            now=time.time(),
            command=self._place.command("why", event_id or "EVENT_ID", *words),
        )

    def _find(self, source: str, event_id: str) -> KnownEvent | None:
        record = self._place.record
        if record is None or not event_id:
            return None
        return record.find(source, event_id) or (None if source else record.called(event_id))

    def _numbered(self, number: str) -> KnownEvent | None:
        record = self._place.record
        if record is None or not number.isdecimal() or len(number) > _LONGEST_NUMBER:
            return None
        return record.events.get(int(number))

    # What the record knows.

    async def _local(self, event: KnownEvent, *, refresh: bool) -> dict[str, Any]:
        record, topology = self._place.record, self._place.topology()
        if record is None:
            return {}
        consequences = list(islice(record.led_to(event), MOST_CONSEQUENCES + 1))
        rules: list[RuleStory] = []
        if topology is not None and event.bus and not refresh:
            bus, chosen, body = event.bus, list(event.rules), event.body
            rules = await aside(lambda: _rules(topology, bus, chosen, body))
        return {
            "bars": waterfall(event, _queues(topology), time.time()),
            "attempts": list(attempts_of(event, topology)),
            "cause": record.called(event.cause_id) if event.cause_id else None,
            "consequences": consequences[:MOST_CONSEQUENCES],
            "more_consequences": len(consequences) > MOST_CONSEQUENCES,
            "rules": rules,
        }

    # What the stack knows.

    async def _kept(self, source: str, event_id: str, event: KnownEvent | None, *, with_letters: bool) -> Kept:
        letters: tuple[DeadLetter, ...] | None = None
        try:
            if with_letters:
                seen = await self._desk.look()
                selection = Selection(some_id=event_id)
                letters = tuple(letter for letter in seen.letters if letter in selection)
            stack = await aside(self._place.stack)
            return await aside(lambda: self._asked(stack, source, event_id, event, letters))
        except (AccountError, UnknownStackError, BotoCoreError, ClientError) as error:
            return Kept(failed=str(error))

    def _asked(
        self,
        stack: Stack,
        source: str,
        event_id: str,
        event: KnownEvent | None,
        letters: tuple[DeadLetter, ...] | None,
    ) -> Kept:
        journal = self._place.journal(stack)
        tenant = None if event is None else event.tenant or None
        stories = [
            tell(each, event_id, stack=stack, journal=journal, letters=letters or (), tenant=tenant)
            for each in ([source] if source else sources(stack, letters or ()))
        ]
        known = tuple(story for story in stories if story.known)
        if event is not None and not known:
            known = tuple(stories[:1])
        written = None
        topology = self._place.topology()
        if self._place.local and topology is not None:
            names = [table.name for table in topology.tables if table.name != stack.journal_table]
            named = source or (known[0].source if known else "")
            written = Tables(self._place.account.client).written(names, named, event_id, most=MOST_ITEMS)
        return Kept(stories=known, letters=letters, written=written)


_NOTHING_LOCAL: Mapping[str, Any] = {
    "bars": [],
    "attempts": [],
    "cause": None,
    "consequences": [],
    "more_consequences": False,
    "rules": [],
}


def _rules(topology: Topology, bus: str, chosen: list[str], body: bytes) -> list[RuleStory]:
    try:
        event = read_json(body.decode()) if body else None
    except ValueError:
        event = None
    return rules_of(topology, bus, chosen, event if isinstance(event, dict) else None)


def _queues(topology: Topology | None) -> Mapping[str, set[str]]:
    """Return the names of the queues that each function reads."""
    queues: dict[str, set[str]] = defaultdict(set)
    for mapping in () if topology is None else topology.queue_mappings:
        queues[mapping.function].add(mapping.queue_arn.rpartition(":")[2])
    return queues
