"""Faults, as a person turns them on: they are met, counted as it happens, and end at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.faults.faults import Fault, Faults
from tests.browser.bicycles import Bicycles
from tests.console.served import Served, served
from tests.topologies import function, topology

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def here(faults: Faults) -> Iterator[Served]:
    with served(topology(functions=(function("Pack"),)), faults=faults) as console:
        yield console


def opened(page: Page, here: Served, screen: str = "chaos") -> Page:
    page.goto(here.address)
    page.goto(here.at(screen))
    return page


def test_nobody_is_kept_out(page: Page, here: Served, faults: Faults, barriers: Callable[[Page], list[str]]) -> None:
    """With a fault or without, light and dark."""
    opened(page, here)
    assert barriers(page) == []
    faults.turn_on(Fault(kind=CallFault.LOST, function="Pack"))
    page.emulate_media(color_scheme="dark")
    opened(page, here, "chaos?function=Pack")
    page.get_by_text("gets the keys of personal fields").click()
    assert barriers(page) == []


@pytest.mark.parametrize("width", [320, 400])
def test_a_narrow_page_is_not_scrolled_sideways(page: Page, here: Served, faults: Faults, width: int) -> None:
    """Only its table is."""
    faults.turn_on(Fault(kind=CallFault.LOST, function="Pack"))
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, here)

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_fault_is_turned_on_and_off_by_keys(page: Page, here: Served, faults: Faults) -> None:
    """What the person has chosen before stays chosen."""
    opened(page, here)
    page.get_by_label("Function").first.select_option("Pack")
    page.get_by_label("only the next ones:").check()
    page.get_by_label("Any call: killed after").press("Enter")

    page.get_by_text("1 fault is on.").wait_for()
    assert [(each.kind, each.function, each.left) for each in faults.on] == [(CallFault.KILLED_AFTER, "Pack", 1)]
    assert page.get_by_label("Any call: killed after").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="End all 1").press("Enter")
    page.get_by_text("No fault is on").wait_for()
    assert faults.on == ()


def test_what_happens_is_counted_while_one_looks(
    page: Page, console: Callable[[str], Page], bicycles: Bicycles
) -> None:
    """A conflict at every commit: the trip has its effect when the fault has ended, and once."""
    console("chaos")
    page.get_by_label("Function").first.select_option("CountArrivals")
    page.get_by_label("only the next ones:").check()
    page.locator("[name=times]").first.fill("2")
    page.get_by_label("Any call: conflict").click()
    page.get_by_text("1 fault is on.").wait_for()

    bicycles.close_lock("t-conflict", at="2026-04-01T08:00:00Z")

    page.get_by_text("No fault is on").wait_for()
    page.wait_for_function("document.querySelector('#faults').textContent.trim() === ''")
    console("events?text=t-conflict").locator(".rows a[title^=CountArrivals]", has_text="done").wait_for()
    assert bicycles.station("2026-04-01")["arrivals"] == "1"
