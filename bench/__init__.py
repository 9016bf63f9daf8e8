"""What an event costs, side by side in one run: `make bench`."""

import sys
from pathlib import Path

# As in Lambda, where both layers lie on the path of whatever is imported.
sys.path[:0] = [str(Path(__file__).parents[1] / "layers" / name) for name in ("eachonce", "contracts")]
