"""Which tests may notice a mutant: those that run what it changes. A plugin of the pytest that mutmut starts.

mutmut itself takes the tests that run anything of the function, the fastest first; here those come first that killed
most of the function's other mutants, then those that are named after its module. And it calls a mutant killed whatever
pytest ends with, even where that found no test of one of the names: so the run without a mutant, whose failure ends it
all, gets its tests by their names, too.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from coverage import Coverage
from mutmut.configuration import config as mutmut_config
from mutmut.mutation.trampoline import get_mutant_under_test
from mutmut.state import state

from tests import known_mutants

_MUTANT = "__mutmut_"

# By a mutant's name. mutmut forks the process for each mutant, after all tests have been watched in it.
_noticers: dict[str, set[str]] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Choose the tests: all that were watched before the first mutant, then those that may notice a mutant."""
    mutant = get_mutant_under_test()
    if mutant == "stats":
        config.pluginmanager.register(_Watch())
    elif not mutant:
        seconds = state().duration_by_test
        config.args = sorted(seconds, key=seconds.__getitem__)
    elif (noticers := _noticers.get(mutant)) is not None:
        kills = _Kills(mutant)
        config.pluginmanager.register(kills)
        config.args = kills.first(test for test in config.args if test in noticers)


class _Watch:
    """Sees which test runs which lines of the modules."""

    def __init__(self) -> None:
        self._modules = [Path(module).resolve() for module in mutmut_config().only_mutate]
        self._coverage = Coverage(data_file=None, config_file=False, include=list(map(str, self._modules)))
        self._coverage.set_option("run:core", "ctrace")  # the others don't tell one test from the next
        self._coverage.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._coverage.switch_context(nodeid)

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        for module in self._modules:
            ran = self._coverage.get_data().contexts_by_lineno(str(module))
            prefix = f"{module.parent.name}.{module.stem}."
            _noticers.update((prefix + mutant, tests) for mutant, tests in _noticers_of(module.read_text(), ran))


class _Kills:
    """What has killed mutants of a mutant's function so far."""

    def __init__(self, mutant: str) -> None:
        self._mutant = mutant

    def first(self, tests: Iterable[str]) -> list[str]:
        """Return tests with those first that have killed most, then those that are named after the module."""
        function = _function(self._mutant)
        of = Counter(test for mutant, test in known_mutants.kills(Path()) if _function(mutant) == function)
        own = f"test_{function.split('.')[1]}.py"
        return sorted(tests, key=lambda test: (of[test], own in test), reverse=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            with Path(known_mutants.KILLS).open("a") as kills:
                kills.write(f"{self._mutant} {report.nodeid}\n")


def _function(mutant: str) -> str:
    return mutant.rpartition(_MUTANT)[0]


def _noticers_of(text: str, ran: Mapping[int, Sequence[str]]) -> Iterator[tuple[str, set[str]]]:
    """Return a module's mutants, as mutmut writes them, each with the tests that ran the statement that it changes."""
    lines = text.splitlines()
    functions = {node.name: node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
    for name, mutant in functions.items():
        function = _function(name)
        if function and (original := functions[f"{function}{_MUTANT}orig"]) is not mutant:
            was = lines[original.lineno - 1 : original.end_lineno]
            becomes = [line.replace(name, original.name) for line in lines[mutant.lineno - 1 : mutant.end_lineno]]
            first = original.lineno + _alike(was, becomes)
            last = max(first, original.lineno + len(was) - 1 - _alike(was[::-1], becomes[::-1]))
            changed = _statement(original, first, last)
            yield name, {test for line in range(changed.lineno, _end(changed) + 1) for test in ran.get(line, ())}


def _alike(some: Sequence[str], others: Sequence[str]) -> int:
    """Return how many lines are the same until the first that differs."""
    return next((place for place, (one, other) in enumerate(zip(some, others, strict=False)) if one != other), 0)


def _statement(function: ast.FunctionDef, first: int, last: int) -> ast.stmt:
    """Return the innermost statement that has these lines."""
    statements = (node for node in ast.walk(function) if isinstance(node, ast.stmt))
    around = (node for node in statements if node.lineno <= first and last <= _end(node))
    return min(around, key=lambda node: _end(node) - node.lineno)


def _end(node: ast.stmt) -> int:
    return node.lineno if node.end_lineno is None else node.end_lineno
