"""The kernel's calls that Python has no names for."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache
from typing import Any

_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS, https://docs.kernel.org/userspace-api/no_new_privs.html
_PTRACER = 0x59616D61  # PR_SET_PTRACER, https://docs.kernel.org/admin-guide/LSM/Yama.html


def system_call(number: int, *arguments: Any) -> int:
    """Make a system call. Raises OSError."""
    result = int(_libc().syscall(ctypes.c_long(number), *map(_word, arguments)))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def renounce_privileges() -> None:
    """Let no program that this process starts gain rights by it: the price of confining oneself without being root."""
    if _libc().prctl(_NO_NEW_PRIVILEGES, *map(_word, (1, 0, 0, 0))):
        raise OSError(ctypes.get_errno(), "no_new_privs")


def let_read(pid: int) -> None:
    """Let another process read this one's memory where Yama would not; elsewhere it may anyway."""
    _libc().prctl(_PTRACER, *map(_word, (pid, 0, 0, 0)))


def machine() -> str | None:
    """Return the processor's name on Linux; None on any other system, or where this is a 32-bit program."""
    return platform.machine() if sys.platform == "linux" and sys.maxsize > 2**32 else None


def _word(argument: Any) -> Any:
    """Return an integer as wide as a register: ctypes would pass 32 bits of it."""
    return ctypes.c_ulong(argument) if isinstance(argument, int) else argument


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
