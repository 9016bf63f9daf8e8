"""Hostile messages: whatever comes to a consumer, each record has its outcome, and its neighbours have theirs."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from eachonce import binary, listener, reason, report
from eachonce.acknowledger import Acknowledger
from eachonce.errors import MalformedMessageError
from eachonce.lanes import Lanes
from eachonce.outcome import Outcome, Verdict

from tests.shop.fuzz.cases import batch
from tests.shop.fuzz.search import FoundError, search

RECORDS = 2000  # in all; `make fuzz` takes 50,000
SEEDS = range(4)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_message_harms_another(seed: int) -> None:
    """No exception escapes, one outcome a record, good neighbours are done once, and nothing of an event is told."""
    tally = search(seed, RECORDS // len(SEEDS))

    assert {"done", "reject", "retry"} <= tally.verdicts.keys()


def test_a_seed_is_the_same_batches_to_the_letter() -> None:
    """So that what was found is found again."""
    once, again = ([pickle.dumps(batch(7, number).records) for number in range(40)] for _ in range(2))

    assert once == again


# A fuzz that finds nothing says nothing unless it would find something.


@contextmanager
def an_exception_escapes_the_listener() -> Iterator[None]:
    read = listener._open

    def raising(*given: Any) -> Any:
        try:
            return read(*given)
        except MalformedMessageError as error:
            raise ValueError(error.reason) from error

    with patch.object(listener, "_open", raising):
        yield


@contextmanager
def a_record_beside_a_flaw_is_dropped() -> Iterator[None]:
    run = Lanes.run

    def careless(self: Lanes, deliveries: Any, handle: Any, **more: Any) -> Any:
        settled = run(self, deliveries, handle, **more)
        return settled if all(delivery.flaw is None for delivery, _ in settled) else settled[1:]

    with patch.object(Lanes, "run", careless):
        yield


@contextmanager
def a_flaw_defers_its_neighbours() -> Iterator[None]:
    run = Lanes.run

    def timid(self: Lanes, deliveries: Any, handle: Any, **more: Any) -> Any:
        settled = run(self, deliveries, handle, **more)
        if all(delivery.flaw is None for delivery, _ in settled):
            return settled
        return [(one, Outcome(verdict=Verdict.RETRY)) if one.flaw is None else (one, out) for one, out in settled]

    with patch.object(Lanes, "run", timid):
        yield


@contextmanager
def attributes_are_believed() -> Iterator[None]:
    with patch.object(binary, "text_of", lambda value: value["stringValue"]):
        yield


@contextmanager
def a_reason_repeats_a_value() -> Iterator[None]:
    with patch.object(reason, "_of_the_decoder", str):
        yield


@contextmanager
def a_check_speaks_in_its_own_words() -> Iterator[None]:
    with patch.object(reason, "_of_a_check", lambda error, raised: str(raised)):
        yield


@contextmanager
def a_traceback_has_its_messages() -> Iterator[None]:
    with patch.object(report, "trace_of", lambda error: str(error.args)):
        yield


@contextmanager
def rejected_messages_are_not_buried() -> Iterator[None]:
    with patch.object(Acknowledger, "bury", lambda self, settled: list(settled)):
        yield


@contextmanager
def deferred_messages_do_not_come_again() -> Iterator[None]:
    with patch.object(Acknowledger, "respond", lambda self, settled: {"batchItemFailures": []}):
        yield


BROKEN: dict[Callable[[], AbstractContextManager[None]], str] = {
    an_exception_escapes_the_listener: "no exception escapes",
    a_record_beside_a_flaw_is_dropped: "one outcome a record",
    a_flaw_defers_its_neighbours: "comes again but for its handler's sake",
    attributes_are_believed: "no exception escapes",
    a_reason_repeats_a_value: "no value of an event is printed",
    a_check_speaks_in_its_own_words: "no value of an event is printed",
    a_traceback_has_its_messages: "no value of an event is printed",
    rejected_messages_are_not_buried: "each rejected message is buried",
    deferred_messages_do_not_come_again: "what is deferred comes again",
}


@pytest.mark.parametrize("wrong", BROKEN, ids=lambda wrong: wrong.__name__)
def test_a_layer_with_one_thing_wrong_is_found_out(wrong: Callable[[], AbstractContextManager[None]]) -> None:
    """With the fewest records that show it, and the command that shows it again."""
    with wrong(), pytest.raises(FoundError, match=BROKEN[wrong]) as found:
        search(5, RECORDS)

    rule, _, *shown, again = str(found.value).splitlines()
    assert len(shown) <= 2, rule
    assert "make fuzz" in again
