"""A person at the console: what is broken is seen with file and line, mended and redriven."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eachonce_workbench.operations.stack import find
from tests.browser.bicycles import Bicycles

if TYPE_CHECKING:
    from playwright.sync_api import Page

Open = Callable[[str], "Page"]
Barriers = Callable[["Page"], list[str]]

FIRST_LINE = "    trip = event.data\n"


def to_story(page: Page, bicycles: Bicycles, trip: str) -> None:
    """Go to the story of the event that a trip has ended: what followed from what the lock said."""
    page.goto(bicycles.at(f"story?id={trip}"))
    page.locator("#way").get_by_role("link", name=re.compile("^TripEnded")).click()
    page.get_by_text("Published once").wait_for()


def until_it_is(page: Page, outcome: str) -> None:
    page.locator("#way .outcome", has_text=re.compile(f"^{outcome}$")).first.wait_for()


def until_trips_are(page: Page, bicycles: Bicycles, outcome: str) -> str:
    """End trips until one of them comes to this: code that was changed is loaded anew a moment later."""
    settled = re.compile("^(done|reject|retry)$")
    for number in itertools.count():
        trip = f"t-{outcome}-{number}"
        bicycles.close_lock(trip, station=trip)
        to_story(page, bicycles, trip)
        how = page.locator("#way .outcome", has_text=settled).first
        how.wait_for()
        if how.inner_text() == outcome:
            break
    return trip


@contextmanager
def broken(bicycles: Bicycles, line: str) -> Iterator[Path]:
    """Let the consumer's handler begin with this line."""
    app = bicycles.folder / "functions" / "count_arrivals" / "app.py"
    whole = app.read_text(encoding="utf-8")
    assert FIRST_LINE in whole
    app.write_text(whole.replace(FIRST_LINE, f"    {line}\n{FIRST_LINE}"), encoding="utf-8")
    try:
        yield app
    finally:
        app.write_text(whole, encoding="utf-8")


def test_a_handler_is_broken_and_mended(console: Open, bicycles: Bicycles, barriers: Barriers) -> None:
    """What it rejected is redriven from its page, and has its effect once."""
    page = console("")
    with broken(bicycles, 'from eachonce import Reject; raise Reject("nobody taught me to count")'):
        trip = until_trips_are(page, bicycles, "reject")
        page.get_by_text("nobody taught me to count").first.wait_for()
    before = bicycles.station(name=trip)
    until_trips_are(page, bicycles, "done")

    page.goto(bicycles.at("dead-letters"))
    group = page.locator(".letters", has_text="nobody taught me to count")
    group.get_by_role("heading", name="1 of count-arrivals").wait_for()
    assert barriers(page) == []
    group.get_by_label("all shown").check()
    page.get_by_role("button", name="Redrive").click()
    page.get_by_text("redrove 1 dead letter").wait_for()
    to_story(page, bicycles, trip)
    until_it_is(page, "done")

    assert before == {}
    assert bicycles.station(name=trip)["arrivals"] == "1"


def test_a_failure_names_file_and_line(console: Open, bicycles: Bicycles, barriers: Barriers) -> None:
    """In the story of its event, with the traceback; once it is mended, the event is done by itself."""
    page = console("")
    with broken(bicycles, 'raise KeyError("station")') as app:
        until_trips_are(page, bicycles, "retry")
        line = app.read_text(encoding="utf-8").splitlines().index('    raise KeyError("station")') + 1
        page.get_by_text(f"{app}:{line}").first.wait_for()
        page.get_by_text("Traceback").first.click()
        page.get_by_text(f'File "{app}", line {line}, in count').first.wait_for()
        assert barriers(page) == []
    until_it_is(page, "done")


def test_why_a_rule_did_not_match_is_found(console: Open, bicycles: Bicycles, barriers: Barriers) -> None:
    """Field by field."""
    page = console("")
    bicycles.publish("t-other", event_type="TripBegun")

    page.goto(bicycles.at("story?id=t-other"))

    row = page.get_by_role("row", name="detail-type")
    row.wait_for()
    assert [text in row.inner_text() for text in ('"TripEnded"', '"TripBegun"', "doesn")] == [True] * 3
    assert barriers(page) == []


def test_a_row_leads_to_the_story_of_its_event(console: Open, bicycles: Bicycles, barriers: Barriers) -> None:
    """By its mark, and back from there to the table."""
    page = console("")
    bicycles.close_lock("t-row", station="Rowed")
    to_story(page, bicycles, "t-row")
    until_it_is(page, "done")
    event_id = page.locator("h1").inner_text().removeprefix("Story of ")

    page.goto(bicycles.at("tables"))
    page.get_by_text("up to date").wait_for()
    page.get_by_role("link", name=re.compile("Stations")).click()
    assert barriers(page) == []
    row = page.get_by_role("row", name="Rowed")
    row.get_by_role("link", name=event_id).click()

    page.get_by_role("heading", name="Rows that it wrote").wait_for()
    assert "Rowed" in page.get_by_role("group", name="Items with this event").inner_text()


@pytest.mark.parametrize("width", [1280, 400])
def test_a_hostile_event_is_text(console: Open, bicycles: Bicycles, barriers: Barriers, width: int) -> None:
    """In its story, its dead letters and its rows; nothing of it runs, and nothing is wider than the page."""
    markup = "</td><script>document.title = 'mine'</script>\u202e/?#&\"'"
    page = console("")
    page.set_viewport_size({"width": width, "height": 800})
    detail = {"specversion": "1.0", "id": markup, "source": markup, "type": "TripEnded", "subject": markup, "data": 5}
    (source,) = find(bicycles.account.client, None).sources
    bicycles.put(source=source, detail_type="TripEnded", detail=json.dumps(detail))

    page.goto(bicycles.at("events"))
    page.get_by_role("link", name="script").first.click()
    page.get_by_role("heading", name="Story of").wait_for()
    until_it_is(page, "reject")
    story = barriers(page)
    page.goto(bicycles.at("dead-letters"))
    page.get_by_role("link", name="script").first.wait_for()
    letters = barriers(page)

    assert story == letters == []
    assert page.title() != "mine"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
