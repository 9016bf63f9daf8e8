"""Asks for a bundle's contracts in a process of its own, where they are what the files say now."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from eachonce_workbench.console.place import aside
from eachonce_workbench.console.send import contracts
from eachonce_workbench.console.send.contracts import Checked, Told
from eachonce_workbench.template.topology import Function

_SECONDS = 60.0


class Reader:
    """Imports the code of functions, and again when a file of theirs has changed; nobody imports it here."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._stamp = 0
        self._told = Told()
        self._turn = asyncio.Lock()

    async def told(self, functions: Sequence[Function]) -> Told:
        """Return what is known of the contracts."""
        async with self._turn:
            stamp = await aside(lambda: _stamp(functions))
            if self._pool is None or stamp != self._stamp:
                self.close()
                spawned = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, mp_context=spawned, initializer=contracts.alone)
                self._stamp = stamp
                self._told = await self._ask_all(self._pool, functions)
            return self._told

    async def check(self, kind: str, name: str, data: bytes) -> Checked:
        """Return what a contract makes of data; `told` was asked before."""
        async with self._turn:
            if self._pool is None:
                return Checked()
            asked = asyncio.get_running_loop().run_in_executor(self._pool, contracts.check, kind, name, data)
            try:
                return await asyncio.wait_for(asked, _SECONDS)
            except (BrokenProcessPool, TimeoutError):
                self.close()
                return Checked(reason="the contract's code ended the process, or took too long")

    def close(self) -> None:
        """End the process, if there is one."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 - a contract's code may never end
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)

    async def _ask_all(self, pool: ProcessPoolExecutor, functions: Sequence[Function]) -> Told:
        asked = asyncio.get_running_loop().run_in_executor(pool, contracts.told, tuple(functions))
        try:
            return await asyncio.wait_for(asked, _SECONDS)
        except (BrokenProcessPool, TimeoutError):
            self.close()
            return Told(unknown=("The functions' code ended the process that imported it, or took too long.",))


def _stamp(functions: Iterable[Function]) -> int:
    """Return a number that differs when a file does."""
    folders = {folder for each in functions for folder in (each.code, *each.layers)}
    found = sorted((str(path), path.stat().st_mtime_ns) for folder in folders for path in _modules(folder))
    return hash(tuple(found))


def _modules(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*.py") if path.is_file())
