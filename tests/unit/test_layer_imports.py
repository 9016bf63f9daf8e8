"""The layer by itself: what a function's start-up costs, and what it stands on."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import eachonce
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LAYER = Path(__file__).parents[2] / "layers" / "eachonce"

# The runtime brings boto3, and what boto3 stands on.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html#python-sdk-included
SDK = "boto3"

PROBE = """
import json, os, sys
from collections.abc import Mapping

layer = sys.argv[1]
sys.path.insert(0, layer)
reads = []


class Watched(Mapping):
    def __init__(self, environment):
        self.environment = environment

    def __getitem__(self, name):
        frame = sys._getframe(1)
        while frame.f_code.co_filename.startswith("<frozen") or "collections" in frame.f_code.co_filename:
            frame = frame.f_back
        if frame.f_code.co_filename.startswith(layer):
            reads.append(name)
        return self.environment[name]

    def __iter__(self):
        return iter(self.environment)

    def __len__(self):
        return len(self.environment)


os.environ = Watched(os.environ)
before = set(sys.modules)
import eachonce
made = sorted(
    value.__name__
    for name in set(sys.modules) - before
    if name.startswith("eachonce.")
    for value in vars(sys.modules[name]).values()
    if isinstance(value, type) and value.__module__ == name and "__dataclass_fields__" in vars(value)
)
modules = sorted(set(sys.modules) - before)
print(json.dumps({"reads": reads, "modules": modules, "file": eachonce.__file__, "dataclasses": made}))
"""


@pytest.fixture(scope="module")
def imported() -> dict[str, Any]:
    """What importing the layer in a fresh interpreter, with an empty environment, did."""
    probe = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", PROBE, str(LAYER)],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    done: dict[str, Any] = json.loads(probe.stdout)
    return done


def test_the_layer_is_imported_from_its_folder(imported: dict[str, Any]) -> None:
    """The tests look at what is deployed."""
    assert Path(imported["file"]).is_relative_to(LAYER)


def test_importing_the_layer_imports_no_sdk(imported: dict[str, Any]) -> None:
    """boto3 is the slowest part of a start: it comes with the first client.

    Powertools looks whether there is a botocore to tell its name to, which loads the empty package and no module of it.
    """
    assert not [module for module in imported["modules"] if module.startswith(("boto3", "botocore.", "s3transfer"))]


def test_importing_the_layer_reads_no_environment(imported: dict[str, Any]) -> None:
    """A test, or a tool, can import it anywhere."""
    assert imported["reads"] == []


def test_only_what_users_make_is_a_dataclass(imported: dict[str, Any]) -> None:
    """Each takes a start more than a millisecond, and a struct a fortieth of it."""
    assert set(imported["dataclasses"]) <= set(eachonce.__all__)


def test_the_layer_needs_its_requirements_and_the_runtimes_sdk_only(imported: dict[str, Any]) -> None:
    """Whatever else it imports would be missing in Lambda."""
    requirements = shipped()
    allowed = needed_by(*[requirement.name for requirement in requirements], SDK)
    owners = metadata.packages_distributions()

    for module in {module.split(".")[0] for module in imported["modules"]} - sys.stdlib_module_names - {"eachonce"}:
        theirs = {canonicalize_name(owner) for owner in owners.get(module, [])}
        assert not theirs.isdisjoint(allowed), f"{module} is in no requirement of the layer"


def test_the_layers_requirements_are_the_tested_ones() -> None:
    """The versions in the layer are those that the tests ran with."""
    for requirement in shipped():
        assert requirement.specifier.contains(metadata.version(requirement.name))
        assert str(requirement.specifier).startswith("==")


def test_all_that_the_layer_needs_is_pinned_by_its_hash() -> None:
    """The build takes what requirements.txt names, and nothing that this needs beside."""
    asked = [Requirement(line).name for line in (LAYER / "requirements.in").read_text().split()]
    project = tomllib.loads((LAYER / "pyproject.toml").read_text())["project"]

    pinned = {canonicalize_name(requirement.name) for requirement in shipped()}

    assert pinned == needed_by(*asked)
    assert {Requirement(line).name for line in project["dependencies"]} == {*asked, SDK}
    assert (LAYER / "requirements.txt").read_text().count("--hash=") >= len(pinned)


def shipped() -> list[Requirement]:
    """Return what the build puts into the layer beside our own package."""
    lines = (LAYER / "requirements.txt").read_text().splitlines()
    return [Requirement(line.removesuffix(" \\")) for line in lines if "==" in line]


def needed_by(*names: str) -> set[str]:
    """Return distributions and all that they need, without their extras."""
    needed: set[str] = set()
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in needed:
            needed.add(name)
            requirements = [Requirement(line) for line in metadata.requires(name) or []]
            waiting += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    return needed
