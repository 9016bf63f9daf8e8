"""Where a confined process begins: before anything of whoever it is made for, it is confined.

    python inmate.py LIMITS PIPE -m MODULE ARGUMENT...
    python inmate.py LIMITS PIPE SCRIPT ARGUMENT...

Run by its path, so that the process's module path is the one that it would have without it.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path


def main() -> None:
    """Confine this process; then let it be what it was started for, as if it had been nothing else."""
    _, limits, pipe, *command = sys.argv
    sys.path[0] = str(Path(__file__).parents[3])
    _confine(limits, int(pipe))
    if command[0] == "-m":
        sys.argv, sys.path[0] = command[1:], str(Path.cwd())
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = command, str(Path(command[0]).parent)
        runpy.run_path(sys.argv[0], run_name="__main__")


def _confine(limits: str, pipe: int) -> None:
    """Confine this process, and let whoever reads the pipe be told what is tried."""
    from functools import partial

    from eachonce_workbench.cloud.confinement.guard import Guard, post
    from eachonce_workbench.cloud.confinement.limits import Limits
    from eachonce_workbench.cloud.confinement.process import restrict
    from eachonce_workbench.cloud.confinement.words import tell

    os.set_inheritable(pipe, False)  # noqa: FBT003 - its own signature
    known = Limits.decode(limits)
    means = restrict(known, pipe)
    if means.lacking:
        tell(pipe, str(means))
    post(Guard(limits=known, refused=partial(tell, pipe), programs=means.programs))


if __name__ == "__main__":
    main()
