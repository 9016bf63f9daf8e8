"""`sam local invoke`: one function in Lambda's own container image, against the local cloud."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from workbench.topology import Topology

# How a container calls the machine that it runs on.
_HOST = "host.docker.internal"
_ENGINES = ("docker", "finch", "podman")
_ANSWER_SECONDS = 20
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class InvokeError(RuntimeError):
    """The function can't be invoked here; the message says what is missing."""


def sample_of(root: Path, function: str) -> Path:
    """Return the first sample input of a function (its logical id); raises InvokeError naming those that have one."""
    folder = root / "events" / re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower()
    samples = sorted(path for path in folder.glob("*.json") if path.stem not in {"malformed", "http"})
    if not samples:
        known = sorted(path.name.title().replace("_", "") for path in (root / "events").iterdir() if path.is_dir())
        raise InvokeError(f"there is no sample input for {function}; there is one for {', '.join(known)}")
    return samples[0]


def require_container_engine() -> None:
    """Raise InvokeError unless a container engine runs."""
    engines = [engine for engine in _ENGINES if shutil.which(engine)]
    for engine in engines:
        answer = subprocess.run([engine, "info"], capture_output=True, timeout=_ANSWER_SECONDS, check=False)  # noqa: S603 - a fixed word
        if answer.returncode == 0:
            return
    there = f"{' and '.join(engines)} is installed, but no engine answers" if engines else "none is installed"
    raise InvokeError(
        f"sam local invoke needs a container engine (Docker, Finch or Podman): {there}. "
        "Without one, `make run` and `make serve` run the same functions as processes."
    )


def require_local_cloud(endpoint: str) -> None:
    """Raise InvokeError unless something answers at `endpoint`."""
    try:
        _DIRECT.open(endpoint, timeout=_ANSWER_SECONDS).close()
    except urllib.error.HTTPError:
        return  # it answers, if only to say that the request is not signed
    except OSError as error:
        raise InvokeError(f"no local cloud answers at {endpoint}: start it with `make serve`") from error


def command(sam: str, function: str, event: Path, topology: Topology, environment: Path, port: int) -> list[str]:
    """Return the command that invokes `function`; writes the names of the local cloud's resources to `environment`.

    `sam local` knows no physical names and gives a function the logical ones instead.
    """
    environment.parent.mkdir(parents=True, exist_ok=True)
    names = {each.logical_id: dict(each.environment) for each in topology.functions}
    environment.write_text(json.dumps(names, indent=2))
    return [
        *(sam, "local", "invoke", function, "--event", str(event), "--env-vars", str(environment)),
        *("--parameter-overrides", f"LocalEndpoint=http://{_HOST}:{port}", "--add-host", f"{_HOST}:host-gateway"),
    ]
