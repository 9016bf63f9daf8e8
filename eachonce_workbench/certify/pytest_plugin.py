"""The assertion as a pytest fixture: `pytest_plugins = ["eachonce_workbench.certify.pytest_plugin"]` in a conftest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pytest
from eachonce import Consumer, Contract, Event

from eachonce_workbench.certify import independence


class AssertIndependent(Protocol):
    """`eachonce_workbench.certify.assert_independent`, as a fixture gives it."""

    def __call__(self, consumer: Consumer, events: Sequence[Contract | Event[Any]], *, faults: int = 1) -> None:
        """Raise AssertionError with a witness when these events are not independent at this consumer."""


@pytest.fixture
def assert_independent() -> AssertIndependent:
    """Say of a consumer and some events that every order and every fault ends the same."""
    return independence.assert_independent
