"""What a hostile body costs before a handler sees it, by its kind and size, in processor time.

python -m bench.fuzz_costs [--kib N]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from tests.shop.fuzz.hostile import BODIES, hostile, take

_TIMES = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kib", type=int, default=480, help="the smaller size; the other is twice as much")
    size = parser.parse_args().kib * 1024
    print(f"{'':<36}{size // 1024:>8} KiB{size // 512:>8} KiB   ratio")
    worst = 0.0
    for kind in BODIES:
        once, twice = cost_ms(hostile(kind, size)), cost_ms(hostile(kind, 2 * size))
        worst = max(worst, twice / once)
        print(f"{kind:<36}{once:>9.2f} ms{twice:>9.2f} ms{twice / once:>8.2f}")
    print(f"the worst ratio: {worst:.2f}")


def cost_ms(records: dict[str, Any]) -> float:
    """Return the least of several tries: other work only adds."""
    return min(_once_ms(records) for _ in range(_TIMES))


def _once_ms(records: dict[str, Any]) -> float:
    began = time.process_time()
    take(records)
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    main()
