"""Which version of the tool this is."""

from __future__ import annotations

from importlib import metadata

# What the tool has been distributed as, the newest name first.
_DISTRIBUTIONS = ("eachonce-workbench", "eachonce")


def version() -> str:
    """Return the version of the installed distribution, "unknown" where the tool runs without having been installed."""
    for name in _DISTRIBUTIONS:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "unknown"
