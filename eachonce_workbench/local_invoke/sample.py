"""The inputs that a bundle keeps for its functions: a folder each, under `events`."""

from __future__ import annotations

import re
from pathlib import Path

from eachonce_workbench.local_invoke.error import InvokeError


def sample_of(root: Path, function: str) -> Path:
    """Return the first sample input of a function (its logical id); raises InvokeError naming those that have one."""
    folder = root / "events" / re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()
    samples = sorted(path for path in folder.glob("*.json") if path.stem not in {"malformed", "http"})
    if not samples:
        known = sorted(path.name.title().replace("_", "") for path in (root / "events").glob("*/"))
        raise InvokeError(f"there is no sample input for {function}; there is one for {', '.join(known) or 'none'}")
    return samples[0]
