"""A rejected message is always taken by its dead-letter queue: it is sent as SQS weighs and reads messages."""

from __future__ import annotations

import datetime as dt

import pytest
from eachonce.acknowledger import Acknowledger
from eachonce.aws import Aws
from eachonce.lanes import Settled
from eachonce.listener import Delivery
from eachonce.outcome import Outcome, Verdict
from eachonce.settings import Settings
from msgspec.structs import replace

from tests.post_office import DEAD, DEAD_LEDGER, Desk, PostOffice

MIB = 1024 * 1024
REJECTED = Outcome(verdict=Verdict.REJECT, reason="no parcels on Sundays", error="ContractError", attempts=3)
HEADS = {name: len(name) + len("String") for name in ("reason", "error", "consumer", "attempts", "first_seen")}


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


@pytest.fixture
def desk(office: PostOffice) -> Desk:
    return Desk(office)


def bury(desk: Desk, *settled: Settled, url: str = DEAD.url) -> list[Verdict]:
    """Bury what was rejected, and return what became of each."""
    settings = Settings(dead_letter_queue_url=url, code_version="2010-12-01.1")
    buried = Acknowledger(Aws(sqs=desk), settings, "post").bury(settled)
    return [outcome.verdict for _, outcome in buried]


def rejected(body: str, number: int = 0, *, outcome: Outcome = REJECTED, group: str | None = None) -> Settled:
    return Delivery(message_id=f"m-{number}", body=body, flaw="not JSON", group_id=group), outcome


@pytest.mark.parametrize("room", [0, 1, 12, 13, 14, 60, 195, 196, 400, 5000])
@pytest.mark.parametrize("character", ["x", "ü", "☃"])
@pytest.mark.parametrize("url", [DEAD.url, DEAD_LEDGER.url], ids=["standard", "fifo"])
def test_a_body_that_fits_alone_can_be_buried(
    office: PostOffice, desk: Desk, room: int, character: str, url: str
) -> None:
    """Its notes take the room that it leaves; the body is what came."""
    size = len(character.encode())
    body = character * ((MIB - room) // size)
    outcome = replace(REJECTED, reason="no parcels on Sundays, ☃ says " * 100)

    verdicts = bury(desk, rejected(body, outcome=outcome, group="g" if url == DEAD_LEDGER.url else None), url=url)

    assert verdicts == [Verdict.REJECT]
    (dead,) = office.receive(url)
    assert dead["Body"] == body
    assert ("reason" in dead.get("MessageAttributes", {})) == ((MIB - len(body.encode())) > HEADS["reason"])


def test_messages_share_a_call_by_what_sqs_counts(office: PostOffice, desk: Desk) -> None:
    """Bodies and notes: two halves of a mebibyte, to the byte, are one call; with a byte more they are two."""
    values = {"reason": REJECTED.reason, "error": REJECTED.error, "consumer": "post", "attempts": "3"}
    notes = sum(HEADS[name] + len(str(value)) for name, value in values.items())
    notes += len("code_version") + len("String") + len("2010-12-01.1")
    half = "x" * (MIB // 2 - notes)

    assert bury(desk, rejected(half, 0), rejected(half, 1)) == [Verdict.REJECT] * 2
    assert len(desk.calls) == 1

    assert bury(desk, rejected(half, 2), rejected(half + "x", 3)) == [Verdict.REJECT] * 2
    assert len(desk.calls) == 3
    assert len(office.receive(DEAD.url)) == 4


def test_a_heavy_message_leaves_its_neighbours_their_notes(office: PostOffice, desk: Desk) -> None:
    """It goes by itself, with what notes it has room for."""
    assert bury(desk, rejected("a"), rejected("x" * (MIB - 20), 1), rejected("b", 2)) == [Verdict.REJECT] * 3

    notes = {dead["Body"][:1]: dead.get("MessageAttributes", {}).keys() for dead in office.receive(DEAD.url)}
    assert notes["x"] == {"reason"}
    assert notes["a"] == notes["b"] == {"reason", "error", "consumer", "attempts", "code_version"}


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x1f", "\x7f", "\x85", "\ud800", "\ufffe", "\uffff", "\u2028"],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_no_character_of_a_note_keeps_a_message_from_its_dead_letter_queue(
    office: PostOffice, desk: Desk, character: str
) -> None:
    """SQS would refuse the message for it."""
    outcome = replace(REJECTED, reason=f"a{character}b", error=f"E{character}")

    assert bury(desk, rejected("x", outcome=outcome)) == [Verdict.REJECT]

    (dead,) = office.receive(DEAD.url)
    assert dead["MessageAttributes"]["reason"]["StringValue"] == "a?b"


def test_a_time_is_a_note(office: PostOffice, desk: Desk) -> None:
    """When the message was first seen, as ISO 8601."""
    delivery, outcome = rejected("x")
    sent = {"ApproximateFirstReceiveTimestamp": str(int(dt.datetime(2010, 12, 1, tzinfo=dt.UTC).timestamp() * 1000))}

    bury(desk, (replace(delivery, attributes=sent), outcome))

    assert office.receive(DEAD.url)[0]["MessageAttributes"]["first_seen"]["StringValue"] == "2010-12-01T00:00:00+00:00"
