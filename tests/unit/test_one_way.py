"""The tool knows no bundle: neither the one that lies beside it, nor what it is called there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "eachonce_workbench"
# What `eachonce new bundle` writes is no module of the tool's, but a bundle.
WRITTEN = TOOL / "scaffold" / "bundle"
MODULES = sorted(path for path in TOOL.rglob("*.py") if not path.is_relative_to(WRITTEN))
NAMES = ("MailDirectory", "PlaceOrder", "ReserveStock", "TallySales", "TrackCustomer", "NotifyCustomer", "RelayOutbox")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TOOL)))
def test_no_module_imports_a_bundle(path: Path) -> None:
    """Neither the shop nor its contracts, anywhere in its code, and no test either."""
    assert set(imports(path)) & {"shop", "contracts", "tests", "bench"} == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TOOL)))
def test_no_module_knows_a_name_of_the_shop(path: Path) -> None:
    """Not even in an example."""
    text = path.read_text(encoding="utf-8")

    assert [name for name in NAMES if name in text] == []
