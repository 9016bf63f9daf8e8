"""What the shop's functions are invoked with, and what they find in their environment."""

from __future__ import annotations

import pytest

from eachonce_workbench import template
from eachonce_workbench.cloud.loopback import CONTAINER_HOST
from eachonce_workbench.local_invoke.sam import variables_of
from eachonce_workbench.local_invoke.sample import sample_of
from tests.shop.place import ROOT, TEMPLATE


@pytest.mark.parametrize("function", ["PlaceOrder", "RelayOutbox", "ReserveStock", "NotifyCustomer"])
def test_every_function_has_a_sample_input(function: str) -> None:
    """A direct request, a stream batch, or a good event first."""
    assert sample_of(ROOT, template.load(TEMPLATE).function(function)).is_file()


def test_every_function_of_the_bundle_finds_the_local_cloud() -> None:
    """Tables and queues by their physical names, and AWS at the endpoint: no condition is left to sam to resolve."""
    topology = template.load(TEMPLATE)

    variables = variables_of(topology, f"http://{CONTAINER_HOST}:5000")

    assert variables.keys() == {each.logical_id for each in topology.functions}
    assert {each["AWS_ENDPOINT_URL"] for each in variables.values()} == {f"http://{CONTAINER_HOST}:5000"}
    assert variables["TallySales"]["TABLE_SALES"] == topology.table("Sales").name
