"""What security and flow control cost an event, as rows of the one table.

python -m bench.protections
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict

from bench.rows import Row


def rows() -> Iterator[Row]:
    """Measure all of them here: signatures, personal fields, rates and breakers."""
    from bench import flow_costs, personal_costs, signing_costs

    for costs in (signing_costs, personal_costs, flow_costs):
        yield from costs.rows()


def measured() -> list[Row]:
    """Measure them in a process of their own, since moto stands in for AWS there."""
    ended = subprocess.run([sys.executable, "-m", "bench.protections"], capture_output=True, text=True, check=True)
    return [Row(**json.loads(line)) for line in ended.stdout.splitlines() if line.startswith('{"case"')]


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(asdict(row)), flush=True)
