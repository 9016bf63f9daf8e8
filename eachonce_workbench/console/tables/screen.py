"""The tables, their rows page by page, and what lies in the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eachonce_workbench.console.pages import Pages, is_refresh
from eachonce_workbench.console.place import aside
from eachonce_workbench.console.tables.outbox import Outbox, missing, unread_outboxes
from eachonce_workbench.console.tables.rows import journal_row, shown_row
from eachonce_workbench.operations.stack import Stack
from eachonce_workbench.operations.tables import Item, KeyTextError, Page, TableFacts, Tables, tables_of

PAGE = 50
"""Rows of a page."""

MOST_UNREAD = 100
"""Records of a stream that are shown of those that its reader has before it."""

MOST_JOURNAL_ROWS = 5_000
"""Rows of the journal that are looked through for what the bus has not had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """What a function that reads a table's stream has before it: how many records, and the first of their outboxes."""

    function: str
    table: str
    records: int
    outboxes: tuple[Outbox, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a look through the journal came to; `cut` where it has more rows than were looked at."""

    looked_at: int
    cut: bool
    outboxes: tuple[Outbox, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at a table: a page of it, or the item of a key; `wrong` is what the key lacks."""

    facts: TableFacts
    page: Page
    journal: bool
    wrong: str = ""


class TablesScreen:
    """Shows tables."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._place = pages.place

    def routes(self) -> list[Route]:
        """Where it answers."""
        return [Route("/tables", self.show), Route("/tables/{name}", self.table)]

    async def show(self, request: Request) -> Response:
        """Show which tables there are, and what is in the outbox."""
        searching = "search" in request.query_params and self._place.record is not None
        facts: list[TableFacts] = []
        search: Search | None = None
        journal = None
        if not is_refresh(request):
            stack = await aside(self._place.stack)
            journal = stack.journal_table
            facts = await aside(lambda: self._facts(stack))
            if searching and journal is not None:
                name = journal
                items, cut = await aside(lambda: self._journal_rows(name))
                search = self._search(items, cut=cut)
        record = self._place.record
        return self._pages.page(
            request,
            "tables.html",
            tables=facts,
            journal=journal,
            lags=self._lags(),
            search=search,
            since=None if record is None else record.knows_since,
            most=MOST_JOURNAL_ROWS,
        )

    async def table(self, request: Request) -> Response:
        """Show a page of a table, or the item of a key."""
        name = request.path_params["name"]
        stack = await aside(self._place.stack)
        if name not in self._names(stack):
            why = f"The stack has no table {name}; it has {', '.join(self._names(stack)) or 'none'}."
            return self._pages.page(request, "nothing.html", status=404, title="Table", why=why)
        key = request.query_params.getlist("key")
        after = request.query_params.get("after")
        look = await aside(lambda: self._look(stack, name, [each for each in key if each], after))
        values = self._place.shows_payloads
        rows: list[Any] = [
            journal_row(item, values=values) if look.journal else shown_row(item, look.facts.keys, values=values)
            for item in look.page.items
        ]
        return self._pages.page(
            request,
            "table.html",
            status=400 if look.wrong else 200,
            name=name,
            look=look,
            rows=rows,
            key=key,
            after=after,
            page_size=PAGE,
        )

    # What is asked, in a thread.

    def _names(self, stack: Stack) -> list[str]:
        """Return the template's tables where there is one, and else those that functions are told of."""
        topology = self._place.topology()
        if topology is None or not self._place.local:
            return tables_of(stack)
        return [table.name for table in topology.tables]

    def _facts(self, stack: Stack) -> list[TableFacts]:
        tables = Tables(self._place.account.client)
        return [tables.facts(name) for name in self._names(stack)]

    def _look(self, stack: Stack, name: str, key: list[str], after: str | None) -> Look:
        tables = Tables(self._place.account.client)
        facts, journal = tables.facts(name), name == stack.journal_table
        nothing = Page(items=(), after=None)
        try:
            if not key:
                return Look(facts=facts, page=tables.page(name, limit=PAGE, after=after), journal=journal)
            if len(key) != len(facts.keys):
                wrong = f"A key of this table has {' and '.join(facts.keys)}."
                return Look(facts=facts, page=nothing, journal=journal, wrong=wrong)
            item = tables.item(facts, key)
        except KeyTextError as error:
            return Look(facts=facts, page=nothing, journal=journal, wrong=str(error))
        return Look(facts=facts, page=Page(items=() if item is None else (item,), after=None), journal=journal)

    def _journal_rows(self, name: str) -> tuple[list[Item], bool]:
        items, after = Tables(self._place.account.client).first(name, most=MOST_JOURNAL_ROWS)
        return items, after is not None

    # What the local cloud knows by itself.

    def _search(self, items: list[Item], *, cut: bool) -> Search | None:
        record = self._place.record
        if record is None:
            return None
        found = missing(items, lambda source, event_id: record.find(source, event_id) is not None, record.knows_since)
        return Search(looked_at=len(items), cut=cut, outboxes=tuple(found))

    def _lags(self) -> list[Lag]:
        if self._place.cloud is None:
            return []
        return [
            Lag(
                function=reader.function,
                table=reader.table_name,
                records=reader.left,
                outboxes=tuple(islice(unread_outboxes(reader.unread(MOST_UNREAD)), MOST_UNREAD)),
            )
            for reader in self._place.cloud().stream_readers
        ]
