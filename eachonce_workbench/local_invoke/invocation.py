"""An invocation from beginning to end: what it needs, what it runs, and what came of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from eachonce_workbench.cloud.sdk import DIRECT, local_session
from eachonce_workbench.local_invoke.answer import failure
from eachonce_workbench.local_invoke.engine import running_engine
from eachonce_workbench.local_invoke.error import InvokeError
from eachonce_workbench.local_invoke.reach import Reach, reach, require_local_cloud
from eachonce_workbench.local_invoke.sam import Sam
from eachonce_workbench.local_invoke.sample import sample_of
from eachonce_workbench.template import load
from eachonce_workbench.template.topology import Function, StoredValue, Topology


def invoke(
    function: str,
    *,
    template: Path,
    root: Path,
    port: int,
    sam: str,
    event: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    skip_pull_image: bool = False,
    show: Callable[[str], None] = print,
) -> None:
    """Run a function of the bundle in `root` on a file of JSON, its first sample by default; `show` its answer.

    `parameters` are the template's, where they aren't to have their defaults. The local cloud is the one on `port` of
    the loopback interface. Raises InvokeError when something is missing, and when the function failed.
    """
    endpoint = f"http://127.0.0.1:{port}"
    chosen = {} if parameters is None else parameters
    topology = load(template, parameters=chosen, endpoint=endpoint)
    target = _function(topology, function)
    given = sample_of(root, target) if event is None else event
    engine = running_engine()
    require_local_cloud(endpoint)
    runner = Sam(
        program=sam,
        root=root,
        template=template,
        region=topology.region,
        parameters=chosen,
        skip_pull_image=skip_pull_image,
    )
    runner.build(topology)
    with reach(engine, port) as way, _sealed(given, target, topology, endpoint) as sealed:
        answer = runner.invoke(target.logical_id, sealed, topology, way)
        if answer:
            show(answer)
        _check(target, answer, way)


@contextmanager
def _sealed(given: Path, function: Function, topology: Topology, endpoint: str) -> Iterator[Path]:
    """Yield the input; where the function verifies, a copy of signed events, by a key that the cloud knows."""
    if not function.environment.get("VERIFYING_KEYS"):
        yield given
        return
    from eachonce_workbench.cloud.seal import Seal

    client = local_session(topology.region).client("ssm", endpoint_url=endpoint, config=DIRECT)

    def keep(stored: StoredValue) -> None:
        client.put_parameter(Name=stored.name, Value=stored.value, Type=stored.kind, Overwrite=True)

    with tempfile.TemporaryDirectory(prefix="eachonce-") as folder:
        sealed = Path(folder) / given.name
        sealed.write_bytes(Seal(topology, keep).payload(function.logical_id, given.read_bytes()))
        yield sealed


def _function(topology: Topology, name: str) -> Function:
    try:
        return topology.function(name)
    except KeyError:
        known = ", ".join(sorted(each.logical_id for each in topology.functions))
        raise InvokeError(f"there is no function {name}; there is {known or 'none'}") from None


def _check(function: Function, answer: str, way: Reach) -> None:
    how = failure(answer) if answer else f"no answer within {function.timeout_seconds} seconds{_hint(way)}"
    if how is not None:
        raise InvokeError(f"{function.logical_id} failed: {how}")


def _hint(way: Reach) -> str:
    if not way.missed:
        return ""
    return f". Nothing came from the container to {way.address}:{way.port}: a firewall may keep it from this machine"
