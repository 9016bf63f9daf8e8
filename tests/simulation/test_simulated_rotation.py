"""The rotation: keys come and go while events are under way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from eachonce_workbench.simulator import clock
from eachonce_workbench.simulator.rotation import EVERY_SECONDS, rotate
from eachonce_workbench.template.topology import StoredValue
from tests.topologies import function, topology

SECRET = StoredValue(service="secretsmanager", name="signing", value="the first", arn="arn:signing")
OTHER = StoredValue(service="secretsmanager", name="password", value="of a database", arn="arn:password")


@pytest.mark.parametrize(("named", "given"), [(SECRET.arn, 3), (None, 0)])
def test_a_secret_that_functions_sign_with_gets_value_after_value(named: str | None, given: int) -> None:
    """No other one does, and where nobody signs, nothing happens."""
    asked: list[dict[str, Any]] = []
    environment = {} if named is None else {"SIGNING_SECRET": named}
    system = topology(functions=(replace(function("f"), environment=environment),), stored_values=(SECRET, OTHER))

    def handle(service: str, headers: Mapping[str, str], body: bytes) -> None:
        asked.append(json.loads(body))

    async def a_while() -> None:
        task = asyncio.create_task(rotate(SimpleNamespace(topology=system, store=SimpleNamespace(handle=handle))))  # type: ignore[arg-type]
        await asyncio.sleep(3 * EVERY_SECONDS + 1)
        task.cancel()

    clock.run(a_while())

    assert [each["SecretId"] for each in asked] == [SECRET.arn] * given
    assert len({each["SecretString"] for each in asked}) == len({each["ClientRequestToken"] for each in asked}) == given
