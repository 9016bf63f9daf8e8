"""The shop's consumers, as the commands find them in the local cloud."""

from __future__ import annotations

from eachonce_workbench.operations.stack import find
from eachonce_workbench.template import load
from tests.deployed import Deployed
from tests.shop.place import TEMPLATE


def test_the_shop_has_consumers_and_an_endpoint() -> None:
    """The relay has a dead-letter queue, and reads no queue."""
    topology = load(TEMPLATE)

    stack = find(Deployed(topology).client, topology.stack)

    consumers = {queues.consumer for queues in stack.consumers}
    assert consumers >= {"reserve-stock", "tally-sales", "track-customer", "notify-customer"}
    assert len(consumers) == len(topology.queue_mappings)
    assert (stack.endpoints, stack.sources, stack.lacking) == (("place-order",), ("shop",), ())
    assert stack.journal_table == topology.table("Journal").name
