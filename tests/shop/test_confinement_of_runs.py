"""Whatever the shop's functions try while they are run or simulated, the outside never hears of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_confinement import eachonce, kernel
from tests.nosy import Outside
from tests.shop.place import ROOT

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ORDER = "536365,85123A,HOLDER,6,2010-12-01T08:26:00,2.55,17850,United Kingdom"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    (tmp_path / "outside").mkdir()
    with Outside(tmp_path / "outside" / "told.txt") as outside:
        yield outside


@pytest.fixture
def bundle(tmp_path: Path, outside: Outside) -> Path:
    """A copy of the bundle in which NotifyCustomer tells the outside of everything."""
    root = tmp_path / "bundle"
    for name in ("functions", "layers", "eachonce_workbench", "data", "shop"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("template.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    folder = root / "functions" / "notify_customer"
    (folder / "tries.py").write_text(outside.tries)
    app = (folder / "app.py").read_text()
    told = app.replace("    order = event.data\n", "    tries.tell_everybody()\n    order = event.data\n")
    (folder / "app.py").write_text(told.replace("import os\n", "import os\n\nimport tries\n"))
    (root / "orders.csv").write_text(f"{HEADER}\n{ORDER}\n")
    return root


@kernel
def test_who_is_simulated_reaches_nobody(bundle: Path, outside: Outside) -> None:
    """All is done as if it had not tried, and what it tried is told."""
    orders = str(bundle / "orders.csv")

    ended = eachonce("simulate", "--input", orders, "--faults", "none", "--json", root=bundle, cwd=bundle)

    assert outside.reached() == []
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (run,) = json.loads(ended.stdout)["runs"]
    assert f"NotifyCustomer tried to connect to 127.0.0.1:{outside.port}: refused" in run["refused"]
    assert f"NotifyCustomer tried to send to 127.0.0.1:{outside.port}: refused" in run["refused"]
    assert {line.partition(" ")[0] for line in run["refused"]} == {"NotifyCustomer"}


@kernel
def test_who_is_run_reaches_the_local_cloud_alone(bundle: Path, outside: Outside) -> None:
    """Its calls of AWS are answered as ever, and its mail is written."""
    orders = str(bundle / "orders.csv")

    ended = eachonce("run", "--input", orders, "--json", root=bundle, cwd=bundle)

    assert outside.reached() == []
    assert ended.returncode == 0, ended.stdout + ended.stderr
    result = json.loads(ended.stdout)
    assert (result["orders"], result["lost"], result["different"]) == (1, [], [])
    assert f"NotifyCustomer tried to connect to 127.0.0.1:{outside.port}: refused" in result["refused"]
    assert f"NotifyCustomer tried to send to 127.0.0.1:{outside.port}: refused" in result["refused"]
    assert {line.partition(" ")[0] for line in result["refused"]} == {"NotifyCustomer"}
