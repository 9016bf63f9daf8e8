"""Sending, as a person does it: by fields or by JSON, broken or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.bicycles import Bicycles

if TYPE_CHECKING:
    from playwright.sync_api import Page

TRIP_ENDED = "send?what=event+TripEnded&fresh=1"


def test_nobody_is_kept_out(page: Page, console: Callable[[str], Page], barriers: Callable[[Page], list[str]]) -> None:
    """Light and dark, also where a field is wrong."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        console(TRIP_ENDED)
        page.locator("#send").wait_for()
        assert barriers(page) == []
        page.locator("[name='field.minutes']").fill("many")
        page.get_by_role("button", name="Send", exact=True).click()
        page.get_by_role("alert").wait_for()
        assert barriers(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_fields_and_json_say_the_same(page: Page, console: Callable[[str], Page]) -> None:
    """What is typed in one is in the other, and counts."""
    console(TRIP_ENDED)
    page.locator("#send").wait_for()
    page.wait_for_load_state("load")  # by which its script runs
    data = page.get_by_label("Its data")

    page.locator("[name='field.station']").fill('Old "Port"')
    assert '"station": "Old \\"Port\\""' in data.input_value()
    assert page.get_by_label("By its fields").is_checked()

    data.fill('{"trip": "t-9", "minutes": 90071992547409931}')
    assert page.locator("[name='field.trip']").input_value() == "t-9"
    assert page.locator("[name='field.station']").input_value() == ""
    assert page.get_by_label("As JSON").is_checked()
    data.fill('{"trip": "t-9", ')
    assert page.locator("[name='field.trip']").input_value() == "t-9"


def test_what_its_contract_refuses_is_told_at_its_field(
    page: Page, console: Callable[[str], Page], bicycles: Bicycles
) -> None:
    """And is sent all the same, if that is what the person wants to see."""
    console(TRIP_ENDED)
    page.locator("[name=id]").fill("t-broken")
    page.locator("[name='field.minutes']").fill("many")
    page.get_by_role("button", name="Send", exact=True).click()

    page.locator(".field", has_text="Expected `int`").locator("[name='field.minutes']").wait_for()
    assert page.locator("[name='field.minutes']").get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="Send it all the same").click()
    page.wait_for_url(re.compile(r"/story\?source=.*id=t-broken"))
    console("events?text=t-broken").get_by_text("reject").first.wait_for()


def test_an_event_that_is_sent_twice_has_one_effect(
    page: Page, console: Callable[[str], Page], bicycles: Bicycles
) -> None:
    """Though its worker is killed after the commit; then the person is at its story."""
    console(TRIP_ENDED)
    page.locator("[name=id]").fill("t-twice")
    page.locator("[name='field.trip']").fill("trip-7")
    page.locator("[name='field.station']").fill("Harbour")
    page.locator("[name='field.ended_at']").fill("2026-05-01T08:00:00Z")
    page.get_by_label("twice, under the same id").check()
    page.get_by_label("after its commit, kill the worker of").select_option("CountArrivals")
    page.get_by_role("button", name="Send", exact=True).click()

    page.wait_for_url(re.compile(r"/story\?source=.*id=t-twice"))
    console("chaos").get_by_text("No fault is on").wait_for()
    console("events?subject=trip-7").locator(".rows").get_by_role("link", name="t-twice").wait_for()
    assert bicycles.station("2026-05-01")["arrivals"] == "1"
