"""A stack's resources are found by its name, on AWS and in the local cloud alike."""

from __future__ import annotations

from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from eachonce_workbench.operations.stack import (
    ConsumerQueues,
    NoDeadLetterQueueError,
    Stack,
    UnknownConsumerError,
    UnknownStackError,
    find,
)
from eachonce_workbench.template.topology import Topology
from tests.deployed import LETTERS, PARCELS, STACK, Deployed, post_office
from tests.topologies import queue


@pytest.fixture
def deployed() -> Deployed:
    return Deployed()


def of(system: Topology) -> Stack:
    return find(Deployed(system).client, "test")


def test_consumers_are_found_by_what_their_functions_read(deployed: Deployed) -> None:
    """The relay reads a stream and is none; what keeps a journal and reads nothing is an endpoint."""
    assert find(deployed.client, "test") == STACK


def test_the_only_stack_needs_no_name(deployed: Deployed) -> None:
    """As in the local cloud."""
    assert find(deployed.client, None) == STACK


def test_a_queue_without_a_dead_letter_queue_is_named() -> None:
    """Its consumer is one all the same; nobody says that nothing lies in a queue that isn't there."""
    dead_letters = queue("parcels-dlq")
    queues = (queue("letters"), dead_letters, queue("parcels", dead_letters=dead_letters))

    stack = of(post_office(queues=queues))

    assert stack.readers == ("letters", "parcels")
    assert stack.consumers == (PARCELS,)
    assert stack.lacking == ("letters has no dead-letter queue at letters",)
    with pytest.raises(NoDeadLetterQueueError, match="letters has no dead-letter queue"):
        stack.chosen("letters")


def test_where_no_consumer_has_a_dead_letter_queue_none_is_empty() -> None:
    """It is said that there is none."""
    stack = of(post_office(queues=(queue("letters"), queue("parcels"))))

    with pytest.raises(NoDeadLetterQueueError, match="no consumer of the stack test has"):
        stack.chosen(None)


def test_a_queue_that_is_not_there_is_named() -> None:
    """Another account's, say."""
    stack = of(post_office(queues=(queue("letters", dead_letters=queue("letters-dlq")), queue("letters-dlq"))))

    assert stack.consumers == (LETTERS,)
    assert [line for line in stack.lacking if line.startswith("parcels reads arn:aws:sqs:eu-west-1:")]


def test_a_dead_letter_queue_that_consumers_share_is_read_once() -> None:
    """Nobody knows where its letters would go back to."""
    shared = queue("letters-dlq")
    queues = (shared, *(queue(name, dead_letters=shared) for name in ("letters", "parcels")))

    stack = of(post_office(queues=queues))

    assert stack.consumers == (ConsumerQueues(consumer="letters+parcels", url=None, dead_letters_url=shared.url),)
    assert stack.chosen("parcels") == stack.consumers


def test_functions_without_the_layer_have_consumers_and_no_journal() -> None:
    """What is not known of their events is said."""
    functions = tuple(replace(each, environment={}) for each in post_office().functions)

    stack = of(post_office(functions=functions))

    assert (stack.journal_table, stack.endpoints, stack.sources) == (None, (), ())
    assert stack.consumers == (LETTERS, PARCELS)
    assert stack.lacking == ("no function of the stack test is told of a journal (TABLE_JOURNAL)",)


def test_an_unknown_stack_is_named(deployed: Deployed) -> None:
    """In CloudFormation's own words."""
    with pytest.raises(UnknownStackError, match="Stack with id nowhere does not exist"):
        find(deployed.client, "nowhere")


def test_a_refusal_is_not_an_unknown_stack() -> None:
    """Whoever may not look is not told that there is nothing."""
    client = boto3.client("cloudformation")
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_stacks", "AccessDenied")

        with pytest.raises(ClientError, match="AccessDenied"):
            find(lambda _: client, "test")


def test_a_stack_is_found_by_its_id(deployed: Deployed) -> None:
    """As AWS takes either."""
    (described,) = deployed.cloudformation.describe_stacks()["Stacks"]

    assert find(deployed.client, described["StackId"]).consumers == STACK.consumers


def test_nothing_else_of_cloudformation_is_played(deployed: Deployed) -> None:
    """The error says what describes the system."""
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*DeleteStack: template.yaml describes the system"):
        deployed.cloudformation.delete_stack(StackName="test")


@pytest.mark.parametrize("name", ["letters", "Letters"])
def test_a_consumer_is_chosen_by_either_of_its_names(name: str) -> None:
    """Its own, and its logical id in the template."""
    assert STACK.chosen(name) == (LETTERS,)


def test_all_consumers_are_chosen_where_none_is_named() -> None:
    """In the template's order."""
    assert STACK.chosen(None) == (LETTERS, PARCELS)


def test_an_unknown_consumer_hears_which_there_are() -> None:
    """By name."""
    with pytest.raises(UnknownConsumerError, match="no consumer 'lettres'; it has letters, parcels"):
        STACK.chosen("lettres")


def test_a_fifo_queue_is_known_by_its_name() -> None:
    """SQS wants the suffix."""
    assert ConsumerQueues(consumer="c", url="https://sqs/1/c.fifo", dead_letters_url="https://sqs/1/d.fifo").fifo
    assert not LETTERS.fifo
