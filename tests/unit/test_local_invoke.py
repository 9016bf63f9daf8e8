"""`eachonce invoke`: what it needs, and what it says where that is missing."""

import json
from pathlib import Path

import pytest

from workbench import template
from workbench.command import ROOT, TEMPLATE
from workbench.local_invoke import InvokeError, command, require_container_engine, require_local_cloud, sample_of


@pytest.mark.parametrize("function", ["PlaceOrder", "RelayOutbox", "ReserveStock", "NotifyCustomer"])
def test_every_function_has_a_sample_input(function: str) -> None:
    """A direct request, a stream batch, or a good event first."""
    assert sample_of(ROOT, function).is_file()


def test_a_function_without_sample_is_told_from_those_with_one() -> None:
    """The error names what could have been meant."""
    with pytest.raises(InvokeError, match=r"no sample input for Reserve; .*ReserveStock"):
        sample_of(ROOT, "Reserve")


def test_a_machine_without_container_engine_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what works without one."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(InvokeError, match=r"none is installed.*make run"):
        require_container_engine()


def test_an_engine_that_does_not_answer_is_told_from_one_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client alone runs nothing."""
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 1\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(InvokeError, match="docker is installed, but no engine answers"):
        require_container_engine()


def test_a_local_cloud_that_is_not_there_is_missed() -> None:
    """The error says how to start it. Port 9 (discard) has no listener."""
    with pytest.raises(InvokeError, match="make serve"):
        require_local_cloud("http://127.0.0.1:9")


def test_a_container_is_given_the_local_clouds_names(tmp_path: Path) -> None:
    """Tables and queues by physical name, AWS at the host's address."""
    topology = template.load(TEMPLATE)

    line = command("sam", "TallySales", tmp_path / "event.json", topology, tmp_path / "run" / "environment.json", 4566)

    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert environment["TallySales"]["TABLE_SALES"] == topology.table("Sales").name
    assert line[:4] == ["sam", "local", "invoke", "TallySales"]
    assert "LocalEndpoint=http://host.docker.internal:4566" in line
