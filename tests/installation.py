"""The two distributions as anybody installs them: wheels, in an environment of their own, far from this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Installation:
    """An environment in `folder` with the wheels; what they require is the development environment's."""

    folder: Path
    wheels: tuple[Path, ...]

    @classmethod
    def make(cls, folder: Path) -> Self:
        """Build the wheels from a copy of what git knows, and install them."""
        copy, dist = folder / "copy", folder / "dist"
        _copy(copy)
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
        for distribution in (copy / "layers" / "eachonce", copy):
            subprocess.run(
                [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(dist), str(distribution)],
                check=True,
            )
        wheels = tuple(sorted(dist.glob("*.whl")))
        home = folder / "environment"
        venv.create(home)
        python = str(home / "bin" / "python")
        subprocess.run([*pip, "--python", python, "install", "--no-deps", *map(str, wheels)], check=True)
        # Editable installations there are not found: theirs is a file of this kind, and those are not followed twice.
        others = sysconfig.get_path("purelib")
        own = sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)})
        (Path(own) / "required.pth").write_text(others)
        return cls(home, wheels)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of a shell in which the environment is active, and nothing of a person's own AWS."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "PYTEST"))}
        return own | {"PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}

    def run(self, *command: str, cwd: Path, status: int = 0) -> str:
        """Run a command, which ends with this status, and return what it printed, to people and to programs."""
        ended = subprocess.run(
            command,
            cwd=cwd,
            env=self.environment,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert ended.returncode == status, ended.stdout
        return ended.stdout


def _copy(to: Path) -> None:
    """Copy what the wheels are made of, and nothing that a build or an installation has left."""
    left = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", ".*")
    for name in ("layers/eachonce", "eachonce_workbench"):
        shutil.copytree(ROOT / name, to / name, ignore=left)
    shutil.copy(ROOT / "pyproject.toml", to)
