"""The local cloud beside another one: same calls, same answers, or a listed difference.

python -m tests.stores --program MINISTACK      python -m tests.stores --write
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console

from tests.stores.differences import LISTED, listed, unlisted, write
from tests.stores.suite import CASES
from tests.stores.systems import LocalCloud, ministack


def main() -> int:
    """Return the exit status: 1 where the list of differences isn't true any more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--program", type=Path, help="ministack's program, in an environment of its own")
    asked.add_argument("--write", action="store_true", help="keep the local cloud's answers as those that are expected")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False)
    local = LocalCloud()
    ours = {name: local.answer(calls) for name, calls in CASES.items()}
    if arguments.write:
        write(ours)
        return 0
    known = listed()
    with ministack(arguments.program) as other:
        theirs = {name: other.answer(calls) for name, calls in CASES.items()}
    wrong = list(unlisted(ours, theirs, known))
    for line in wrong:
        console.print(line, markup=False)
    if wrong:
        console.print(f"see what AWS says, mend the local cloud where it is wrong, and list the rest in {LISTED}")
        return 1
    judged = Counter(difference.right for difference in known.values())
    console.print(
        f"{len(CASES)} cases, {len(CASES) - len(known)} answered alike; of {len(known)} differences AWS's pages are "
        f"for the local cloud in {judged['local cloud']}, for the other in {judged['ministack']}, "
        f"and silent in {judged['silent']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
