"""A function's process, from its first moment: it dies with its parent, and becomes AWS's own runtime client.

Run by its path, so that nothing of this repository is on the function's module path:

    python bootstrap.py PARENT_PID HANDLER [NAMING]

where NAMING is the file that lets calls be named (cloud/faults/naming.py), if they are to be.
"""

from __future__ import annotations

import os
import signal
import sys
from types import ModuleType

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    """Tie this process to its parent, and run the function."""
    _, parent, handler, *naming = sys.argv
    die_with(int(parent))
    for path in naming:
        loaded(path).install(loaded)
    sys.path[0] = os.getcwd()  # noqa: PTH109 - as `python -m awslambdaric` has it, without pathlib
    sys.argv = ["awslambdaric", handler]

    import runpy

    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


def loaded(path: str) -> ModuleType:
    """Return the module in a file, which nobody can import."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("_eachonce", path)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - it is a file of Python's
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def die_with(parent: int) -> None:
    """Let the kernel kill this process when the thread that started it ends, whatever it does then.

    SIGKILL can't be blocked, and needs no interpreter that is free to act on it. The signal is bound to the thread that
    called fork, not to its process (PR_SET_PDEATHSIG in prctl(2)): here the loop's, which lasts as long as its workers.
    Where there is no Linux, the warden alone sees to it.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the signal was set
        os._exit(1)


if __name__ == "__main__":
    main()
