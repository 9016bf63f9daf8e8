"""How long the others wait beside a tenant with nineteen of twenty events, in virtual time: the same on any machine.

.venv/bin/python -m bench.fairness
"""

from __future__ import annotations

from itertools import product

from rich.console import Console
from rich.table import Table

from tests.neighbours import PATH, alone, crowd, median_seconds

CROWDS = {
    "2,000 at once": crowd(noisy=1900, others=100, tenants=20),
    "2,000 at once, the noisy tenant's first": crowd(noisy=1900, others=100, tenants=20, noisy_first=True),
    "the others' over 3 seconds": crowd(noisy=1900, others=100, tenants=20, over_seconds=3.0),
}
WORKERS = (2, 10)
LANES = {"2,000 at once": (4,), "2,000 at once, the noisy tenant's first": (4,), "the others' over 3 seconds": (4, 10)}


def main() -> None:
    """Print the others' median times: alone, and beside the noisy tenant with and without groups."""
    table = Table("events", "lanes of a batch", "batches at once", "alone", "beside it", "without groups")
    for name, arrivals in CROWDS.items():
        for lanes, workers in product(LANES[name], WORKERS):
            medians = (
                median_seconds(alone(arrivals), group=PATH, workers=workers, threads=lanes),
                median_seconds(arrivals, group=PATH, workers=workers, threads=lanes),
                median_seconds(arrivals, group=None, workers=workers, threads=lanes),
            )
            table.add_row(name, str(lanes), str(workers), *(f"{seconds:.2f} s" for seconds in medians))
    Console().print(table)


if __name__ == "__main__":
    main()
