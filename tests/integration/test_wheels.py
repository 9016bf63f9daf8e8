"""The layer and the tool as wheels: what is in them, and that they need this repository for nothing."""

from __future__ import annotations

import ast
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.installation import ROOT, Installation

DISTRIBUTIONS = {"eachonce": ROOT / "layers" / "eachonce", "eachonce_workbench": ROOT}

# What boto3 and moto, which are pinned, are made of; and what a bundle has or has not: it is imported then only.
BROUGHT = {"botocore", "werkzeug", "pydantic", "pydantic-core", "opentelemetry-api"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Both wheels, installed."""
    return Installation.make(tmp_path_factory.mktemp("installation"))


def test_each_wheel_has_one_package_and_no_other_name(installation: Installation) -> None:
    """Nothing collides with what a bundle of one's own may hold: contracts, functions, tests."""
    for wheel, package in zip(installation.wheels, ("eachonce", "eachonce_workbench"), strict=True):
        names = zipfile.ZipFile(wheel).namelist()

        assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {package}
        assert f"{package}/py.typed" in names


@pytest.mark.parametrize("package", DISTRIBUTIONS)
def test_a_distribution_requires_all_that_it_imports(package: str) -> None:
    """What is imported from elsewhere is required by name, not by luck."""
    home = DISTRIBUTIONS[package]
    project = tomllib.loads((home / "pyproject.toml").read_text())["project"]
    extras = [line for extra in project.get("optional-dependencies", {}).values() for line in extra]
    required = {canonicalize_name(Requirement(line).name) for line in (*project["dependencies"], *extras)}
    owners = metadata.packages_distributions()

    for module in set(imported(home / package)) - set(sys.stdlib_module_names) - {package}:
        theirs = {canonicalize_name(owner) for owner in owners.get(module, [module])}
        assert not theirs.isdisjoint(required | BROUGHT), f"{module} is imported, and not required"


def imported(folder: Path) -> Iterator[str]:
    """Yield the top-level names of what a package imports."""
    for path in folder.rglob("*.py"):
        if "scaffold/bundle" in path.as_posix():
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import():
                    yield from (alias.name.split(".")[0] for alias in node.names)
                case ast.ImportFrom(module=str(module), level=0):
                    yield module.split(".")[0]


def test_a_new_bundle_runs_by_the_wheels_alone(installation: Installation, tmp_path: Path) -> None:
    """With a consumer, an event and a function more; nothing of this repository is there, and nothing goes wrong.

    That its own tests pass, too, is seen by whoever walks through the tutorial.
    """
    bundle = tmp_path / "bikes"

    assert installation.run("eachonce", "--version", cwd=tmp_path).strip().endswith("0.1.0")
    installation.run("eachonce", "new", "bundle", str(bundle), cwd=tmp_path)
    installation.run("eachonce", "new", "event", "BillPaid", cwd=bundle)
    installation.run("eachonce", "new", "consumer", "settle-bill", "--on", "BillPaid", "--table", "Bills", cwd=bundle)
    installation.run("eachonce", "new", "function", "pay-bill", cwd=bundle)
    ran = installation.run("make", "run", cwd=bundle)

    assert "0 failed" in ran
    where = "import eachonce, eachonce_workbench; print(eachonce.__file__, eachonce_workbench.__file__)"
    assert str(ROOT) not in installation.run("python3", "-c", where, cwd=tmp_path)


@pytest.mark.parametrize(
    ("added", "told"),
    [
        (("consumer", "settle-bill", "--on", "BillPaid"), "there is no event BillPaid"),
        (("consumer", "count-arrivals", "--on", "TripEnded"), "there is CountArrivalsRule already"),
        (("event", "9lives"), "is no name"),
    ],
)
def test_what_can_not_be_added_is_told_in_a_line(
    installation: Installation, tmp_path: Path, added: tuple[str, ...], told: str
) -> None:
    """And nothing has changed."""
    installation.run("eachonce", "new", "bundle", "bikes", cwd=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    said = installation.run("eachonce", "new", *added, cwd=tmp_path / "bikes", status=1)

    assert told in said
    assert "Traceback" not in said
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
