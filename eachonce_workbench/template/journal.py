"""Which table is the layer's journal."""

from __future__ import annotations

from eachonce_workbench.template.topology import Table, Topology

# Where the layer looks for its name: `eachonce.settings`, `eachonce.journal.TABLE`.
JOURNAL_VARIABLE = "TABLE_JOURNAL"


def journal_of(topology: Topology) -> Table | None:
    """Return the table that functions are told to keep their journal in; None where none is told of one."""
    names = {function.environment.get(JOURNAL_VARIABLE) for function in topology.functions}
    return next((table for table in topology.tables if table.name in names), None)
