"""The races that there could be between the layer's threads, explored scene by scene.

python -m tests.races [--preemptions N] [SCENE ...]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from tests.races.exploration import explore

_NOBODYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}


def main() -> int:
    """Return the exit status: 1 where there is a race."""
    os.environ.update(_NOBODYS)
    from tests.races.scenes import SCENES

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "scenes", nargs="*", metavar="SCENE", help=f"one of: {', '.join(SCENES)}; all, unless it is said"
    )
    parser.add_argument(
        "--preemptions", type=int, help="how many there are at most, instead of each scene's own number"
    )
    asked = parser.parse_args()
    if unknown := [name for name in asked.scenes if name not in SCENES]:
        parser.error(f"there is no scene {unknown[0]!r}, but: {', '.join(SCENES)}")
    console = Console()
    table = Table()
    table.add_column("scene", no_wrap=True)
    for heading in ("preemptions", "schedules", "statements", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("race")
    found = 0
    for name in asked.scenes or SCENES:
        scene = SCENES[name]
        if asked.preemptions is not None:
            scene = replace(scene, preemptions=asked.preemptions)
        if console.is_terminal:
            console.print(f"{name} ...", end="\r", style="dim")
        began = time.process_time()
        explored = explore(scene)
        seconds = f"{time.process_time() - began:.0f}"
        found += explored.race is not None
        numbers = (scene.preemptions, f"{explored.schedules:,}", len(explored.places))
        table.add_row(name, *map(str, numbers), seconds, str(explored.race or "none"))
    console.print(table)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
