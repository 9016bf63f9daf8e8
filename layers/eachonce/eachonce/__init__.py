"""Eachonce: each event by itself, its effect once.

A handler is a function from an event to a unit of work. It does no I/O of its own, so it can be run again, in any
order, any number of times, beside failing neighbours, with the same final result.
"""

from eachonce.aws import Aws
from eachonce.breaker import Breaker
from eachonce.consumer import Consumer
from eachonce.contract import Contract
from eachonce.description import describe
from eachonce.endpoint import Endpoint
from eachonce.errors import (
    AwsError,
    ContractError,
    EachonceError,
    HandlerError,
    LostRaceError,
    MalformedMessageError,
    MissingPackageError,
    MissingSettingError,
    PublishError,
    Reject,
    Retry,
    Signal,
    UnauthenticError,
    UnavailableError,
    Unsent,
    Wait,
    WorkError,
    WorkTooLargeError,
)
from eachonce.event import Event
from eachonce.keyring import Keyring
from eachonce.keys import KeptSigningKey, KeptVerifyingKeys
from eachonce.personal import ERASED, HIDDEN, Personal
from eachonce.publisher import Publisher
from eachonce.rate import Rate
from eachonce.relay import Relay
from eachonce.settings import Settings
from eachonce.signing import SigningKey, VerifyingKey, VerifyingKeys
from eachonce.work import Work

__all__ = [  # noqa: RUF022 - grouped by use
    # what a function is made of
    "Consumer",
    "Endpoint",
    "Relay",
    # how fast it goes, and what holds it back
    "Breaker",
    "Rate",
    # what a handler sees
    "Contract",
    "Event",
    "describe",
    "Work",
    # what is about a person
    "Personal",
    "HIDDEN",
    "ERASED",
    "Keyring",
    # what a handler says
    "Reject",
    "Retry",
    "Signal",
    "Wait",
    # publishing without a handler
    "Publisher",
    "Unsent",
    # who published it
    "KeptSigningKey",
    "KeptVerifyingKeys",
    "SigningKey",
    "VerifyingKey",
    "VerifyingKeys",
    # what it all stands on
    "Aws",
    "Settings",
    # errors
    "AwsError",
    "ContractError",
    "EachonceError",
    "HandlerError",
    "LostRaceError",
    "MalformedMessageError",
    "PublishError",
    "MissingPackageError",
    "MissingSettingError",
    "UnauthenticError",
    "UnavailableError",
    "WorkError",
    "WorkTooLargeError",
]
