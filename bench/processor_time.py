"""The processor time of processes: this one with its children, or any, by /proc."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds() -> float:
    """Return what this process and its children have used, which are the functions' workers."""
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return sum(used_seconds(pid) for pid in (os.getpid(), *map(int, listed.split())))


def used_seconds(pid: int) -> float:
    """Return what a process has used so far; nan where there is no /proc to tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / _TICKS
