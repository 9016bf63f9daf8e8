"""The published language of the shop: its event types, and nothing else."""

from contracts.order import (
    MAX_LINES,
    AdjustedLine,
    Invoice,
    InvoiceLine,
    Line,
    OrderCancelled,
    OrderPlaced,
    StockAdjusted,
    StockReserved,
)

EVENTS = (OrderPlaced, OrderCancelled, StockAdjusted, StockReserved)

__all__ = [
    "EVENTS",
    "MAX_LINES",
    "AdjustedLine",
    "Invoice",
    "InvoiceLine",
    "Line",
    "OrderCancelled",
    "OrderPlaced",
    "StockAdjusted",
    "StockReserved",
]
