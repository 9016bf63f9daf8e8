"""The assertion that events are independent, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from eachonce import Consumer, Contract, Event

from eachonce_workbench.certify.crowd import crowd
from eachonce_workbench.certify.examination import Examination
from eachonce_workbench.certify.patience import EndlessError
from eachonce_workbench.certify.subject import Subject


def assert_independent(consumer: Consumer, events: Sequence[Contract | Event[Any]], *, faults: int = 1) -> None:
    """Deliver exactly these events to a consumer in every order, with every copy, crash and lost answer.

    `events` are data of its contracts, or whole events of different ids. Raises AssertionError with the smallest
    witness, in words, when they don't always end the same, or when a handler depends on more than its event and its
    reads; ValueError when the consumer has no handler for one of them.
    """
    whole = _whole(events, consumer)
    unknown = [event.type for event in whole if consumer.find(event.type, event.source) is None]
    if unknown:
        known = ", ".join(handler.description.type for handler in consumer.handlers)
        raise ValueError(f"{consumer.name} has no handler for {unknown[0]}; it has them for {known}")
    examination = Examination(Subject.of(consumer), faults=faults)
    try:
        with examination.stage.open():
            examination.order(whole)
            examination.probe()
            examination.harm(whole)
    except EndlessError as error:
        raise AssertionError(f"{consumer.name}: the handler of {error.event_type} did not return") from None
    for witness in chain(examination.unsound.values(), examination.witnesses.values()):
        raise AssertionError(f"{consumer.name}: {witness}")


def _whole(events: Sequence[Contract | Event[Any]], consumer: Consumer) -> list[Event[Any]]:
    data = (event.data if isinstance(event, Event) else event for event in events)
    made = crowd(data, consumer.handlers, isolated=Subject.of(consumer).has_tenants)
    whole = [given if isinstance(given, Event) else new for given, new in zip(events, made, strict=True)]
    if len({event.id for event in whole}) < len(whole):
        raise ValueError("two of the events have the same id: a copy is tried of each anyway")
    return whole
