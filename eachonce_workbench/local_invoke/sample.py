"""The inputs that a bundle keeps for its functions: a folder each, under `events`."""

from __future__ import annotations

from pathlib import Path

from eachonce_workbench.local_invoke.error import InvokeError
from eachonce_workbench.run.samples import folders_of
from eachonce_workbench.template.topology import Function


def sample_of(root: Path, function: Function) -> Path:
    """Return the first sample input of a function; raises InvokeError naming the folders that have one."""
    events = root / "events"
    samples = [
        path
        for folder in folders_of(function)
        for path in sorted((events / folder).glob("*.json"))
        if path.stem not in {"malformed", "http"}
    ]
    if not samples:
        known = ", ".join(sorted(path.name for path in events.glob("*/")))
        raise InvokeError(
            f"there is no sample input for {function.logical_id} in {events}; there is: {known or 'none'}"
        )
    return samples[0]
