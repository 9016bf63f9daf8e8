"""Fixtures: a bundle of one's own in a local cloud, its console, and a person in front of a browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from eachonce_workbench.scaffold.bundle import new_bundle
from tests.browser.bicycles import Bicycles
from tests.interruptible import started

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"

# Debian's browser asks its makers for much at each start, which a machine without a network only waits for.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert executable is not None, "there is no Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page whose script must not fail, whatever it shows."""
    page = context.new_page()

    def fail(error: Any) -> None:
        pytest.fail(f"the page's script: {error}")

    page.on("pageerror", fail)
    return page


@pytest.fixture(scope="module")
def bicycles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bicycles]:
    """A new bundle that a local cloud serves, and its console."""
    folder = tmp_path_factory.mktemp("bundle") / "bicycles"
    new_bundle(folder)
    arguments = ("serve", "--template", str(folder / "template.yaml"), "--port", "0", "--console-port", "0")
    with started(*arguments) as program:
        assert program.stdout is not None
        endpoint = console = ""
        for line in program.stdout:
            if found := re.match(r"listening on (\S+),", line):
                endpoint = found[1]
            if found := re.match(r"console: (\S+)", line):
                console = found[1]
                break
        bicycles = Bicycles(folder=folder, endpoint=endpoint, address=console)
        yield bicycles
        bicycles.account.close()


@pytest.fixture
def console(page: Page, bicycles: Bicycles) -> Callable[[str], Page]:
    """Open a screen of the console, such as "events"."""

    def opened(screen: str = "") -> Page:
        page.goto(bicycles.address)
        if screen:
            page.goto(bicycles.at(screen))
        return page

    return opened


@pytest.fixture
def barriers() -> Callable[[Page], list[str]]:
    """Say what axe finds that keeps somebody out of a page: https://github.com/dequelabs/axe-core."""

    def found(page: Page) -> list[str]:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        result = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
        return [
            f"{broken['id']}: {broken['help']}: {', '.join(node['html'][:120] for node in broken['nodes'][:3])}"
            for broken in result["violations"]
        ]

    return found
