"""A local cloud that follows its files: code that was changed is loaded anew, and a template that was, read again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import Self

from eachonce_workbench.cloud.data_folder import DataFolder
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.store.kept import Kept
from eachonce_workbench.cloud.watch import Watch
from eachonce_workbench.template import TemplateError
from eachonce_workbench.template.topology import Function, Topology

Make = Callable[[socket.socket, Kept], LocalCloud]

# What a power cut may cost of what --data keeps.
_SAVE_SECONDS = 5.0


class LiveCloud:
    """One local cloud after the other on one socket, each with what the one before it held."""

    cloud: LocalCloud
    _files: Watch

    def __init__(
        self,
        template: Path,
        make: Make,
        *,
        listening: socket.socket,
        tell: Callable[[str], None],
        data: DataFolder | None = None,
    ) -> None:
        """Take the template, what makes a local cloud of it, and its socket, which is closed at the end.

        `tell` gets a line for each thing that a person should know. `data` is where what the store holds is kept.
        """
        self._template = template.resolve()
        self._make = make
        self._listening = listening
        self._tell = tell
        self._data = data
        self._open = False
        self._kept = Kept()
        self._changing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Start. Raises what LocalCloud and DataFolder raise."""
        try:
            await self._start(Kept() if self._data is None else self._data.read())
        except BaseException:
            self._listening.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop, and keep what is to be kept."""
        try:
            kept = await self._stop()
            if self._data is not None:
                self._data.write(kept)
        finally:
            self._listening.close()

    async def follow(self) -> None:
        """Follow the files until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            if self._data is not None:
                group.create_task(self._save(self._data))

    async def _watch(self) -> None:
        while True:
            await self._changed(await self._files.changes())

    async def _changed(self, files: Collection[Path]) -> None:
        if self._template in files:
            await self._reload()
            return
        functions = [each for each in self.cloud.topology.functions if _is_of(each, files)]
        if functions:
            await self.cloud.renew([function.logical_id for function in functions])
            names = ", ".join(function.logical_id for function in functions)
            self._tell(f"reloaded {names}: {self._named(files)}")

    async def _reload(self) -> None:
        """Read the template again; one that is broken changes nothing."""
        try:
            await asyncio.to_thread(self.cloud.read)
        except TemplateError as error:
            self._tell(f"not reloaded: {error}")
            return
        async with self._changing:
            await self._start(await self._stop())
        self._tell(f"reloaded {self._template.name}: {_counted(self.cloud.topology)}")

    async def _start(self, kept: Kept) -> None:
        # Before it is read: whoever writes meanwhile has it read again.
        self._files = Watch([self._template])
        cloud = self._make(self._listening.dup(), kept)
        await cloud.__aenter__()
        self._files.add(_folders(cloud.topology))
        self.cloud, self._open = cloud, True
        for line in cloud.gone:
            self._tell(line)

    async def _stop(self) -> Kept:
        if self._open:
            self._open = False
            await self.cloud.__aexit__(None, None, None)
            # At once, and only once: the next cloud's store empties this one's.
            self._kept = self.cloud.keep()
        return self._kept

    async def _save(self, data: DataFolder) -> None:
        while True:
            await asyncio.sleep(_SAVE_SECONDS)
            try:
                async with self._changing:
                    data.write(self.cloud.keep())
            except OSError as error:
                self._tell(f"not kept: {error}")

    def _named(self, files: Collection[Path]) -> str:
        first, *others = sorted(files)
        root = self._template.parent
        name = str(first.relative_to(root) if first.is_relative_to(root) else first)
        return f"{name} and {len(others)} more" if others else name


def _folders(topology: Topology) -> set[Path]:
    return {folder for each in topology.functions for folder in (each.code, *each.layers)}


def _is_of(function: Function, files: Collection[Path]) -> bool:
    return any(file.is_relative_to(folder) for folder in (function.code, *function.layers) for file in files)


def _counted(topology: Topology) -> str:
    kinds = {"function": topology.functions, "queue": topology.queues, "table": topology.tables}
    return ", ".join(f"{len(parts)} {kind}{'' if len(parts) == 1 else 's'}" for kind, parts in kinds.items())
