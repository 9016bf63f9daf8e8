"""Processor time: of an act, of this process with its children, or of any, by /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def microseconds(act: Callable[[], object], times: int) -> float:
    """Return what an act takes this process, once it has been done before: the mean of so many times."""
    act()
    began = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - began) / times * 1e6


def processor_seconds(pid: int | None = None) -> float:
    """Return what this process, or another, has used with its children: of the local cloud, the functions' workers."""
    whose = os.getpid() if pid is None else pid
    listed = Path(f"/proc/{whose}/task/{whose}/children").read_text()
    return sum(used_seconds(pid) for pid in (whose, *map(int, listed.split())))


def used_seconds(pid: int) -> float:
    """Return what a process has used so far; nan where there is no /proc to tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / _TICKS
