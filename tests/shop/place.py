"""Where the shop is."""

from shop.books import FOLDER as ROOT
from shop.books import ORDERS

TEMPLATE = ROOT / "template.yaml"

__all__ = ["ORDERS", "ROOT", "TEMPLATE"]
