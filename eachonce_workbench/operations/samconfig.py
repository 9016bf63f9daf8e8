"""What samconfig.toml says of a deployment.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
"""

from __future__ import annotations

import tomllib
from pathlib import Path


def deployed_stack(start: Path) -> str | None:
    """Return the stack that `sam deploy` makes of the bundle in a folder or above; None where nothing says."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (path := folder / "samconfig.toml").is_file():
            return _stack_name(path)
    return None


def _stack_name(path: Path) -> str | None:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    for command in ("deploy", "global"):
        match document.get("default", {}).get(command):
            case {"parameters": {"stack_name": str(name)}}:
                return name
    return None
