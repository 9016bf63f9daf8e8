"""Hostile messages for the consumers, from a seed, until a rule is broken.

python -m tests.shop.fuzz [--records N] [--seed S]      python -m tests.shop.fuzz --seed S --batch B
"""

from __future__ import annotations

import argparse
import sys

from tests.shop.fuzz.cases import batch
from tests.shop.fuzz.search import FoundError, Tally, search

_BROKEN, _INTERRUPTED = 1, 130


def main() -> int:
    """Return the exit status: 1 where a rule is broken, 130 after Ctrl-C."""
    asked = _asked()
    tally = Tally()

    def told(now: Tally) -> None:
        nonlocal tally
        tally = now
        if now.batches % 50 == 0 and sys.stderr.isatty():
            print(f"\r{now}", end="\033[K", file=sys.stderr, flush=True)  # noqa: T201 - for whoever waits

    try:
        if asked.batch is None:
            tally = search(asked.seed, asked.records, first=asked.start, told=told)
        else:
            tally = search(asked.seed, len(batch(asked.seed, asked.batch).cases), first=asked.batch, told=told)
    except FoundError as found:
        print(f"\nbroken: {found}", file=sys.stderr)  # noqa: T201
        return _BROKEN
    except KeyboardInterrupt:
        print(f"\nstopped: {tally}; nothing broken", file=sys.stderr)  # noqa: T201
        return _INTERRUPTED
    print(f"seed {asked.seed}: {tally}; nothing broken")  # noqa: T201
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=50_000, help="how many records are handed over")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn from")
    parser.add_argument("--batch", type=int, help="that batch of the seed, and no other")
    parser.add_argument("--from", type=int, default=0, dest="start", help="the first batch")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
