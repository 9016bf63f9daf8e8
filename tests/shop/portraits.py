"""Screenshots of the console, light and dark, while the shop is at work: `make portraits`.

The till places a hundred orders of the real month, some twice; two events break their contract, so that there are dead
letters to see.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from eachonce_workbench.operations.account import Account
from eachonce_workbench.operations.stack import find
from shop.books import Shop
from tests.browser.conftest import ARGUMENTS
from tests.interruptible import ROOT, started

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = ROOT / "docs" / "console"
WIDTH, HEIGHT = 1280, 860
ORDERS = 100

SCREENS = {
    "overview": "",
    "events": "events",
    "story": "events?type=OrderPlaced&outcome=done",
    "dead-letters": "dead-letters",
    "send": "send",
    "tables": "tables",
    "proof": "proof",
    "chaos": "chaos",
}


def main() -> None:
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    for proof in (["simulate", "--limit", "90"], ["certify", "--events", "2", "--faults", "1"]):
        subprocess.run([Path(sys.executable).with_name("eachonce"), *proof], cwd=ROOT, check=True)
    with started("serve", "--port", "0", "--console-port", "0") as program, sync_playwright() as playwright:
        assert program.stdout is not None
        endpoint, console = _addresses(iter(program.stdout.readline, ""))
        _work(Account(endpoint_url=endpoint))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        whole = urlsplit(console)
        for scheme in ("light", "dark"):
            page = browser.new_context(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
            ).new_page()
            page.goto(console)
            _quiet(page)
            for name, path in SCREENS.items():
                page.goto(f"{whole.scheme}://{whole.netloc}{whole.path}{path}")
                if name == "story":
                    page.locator(".rows a[data-open]").first.click()
                page.wait_for_timeout(1_500)
                page.locator("[data-reading]").wait_for(state="detached")
                page.screenshot(path=FOLDER / f"{name}-{scheme}.png")
                sys.stderr.write(f"wrote docs/console/{name}-{scheme}.png\n")
        browser.close()


def _addresses(lines: Any) -> tuple[str, str]:
    endpoint = ""
    for line in lines:
        if found := re.match(r"listening on (\S+),", line):
            endpoint = found[1]
        if found := re.match(r"console: (\S+)", line):
            return endpoint, found[1]
    raise RuntimeError("eachonce serve has ended")


def _work(account: Account) -> None:
    """Let the shop work."""
    functions = account.client("lambda")
    for number, given in enumerate(Shop().inputs(None, ORDERS)):
        for _ in range(2 if number % 5 == 0 else 1):
            functions.invoke(FunctionName=given.target, Payload=given.payload)
    stack = find(account.client, None)
    source, bus = stack.sources[0], stack.buses[0]
    for event_id, data in (("broken-1", {"order_id": 5}), ("broken-2", {"order_id": None, "lines": "none"})):
        detail = {"specversion": "1.0", "id": event_id, "source": source, "type": "OrderPlaced", "data": data}
        entry = {"Source": source, "DetailType": "OrderPlaced", "Detail": json.dumps(detail), "EventBusName": bus}
        account.client("events").put_events(Entries=[entry])


def _quiet(page: Page) -> None:
    """Wait until nothing is under way."""
    page.locator(".sentence").filter(has_not_text="under way").wait_for(timeout=120_000)


if __name__ == "__main__":
    main()
