"""Which faults harm a peer's consumers: the same seeds again, without one kind of fault and the next.

.venv/bin/python -m bench.causes
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from workbench.orders import read_invoices
from workbench.simulator.fault import DeliveryFault
from workbench.simulator.peers import powertools
from workbench.simulator.report import sums
from workbench.simulator.simulation import Scenario, simulate

ROOT = Path(__file__).resolve().parent.parent
INVOICES = read_invoices(ROOT / "data" / "online-retail-2010-12.csv.gz", limit=143)
PEER = powertools(ROOT / "bench" / "peers" / "powertools")
SEEDS = range(3)

KILLERS = (DeliveryFault.POISON_KILLS,)
POISON = (*KILLERS, DeliveryFault.POISON_FAILS, DeliveryFault.POISON_BROKEN)
WITHOUT = {
    "all faults": (),
    "no event that kills its worker": KILLERS,
    "no poison at all": POISON,
}


def main() -> None:
    for faults in ("light", "heavy"):
        columns = {}
        scenarios = [
            Scenario(invoices=INVOICES, template=ROOT / "template.yaml", seed=seed, faults=faults) for seed in SEEDS
        ]
        happened = [simulate(scenario, peer=PEER).happened for scenario in scenarios]
        for name, left_out in WITHOUT.items():
            runs = []
            for scenario, faults_of_it in zip(scenarios, happened, strict=True):
                only = frozenset(fault for fault in faults_of_it if not fault.startswith(left_out))
                runs.append(simulate(replace(scenario, only=only), peer=PEER))
            columns[name] = sums(runs)
        table = Table(f"the peer, {faults} faults", *WITHOUT)
        for row in next(iter(columns.values())):
            table.add_row(row, *(f"{column[row]:,}" for column in columns.values()))
        Console().print(table)


if __name__ == "__main__":
    main()
