"""The certificate as documents: JSON for programs, Markdown for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec

from eachonce_workbench.certify.examination import Bounds
from eachonce_workbench.certify.last import LastCertificate
from eachonce_workbench.certify.verdict import Examined, Pair

_FEW = 5

_SCOPE = (
    "Holds within these bounds, for the code named below: from empty tables, every schedule of the same events ended "
    "with the same rows, the same published events and the same verdicts, whatever the order, and with every copy, "
    "crash and lost answer. What does not hold is below, with the fewest events that show it."
)


def document(examined: Sequence[Examined], bounds: Bounds, refused: Sequence[str] = ()) -> dict[str, Any]:
    """Return the certificate as JSON's values; the same code and bounds give the same ones.

    `refused` says what modules tried while they were imported.
    """
    return {
        "passes": all(one.passes for one in examined),
        "bounds": asdict(bounds),
        "refused": list(refused),
        "consumers": [_consumer(one) for one in examined],
    }


def last(
    examined: Sequence[Examined], bounds: Bounds, refused: Sequence[str], *, at: datetime, asked: Sequence[str]
) -> LastCertificate:
    """Return what is kept of a certificate; `asked` are the arguments of the command."""
    told = document(examined, bounds, refused)
    for consumer, one in zip(told["consumers"], examined, strict=True):
        consumer |= {"summary": summary(one), "explored": list(explored(one))}
    return msgspec.convert({**told, "bounds": within(bounds), "at": at, "asked": list(asked)}, LastCertificate)


def as_json(certificate: dict[str, Any]) -> str:
    """Return a certificate as indented JSON text."""
    return msgspec.json.format(msgspec.json.encode(certificate), indent=2).decode() + "\n"


def as_markdown(examined: Sequence[Examined], bounds: Bounds, refused: Sequence[str] = ()) -> str:
    """Return the certificate to read."""
    return "\n".join(_lines(examined, bounds, refused)) + "\n"


def _consumer(examined: Examined) -> dict[str, Any]:
    return {
        "consumer": examined.consumer,
        "passes": examined.passes,
        "independent": examined.independent,
        "ordered": examined.ordered,
        "code": examined.code,
        "types": list(examined.types),
        "explored": asdict(examined.count),
        "done": dict(examined.done),
        "untaken": list(examined.untaken),
        "made_up": list(examined.made_up),
        "refused": list(examined.refused),
        "pairs": [_pair(pair) for pair in examined.pairs],
    }


def _pair(pair: Pair) -> dict[str, Any]:
    witness = None if pair.witness is None else asdict(pair.witness) | {"cause": pair.witness.cause.value}
    return {"types": [pair.one, pair.other], "verdict": pair.verdict.value, "why": pair.why, "witness": witness}


def _lines(examined: Sequence[Examined], bounds: Bounds, refused: Sequence[str]) -> Iterator[str]:
    yield from ("# Certificate of independence", "", _SCOPE, "")
    yield from (f"Bounds: {within(bounds)}.", "")
    yield from _refused(refused)
    for one in examined:
        yield from _section(one)


def _section(examined: Examined) -> Iterator[str]:
    yield from (f"## {examined.consumer}: {summary(examined)}", "")
    yield f"- code: `{examined.code}`"
    yield from (*(f"- {line}" for line in explored(examined)), "")
    yield from _refused(examined.refused)
    yield from _refused(list(inconclusive(examined)))
    yield from ("| events | and | verdict |", "|---|---|---|")
    for pair in examined.pairs:
        yield f"| {pair.one} | {pair.other} | {pair.verdict} |"
    yield ""
    for pair in witnessed(examined):
        yield from (f"### {pair.one} and {pair.other}: {pair.verdict}", "", "```", str(pair.witness), "```", "")


def _refused(lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from (*(f"- {line}" for line in lines), "")


def within(bounds: Bounds) -> str:
    """Return the bounds in words."""
    faults = f"at most {bounds.faults} fault{'' if bounds.faults == 1 else 's'} in a schedule"
    return (
        f"{bounds.crowds} crowds of {bounds.events} events for every two types, {faults}, "
        f"events drawn from seed {bounds.seed}"
    )


def explored(examined: Examined) -> Iterator[str]:
    """Yield how much was tried."""
    count = examined.count
    yield f"orders: {count.orders:,} explored, {count.orders_pruned:,} equal to one of them by exchange of neighbours"
    yield f"schedules with faults: {count.with_faults:,} explored, {count.with_faults_pruned:,} branches cut"
    yield f"faults injected: {count.faults:,} in {count.deliveries:,} deliveries"
    yield f"rehearsed in short, to find what to try: {count.rehearsed:,} runs of handlers"
    yield f"run again in a new process: {count.afresh:,} runs of handlers"
    yield f"done: {', '.join(f'{times:,} of {name}' for name, times in examined.done.items()) or 'nothing'}"
    if examined.made_up:
        yield f"made up, since nobody here writes it: {', '.join(examined.made_up[:_FEW])}"
    if examined.untaken:
        yield f"lines that no event took: {', '.join(examined.untaken)}"


def inconclusive(examined: Examined) -> Iterator[str]:
    """Yield why nothing can be said of some types."""
    for why in dict.fromkeys(pair.why for pair in examined.pairs if pair.why is not None):
        yield f"inconclusive: {why}"


def summary(examined: Examined) -> str:
    """Return what is proved of a consumer, in two or three words."""
    if examined.independent:
        return "independent"
    if examined.passes:
        return "needs order, and asks for it"
    accused = any(pair.witness is not None for pair in examined.pairs)
    return "not independent" if accused else "inconclusive"


def witnessed(examined: Examined) -> list[Pair]:
    """Return the pairs with a witness, each witness once."""
    found: dict[str, Pair] = {}
    for pair in examined.pairs:
        if pair.witness is not None:
            found.setdefault(str(pair.witness), pair)
    return list(found.values())
