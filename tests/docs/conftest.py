"""Where pages are walked: an environment with the wheels, made once."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.installation import Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Both wheels, installed."""
    return Installation.make(tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The variables of a shell that has Python and nothing of this repository, and no network for pip.

    REQUIRED is a .pth file that stands for what pip would fetch: what the wheels require, from the environment here.
    """
    folder = tmp_path_factory.mktemp("required")
    packages = folder / "packages"
    packages.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if "eachonce" not in path.name and not path.name.startswith("pip"):
            (packages / path.name).symlink_to(path)
    (folder / "required.pth").write_text(f"{packages}\n")
    python = Path(os.path.realpath(sys.executable)).parent
    return {
        "PATH": os.pathsep.join([str(python), "/usr/bin", "/bin"]),
        "HOME": str(folder),
        "COLUMNS": "200",
        "LANG": "C.UTF-8",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "REQUIRED": str(folder / "required.pth"),
    }
