"""`eachonce console`: the page for a deployed stack, here in a local cloud that is asked by AWS's calls alone."""

from __future__ import annotations

import http.client
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from eachonce_workbench.scaffold.bundle import new_bundle
from tests.interruptible import started


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the console of a new bundle's stack is."""
    folder: Path = tmp_path_factory.mktemp("bundle") / "bicycles"
    new_bundle(folder)
    with started("serve", "--template", str(folder / "template.yaml"), "--port", "0", "--no-console") as cloud:
        assert cloud.stdout is not None
        line = next(line for line in iter(cloud.stdout.readline, "") if line.startswith("listening on"))
        with started("console", "--endpoint-url", line.split()[2].rstrip(","), "--port", "0") as console:
            assert console.stdout is not None
            found = re.match(r"console: (\S+)", console.stdout.readline())
            assert found is not None, console.communicate()[1]
            yield found[1]
            console.send_signal(signal.SIGINT)
            said = console.communicate(timeout=60)
            assert (console.returncode, said[1].strip()) == (130, "stopped")


def page(address: str, path: str = "") -> str:
    whole = urlsplit(address)
    connection = http.client.HTTPConnection(whole.netloc, timeout=60)
    connection.request("GET", f"{whole.path}?{whole.query}")
    answer = connection.getresponse()
    answer.read()
    cookie = answer.headers["set-cookie"].partition(";")[0]
    connection.request("GET", f"{whole.path}{path}", headers={"cookie": cookie})
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_the_stacks_consumers_are_shown(address: str) -> None:
    """With what their queues hold, by SQS's word."""
    text = page(address)

    assert "count-arrivals" in text
    assert "read-only" in text


def test_events_as_they_happen_are_a_local_clouds(address: str) -> None:
    """AWS tells nobody of them."""
    assert "Only a local cloud tells" in page(address, "events")
