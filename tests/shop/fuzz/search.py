"""The search: batch after batch until a rule is broken, and then the least that breaks it."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from eachonce_workbench.simulator.shrink import fewest
from tests.shop.fuzz.cases import Batch, Case, batch
from tests.shop.fuzz.judgement import Broken, broken, leaks
from tests.shop.fuzz.world import World, opened

_SHOWN_CHARACTERS = 1200


@dataclass(slots=True)
class Tally:
    """What a fuzz has come to so far."""

    records: int = 0
    batches: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        seconds = time.monotonic() - self.began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
        verdicts = ", ".join(f"{count:,} {verdict}" for verdict, count in self.verdicts.most_common())
        handed = f"{self.records:,} records in {self.batches:,} batches"
        return f"{handed}: {verdicts}; {seconds:.1f} s, peak {peak:.0f} MiB"


class FoundError(AssertionError):
    """A rule is broken; the text has the least that breaks it, and the command that shows it again."""


def search(seed: int, records: int, *, first: int = 0, told: Callable[[Tally], None] = lambda _: None) -> Tally:
    """Hand so many records to the consumers, and return what became of them; raises FoundError."""
    tally = Tally()
    with opened() as world:
        number = first
        while tally.records < records:
            made = batch(seed, number)
            seen = _handled(world, made, tally)
            if seen is not None:
                break
            told(tally)
            number += 1
        else:
            seen = next(leaks(world), None)
    if seen is not None:
        raise FoundError(_explained(seed, first, number, made, seen))
    return tally


def _handled(world: World, made: Batch, tally: Tally) -> Broken | None:
    records = made.records
    ending = world.invoke(made.consumer, records)
    tally.records += len(records)
    tally.batches += 1
    tally.verdicts.update(line["message"] for line in ending.logs)
    return broken(made, records, ending, world)


def _explained(seed: int, first: int, number: int, made: Batch, seen: Broken) -> str:
    again = f"--seed {seed} --batch {number}"
    least = _least(made, seen)
    if least is None:  # it takes what came before
        least, again = made, f"--seed {seed} --from {first} --records {(number - first + 1) * 10}"
    shown = "\n".join(f"  {_short(case)}" for case in least.cases)
    return f'{seen.rule}: {seen.seen}\n{least.consumer} was given\n{shown}\nagain: make fuzz FUZZ="{again}"'


def _least(made: Batch, seen: Broken) -> Batch | None:
    """Return the fewest records, and the fewest changes of each, that break the same rule in a world of their own."""

    def breaks(smaller: Batch) -> bool:
        with opened() as world:
            found = _handled(world, smaller, Tally())
            found = next(leaks(world), None) if found is None else found
        return found is not None and found.rule == seen.rule

    if not breaks(made):
        return None
    cases = fewest(made.cases, lambda cases: breaks(replace(made, cases=tuple(cases))))
    for place, smaller in _edits(cases):
        tried = replace(made, cases=(*cases[:place], smaller, *cases[place + 1 :]))
        if breaks(tried):
            cases[place] = smaller
    return replace(made, cases=tuple(cases))


def _edits(cases: list[Case]) -> Iterator[tuple[int, Case]]:
    """Yield each case, place by place, with one change fewer than it has by then."""
    for place in range(len(cases)):
        for edit in cases[place].edits:
            left = tuple(each for each in cases[place].edits if each != edit)
            yield place, cases[place].without(left)


def _short(case: Case) -> str:
    text = ascii(case.record)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}... ({len(text):,} characters)"
