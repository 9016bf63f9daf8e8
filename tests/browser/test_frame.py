"""The frame of the console: who may come in, how it is moved about in, and that everybody can."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.browser.bicycles import Bicycles
from tests.console.served import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCREENS = ["", "events", "story", "dead-letters", "tables", "proof"]

Open = Callable[[str], "Page"]
Barriers = Callable[["Page"], list[str]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_nobody_is_kept_out_of_a_screen(console: Open, barriers: Barriers, screen: str, scheme: str) -> None:
    """By WCAG 2.2 AA, as far as a program can tell, in either colours and on a narrow page, too."""
    page = console("")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(page.url.partition("?")[0] + screen)
    page.wait_for_load_state("load")

    wide = barriers(page)
    page.set_viewport_size({"width": 400, "height": 800})
    narrow = barriers(page)

    assert wide == narrow == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_without_the_token_nothing_is_answered(bicycles: Bicycles) -> None:
    """No screen, no script, no style."""
    for path in ("", "events", "events/stream", "stream", "static/page.js", "static/console.css", "nowhere"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(bicycles.at(path))

        with refused.value as answer:
            assert answer.code == 403


def test_the_token_is_not_left_in_the_address(console: Open) -> None:
    """It is in a cookie from then on, which no script can read."""
    page = console("")

    assert "token" not in page.url
    assert page.evaluate("document.cookie") == ""


def test_keys_lead_everywhere(console: Open) -> None:
    """A number to a screen, / to the search, ? to the keys, t to light or dark."""
    page = console("")

    page.keyboard.press("2")
    page.wait_for_url("**/events")
    page.keyboard.press("/")
    searching = page.evaluate("document.activeElement.name")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    helped = page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert (searching, helped) == ("text", True)
    assert before != after


def test_a_lost_connection_is_told_and_comes_back_by_itself(page: Page) -> None:
    """The page needs no reload, and shows what has happened since."""
    with served() as before:
        port = urlsplit(before.endpoint).port or 0
        page.goto(before.address)
        page.goto(before.at("events"))
        page.locator("#told").filter(has_text="No event yet").wait_for()
    page.get_by_text("Connection lost").wait_for()

    with served(port=port) as after:
        after.publish("o-1")

        page.locator(".rows").get_by_text("o-1", exact=True).wait_for()
        page.get_by_text("Connection lost").wait_for(state="hidden")


def test_a_hostile_name_in_the_address_is_text(page: Page) -> None:
    """What an address asks for is said again in the page, and never more than said."""
    with served() as here:
        page.goto(here.address)
        for asked in ("text", "subject", "since", "type", "consumer"):
            page.goto(here.at(f"events?{asked}=%22%3E%3Cscript%3Edocument.title=1%3C/script%3E"))

            assert page.title() == "Events · Eachonce"
