"""Call sites and their faults: none is forgotten, and what was met is counted."""

from __future__ import annotations

import importlib
import inspect
import types

import pytest

from eachonce_workbench.cloud.faults.call_site import CALL_SITES, UnknownCallSiteError, call_site
from eachonce_workbench.cloud.faults.fault import CallFault, all_faults, faults_of
from eachonce_workbench.simulator.coverage import missed, sites, times, together


def named(module: types.ModuleType, name: str) -> bool:
    """Whether a module has a function or a method of this name."""
    classes = [each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__ == module.__name__]
    return any(inspect.isfunction(vars(holder).get(name)) for holder in (module, *classes))


@pytest.mark.parametrize("place", CALL_SITES)
def test_every_site_is_a_function_of_the_layer(place: str) -> None:
    """One that is renamed must be renamed here, too."""
    module, _, function = place.partition(".")

    assert named(importlib.import_module(f"eachonce.{module}"), function)


def layered(place: str, operation: str) -> str | None:
    """Ask for the site from a function of this place in the layer."""
    module, _, function = place.partition(".")
    space = {"__name__": f"eachonce.{module}", "call_site": call_site}
    exec(f"def {function}(operation): return call_site(operation)", space)
    asked: str | None = space[function](operation)  # type: ignore[operator]
    return asked


def test_a_site_is_found_from_anywhere_below_it() -> None:
    """By the innermost function that means something by the call."""
    assert layered("ledger.begin", "UpdateItem") == "ledger.begin UpdateItem"


@pytest.mark.parametrize(("place", "operation"), [("ledger.begin", "DeleteItem"), ("secrets.leak", "PutItem")])
def test_a_call_that_nobody_listed_is_an_error(place: str, operation: str) -> None:
    """So that no call is without its faults."""
    with pytest.raises(UnknownCallSiteError, match=f"{place} calls {operation}"):
        layered(place, operation)


def test_what_a_function_calls_itself_is_no_site() -> None:
    """It isn't the layer's, though a handler is called by the layer."""
    assert call_site("PutObject") is None
    assert layered("handler.run", "PutObject") is None


@pytest.mark.parametrize(
    ("operation", "without"),
    [
        ("GetItem", {CallFault.CONFLICT, CallFault.PARTIAL, CallFault.LATE}),
        ("BatchGetItem", {CallFault.CONFLICT, CallFault.LATE}),
        ("UpdateItem", {CallFault.PARTIAL}),
        ("TransactWriteItems", {CallFault.PARTIAL}),
        ("PutEvents", {CallFault.CONFLICT}),
        ("SendMessageBatch", {CallFault.CONFLICT}),
        ("DeleteMessageBatch", {CallFault.CONFLICT, CallFault.PARTIAL}),
    ],
)
def test_an_operation_has_the_faults_that_aws_has_for_it(operation: str, without: set[CallFault]) -> None:
    """And no others."""
    assert set(CallFault) - set(faults_of(operation)) == without


def test_a_table_says_what_was_met_and_what_was_not() -> None:
    """Over all runs; a fault that can't be is neither."""
    site = "work.read GetItem"
    met = together([{(site, CallFault.LOST): 2}, {(site, CallFault.LOST): 1, (site, CallFault.REFUSED): 1}])

    assert [times(met, site, fault) for fault in (CallFault.LOST, CallFault.THROTTLED, CallFault.LATE)] == [3, 0, None]
    assert f"{site} x throttled" in missed(met)
    assert f"{site} x answer lost" not in missed(met)
    assert len(missed(met)) == len(all_faults()) - 2
    assert missed(dict.fromkeys(all_faults(), 1)) == []
    assert site in sites()
