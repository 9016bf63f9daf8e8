"""What can go wrong, and the words with which a handler says so.

::

    EachonceError
    ├── ContractError            data that breaks its contract
    ├── MalformedMessageError    a message that holds no event
    ├── PublishError             entries that the bus did not take
    ├── UnauthenticError         an event that isn't from who it says
    ├── MissingSettingError      the function's environment lacks a name
    ├── MissingPackageError      what is asked for needs a package that isn't there
    ├── UnavailableError         a request that could not be handled now
    ├── AwsError                 what AWS did not do for the layer
    ├── HandlerError             what is no handler, or says what can't be meant
    ├── WorkError                a work that can't be committed as it stands
    │   └── WorkTooLargeError    ... since it is more than one transaction holds
    ├── LostRaceError            what a work read has changed since
    └── Signal                   no error: a handler's decision about its event
        ├── Reject               never: to the dead-letter queue, with a reason
        ├── Retry                not now: again later
        │   └── Taken            ... since another worker has begun the event
        └── Wait                 too early: again when what it needs may be there
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec

NO_REASON = "the handler gave no reason"


class EachonceError(Exception):
    """The base of all that the layer raises."""


class ContractError(EachonceError):
    """The data breaks its contract; `reason` says where and how, in types, paths and the contract's own words."""

    def __init__(self, contract: str, reason: str) -> None:
        super().__init__(f"{contract}: {reason}")
        self.contract = contract
        self.reason = reason


class MalformedMessageError(EachonceError):
    """The message's body holds no event; `reason` says what it holds instead, without repeating it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unsent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the bus did not take: its place among those given, and the bus's reason."""

    place: int
    code: str
    message: str


class PublishError(EachonceError):
    """The bus did not take every entry; `unsent` says which, and why."""

    def __init__(self, unsent: Sequence[Unsent]) -> None:
        first = unsent[0]
        super().__init__(f"{len(unsent)} entries were not published; the first: {first.code}: {first.message}")
        self.unsent = tuple(unsent)


class MissingSettingError(EachonceError):
    """The function's environment lacks the variable `name`."""

    def __init__(self, name: str, purpose: str) -> None:
        super().__init__(f"the environment variable {name} is not set: {purpose}")
        self.name = name


class UnauthenticError(EachonceError):
    """The event isn't from its source as it was signed; `reason` says what is wrong, without repeating it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MissingPackageError(EachonceError):
    """What is asked for needs the package `name`, which comes with an extra of the layer's."""

    def __init__(self, name: str, purpose: str, *, extra: str) -> None:
        super().__init__(f"{purpose} needs the package {name}, which isn't here: install eachonce[{extra}]")
        self.name = name


class UnavailableError(EachonceError):
    """The request could not be handled now; sending the same request again is safe."""


class AwsError(EachonceError):
    """AWS did not do what the layer asked, for no reason that lies in the event; `code` is AWS's word for why.

    It was busy or could not be reached, or the function may not do it, or the table isn't there: then it is an
    operator's to mend, and no event is rejected for it.
    """

    def __init__(self, reason: str, *, code: str) -> None:
        super().__init__(reason)
        self.code = code


class HandlerError(EachonceError, TypeError):
    """Code that can't be a handler, or that says what can't be meant: its author is to mend it."""


class WorkError(EachonceError):
    """The work can't be committed as it stands, however often it is tried."""


class WorkTooLargeError(WorkError):
    """The work is more than one DynamoDB transaction holds: split the event into smaller ones."""


class LostRaceError(EachonceError):
    """Another commit changed what this work had read: the handler is to run again."""


class Signal(EachonceError):  # noqa: N818 - a word that a handler says
    """A handler's decision about its event, raised to leave the handler at once.

    A time may be a timedelta or a number of seconds. What can't be meant raises HandlerError where it is said.
    """


class Reject(Signal):
    """Never: the event can't be handled, so it goes to the dead-letter queue with `reason`.

    The reason is kept where people look: say the rule that was broken, not the payload's values.
    """

    reason = NO_REASON

    def __init__(self, reason: str = NO_REASON) -> None:
        super().__init__(_words("a Reject's reason", reason))
        self.reason = reason


class Retry(Signal):
    """Not now: the event's message returns to its queue, for `after`, or else for the consumer's back-off.

    It counts as one of the event's attempts, like any exception of the handler; `counted=False` is for what the event
    can do nothing about, such as a service that is down.
    """

    reason = "the handler asked for another try"
    after: timedelta | None = None
    counted = True

    def __init__(
        self,
        reason: str = "the handler asked for another try",
        *,
        after: timedelta | float | Decimal | None = None,
        counted: bool = True,
    ) -> None:
        super().__init__(_words("a Retry's reason", reason))
        if not isinstance(counted, bool):
            raise HandlerError(f"a Retry's counted is True or False, not a {type(counted).__name__}")
        self.reason = reason
        self.after = None if after is None else duration("a Retry's after", after)
        self.counted = counted


class Taken(Retry):
    """Not now: another worker has begun the event, and has it to itself for a while."""

    def __init__(self) -> None:
        super().__init__("another worker has begun this event", counted=False)


class Wait(Signal):
    """Too early: what the event needs isn't there yet, so its message returns to its queue, uncounted.

    `for_` says what is missing. When it still is `up_to` after the message was first received, the event is rejected.
    """

    reason = "waits for what it needs"
    up_to: timedelta

    def __init__(self, for_: str = "what it needs", *, up_to: timedelta | float | Decimal) -> None:
        super().__init__(f"waits for {_words('what a Wait waits for', for_)}")
        self.reason = f"waits for {for_}"
        self.for_ = for_
        self.up_to = duration("a Wait's up_to", up_to)


def duration(name: str, value: object) -> timedelta:
    """Return a time as a timedelta: it may be a number of seconds; raises HandlerError where it is neither."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not _is_finite(value):
        raise HandlerError(f"{name} is a timedelta, or a number of seconds, and not a {type(value).__name__} like this")
    try:
        return timedelta(seconds=float(value))
    except OverflowError:
        return timedelta.max if value > 0 else timedelta.min


def _is_finite(value: float | Decimal) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else isinstance(value, int) or math.isfinite(value)


def _words(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise HandlerError(f"{name} is a text, not a {type(value).__name__}")
    return value
