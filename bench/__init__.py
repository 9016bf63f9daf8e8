"""What an event costs, side by side in one run: `make bench`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# As in Lambda, where both layers lie on the path of whatever is imported.
sys.path[:0] = [str(ROOT / "layers" / name) for name in ("eachonce", "contracts")]
