"""The breaker: when so much of what handlers need has failed that nobody should ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from eachonce import (
    AwsError,
    Breaker,
    Consumer,
    ContractError,
    Endpoint,
    HandlerError,
    MissingSettingError,
    Reject,
    Retry,
    Wait,
    WorkError,
)
from eachonce.breaker import Health
from eachonce.failure import TooLateError, outcome_of
from eachonce.outcome import Outcome, Verdict

from tests.parcels import Weighed, weigh

MAIL = Breaker("mail", failures=3, share=0.5, of=10)


def seen(breaker: Breaker, tries: str) -> list[bool]:
    """Whether it opens after each of these tries: + went well."""
    health = Health(breaker)
    return [health.saw(well=each == "+") for each in tries]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"name": ""}, "name is a text of 1 to 128"),
        ({"name": "m" * 129}, "name is a text of 1 to 128"),
        ({"name": "two\nlines"}, "printable"),
        ({"name": 7}, "name is a text"),
        ({"failures": 0}, "failures is a whole number of 1 or more"),
        ({"failures": 1.5}, "failures is a whole number"),
        ({"failures": True}, "failures is a whole number"),
        ({"of": 0}, "of is a whole number"),
        ({"share": 0}, "share is over 0, up to 1"),
        ({"share": 1.1}, "share is over 0, up to 1"),
        ({"share": float("nan")}, "share is over 0"),
        ({"share": "half"}, "share is over 0"),
        ({"open_for": 0.5}, "open for a second or longer"),
        ({"open_for": "30"}, "open_for is a timedelta"),
        ({"patience": None}, "patience is a timedelta"),
        ({"errors": ()}, "errors are an exception type"),
        ({"errors": "TimeoutError"}, "errors are an exception type"),
        ({"errors": (TimeoutError, KeyboardInterrupt)}, "errors are an exception type"),
        ({"by": "subject"}, 'by "tenant"'),
    ],
)
def test_what_is_no_breaker_is_refused_where_it_is_said(said: dict[str, Any], words: str) -> None:
    """Not when what it stands for fails; and in words that say what it may be."""
    with pytest.raises(HandlerError, match=words):
        Breaker(**{"name": "mail", **said})


@pytest.mark.parametrize(
    "said",
    [
        {"name": "m"},
        {"name": "m" * 128},
        {"failures": 1},
        {"of": 1},
        {"share": 1},
        {"share": 0.01},
        {"open_for": 1},
        {"patience": 0},
        {"errors": OSError},
        {"errors": (OSError, TimeoutError)},
        {"by": "tenant"},
        {"by": None},
    ],
    ids=str,
)
def test_what_may_just_be_said_of_a_breaker_is_taken(said: dict[str, Any]) -> None:
    """To the first and the last of what its page allows."""
    breaker = Breaker(**{"name": "mail", **said})

    assert breaker.pause >= timedelta(seconds=1)


def test_a_failure_is_an_events_own_when_its_patience_is_over() -> None:
    """From that moment on."""
    breaker = Breaker("mail", patience=60)

    assert breaker.spares(timedelta(seconds=59))
    assert not breaker.spares(timedelta(seconds=60))


def test_a_time_may_be_a_number_of_seconds() -> None:
    """As everywhere."""
    assert Breaker("mail", open_for=90) == Breaker("mail", open_for=timedelta(minutes=1.5))


def test_it_opens_after_failures_in_a_row() -> None:
    """And not before."""
    assert seen(MAIL, "---") == [False, False, True]


def test_what_goes_well_ends_a_row() -> None:
    """What fails now and then is tried again by itself."""
    assert not any(seen(MAIL, "--+--+--+"))


def test_it_opens_at_a_share_of_its_last_tries() -> None:
    """When there have been so many, at the failure that makes it so."""
    assert seen(MAIL, "+-+-+-+-+-+-") == [False] * 9 + [True, False, True]
    assert not any(seen(MAIL, "+-+-+-++++"))


def test_tries_of_long_ago_count_no_more() -> None:
    """Ten of them are looked at."""
    assert not any(seen(MAIL, "-+-+-+-+" + "+" * 10 + "-+-+-+"))


def test_what_was_before_it_opened_is_forgotten() -> None:
    """Closed again, it begins anew."""
    health = Health(MAIL)
    for _ in range(9):
        health.saw(well=False)

    health.forget()

    assert [health.saw(well=False) for _ in range(3)] == [False, False, True]


def throttled() -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException"}}, "SendEmail")


@pytest.mark.parametrize(
    ("error", "well"),
    [
        (TimeoutError("the mail server"), False),
        (ValueError("anything"), False),
        (throttled(), False),
        (ReadTimeoutError(endpoint_url="https://email"), False),
        (Reject("no such address"), None),
        (Retry("later"), None),
        (Retry("later", counted=False), None),
        (Wait("the address", up_to=60), None),
        (ContractError("Weighed", "no grams"), None),
        (WorkError("too much"), None),
        (AwsError("busy", code="ThrottlingException"), None),
        (MissingSettingError("MAIL_SERVER", "who sends"), None),
        (HandlerError("a reason is a text"), None),
        (TooLateError(), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_handler_raises_of_it_is_a_failure(error: Exception, well: bool | None) -> None:
    """Not what it decides, what lies in the event, or what the layer has not done for it."""
    assert MAIL.judge(outcome_of(error, age=timedelta(), failures=None)) is well


def test_only_the_errors_that_are_said_are_its_failures() -> None:
    """A slip in the handler's code is none of the mail server's."""
    breaker = Breaker("mail", errors=(TimeoutError, ConnectionError))

    assert breaker.judge(outcome_of(ConnectionResetError(), age=timedelta(), failures=None)) is False
    assert breaker.judge(outcome_of(KeyError("grams"), age=timedelta(), failures=None)) is None


def test_a_failure_that_was_the_last_of_its_event_is_one() -> None:
    """It is rejected by then."""
    assert MAIL.judge(Outcome(verdict=Verdict.REJECT, reason="it failed 10 times", cause=OSError())) is False


@pytest.mark.parametrize(
    ("verdict", "well"),
    [
        (Verdict.DONE, True),
        (Verdict.STALE, True),
        (Verdict.DUPLICATE, None),
        (Verdict.IGNORED, None),
        (Verdict.ABANDONED, None),
    ],
)
def test_what_was_done_went_well(verdict: Verdict, well: bool | None) -> None:
    """A copy asks for nothing."""
    assert MAIL.judge(Outcome(verdict=verdict)) is well


def test_a_handler_needs_a_breaker() -> None:
    """A name alone says nothing of when it opens."""
    with pytest.raises(HandlerError, match="Breaker, and not a str"):
        Consumer("post").on(Weighed, needs="mail")  # type: ignore[arg-type]


def test_an_endpoint_has_none() -> None:
    """Its caller waits."""
    with pytest.raises(HandlerError, match="can't be put off"):
        Endpoint("post").on(Weighed, needs=MAIL)(weigh)
