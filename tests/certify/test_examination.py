"""The examination accuses the types that contradict each other, and no others."""

from __future__ import annotations

from decimal import Decimal

import pytest
from eachonce import Consumer, Contract, Event, Work

from eachonce_workbench.certify.crowd import crowd
from eachonce_workbench.certify.examination import Bounds, Examination, examine
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.verdict import Examined, Verdict
from tests.certify.stall import Priced, Received, Reduced, priced


def overwrite(event: Event[Priced] | Event[Reduced], work: Work) -> None:
    work.read("Prices", {"item": event.data.item})
    work.put("Prices", {"item": event.data.item}, price=event.data.price)


class Endless(Contract, frozen=True):
    next: Endless


def count_pieces(event: Event[Received], work: Work) -> None:
    work.add("Stock", {"item": event.data.item}, pieces=event.data.pieces)


@pytest.fixture
def consumer() -> Consumer:
    """One that overwrites prices by arrival, and counts pieces as it should."""
    made = Consumer("stall")
    made.on(Priced)(overwrite)
    made.on(Reduced)(overwrite)
    made.on(Received)(count_pieces)
    return made


def verdicts(examined: Examined) -> dict[tuple[str, str], Verdict]:
    return {(pair.one, pair.other): pair.verdict for pair in examined.pairs}


def test_a_dependence_is_laid_to_the_types_that_have_it(consumer: Consumer) -> None:
    """What a consumer does wrong with two types says nothing of the third."""
    examined = examine(Subject.of(consumer), Bounds(crowds=3))

    assert verdicts(examined) == {
        ("Priced", "Priced"): Verdict.ORDER,
        ("Priced", "Reduced"): Verdict.ORDER,
        ("Priced", "Received"): Verdict.INDEPENDENT,
        ("Reduced", "Reduced"): Verdict.ORDER,
        ("Reduced", "Received"): Verdict.INDEPENDENT,
        ("Received", "Received"): Verdict.COMMUTES,
    }
    for pair in examined.pairs:
        assert pair.witness is None or set(pair.witness.types) == {pair.one, pair.other}


def test_two_types_are_compared_although_one_contradicts_itself(consumer: Consumer) -> None:
    """The first contradiction in a crowd may be between two events of one type; the two types are tried as well."""
    same = Reduced(item="a", sale=1, price=Decimal(1))
    examination = Examination(Subject.of(consumer), faults=1)

    with examination.stage.open():
        examination.harm(crowd([priced(1, "1"), same, priced(2, "2")]))

    assert examination.witnesses.keys() == {frozenset({"Priced"}), frozenset({"Priced", "Reduced"})}


def test_an_unsound_handler_is_compared_with_nothing(consumer: Consumer) -> None:
    """All of its pairs are unsound, and the pairs of the others keep their verdicts."""
    made = Consumer("stall")
    made.on(Received)(count_pieces)

    @made.on(Priced)
    def remember(event: Event[Priced], work: Work) -> None:
        remember.__dict__["times"] = remember.__dict__.get("times", 0) + 1
        work.create("Sales", {"sale": event.id}, times=remember.__dict__["times"])

    examined = examine(Subject.of(made), Bounds(crowds=3))

    assert verdicts(examined) == {
        ("Received", "Received"): Verdict.COMMUTES,
        ("Received", "Priced"): Verdict.UNSOUND,
        ("Priced", "Priced"): Verdict.UNSOUND,
    }


def test_nothing_is_said_of_what_can_not_be_made_up(consumer: Consumer) -> None:
    """The others are examined all the same."""
    consumer.on(Endless)(lambda event, work: None)

    examined = examine(Subject.of(consumer), Bounds(crowds=2, faults=0))

    assert examined.pair("Endless", "Received").verdict is Verdict.INCONCLUSIVE
    assert "Endless.next" in str(examined.pair("Endless", "Endless").why)
    assert examined.pair("Received", "Received").verdict is Verdict.COMMUTES


def test_a_pair_that_was_not_examined_is_not_there(consumer: Consumer) -> None:
    """It can be looked up either way round."""
    examined = examine(Subject.of(consumer), Bounds(crowds=2, faults=0))

    assert examined.pair("Reduced", "Priced") is examined.pair("Priced", "Reduced")
    with pytest.raises(KeyError):
        examined.pair("Priced", "Sold")
