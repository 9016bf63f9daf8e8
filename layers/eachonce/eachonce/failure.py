"""Failures: what an exception means for the event on whose behalf it was raised.

Nobody guesses here who made an AWS call: what AWS did not do for the layer is an AwsError, made where the layer asks.
Any other exception is the handler's own, and counts against its event, unless AWS itself calls it passing.
"""

from __future__ import annotations

from datetime import timedelta

from eachonce.errors import (
    NO_REASON,
    AwsError,
    ContractError,
    HandlerError,
    MissingPackageError,
    MissingSettingError,
    Reject,
    Retry,
    Taken,
    Wait,
    WorkError,
    duration,
)
from eachonce.outcome import Outcome, Verdict
from eachonce.refusal import is_passing
from eachonce.trace import place_of
from eachonce.wording import short

# What the layer itself asks of the environment on the way; any other name is one that the handler has used.
_OF_THE_LAYER = frozenset({"TABLE_JOURNAL", "EVENT_SOURCE", "TABLE_KEYS", "PERSONAL_KEY"})


class TooLateError(Exception):
    """The deadline is too near to commit."""


def outcome_of(error: Exception, *, age: timedelta, failures: int | None) -> Outcome:
    """Return what an exception means for an event that was first received `age` ago and has failed so often before."""
    try:
        return _meaning(error, age, failures)
    except Exception:  # noqa: BLE001 - a handler's own signal may be anything, down to the text and the attributes
        return _failure(error, "the handler raised what can't be read")


def _meaning(error: Exception, age: timedelta, failures: int | None) -> Outcome:
    match error:
        case Reject():
            return Outcome(verdict=Verdict.REJECT, reason=short(error.reason or NO_REASON), attempts=failures)
        case WorkError() | ContractError():
            name = type(error).__name__
            return Outcome(verdict=Verdict.REJECT, reason=short(str(error)), error=name, attempts=failures)
        case Wait():
            return _waiting(error, age, failures)
        case Retry():
            after = None if error.after is None else duration("a Retry's after", error.after)
            taken = Taken.__name__ if isinstance(error, Taken) else None
            return Outcome(
                verdict=Verdict.RETRY, reason=short(error.reason), error=taken, counted=bool(error.counted), after=after
            )
        case TooLateError():
            return Outcome(verdict=Verdict.ABANDONED, reason="the function's time was nearly over")
        case AwsError():
            return Outcome(verdict=Verdict.RETRY, reason=short(str(error)), error=error.code, cause=error)
        case MissingSettingError():
            return _failure(error, str(error), counted=error.name not in _OF_THE_LAYER)
        case MissingPackageError():
            return _failure(error, str(error), counted=False)
        case HandlerError():
            return _failure(error, str(error))
    if is_passing(error):
        return _failure(error, "a service of AWS did not do what the handler asked of it", counted=False)
    place = place_of(error)
    return _failure(error, "the handler failed" if place is None else f"the handler failed at {place}")


def _waiting(wait: Wait, age: timedelta, failures: int | None) -> Outcome:
    up_to, reason = duration("a Wait's up_to", wait.up_to), short(wait.reason)
    if age > up_to:
        return Outcome(verdict=Verdict.REJECT, reason=f"{reason}, in vain for {up_to}", error="Wait", attempts=failures)
    return Outcome(verdict=Verdict.WAIT, reason=reason)


def _failure(error: Exception, reason: str, *, counted: bool = True) -> Outcome:
    name = short(type(error).__name__)
    return Outcome(verdict=Verdict.RETRY, reason=short(reason), error=name, cause=error, counted=counted)
