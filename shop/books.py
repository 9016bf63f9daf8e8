"""The shop's books: what a run of it sends, what it must come to, and what a simulation adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eachonce import Contract, Event

from eachonce_workbench.run.books import BooksError, Input, Outcome
from eachonce_workbench.run.reconciliation import Reconciliation, reconcile
from eachonce_workbench.simulator.trial import Observer
from eachonce_workbench.template.topology import Topology
from shop.examples import INVOICE, events
from shop.laboratory.installation import with_laboratory
from shop.oracle import expect
from shop.orders import OrdersError, read_invoices
from shop.sheets import COUNTED
from shop.till import inputs, invoices, read_state, refused
from shop.trial import MODEL, Announcements

FOLDER = Path(__file__).resolve().parents[1]
ORDERS = FOLDER / "data" / "online-retail-2010-12.csv.gz"
MAIL = "mail"


class Shop:
    """A till's orders, placed one by one, and every table compared with what the CSV alone says."""

    def parameters(self, folder: Path) -> Mapping[str, str]:
        """Let confirmations be written to the run's folder."""
        return {"MailDirectory": str(folder / MAIL)}

    def inputs(self, source: Path | None, limit: int | None) -> Sequence[Input]:
        """Return the first `limit` invoices of a CSV, by default of the month in data/. Raises BooksError."""
        try:
            return inputs(read_invoices(ORDERS if source is None else source, limit=limit))
        except OrdersError as error:
            raise BooksError(str(error)) from error

    def reconcile(self, inputs: Sequence[Input], outcome: Outcome) -> Reconciliation:
        """Compare the tables and the mail with the oracle's, to the penny."""
        found = read_state(outcome.scan, outcome.folder / MAIL, refused(outcome.answers))
        return reconcile(expect(invoices(inputs)), found, counted=COUNTED)

    def adapt(self, topology: Topology) -> Topology:
        """Add the laboratory."""
        return with_laboratory(topology)

    def model(self) -> Input:
        """Return an order that nobody placed."""
        return MODEL

    def observer(self) -> Observer:
        """Return what looks for an announcement of each part's stock."""
        return Announcements()

    def events(self) -> Sequence[Event[Any]]:
        """Return what is published of the month's first invoices."""
        return events()

    def requests(self) -> Sequence[Contract]:
        """Return the month's first invoice."""
        return [INVOICE]
