"""A user's test says that some events are independent, and fails with the witness where they aren't."""

from __future__ import annotations

import boto3
import pytest
from eachonce import Consumer, Event
from moto import mock_aws

from eachonce_workbench.certify import assert_independent
from tests.certify.broken import BROKEN, in_order
from tests.certify.sound import SOUND
from tests.certify.stall import Reduced, Sold, priced, sold

pytest_plugins = ["pytester"]


def test_events_that_are_independent_pass() -> None:
    """Nothing is returned and nothing is raised."""
    assert_independent(SOUND["last writer by arrival"], [priced(1), priced(2), priced(2, "3")])


def test_the_assertion_fails_with_a_witness_in_words() -> None:
    """Which events, which two orders, which row, which two values."""
    consumer, _ = BROKEN["last writer by arrival"]

    with pytest.raises(AssertionError) as failed:
        assert_independent(consumer, [priced(1), priced(2, "3")])

    assert str(failed.value).splitlines() == [
        "stall: the order of arrival decides.",
        'e1: Priced {"item":"a","version":1,"price":"1"}',
        'e2: Priced {"item":"a","version":2,"price":"3"}',
        "one way:   e1; e2",
        "the other: e2; e1",
        "then Prices {'item': 'a'}, price is",
        "one way:   3",
        "the other: 1",
    ]


def test_the_witness_leaves_out_what_is_not_needed() -> None:
    """Of four events, the two that contradict each other."""
    consumer, _ = BROKEN["a guard on the wrong attribute"]
    other = [priced(1), Reduced(item="b", sale=1, price=priced(1).price)]

    with pytest.raises(AssertionError) as failed:
        assert_independent(consumer, [*other, priced(2, "5"), Reduced(item="a", sale=1, price=priced(1, "4").price)])

    named = [line for line in str(failed.value).splitlines() if line.startswith(("e1:", "e2:", "e3:", "e4:"))]
    assert len(named) == 2


def test_a_copy_that_counts_twice_is_shown() -> None:
    """What a handler does by its own client happens once more with every copy."""
    consumer, _ = BROKEN["increment through boto3"]

    with pytest.raises(AssertionError, match=r"(?s)calls UpdateItem of dynamodb on Stock.*one way:   1\nthe other: 2"):
        assert_independent(consumer, [sold()])


def test_an_event_that_is_published_before_the_commit_is_shown_twice() -> None:
    """What a handler puts on the bus by itself is counted there."""
    consumer, _ = BROKEN["publish before commit"]

    with pytest.raises(AssertionError, match=r"(?s)calls PutEvents of events.*one way:   once\nthe other: twice"):
        assert_independent(consumer, [sold()])


def test_to_ask_for_order_is_no_excuse_here() -> None:
    """A consumer that is declared ordered is none whose events are independent."""
    with pytest.raises(AssertionError, match="the order of arrival decides"):
        assert_independent(in_order, [priced(1), priced(2, "3")])


def test_whole_events_keep_their_ids() -> None:
    """Events may be given as they are."""
    event = Event(id="sale-7", source="test", type="Sold", data=sold())
    consumer, _ = BROKEN["increment through boto3"]

    with pytest.raises(AssertionError, match="sale-7: Sold"):
        assert_independent(consumer, [event])


def test_an_event_without_a_handler_is_an_error() -> None:
    """It says which types have one."""
    with pytest.raises(ValueError, match="stall has no handler for Priced; it has them for Sold"):
        assert_independent(SOUND["float sums"], [priced(1)])


def test_two_events_of_one_id_are_an_error() -> None:
    """They would be copies of each other with different content."""
    event = Event(id="e", source="test", type="Sold", data=sold())

    with pytest.raises(ValueError, match="same id"):
        assert_independent(SOUND["float sums"], [event, event])


def test_a_client_made_long_before_is_no_way_out() -> None:
    """Neither is another stand-in for AWS: requests are answered where every client passes."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        consumer = Consumer("stall")

        @consumer.on(Sold)
        def count_pieces(event: Event[Sold], work: object) -> None:
            client.put_item(TableName="Stock", Item={"item": {"S": event.data.item}})

        with pytest.raises(AssertionError, match="calls PutItem of dynamodb on Stock"):
            assert_independent(consumer, [sold()])

        assert client.list_tables()["TableNames"] == []


def test_the_fixture_does_the_same(pytester: pytest.Pytester) -> None:
    """A conftest enables it, and a test asks for it."""
    pytester.makeconftest('pytest_plugins = ["eachonce_workbench.certify.pytest_plugin"]')
    pytester.makepyfile(
        """
        from tests.certify.broken import BROKEN
        from tests.certify.sound import SOUND
        from tests.certify.stall import sold

        def test_sound(assert_independent):
            assert_independent(SOUND["float sums"], [sold(), sold()])

        def test_broken(assert_independent):
            assert_independent(BROKEN["time in the state"][0], [sold()])
        """
    )

    result = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: stall: it asks for the time.*"])
