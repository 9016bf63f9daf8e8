"""The sender asks until it is answered, and says so when it never is."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from eachonce_workbench.run.sending import SendingError
from eachonce_workbench.simulator import sender
from eachonce_workbench.simulator.simulation import simulate
from tests.shop.scenarios import scenario


def test_an_input_that_is_never_taken_ends_the_simulation() -> None:
    """With the reason, and no group of errors."""
    with (
        patch.object(sender, "send", side_effect=SendingError("no orders today")) as asked,
        patch.object(sender, "_ROUNDS", 3),
        pytest.raises(SendingError, match="no orders today"),
    ):
        simulate(scenario(invoices=2, faults="none"))

    assert asked.await_count >= 3
