"""The package `cryptography`: what signing and personal fields need of it, and nothing else does."""

from __future__ import annotations

import platform
import sys
from functools import cache
from pathlib import Path

from eachonce.errors import MissingPackageError


@cache
def require_cryptography(purpose: str) -> None:
    """Raise MissingPackageError unless the package is there.

    In Lambda it lies beside this package, in a folder for each processor: what it compiled is called alike for all.
    """
    folder = str(Path(__file__).parents[1] / f"cryptography-{platform.machine()}")
    if Path(folder).is_dir() and folder not in sys.path:
        sys.path.append(folder)
    try:
        import cryptography.hazmat.primitives.ciphers.aead  # noqa: F401 - to see that it is there
    except ImportError as error:
        raise MissingPackageError("cryptography", purpose, extra="crypto") from error
