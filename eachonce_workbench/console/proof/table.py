"""The table of calls and the faults that they met, as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """How often a call met a fault; `times` is None where AWS has no such fault for it."""

    times: int | None

    @property
    def unmet(self) -> bool:
        """Whether the two could have met, and never did."""
        return self.times == 0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A call, and its cells in the order of the columns."""

    call: str
    cells: list[Cell]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Faults are columns, in the order in which they first come, and calls are rows."""

    faults: list[str]
    rows: list[Row]


def table_of(coverage: Mapping[str, Mapping[str, int]], order: Mapping[str, Any]) -> Table:
    """Return the table of what each call met; faults that are in `order` come in its order, others after them."""
    seen = dict.fromkeys(fault for counts in coverage.values() for fault in counts)
    faults = [*(fault for fault in order if fault in seen), *(fault for fault in seen if fault not in order)]
    rows = [
        Row(call=call, cells=[Cell(times=counts.get(fault)) for fault in faults]) for call, counts in coverage.items()
    ]
    return Table(faults=faults, rows=rows)
