"""The list of events, in a browser: live, filtered, fluid, and text whatever an event holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.console.served import Served, bus_event, outcome, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

MANY = 100_000
HOSTILE = {
    "markup": "</td><script>document.title = 'mine'</script><img src=x onerror=\"document.title = 'mine'\">",
    "control": "a\x00\x07\x1b[31m\u202egnp.exe",
    "template": "{{ 7 * 7 }}{% raw %}",
    "address": "/?#&\"'<>%2e../..",
}


@pytest.fixture
def here() -> Iterator[Served]:
    with served() as console:
        yield console


def opened(page: Page, here: Served, screen: str = "events") -> Page:
    page.goto(here.address)
    page.goto(here.at(screen))
    return page


def told(page: Page, text: str) -> None:
    """Wait until the list says this of itself."""
    page.locator("#told").filter(has_text=re.compile(f"^{text}")).wait_for()


def test_nothing_yet_is_said(page: Page, here: Served) -> None:
    """And what to do about it."""
    told(opened(page, here), "No event yet")


def test_events_come_by_themselves(page: Page, here: Served) -> None:
    """The newest first, with what became of them."""
    opened(page, here)
    told(page, "No event yet")

    here.publish("o-1")
    here.publish("o-2", subject="second")
    here.happens("log", **outcome("o-1", function="Track", request_id="r-1"))

    told(page, "2 events")
    rows = page.locator(".rows tr")
    rows.nth(1).get_by_text("done").wait_for()
    assert [rows.nth(place).locator("a[data-open]").inner_text() for place in range(2)] == ["o-2", "o-1"]
    assert "second" in rows.nth(0).inner_text()


def test_several_types_are_left_out_at_once(page: Page, here: Served) -> None:
    """And the address says so, for whoever it is sent to."""
    for number, event_type in enumerate(["Placed", "Moved", "Counted", "Placed"]):
        here.publish(f"o-{number}", event_type=event_type)
    opened(page, here)
    told(page, "4 events")

    page.get_by_text("Types and times").click()
    leave_out = page.get_by_role("group", name="Leave out")
    leave_out.get_by_label("Moved").check()
    leave_out.get_by_label("Counted").check()

    told(page, "2 events of 4")
    page.reload()
    told(page, "2 events of 4")


def test_a_search_finds_what_an_event_holds(page: Page, here: Served) -> None:
    """From the keyboard alone: / and some letters, and j to the first, which opens its story."""
    for number in range(20):
        here.publish(f"o-{number}", data={"city": "Lima" if number == 7 else "Oslo"})
    opened(page, here)
    told(page, "20 events")

    page.keyboard.press("/")
    page.keyboard.type("lima")
    told(page, "1 event of 20")
    page.keyboard.press("Escape")
    kept = page.get_by_label("Text").input_value()
    page.keyboard.press("j")

    assert (kept, page.evaluate("document.activeElement.textContent")) == ("lima", "o-7")


def test_hostile_events_are_text(page: Page, here: Served) -> None:
    """In every field that the list shows, and in one of a megabyte."""
    for name, text in HOSTILE.items():
        here.publish(f"{name}{text}", source=text, event_type=text, subject=text, data={"field": text})
    here.publish("large", data={"field": "x" * 1_000_000}, subject="y" * 250_000)
    opened(page, here)

    told(page, "5 events")
    shown = page.locator(".rows").inner_text()
    assert all(part in shown for part in ("<script>", "{{ 7 * 7 }}"))
    assert page.title() == "Events · Eachonce"
    assert page.locator(".rows img, .rows script").count() == 0


def test_a_hundred_thousand_events_stay_fluid(page: Page, here: Served) -> None:
    """Only the rows that can be seen are in the page, wherever it is scrolled to."""

    def publish() -> None:
        for number in range(MANY):
            event = bus_event(f"o-{number}")
            here.history.record("published", event_id=event["id"], bus="town", event=event)

    here.on_loop(publish)
    opened(page, here)
    told(page, "100,000 events")

    page.evaluate("list.scrollTop = list.scrollHeight / 2")
    page.locator(".rows").get_by_text(re.compile("^o-(49|50)...$")).first.wait_for()
    page.evaluate("list.scrollTop = list.scrollHeight")
    page.locator(".rows").get_by_text("o-0", exact=True).wait_for()

    assert page.locator(".rows tr").count() < 100


def test_who_has_scrolled_down_stays_where_they_are(page: Page, here: Served) -> None:
    """However many come on top."""
    for number in range(200):
        here.publish(f"o-{number}")
    opened(page, here)
    told(page, "200 events")
    page.evaluate("list.scrollTop = 100 * 36")
    page.locator(".rows").get_by_text("o-95", exact=True).wait_for()
    before = page.locator(".rows tr", has_text="o-95").bounding_box()

    for number in range(200, 230):
        here.publish(f"o-{number}")
    told(page, "230 events")
    page.locator(".rows").get_by_text("o-95", exact=True).wait_for()

    after = page.locator(".rows tr", has_text="o-95").bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) <= 1


@pytest.mark.parametrize("screen", ["events", ""], ids=["events", "overview"])
def test_a_page_that_is_left_open_stays_small(page: Page, here: Served, screen: str) -> None:
    """For 50,000 events it keeps under 150 MB: all that the page's process has for itself alone."""
    opened(page, here, screen)

    def publish(first: int) -> None:
        for number in range(first, first + 1_000):
            event = bus_event(f"o-{number}", data={"text": "x" * 500})
            here.history.record("published", event_id=event["id"], bus="town", event=event)
            here.history.record("log", **outcome(f"o-{number}", function="Track", request_id=f"r-{number // 10}"))

    for first in range(0, 50_000, 1_000):
        here.on_loop(lambda first=first: publish(first))
        page.wait_for_timeout(50)
    page.get_by_text("50,000").first.wait_for()

    assert own_bytes(page) < 150_000_000


def own_bytes(page: Page) -> int:
    """What the largest of the browser's page processes has in memory, without what it shares with others."""
    browser = page.context.browser
    assert browser is not None
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    pages = [each["id"] for each in told["processInfo"] if each["type"] == "renderer"]
    return max(_own_bytes(pid) for pid in pages)


def _own_bytes(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return sum(int(number) * 1024 for number in re.findall(r"^Private_\w+: +(\d+) kB", rollup, flags=re.MULTILINE))
