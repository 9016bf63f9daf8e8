"""Where and with what was measured: absolute times are this machine's alone."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version

_MEASURED_WITH = ("aws-lambda-powertools", "boto3", "botocore", "msgspec", "pydantic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine, and the versions on it."""

    processors: int
    machine: str
    system: str
    python: str
    packages: dict[str, str]

    @classmethod
    def here(cls) -> Machine:
        """Return this machine."""
        return cls(
            processors=os.cpu_count() or 1,
            machine=platform.machine(),
            system=platform.system(),
            python=platform.python_version(),
            packages={name: version(name) for name in _MEASURED_WITH},
        )

    def __str__(self) -> str:
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return f"{self.processors} processors ({self.machine}, {self.system}), Python {self.python}; {packages}"
