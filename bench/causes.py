"""Which faults harm a peer's consumers: the same seeds again, without one kind of fault and the next.

.venv/bin/python -m bench.causes
"""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console
from rich.table import Table

from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.report import sums
from eachonce_workbench.simulator.simulation import Scenario, simulate
from shop.books import FOLDER, Shop

SHOP = Shop()
INPUTS = SHOP.inputs(None, 143)
PEER = SHOP.peers()["powertools"]
SEEDS = range(3)

KILLERS = (DeliveryFault.POISON_KILLS,)
POISON = (*KILLERS, DeliveryFault.POISON_FAILS, DeliveryFault.POISON_BROKEN)
WITHOUT = {
    "no event that kills its worker": KILLERS,
    "no poison at all": POISON,
}


def main() -> None:
    for faults in ("light", "heavy"):
        scenarios = [
            Scenario(inputs=INPUTS, books=SHOP, template=FOLDER / "template.yaml", seed=seed, faults=faults)
            for seed in SEEDS
        ]
        whole = [simulate(scenario, peer=PEER) for scenario in scenarios]
        columns = {"all faults": sums(whole)}
        for name, left_out in WITHOUT.items():
            runs = []
            for scenario, run in zip(scenarios, whole, strict=True):
                only = frozenset(fault for fault in run.happened if not fault.startswith(left_out))
                runs.append(simulate(replace(scenario, only=only), peer=PEER))
            columns[name] = sums(runs)
        table = Table(f"the peer, {faults} faults", *columns)
        for row in columns["all faults"]:
            table.add_row(row, *(f"{column[row]:,}" for column in columns.values()))
        Console().print(table)


if __name__ == "__main__":
    main()
