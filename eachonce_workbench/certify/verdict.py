"""Verdicts: what is proved of two types of events, and of a consumer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from eachonce.work import Add, Address

from eachonce_workbench.certify.exploration import Count
from eachonce_workbench.certify.run import Run
from eachonce_workbench.certify.witness import Witness


class Verdict(StrEnum):
    """How events of two types bear on each other, the best first."""

    INDEPENDENT = "independent"  # they never touch the same row
    COMMUTES = "commutes"  # they share rows, and only add to them
    GUARDED = "commutes by guard"  # they share rows, and a guard or a checked read lets every order end the same
    EXTERNAL = "external"  # as above, with an effect of their own under a key that never changes
    INCONCLUSIVE = "inconclusive"  # nothing was found, and too little was tried to say more
    ORDER = "depends on order"
    UNSOUND = "unsound"  # a handler depends on more than its event and its reads


GOOD = (Verdict.INDEPENDENT, Verdict.COMMUTES, Verdict.GUARDED, Verdict.EXTERNAL)


@dataclass(frozen=True, slots=True)
class Pair:
    """The verdict on two types of events, or on one type with itself; `why` says what keeps it from being one."""

    one: str
    other: str
    verdict: Verdict
    witness: Witness | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found out about one consumer.

    - `refused` says which of its handlers tried what nobody may
    - `done` is how many events of each type were done, each order and fault counted, and `untaken` are lines of the
      handlers' code that none of them took
    - `made_up` are rows that handlers need and none of them writes, so that they were made up
    """

    consumer: str
    ordered: bool
    code: str
    types: tuple[str, ...]
    pairs: tuple[Pair, ...]
    count: Count = field(default_factory=Count)
    refused: tuple[str, ...] = ()
    done: Mapping[str, int] = field(default_factory=dict)
    untaken: tuple[str, ...] = ()
    made_up: tuple[str, ...] = ()

    @property
    def independent(self) -> bool:
        """Whether any order, any copies and any faults end the same."""
        return all(pair.verdict in GOOD for pair in self.pairs)

    @property
    def passes(self) -> bool:
        """Whether the consumer keeps what it declares: one that asks for order may depend on it, and no more."""
        allowed = {*GOOD, Verdict.ORDER} if self.ordered else set(GOOD)
        return all(pair.verdict in allowed for pair in self.pairs)

    def pair(self, one: str, other: str) -> Pair:
        """Return the verdict on two types, whichever comes first. Raises KeyError."""
        for pair in self.pairs:
            if {pair.one, pair.other} == {one, other}:
                return pair
        raise KeyError((one, other))


class Contacts:
    """In which rows events of two types have met, and by what."""

    def __init__(self) -> None:
        self.met: set[str] = set()

    def note(self, shared: Iterable[Address], runs: Mapping[str, Iterable[Run]], events: tuple[str, str]) -> None:
        """Note that two events share rows; `runs` are those of each event."""
        for address in shared:
            for event in events:
                for run in runs.get(event, ()):
                    self.met |= _uses(run, address)

    @property
    def verdict(self) -> Verdict:
        """Return the verdict on types whose events always end the same."""
        if not self.met:
            return Verdict.INDEPENDENT
        return Verdict.COMMUTES if self.met == {"Add"} else Verdict.GUARDED


def _uses(run: Run, address: Address) -> set[str]:
    """Return what a run does with a row."""
    used = {"read"} if address in run.reads else set()
    if run.work is not None and address in run.work.writes:
        write = run.work.writes[address]
        used.add("Add" if isinstance(write, Add) else type(write).__name__)
    return used
