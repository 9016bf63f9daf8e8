"""What the layer offers, and its errors."""

from __future__ import annotations

import inspect

import eachonce
import pytest
from eachonce import EachonceError, PublishError, Unsent

NAMES = {
    "Aws",
    "AwsError",
    "Breaker",
    "Consumer",
    "Contract",
    "ContractError",
    "EachonceError",
    "ERASED",
    "Endpoint",
    "Event",
    "HIDDEN",
    "HandlerError",
    "Keyring",
    "KeptSigningKey",
    "KeptVerifyingKeys",
    "LostRaceError",
    "MalformedMessageError",
    "MissingPackageError",
    "MissingSettingError",
    "Personal",
    "PublishError",
    "Publisher",
    "Rate",
    "Reject",
    "Relay",
    "Retry",
    "Settings",
    "Signal",
    "SigningKey",
    "UnauthenticError",
    "UnavailableError",
    "Unsent",
    "VerifyingKey",
    "VerifyingKeys",
    "Wait",
    "Work",
    "WorkError",
    "WorkTooLargeError",
    "describe",
}


def test_the_public_names_are_these() -> None:
    """A name that comes or goes is a decision, made here."""
    assert set(eachonce.__all__) == NAMES
    assert len(eachonce.__all__) == len(NAMES)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_public_name_says_what_it_is(name: str) -> None:
    """In a docstring, and so does each of its public methods."""
    named = getattr(eachonce, name)

    assert inspect.getdoc(named)
    for method_name, method in inspect.getmembers(named, inspect.isfunction):
        if not method_name.startswith("_"):
            assert inspect.getdoc(method), f"{name}.{method_name} says nothing"


@pytest.mark.parametrize("name", sorted(name for name in NAMES if name.endswith("Error")))
def test_every_error_has_one_base(name: str) -> None:
    """Whoever calls the layer can catch it all by one name."""
    assert issubclass(getattr(eachonce, name), EachonceError)


def test_errors_are_drawn_as_they_inherit() -> None:
    """The tree in the docstring is the tree in the code."""
    from eachonce import errors

    tree = str(errors.__doc__)
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, EachonceError) and error.__module__ == errors.__name__:
            assert name in tree


def test_a_publish_error_says_how_many_and_which_first() -> None:
    """And has them all."""
    unsent = [Unsent(place=place, code="InternalFailure", message="later") for place in (2, 5)]

    error = PublishError(unsent)

    assert str(error) == "2 entries were not published; the first: InternalFailure: later"
    assert error.unsent == tuple(unsent)
