"""A witness played again: `eachonce simulate --replay`, in a process of its own, since a simulation needs one."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from eachonce_workbench.run.kept import FOLDER, read
from eachonce_workbench.simulator.last import WITNESS_NAME
from eachonce_workbench.simulator.steps import Step

LONGEST_SECONDS = 120.0
"""A witness is small, and takes seconds: what takes longer is given up."""

WITNESS = Path(FOLDER, WITNESS_NAME)
"""Where the last witness lies in a bundle's folder."""

_PROGRAM = "from eachonce_workbench.cli.app import app; app()"
_NAMING = frozenset({"--template", "--books", "--input", "--events"})
_MOST_OF_AN_ERROR = 2_000


class PlayingError(RuntimeError):
    """The witness can't be played; the message says why."""


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, step by step; `left_out` steps came after those."""

    steps: list[Step]
    left_out: int = 0


def command(asked: Sequence[str]) -> list[str]:
    """Return the words of the command that plays a bundle's last witness, in the bundle's folder.

    `asked` are the arguments by which the simulation named its inputs: where there are others, nobody of ours has
    written them. Raises PlayingError.
    """
    if len(asked) % 2 or not _NAMING.issuperset(asked[::2]):
        raise PlayingError(f"{' '.join(asked)} doesn't name inputs")
    return ["simulate", *asked, "--replay", str(WITNESS)]


async def play(folder: Path, asked: Sequence[str]) -> Played:
    """Run a bundle's last witness again. Raises PlayingError; where it is cancelled, the process ends."""
    words = [*command(asked), "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROGRAM,
        *words,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            told, errors = await process.communicate()
    except TimeoutError as error:
        raise PlayingError(f"it took longer than {LONGEST_SECONDS:.0f} seconds") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    try:
        return read(told.decode(), Played)
    except ValueError as error:
        why = errors.decode(errors="replace").strip()[-_MOST_OF_AN_ERROR:]
        raise PlayingError(why or f"it ended with {process.returncode}, and said nothing") from error
