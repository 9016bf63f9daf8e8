"""What earlier runs found of mutants, for as long as what it rests on stays.

mutmut itself tries those again whose function has changed. Here those are forgotten whose test, the one that noticed,
is written otherwise now, and those that no test is known to notice, once there are other tests. What a test calls, and
what else there is of the layer, isn't looked at.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Container, Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

# In the folder where mutmut runs the tests: a line for each mutant that a test noticed, its name and the test's.
KILLS = "kills"
# There, too, for each module: what mutmut found, and with which tests.
_FOUND = ".meta"
_TESTS = ".tests"
_KEPT = {_FOUND, _TESTS}

_A_TEST_FAILED = 1  # as pytest ends, and mutmut keeps it


def kills(copy: Path) -> list[tuple[str, str]]:
    """Return the mutants that were noticed so far, each with its test."""
    lines = (copy / KILLS).read_text().splitlines() if (copy / KILLS).exists() else []
    return [(mutant, test) for mutant, _, test in (line.partition(" ") for line in lines)]


def forget_all(copy: Path, modules: Iterable[str]) -> None:
    """Forget all that was found of these modules, and of no other."""
    for module in modules:
        _beside(copy / module, _FOUND).unlink(missing_ok=True)


def forget(copy: Path, root: Path, modules: Iterable[str], tests: Iterable[str]) -> None:
    """Forget what is to be found again, and every file that is made anew.

    `copy` is where mutmut ran the tests; modules, there, and tests, below `root`, are what is run next.
    """
    digest = _digest(root / test for test in sorted(tests))
    tried_with = {_beside(copy / module, _TESTS) for module in modules}
    with_others = {path for path in tried_with if not path.exists() or path.read_text() != digest}
    _forget_found(copy, root, with_others)
    for path in list(copy.parent.rglob("*")):
        if path.is_file() and path.suffix not in _KEPT and path != copy / KILLS:
            path.unlink()
    for path in tried_with:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(digest)


def _forget_found(copy: Path, root: Path, with_others: Container[Path]) -> None:
    noticed_by, alike = dict(kills(copy)), _written_alike(copy.parent, root)
    for path in copy.rglob(f"*{_FOUND}"):
        same_tests = path.with_suffix(_TESTS) not in with_others
        found = json.loads(path.read_text())
        codes = found["exit_code_by_key"]
        for mutant, code in codes.items():
            by = noticed_by.get(mutant) if code == _A_TEST_FAILED else None
            stays = same_tests if by is None else alike(by)
            codes[mutant] = code if stays else None
        path.write_text(json.dumps(found))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _digest(files: Iterable[Path]) -> str:
    return sha256(b"".join(sha256(path.read_bytes()).digest() for path in files)).hexdigest()


def _written_alike(was: Path, now: Path) -> Callable[[str], bool]:
    """Return whether a test, by its id, is in both folders, and says the same."""

    @cache
    def functions(path: Path) -> dict[str, str]:
        nodes = ast.walk(ast.parse(path.read_text())) if path.exists() else ()
        return {node.name: ast.dump(node) for node in nodes if isinstance(node, ast.FunctionDef)}

    @cache
    def alike(test: str) -> bool:
        path, _, name = test.partition("[")[0].partition("::")
        then, today = (functions(folder / path).get(name.rpartition("::")[2]) for folder in (was, now))
        return then is not None and then == today

    return alike
