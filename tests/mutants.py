"""Mutation testing: the layer with one small fault after the other, and whether a test notices.

.venv/bin/python -m tests.mutants [--anew] [MODULE ...]

What no test notices survives. `mutants.toml` names the modules, each with the tests that are to notice, and the known
survivors, each with its reason. Any other survivor fails the run. A run goes on where the last one ended: it tries what
wasn't tried, or may have changed since.
"""

from __future__ import annotations

import argparse
import configparser
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from rich.console import Console
from rich.table import Table

from tests import known_mutants

ROOT = Path(__file__).parent.parent
LIST = Path(__file__).with_name("mutants.toml")
WORK = ROOT / ".mutants"

# mutmut knows a package by its path below src.
_PACKAGE = "layers/eachonce/eachonce/"
_MUTATED = "src/eachonce/{}.py"
_PYTHONPATH = "src layers/contracts ."
_COPIED = (
    "bench",
    "data",
    "events",
    "functions",
    "layers",
    "shop",
    "template.yaml",
    "pyproject.toml",
    "eachonce_workbench",
)
# What costs each mutant a fraction of a second and tells nothing of it.
_PLUGINS_LEFT_OUT = ("randomly", "xdist", "cacheprovider", "unraisableexception")
_PLUGIN = "tests.noticers"
# Where mutmut runs the tests; pytest looks for a plugin before it has read its own settings.
_COPY = WORK / "mutants"
_TOLD_EARLY = {"PYTHONPATH": str(_COPY)}
# In seconds, and times what its tests took before: a mutant that never ends is stopped, a slow machine is waited for.
_PATIENCE = {"timeout_constant": "10.0", "timeout_multiplier": "10.0"}

# A power cut, as tests make it, is a KeyboardInterrupt: where nothing stops it any more, pytest calls it the user's.
_NOTICED = {"killed", "timeout", "segfault", "check was interrupted by user"}
_UNNOTICED = {"survived", "no tests"}


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """What a mutant changed of a function: some lines, wherever they stand."""

    module: str
    function: str
    was: str
    becomes: str

    @classmethod
    def of(cls, module: str, mutant: str, diff: str) -> Self:
        """Read what mutmut calls a mutant, and its unified diff."""
        function = re.sub("__mutmut_[0-9]+$", "", mutant.rpartition(".")[2]).removeprefix("x_").removeprefix("xǁ")
        lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
        was, becomes = (_joined(line[1:] for line in lines if line.startswith(sign)) for sign in "-+")
        return cls(module, function.replace("ǁ", "."), was, becomes)

    def rewrites(self, text: str) -> bool:
        """Whether nothing of it changed but how a text is written: "XX" around it, or the case of its letters."""
        forms = {f"XX{text}XX", text.lower(), text.upper()} - {text}
        return self.becomes in {self.was.replace(text, form) for form in forms} - {self.was}


@dataclass(frozen=True, slots=True)
class Explained:
    """The survivors that are known: changes one by one, and the texts that are for people."""

    changes: frozenset[Change]
    texts: frozenset[tuple[str, str]]

    @classmethod
    def read(cls, entries: Iterable[Mapping[str, Any]]) -> Self:
        """Read the entries of the list."""
        changes, texts = set(), set()
        for entry in entries:
            if not entry.get("reason"):
                raise ValueError(f"an entry has no reason: {entry}")
            changes |= {Change(*change) for change in entry.get("changes", ())}
            texts |= {(module, text) for module, text in entry.get("texts", ())}
        return cls(frozenset(changes), frozenset(texts))

    def knows(self, change: Change) -> bool:
        """Whether the list has a reason for a survivor."""
        return change in self.changes or any(change.module == of and change.rewrites(text) for of, text in self.texts)

    def gone(self, module: str, survivors: Sequence[Change]) -> list[str]:
        """Return what the list explains of a module though it survives no more."""
        changes = sorted(change for change in self.changes - set(survivors) if change.module == module)
        texts = sorted(text for of, text in self.texts if of == module)
        return [f"{change.function}: {change.was}  ->  {change.becomes}" for change in changes] + [
            f'the text "{text}"' for text in texts if not any(change.rewrites(text) for change in survivors)
        ]


@dataclass(frozen=True, slots=True)
class Run:
    """A module's mutants and what became of them."""

    module: str
    count: int
    survivors: Sequence[Change]


def run(modules: Sequence[str], tests: Iterable[str]) -> list[Run]:
    """Make the modules' mutants and run the tests on each; what neither survives nor dies raises ValueError."""
    _prepare(modules, list(map("tests/unit/test_{}.py".format, tests)))
    command = [Path(sys.executable).with_name("mutmut"), "run"]
    if subprocess.run(command, cwd=WORK, env=os.environ | _TOLD_EARLY, check=False).returncode:
        raise SystemExit("mutmut ended with an error")
    with contextlib.chdir(WORK):
        return list(map(_read, modules))


def _read(module: str) -> Run:
    made = SourceFileMutationData(path=_MUTATED.format(module))
    made.load()
    fates = {mutant: status_by_exit_code[code] for mutant, code in made.exit_code_by_key.items()}
    if odd := {mutant: fate for mutant, fate in fates.items() if fate not in _NOTICED | _UNNOTICED}:
        raise ValueError(f"neither noticed nor not: {odd}")
    survivors = [mutant for mutant, fate in fates.items() if fate in _UNNOTICED]
    diffs = {mutant: get_diff_for_mutant(mutant, path=made.path) for mutant in survivors}
    return Run(module, len(fates), [Change.of(module, mutant, diff) for mutant, diff in diffs.items()])


def _prepare(modules: Sequence[str], tests: Sequence[str]) -> None:
    """Lay out the files of the project as mutmut wants them, and tell it what to do."""
    known_mutants.forget(_COPY, ROOT, map(_MUTATED.format, modules), tests)
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, cwd=ROOT, text=True).splitlines():
        copy = WORK / name.replace(_PACKAGE, "src/eachonce/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy)
    plugins = [*(f"-pno:{name}" for name in _PLUGINS_LEFT_OUT), f"-p{_PLUGIN}"]
    settings = {
        "source_paths": ["src"],
        "only_mutate": list(map(_MUTATED.format, modules)),
        "also_copy": _COPIED,
        "pytest_add_cli_args": ["-o", f"pythonpath={_PYTHONPATH}", *plugins],
        "pytest_add_cli_args_test_selection": tests,
    }
    config = configparser.RawConfigParser()
    config["mutmut"] = {name: "\n".join(["", *values]) for name, values in settings.items()} | _PATIENCE
    with (WORK / "setup.cfg").open("w") as file:
        config.write(file)


def _joined(lines: Iterable[str]) -> str:
    return " ".join(line.strip() for line in lines)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Refuse a second run beside the one inside: each would take the other's files for its own."""
    with LIST.open() as list_of_mutants:
        try:
            fcntl.flock(list_of_mutants, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"another run is under way, in {WORK}") from None
        yield


def _asked(modules: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of the layer: {', '.join(modules)}")
    parser.add_argument("--anew", action="store_true", help="try all of their mutants again")
    asked = parser.parse_args()
    if unknown := [name for name in asked.modules if name not in modules]:
        parser.error(f"{LIST.name} has no module {unknown[0]!r}, but: {', '.join(modules)}")
    return asked


def _tell(runs: Sequence[Run], explained: Explained, unexplained: Sequence[Change]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    table = Table("module", "mutants", "noticed", "explained", "not explained")
    for one in runs:
        known = sum(map(explained.knows, one.survivors))
        counts = (one.count, one.count - len(one.survivors), known, len(one.survivors) - known)
        table.add_row(one.module, *(f"{count:,}" for count in counts))
    console.print(table)
    for one in runs:
        for gone in explained.gone(one.module, one.survivors):
            console.print(f"{one.module}: explained, and survives no more: {gone}", markup=False)
    for change in unexplained:
        console.print(f"\n{change.module}.{change.function}\n-  {change.was}\n+  {change.becomes}", markup=False)


def main() -> int:
    """Run the modules' mutants, all of the list if none is named; print what survived, and return what to exit with."""
    listed = tomllib.loads(LIST.read_text())
    tests, explained = listed["tests"], Explained.read(listed["survivors"])
    asked = _asked(list(tests))
    named = asked.modules or list(tests)
    with _alone():
        if asked.anew:
            known_mutants.forget_all(_COPY, map(_MUTATED.format, named))
        runs = run(named, dict.fromkeys(test for module in named for test in tests[module]))
    unexplained = sorted(change for one in runs for change in one.survivors if not explained.knows(change))
    _tell(runs, explained, unexplained)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
