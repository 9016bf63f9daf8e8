"""Simulations of the shop on wrong layers: which promise is broken, of each in the list.

.venv/bin/python -m tests.shop.wrong_layers [NAME ...]

A wrong layer is tried seed by seed until a promise is broken. It fails where one that the list says breaks a promise
breaks none of those, where one that is listed as unseen is found, or where too few are found altogether. What was tried
is kept: whoever stops it goes on where it was, for as long as neither the code nor the entry changes.

The layer as it is comes first: by the same seeds no promise may be broken, and every fault must happen.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from rich.console import Console

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.simulation import simulate
from tests.shop.place import ROOT
from tests.shop.scenarios import followed
from tests.simulation.kept_trials import KeptTrials, Tried, digest
from tests.simulation.wrong_layers import WrongLayer

INVOICES = 8
SEEDS = range(1, 7)
_SHARE = 0.8  # of the list is to be found
_AT_ONCE = 2
# Of the processor, for all its seeds: a layer that is wrong enough never comes to an end.
_MOST_SECONDS = 180

# Inputs come twice only where a simulation sends them in turn.
_FAULTS = [*CallFault, *(fault for fault in DeliveryFault if fault is not DeliveryFault.INPUT_AGAIN)]

KEPT = ROOT / ".run" / "wrong-layers.jsonl"
# What a trial runs on, beside this module.
_CODE = (
    "data",
    "eachonce_workbench",
    "functions",
    "layers",
    "locks",
    "shop",
    "template.yaml",
    "tests/shop/scenarios.py",
    "tests/simulation/wrong_layers.py",
)


def tried(layer: WrongLayer) -> Tried:
    """Simulate a wrong layer, seed by seed, until a promise is broken that it is listed with; any, where none is."""
    found = Tried()
    with layer.in_place():
        for seed in SEEDS:
            violations = simulate(followed(invoices=INVOICES, seed=seed)).violations
            broken = tuple(dict.fromkeys(violation.invariant for violation in violations))
            awaited = bool(set(broken) & set(layer.promises)) if layer.promises else bool(broken)
            if awaited or (broken and not found.broken):
                found = Tried(broken=broken, seed=seed, seen=str(violations[0]))
            if awaited:
                break
    return found


def _alone(layer: WrongLayer) -> Tried:
    """The same in a process of its own, which may hang or break."""
    process = get_context("fork")
    ours, theirs = process.Pipe(duplex=False)
    child = process.Process(target=_child, args=(layer, theirs))
    child.start()
    theirs.close()
    try:
        answer: Tried = ours.recv()
    except EOFError:
        child.join()
        endless = child.exitcode == -signal.SIGPROF
        answer = Tried(seen=f"no end within {_MOST_SECONDS} seconds" if endless else "it broke")
    child.join()
    return answer


def _child(layer: WrongLayer, answers: Connection) -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends a process
    signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS)
    try:
        answers.send(tried(layer))
    except Exception as error:  # noqa: BLE001 - a wrong layer may raise anything
        answers.send(Tried(seen=f"{type(error).__name__}: {error}"))


def unfit() -> Iterator[str]:
    """Yield why these simulations can't judge a layer: what they break of the one that is right, and lack of faults."""
    happened: set[str] = set()
    for seed in SEEDS:
        simulated = simulate(followed(invoices=INVOICES, seed=seed))
        yield from (f"seed {seed}: the layer as it is breaks a promise: {each}" for each in simulated.violations)
        happened |= {fault.partition(": ")[0] for fault in simulated.happened}
    yield from (f"in none of the simulations: {fault}" for fault in _FAULTS if fault not in happened)


def results(layers: Sequence[WrongLayer], kept: KeptTrials) -> Iterator[tuple[WrongLayer, Tried]]:
    """Yield what each comes to, in order; what isn't kept is tried, and kept."""
    side_by_side = ThreadPoolExecutor(_AT_ONCE)
    try:
        found: list[Future[Tried]] = [side_by_side.submit(_once, layer, kept) for layer in layers]
        for layer, one in zip(layers, found, strict=True):
            yield layer, one.result()
    finally:
        side_by_side.shutdown(cancel_futures=True)


def _once(layer: WrongLayer, kept: KeptTrials) -> Tried:
    known = kept.of(layer)
    if known is None:
        known = _alone(layer)
        kept.note(layer, known)
    return known


def main(names: Sequence[str]) -> int:
    """Try the named wrong layers, or all; print what was found and return what to exit with."""
    listed = WrongLayer.read()
    if unknown := [name for name in names if name not in listed]:
        raise SystemExit(f"there is no wrong layer {', '.join(unknown)}")
    layers = [listed[name] for name in names] or list(listed.values())
    console = Console(soft_wrap=True, highlight=False)
    all_tried: list[tuple[WrongLayer, Tried]] = []
    kept = KeptTrials(KEPT, code=digest([*(ROOT / place for place in _CODE), Path(__file__)]))
    # What is made once a process is made before they part.
    if any(kept.of(layer) is None for layer in layers) and (reasons := list(unfit())):
        raise SystemExit("\n".join(reasons))
    for layer, one in results(layers, kept):
        all_tried.append((layer, one))
        console.print(f"{layer.module}: {layer.name}: {_found(layer, one)}", markup=False)
    surprises = [
        f"not as listed: {layer.name}: {one.seen}" for layer, one in all_tried if not _is_as_listed(layer, one)
    ]
    for line in surprises:
        console.print(line, markup=False)
    count = sum(bool(one.broken) for _, one in all_tried)
    console.print(f"{count} of {len(layers)} wrong layers found")
    return 1 if surprises or count < _SHARE * len(layers) else 0


def _found(layer: WrongLayer, one: Tried) -> str:
    if not one.broken:
        return f"not found: {layer.unseen or one.seen}"
    return f"found by seed {one.seed}: {', '.join(one.broken)}"


def _is_as_listed(layer: WrongLayer, one: Tried) -> bool:
    return bool(set(one.broken) & set(layer.promises)) if layer.promises else not one.broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
