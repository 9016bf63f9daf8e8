"""Crowds: events to be delivered in every order, such that some meet in the same rows and some don't."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import Any

import msgspec
from eachonce import Contract, Event
from eachonce.description import description_of
from eachonce.model import subject_of
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import configuration as hypothesis_configuration
from hypothesis import strategies as st

from eachonce_workbench.certify.sample import Pool, samples
from eachonce_workbench.simulator.clock import START

_LETTERS = "abcdefghij"

Crowd = tuple[Event[Any], ...]


def crowds(types: Sequence[type[Contract]], *, size: int, count: int, chosen_by: int) -> list[Crowd]:
    """Return about `count` crowds of `size` events of these types, the same ones for the same seed `chosen_by`.

    In the first all data are of one place and differ in number, in the second each event is at a place of its own, and
    the others are drawn from two places. Raises NoSampleError.
    """
    contracts = [types[place % len(types)] for place in range(size)]
    near = [samples(contract, Pool(("a",), turn=place)) for place, contract in enumerate(contracts)]
    apart = [samples(contract, Pool((_LETTERS[place],))) for place, contract in enumerate(contracts)]
    mixed = [samples(contract, Pool(("a", "b"))) for contract in contracts]
    drawn = [
        *_drawn(near, 1, chosen_by),
        *_drawn(apart, 1, chosen_by),
        *_drawn(mixed, max(0, count - 2), chosen_by),
    ]
    return [crowd(data, tie=number % 2 == 1) for number, data in enumerate(_unlike(drawn))]


def type_of(contract: type[Any]) -> str:
    """Return what the events of a contract are called."""
    return description_of(contract).type


def crowd(data: Iterable[Contract], *, tie: bool = False) -> Crowd:
    """Return events around data, e1 and so on, each a minute older than the one before; or two of the same time."""
    return tuple(
        Event(
            id=f"e{place + 1}",
            source=description_of(type(one)).source or "certified",
            type=type_of(type(one)),
            data=one,
            time=START - timedelta(minutes=place // 2 if tie else place),
            subject=subject_of(one),
        )
        for place, one in enumerate(data)
    )


def _drawn(strategies: Sequence[st.SearchStrategy[Any]], count: int, chosen_by: int) -> list[tuple[Contract, ...]]:
    """Draw from hypothesis, outside of any test of its."""
    found: list[tuple[Contract, ...]] = []
    if count == 0:
        return found

    @seed(chosen_by)
    @settings(
        max_examples=count * 4,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(*strategies))
    def draw(data: tuple[Contract, ...]) -> None:
        found.append(data)

    with _writing_nothing():
        draw()
    return list(islice(_unlike(found), count))


@contextmanager
def _writing_nothing() -> Iterator[None]:
    """Let hypothesis keep what it likes to keep in a folder that goes away."""
    before = hypothesis_configuration.storage_directory(intent_to_write=False).path
    with tempfile.TemporaryDirectory() as folder:
        hypothesis_configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            hypothesis_configuration.set_hypothesis_home_dir(before)


def _unlike(found: Iterable[tuple[Contract, ...]]) -> Iterator[tuple[Contract, ...]]:
    seen: set[bytes] = set()
    for data in found:
        text = msgspec.json.encode(data)
        if text not in seen:
            seen.add(text)
            yield data
