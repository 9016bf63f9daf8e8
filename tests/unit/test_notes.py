"""A dead letter's notes fit beside its body, whatever it weighs."""

from __future__ import annotations

import pytest
from eachonce.notes import attributes, fitting, size_bytes

NOTES = {
    "reason": "no parcels on Sundays, nor on holidays, nor in the mornings, nor at night, nor to Köln when it snows",
    "error": "ContractError",
    "consumer": "post",
    "event_id": "e-1",
    "attempts": "3",
    "first_seen": "2010-12-01T08:26:00.001000+00:00",
    "code_version": "7",
}


def test_notes_that_fit_stay_as_they_are() -> None:
    """To the last byte."""
    assert fitting(NOTES, size_bytes(NOTES)) == NOTES


def test_the_reason_is_shortened_first() -> None:
    """By what is too much, and never within a character; nothing is lost beside it."""
    short = fitting(NOTES, size_bytes(NOTES) - 20)

    assert short.keys() == NOTES.keys()
    assert NOTES["reason"].startswith(short["reason"])
    assert size_bytes(NOTES) - 21 <= size_bytes(short) <= size_bytes(NOTES) - 20


def test_then_the_others_are_left_out_from_the_last() -> None:
    """Whole, while the reason still says something; it is the last to go."""
    kept = [tuple(fitting(NOTES, room)) for room in range(size_bytes(NOTES), -1, -1)]

    order = list(NOTES)
    assert list(dict.fromkeys(kept)) == [tuple(order[:count]) for count in range(len(order), -1, -1)]


@pytest.mark.parametrize("text", ["", "x" * 5000, "ü☃😀" * 700, "\ud800\uffff\x00" * 500])
def test_notes_never_weigh_more_than_there_is_room(text: str) -> None:
    """For any room; what is left is fit for SQS, and never empty."""
    given = NOTES | {"reason": text, "code_version": text}

    for room in range(0, 9000, 37):
        kept = fitting(given, room)
        assert size_bytes(kept) <= room
        assert all(value and value.isprintable() and len(value) <= 1024 for value in kept.values())


@pytest.mark.parametrize("event_id", ["a\nb", "Peru\uffff", "\ud800", "e" * 1025])
def test_an_id_is_told_as_it_is_or_not_at_all(event_id: str) -> None:
    """A part of an id is another id; the body has the whole."""
    assert "event_id" not in fitting(NOTES | {"event_id": event_id}, 9000)


def test_what_can_not_be_printed_is_one_question_mark() -> None:
    """Each character; and an id of 1,024 is as long as one may be."""
    kept = fitting({"reason": "a\nb", "event_id": "e" * 1024}, 9000)

    assert kept == {"reason": "a?b", "event_id": "e" * 1024}


def test_notes_without_a_reason_have_none() -> None:
    """None is made up."""
    assert fitting({"reason": None, "consumer": "post"}, 9000) == {"consumer": "post"}


@pytest.mark.parametrize(("room", "names"), [(0, {"reason", "error"}), (-1, {"reason"})])
def test_the_last_note_stays_while_the_reason_has_64_bytes(room: int, names: set[str]) -> None:
    """One byte less, and it goes."""
    notes = {"reason": "x" * 100, "error": "ContractError"}
    enough = size_bytes(notes | {"reason": "x" * 64})

    assert fitting(notes, enough + room).keys() == names


def test_notes_are_texts_to_sqs() -> None:
    """And are weighed as SQS weighs them: name, type and value."""
    assert attributes({"reason": "ü"}) == {"reason": {"DataType": "String", "StringValue": "ü"}}
    assert size_bytes({"reason": "ü"}) == len("reason") + len("String") + 2
