"""The proofs, in a browser: a witness is played, forth and back, by whoever has a mouse, a keyboard or a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eachonce_workbench.cli.command import keep_last
from tests.console.served import Served, served
from tests.console.witnesses import certificate, simulation_of, write_doubling

if TYPE_CHECKING:
    from playwright.sync_api import Page

Barriers = Callable[["Page"], list[str]]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Served]:
    """The console of a bundle that counts once more what comes again, and of what was kept of its proofs."""
    replay = write_doubling(tmp_path)
    keep_last(tmp_path / ".run" / "simulation.json", simulation_of(replay))
    keep_last(tmp_path / ".run" / "certificate.json", certificate())
    with served(folder=tmp_path) as console:
        yield console


def opened(page: Page, here: Served, screen: str) -> Page:
    page.goto(here.address)
    page.goto(here.at(screen))
    return page


def played(page: Page) -> None:
    """Wait until the page's script stands at a step."""
    page.locator("[aria-current=step]").first.wait_for()


def spoken(page: Page) -> str:
    """What a screen reader says of the slider."""
    played(page)
    return page.get_by_label("Step", exact=True).get_attribute("aria-valuetext") or ""


def test_a_witness_is_played_to_the_broken_promise_and_back(page: Page, here: Served, barriers: Barriers) -> None:
    """By a click, keys and the slider; what is there then stands beside the step."""
    opened(page, here, "proof")
    page.get_by_role("link", name="Play it step by step").click()
    page.get_by_role("button", name="Play it step by step").click()
    page.get_by_role("button", name="Play it anew").wait_for()

    began = spoken(page)
    page.get_by_role("link", name="Step ").last.click()
    at_the_end, current = spoken(page), page.locator("[aria-current=step]").inner_text()
    known = page.locator("#known").inner_text()
    page.keyboard.press("k")
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="One step back").click()
    back = spoken(page)
    page.get_by_label("Step", exact=True).press("Home")

    last = int(at_the_end.partition(" of ")[2].partition(":")[0])
    assert began.startswith(f"step 1 of {last}: ")
    assert at_the_end.startswith(f"step {last} of {last}: ")
    assert "nothing is doubled" in current
    assert "Totals id=a\nid: a\nn: 2" in known
    assert back.startswith(f"step {last - 3} of ")
    assert spoken(page) == began
    assert page.locator("#known").inner_text().startswith("So far")
    assert barriers(page) == []


@pytest.mark.parametrize("screen", ["proof", "proof/witness", "proof/certificate?consumer=0&witness=0"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_of_a_proof(page: Page, here: Served, barriers: Barriers, screen: str, scheme: str) -> None:
    """By WCAG 2.2 AA, as far as a program can tell, in either colours and on a narrow page, too."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened(page, here, screen)

    wide = barriers(page)
    page.set_viewport_size({"width": 400, "height": 800})
    narrow = barriers(page)

    assert wide == narrow == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_two_ways_go_on_together(page: Page, here: Served) -> None:
    """Step by step, beside each other; the one that is over stays at its end."""
    opened(page, here, "proof")
    page.get_by_role("link", name="Play the witness of A and A").click()
    played(page)

    first = page.locator("[aria-current=step] .told").all_inner_texts()
    page.keyboard.press("j")
    second = page.locator("[aria-current=step] .told").all_inner_texts()
    page.keyboard.press("j")

    assert (first, second) == (["e1", "e2"], ["e2", "e1"])
    assert page.locator("[aria-current=step] .told").all_inner_texts() == ["e2", "a copy of e1"]


def test_without_scripts_a_witness_is_read(context: object, browser: object, here: Served) -> None:
    """Its steps are a list."""
    without = browser.new_context(java_script_enabled=False)  # type: ignore[attr-defined]
    try:
        page = opened(without.new_page(), here, "proof/certificate?consumer=0&witness=0")

        assert page.locator("[data-step]").count() == 5
        assert not page.get_by_label("Step", exact=True).is_visible()
    finally:
        without.close()
