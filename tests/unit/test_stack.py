"""A stack's resources are found by its name, on AWS and in the local cloud alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from eachonce_workbench import template
from eachonce_workbench.cloud.cloudformation import Stacks
from eachonce_workbench.operations.stack import ConsumerQueues, UnknownConsumerError, UnknownStackError, find
from tests.deployed import LETTERS, OUTPUTS, PARCELS, STACK, Deployed

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def query(**params: str) -> bytes:
    return "&".join(f"{name}={value}" for name, value in params.items()).encode()


@pytest.fixture
def deployed() -> Deployed:
    return Deployed()


def on_aws(outputs: Mapping[str, str] | None) -> Any:
    """A client that AWS would answer like this."""
    client = boto3.client("cloudformation")
    stack: dict[str, Any] = {
        "StackName": "test",
        "CreationTime": datetime(2026, 1, 2, tzinfo=UTC),
        "StackStatus": "UPDATE_COMPLETE",
    }
    if outputs is not None:
        stack["Outputs"] = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    stubber = Stubber(client)
    stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "test"})
    stubber.activate()
    return client


def test_a_consumer_is_a_pair_of_queues() -> None:
    """A dead-letter queue without a queue is no consumer's, and what is only invoked is an endpoint."""
    assert find(on_aws(OUTPUTS), "test") == STACK


def test_the_local_cloud_tells_the_same(deployed: Deployed) -> None:
    """By the outputs of its template."""
    assert find(deployed.cloudformation, "test") == STACK


@pytest.mark.parametrize("name", ["eachonce", "eachonce-dev"])
def test_the_bundle_has_four_consumers_by_either_name(name: str) -> None:
    """The stack's own name, and the one under which samconfig.toml deploys it."""
    status, _, answer = Stacks(template.load(TEMPLATE)).answer(query(Action="DescribeStacks", StackName=name))

    assert status == 200
    assert f"<StackName>{name}</StackName>".encode() in answer
    for consumer in ("ReserveStock", "TallySales", "TrackCustomer", "NotifyCustomer"):
        assert f"<OutputKey>{consumer}DeadLetterQueueUrl</OutputKey>".encode() in answer


def test_the_relay_is_no_consumer() -> None:
    """It has a dead-letter queue, but no queue."""
    stack = find(on_aws(template.load(TEMPLATE).outputs), "test")

    consumers = [queues.consumer for queues in stack.consumers]
    assert consumers == ["reserve-stock", "tally-sales", "track-customer", "notify-customer"]
    assert stack.endpoints == ("place-order",)


def test_an_unknown_stack_is_named(deployed: Deployed) -> None:
    """In CloudFormation's own words."""
    with pytest.raises(UnknownStackError, match="Stack with id nowhere does not exist"):
        find(deployed.cloudformation, "nowhere")


def test_a_refusal_is_not_an_unknown_stack() -> None:
    """Whoever may not look is not told that there is nothing."""
    client = boto3.client("cloudformation")
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_stacks", "AccessDenied")

        with pytest.raises(ClientError, match="AccessDenied"):
            find(client, "test")


@pytest.mark.parametrize("outputs", [{"Answer": "42"}, None])
def test_a_stack_of_something_else_is_told_apart(outputs: Mapping[str, str] | None) -> None:
    """It has no journal, or no outputs at all."""
    with pytest.raises(UnknownStackError, match="test has no output JournalTable"):
        find(on_aws(outputs), "test")


def test_a_stack_is_found_by_its_id(deployed: Deployed) -> None:
    """As AWS takes either."""
    (described,) = deployed.cloudformation.describe_stacks()["Stacks"]

    assert find(deployed.cloudformation, described["StackId"]).consumers == STACK.consumers


def test_nothing_else_of_cloudformation_is_played(deployed: Deployed) -> None:
    """The error says what describes the system."""
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*DeleteStack: template.yaml describes the system"):
        deployed.cloudformation.delete_stack(StackName="test")


@pytest.mark.parametrize("name", ["letters", "Letters"])
def test_a_consumer_is_chosen_by_either_of_its_names(name: str) -> None:
    """Its own, and its logical id in the template."""
    assert STACK.chosen(name) == (LETTERS,)


def test_all_consumers_are_chosen_where_none_is_named() -> None:
    """In the order of the outputs."""
    assert STACK.chosen(None) == (LETTERS, PARCELS)


def test_an_unknown_consumer_hears_which_there_are() -> None:
    """By name."""
    with pytest.raises(UnknownConsumerError, match="no consumer 'lettres'; it has letters, parcels"):
        STACK.chosen("lettres")


def test_a_fifo_queue_is_known_by_its_name() -> None:
    """SQS wants the suffix."""
    assert ConsumerQueues(consumer="c", url="https://sqs/1/c.fifo", dead_letters_url="https://sqs/1/d.fifo").fifo
    assert not LETTERS.fifo
