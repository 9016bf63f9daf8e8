"""Drawing: values of hypothesis' strategies, outside of any test of its."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import configuration as hypothesis_configuration
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

_SAMPLES = 16
_CHARACTERS = "012AB9ab"


def drawn(strategy: st.SearchStrategy[Any], count: int, chosen_by: int) -> list[Any]:
    """Return up to `count` values, the same ones for the same seed `chosen_by`."""
    found: list[Any] = []

    @seed(chosen_by)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value: Any) -> None:
        found.append(value)

    with _writing_nothing():
        draw()
    return found


@cache
def matching(pattern: str) -> tuple[str, ...]:
    """Return a few texts that a pattern takes: beside each of the simplest, those that differ in one character."""
    simple = sorted(set(drawn(_strategy(pattern), _SAMPLES, 0)), key=lambda text: (len(text), text))
    takes = re.compile(pattern).search
    alike = [one for text in simple[:2] for one in _neighbours(text, takes)]
    return tuple(dict.fromkeys([*simple[:1], *alike, *simple[1:]]))


def _strategy(pattern: str) -> st.SearchStrategy[str]:
    """Return texts that a pattern takes, of letters, numbers and marks where it takes such."""
    plain = st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs"))
    strategy = st.from_regex(pattern, fullmatch=True, alphabet=plain)
    try:
        strategy.validate()
    except InvalidArgument:  # it asks for what is none of these, as another alphabet's letters
        return st.from_regex(pattern, fullmatch=True)
    return strategy


def _neighbours(text: str, takes: Callable[[str], object]) -> Iterator[str]:
    """Yield texts that begin or end as this one does, and the same in the other case."""
    if text.swapcase() != text and takes(text.swapcase()):
        yield text.swapcase()
    for place in dict.fromkeys((len(text) - 1, *range(len(text)))):
        found = 0
        for character in _CHARACTERS:
            other = text[:place] + character + text[place + 1 :]
            if other != text and takes(other) and found < 2:
                found += 1
                yield other


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
