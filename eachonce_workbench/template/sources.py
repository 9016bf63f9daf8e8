"""The parts of a topology that events come from, beside its buses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from eachonce_workbench.template import buckets, pipes, schedules, topics
from eachonce_workbench.template.event_sources import Subscription, Topic
from eachonce_workbench.template.identity import Identities
from eachonce_workbench.template.properties import Properties

Each = Callable[[str], Iterator[tuple[str, Identities, Properties]]]
"""Gives the resources of a type."""


def event_sources(each: Each) -> dict[str, Any]:
    """Give the fields of a topology for topics, subscriptions, buckets, schedules and pipes."""
    scheduled = (schedules.scheduled_rule(*found) for found in each("AWS::Events::Rule"))
    own = (schedules.schedule(*found) for found in each("AWS::Scheduler::Schedule"))
    return {
        "topics": (*_own_topics(each), *topics_of_others(each)),
        "subscriptions": tuple(_subscriptions(each)),
        "buckets": tuple(buckets.bucket(*found) for found in each("AWS::S3::Bucket")),
        "schedules": (*filter(None, scheduled), *own),
        "pipes": tuple(filter(None, (pipes.pipe(*found) for found in each("AWS::Pipes::Pipe")))),
    }


def topics_of_others(each: Each) -> tuple[Topic, ...]:
    """Give the topics that the template subscribes to and doesn't make."""
    return tuple(topics.of_others(_own_topics(each), _subscriptions(each)))


def _own_topics(each: Each) -> list[Topic]:
    return [topics.topic(*found) for found in each("AWS::SNS::Topic")]


def _subscriptions(each: Each) -> Iterator[Subscription]:
    for found in each("AWS::SNS::Subscription"):
        if subscription := topics.subscription(*found):
            yield subscription
    for found in each("AWS::SNS::Topic"):
        yield from topics.inline_subscriptions(*found)
