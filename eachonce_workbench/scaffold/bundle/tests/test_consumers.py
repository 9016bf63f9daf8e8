"""Every consumer and endpoint of template.yaml, whichever there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.certify.bundle import certify, consumers

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


@pytest.mark.parametrize("consumer", consumers(TEMPLATE))
def test_every_order_and_every_fault_end_alike(consumer: str) -> None:
    """Events and requests in any order, copies, crashes and lost answers: the tables are the same in the end."""
    certify(TEMPLATE, consumer)
