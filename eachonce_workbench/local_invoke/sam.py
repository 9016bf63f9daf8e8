"""The `sam` command, as far as an invocation needs it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from eachonce_workbench.cloud.loopback import CONTAINER_HOST
from eachonce_workbench.local_invoke.built import Built
from eachonce_workbench.local_invoke.error import InvokeError
from eachonce_workbench.local_invoke.reach import Reach
from eachonce_workbench.template.source import Source
from eachonce_workbench.template.topology import Topology

_BUILT = Path(".aws-sam") / "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sam:
    """The program at `program`, for the bundle in the folder `root`."""

    program: str
    root: Path
    template: Path
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    skip_pull_image: bool = False

    def build(self, topology: Topology) -> None:
        """Build what would be deployed, unless it stands there already."""
        if self.template.parent == self.root / _BUILT:
            return
        command = ("build", "--template", str(self.template), *self._overrides())
        folders = {folder for each in topology.functions for folder in (each.code, *each.layers)}
        built = Built(
            self.root / ".run" / "built",
            command=(self.program, *command),
            sources={self.root, self.template, *folders},
            product=self.root / _BUILT / "template.yaml",
        )
        with built.alone():
            if not built.stands:
                self._run(*command)
                built.note()

    def invoke(self, function: str, event: Path, topology: Topology, reach: Reach) -> str:
        """Run a function that is built in a container, and return what sam prints of its answer: nothing, if none came.

        Raises InvokeError when sam fails. How the function ended it tells by no status of its own.
        """
        variables = variables_of(topology, reach.endpoint)
        with (
            _temporary(variables) as values,
            # In the folder of the built one, to which the paths in it are relative.
            _temporary(self._naming(variables), folder=self.root / _BUILT) as naming,
        ):
            return self._run(
                *("local", "invoke", function, "--event", str(event.absolute())),
                *("--template", str(naming), "--env-vars", str(values)),
                *("--add-host", f"{CONTAINER_HOST}:{reach.address}"),
                *self._overrides(),
                *(("--skip-pull-image",) if self.skip_pull_image else ()),
                stdout=subprocess.PIPE,
            )

    def _overrides(self) -> Sequence[str]:
        values = [f"ParameterKey={name},ParameterValue={value}" for name, value in self.parameters.items()]
        return ("--parameter-overrides", *values) if values else ()

    def _naming(self, variables: Mapping[str, Mapping[str, str]]) -> Mapping[str, Any]:
        """The built template, whose functions name all their variables: sam hands over no others."""
        document = Source.read(self.root / _BUILT / "template.yaml").document
        for function in variables.keys() & document["Resources"].keys():
            names = dict.fromkeys(variables[function], "")
            document["Resources"][function]["Properties"]["Environment"] = {"Variables": names}
        return document

    def _run(self, *arguments: str, stdout: int | None = None) -> str:
        sam = self._start(arguments, stdout)
        try:
            printed, _ = sam.communicate()
        except KeyboardInterrupt:
            sam.wait()  # Ctrl-C is sam's, too: it takes its container away
            raise
        if sam.returncode:
            raise InvokeError(
                f"`sam {_command(arguments)}` ended with status {sam.returncode}: see above", status=sam.returncode
            )
        return (printed or "").strip()

    def _start(self, arguments: Sequence[str], stdout: int | None) -> subprocess.Popen[str]:
        command = [self.program, *arguments]
        try:
            return subprocess.Popen(command, cwd=self.root, env=_environment(self.region), stdout=stdout, text=True)  # noqa: S603 - sam
        except OSError as error:
            raise InvokeError(f"{self.program} can't be run: {error.strerror}") from error


@contextmanager
def _temporary(document: Mapping[str, Any], *, folder: Path | None = None) -> Iterator[Path]:
    """Yield a file of JSON, this invocation's own: there may be others beside it."""
    with tempfile.NamedTemporaryFile("w", prefix="eachonce-", suffix=".json", dir=folder, encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        yield Path(file.name)


def _command(arguments: Sequence[str]) -> str:
    return " ".join(takewhile(lambda word: not word.startswith("-"), arguments[:2]))


def variables_of(topology: Topology, endpoint: str) -> dict[str, dict[str, str]]:
    """Return what each function (its logical id) finds in its environment, with AWS at `endpoint`.

    `sam local` resolves no conditions there, and knows no physical names: it would give a function the logical ones.
    """
    return {each.logical_id: {**each.environment, **_sdk(endpoint)} for each in topology.functions}


def _sdk(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        # An account's own endpoint would be a host name that doesn't exist here.
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        # An engine may hand its proxies to its containers.
        "NO_PROXY": CONTAINER_HOST,
        "no_proxy": CONTAINER_HOST,
    }


def _environment(region: str) -> dict[str, str]:
    """The machine's variables, but for what would bring a person's own account into it, or a proxy between."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    direct = ",".join(filter(None, (own.get("no_proxy") or own.get("NO_PROXY"), "localhost,127.0.0.1")))
    return own | {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": direct,
        "no_proxy": direct,
    }
