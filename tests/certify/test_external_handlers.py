"""A handler with an effect of its own is certified as one: the same work and the same key, however often it runs."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Literal

import boto3
import pytest
from eachonce import Consumer, Event, Work
from eachonce.handler import Handle

from eachonce_workbench.certify.examination import Bounds, examine
from eachonce_workbench.certify.subject import Subject
from eachonce_workbench.certify.verdict import Examined, Verdict
from eachonce_workbench.certify.witness import Cause
from tests.certify.stall import Sold


def mail(event: Event[Sold], work: Work) -> None:
    subject = {"Data": work.idempotency_key}
    boto3.client("sesv2").send_email(Content={"Simple": {"Subject": subject, "Body": {}}})


def mail_and_count(event: Event[Sold], work: Work) -> None:
    mail(event, work)
    work.add("Stock", {"item": event.data.item}, mails=1)


def ring(event: Event[Sold], work: Work) -> None:
    socket.create_connection(("example.org", 80)).close()


def ring_if_possible(event: Event[Sold], work: Work) -> None:
    try:
        ring(event, work)
    except OSError:
        work.add("Stock", {"item": event.data.item}, missed=1)


def examined(handle: Handle[Sold], *, uncertain: Literal["again", "reject"] = "again") -> Examined:
    consumer = Consumer("stall")
    consumer.on(Sold, external=True, uncertain=uncertain)(handle)
    return examine(Subject.of(consumer), Bounds(crowds=2, events=2))


@pytest.mark.parametrize("handle", [mail, mail_and_count, ring_if_possible])
@pytest.mark.parametrize("uncertain", ["again", "reject"])
def test_an_effect_of_its_own_is_no_fault(handle: Handle[Sold], uncertain: Literal["again", "reject"]) -> None:
    """It is named for what it is; rows are compared all the same."""
    result = examined(handle, uncertain=uncertain)

    assert [pair.verdict for pair in result.pairs] == [Verdict.EXTERNAL]
    assert result.passes


def test_an_effect_that_can_not_be_tried_is_not_certified() -> None:
    """A handler that fails without its effect has shown nothing, and is told so."""
    (pair,) = examined(ring).pairs

    assert pair.witness is not None
    assert pair.witness.cause is Cause.REFUSED
    assert pair.witness.one_value == "tried to look up example.org"


def test_a_work_that_chance_decides_is_unsound_with_an_effect_too(tmp_path: Path) -> None:
    """An effect of its own is all that is forgiven."""

    def mail_by_chance(event: Event[Sold], work: Work) -> None:
        import random

        work.add("Stock", {"item": event.data.item}, luck=random.randrange(1000))

    (pair,) = examined(mail_by_chance).pairs

    assert pair.witness is not None
    assert pair.witness.cause is Cause.CHANCE
