"""What the shop's books see of a simulation."""

from __future__ import annotations

from shop.trial import Announcements


def event(kind: str, part: int) -> dict[str, object]:
    return {"id": f"{kind}-{part}", "type": kind, "data": {"order_id": "o-1", "part": part}}


def test_an_order_that_was_placed_is_followed_by_its_stock() -> None:
    """Part by part."""
    announcements = Announcements()
    for part in (1, 2):
        announcements(event("OrderPlaced", part))
    announcements(event("StockReserved", 1))

    assert announcements.placed == {("o-1", 1), ("o-1", 2)}
    assert list(announcements.missing()) == ["StockReserved of order o-1 part 2"]
