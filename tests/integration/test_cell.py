"""A function's process in a cell: what it can do there, what is heard of it, and what is left afterwards."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

import pytest

from eachonce_workbench.cloud.confinement import landlock
from eachonce_workbench.cloud.confinement.cell import closed_cells
from eachonce_workbench.cloud.functions.processes import ProcessRuntime
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.template.topology import Function


def invoke(folder: Path, source: str, *writable: Path) -> tuple[Invocation, list[Happening]]:
    """Run a function once in a cell, and return what came of it and what happened."""
    (folder / "app.py").write_text(source)
    function = Function(
        logical_id="Fn",
        name="shop-Fn",
        arn="arn:aws:lambda:eu-west-1:123456789012:function:shop-Fn",
        handler="app.handler",
        runtime="python3.11",
        code=folder,
        layers=(),
        timeout_seconds=20,
        memory_mb=256,
        environment={},
        reserved_concurrency=None,
    )
    happened: list[Happening] = []
    history = History()
    history.subscribe(happened.append)

    async def main() -> Invocation:
        runtime = ProcessRuntime(
            [function], endpoint="http://127.0.0.1:4566", history=history, cells=closed_cells(*writable)
        )
        try:
            async with asyncio.timeout(60):
                return await runtime.invoke("Fn", b"{}")
        finally:
            await runtime.stop()

    return asyncio.run(main()), happened


WRITES = """
import pathlib, tempfile

def handler(event, context):
    pathlib.Path(tempfile.mkdtemp(), "a").write_text("own")
    pathlib.Path({asked!r}, "a").write_text("asked for")
    try:
        pathlib.Path("a").write_text("beside its code")
    except PermissionError as error:
        return tempfile.gettempdir(), str(error)
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    return tmp_path / "code"


def test_a_function_writes_to_its_own_temporary_folder_and_to_what_it_is_given(code: Path, tmp_path: Path) -> None:
    """Its code is as it is in Lambda, where it can't be written; the folder goes with the process."""
    (tmp_path / "mail").mkdir()

    invocation, happened = invoke(code, WRITES.format(asked=str(tmp_path / "mail")), tmp_path / "mail")

    folder, error = json.loads(invocation.payload)
    assert error == "tried to write the file a: refused"
    assert [one.fields["what"] for one in happened if one.kind == "refused"] == ["tried to write the file a"]
    assert (tmp_path / "mail" / "a").read_text() == "asked for"
    assert folder != tempfile.gettempdir()
    assert not Path(folder).exists()


def test_what_a_function_tries_is_told_before_its_invocation_ends(code: Path) -> None:
    """Under its request, and whoever of its process it was."""
    source = """
import ctypes, socket

def handler(event, context):
    address = b"\\x02\\x00\\x01\\xbb" + socket.inet_aton("203.0.113.9") + bytes(8)
    c = ctypes.CDLL(None)
    c.connect(c.socket(2, 1, 0), address, 16)
"""

    if not landlock.version():
        pytest.skip("C code is confined by Linux alone")
    invocation, happened = invoke(code, source)

    (refused,) = (one for one in happened if one.kind == "refused")
    assert refused.fields == {
        "function": "Fn",
        "request_id": invocation.request_id,
        "what": "tried to connect to 203.0.113.9:443",
    }
    assert [one.kind for one in happened if one.kind in {"refused", "attempted"}] == ["refused", "attempted"]


def test_nothing_of_a_cell_outlives_the_runtime(code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither file descriptors nor folders."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    descriptors = len(list(Path("/dev/fd").iterdir()))

    invoke(code, "def handler(event, context): raise SystemExit")

    assert len(list(Path("/dev/fd").iterdir())) == descriptors
    assert list((tmp_path / "tmp").iterdir()) == []
