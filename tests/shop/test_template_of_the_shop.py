"""The shop's own template, as the local cloud reads it."""

from __future__ import annotations

from eachonce_workbench.template import load
from tests.shop.place import TEMPLATE


def test_the_bundle_is_read_whole() -> None:
    """The template of this repository loads, with its defaults, into everything that it deploys."""
    topology = load(TEMPLATE)

    consumers = {each.function for each in topology.queue_mappings}
    assert {table.logical_id for table in topology.tables} >= {"Orders", "Stock", "Sales", "Customers", "Journal"}
    assert consumers >= {"ReserveStock", "TallySales", "TrackCustomer", "NotifyCustomer"}
    assert [each.function for each in topology.stream_mappings] == ["RelayOutbox"]
    assert len(topology.rules) == len(consumers)
    assert len(topology.queues) == 2 * len(consumers) + 1


def test_the_local_cloud_can_say_where_mail_goes() -> None:
    """A parameter reaches the environment of the function that it is for."""
    topology = load(TEMPLATE, parameters={"MailDirectory": "/elsewhere"})

    assert topology.function("NotifyCustomer").environment["MAIL_DIRECTORY"] == "/elsewhere"


def test_what_only_watches_and_permits_is_counted_in_one_line() -> None:
    """The bundle has dozens of these, and one part that is something to know."""
    topology = load(TEMPLATE)
    quiet, authorizers = topology.passed_over

    assert f"{len(topology.functions)} AWS::IAM::Role" in quiet
    assert authorizers == "authorizers, signatures and keys of Api: not asked for here"
