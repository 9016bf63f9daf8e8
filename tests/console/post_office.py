"""A post office with a console: what its consumers gave up on, wrote and published, and who looks at it."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from eachonce.aws import Codec

from eachonce_workbench.console.door import ROOT
from eachonce_workbench.operations.account import Account
from eachonce_workbench.template.topology import Topology
from tests.console.served import Served, served
from tests.deployed import Deployed, post_office
from tests.topologies import bus, queue, rule, table, target

# Markup, what can't be seen, what means something in an address, and half of a character.
HOSTILE = "<script>alert(1)</script>\x00\u202e/?#&\"'\ud800"


class StandInAccount(Account):
    """An account whose calls are answered by the office's own store."""

    def __init__(self, deployed: Deployed) -> None:
        super().__init__(endpoint_url="http://127.0.0.1:4566")
        self._deployed = deployed
        self._known: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._known:
            self._known[service] = self._deployed.client(service)
        return self._known[service]


@dataclass
class Answer:
    """What a visitor was answered: its markup, and the text that they read."""

    status: int
    page: str
    location: str = ""

    @property
    def text(self) -> str:
        return unescape(self.page)

    @property
    def seen(self) -> str:
        """What stands between the tags."""
        return unescape(re.sub("<[^>]*>", "", self.page))

    def says(self, *words: str) -> bool:
        return all(word in self.text for word in words)


@dataclass
class Office:
    """The stack, its console, and a visitor of it."""

    deployed: Deployed
    here: Served

    def get(self, screen: str, headers: dict[str, str] | None = None, **query: str) -> Answer:
        asked = f"?{urlencode(query, errors='replace')}" if query else ""
        return self._asked("GET", f"{ROOT}{screen}{asked}", None, headers or {})

    def post(self, screen: str, **form: Any) -> Answer:
        headers = {"origin": self.here.endpoint, "content-type": "application/x-www-form-urlencoded"}
        return self._asked("POST", f"{ROOT}{screen}", urlencode(form, doseq=True), headers)

    def _asked(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        where = urlsplit(self.here.endpoint)
        connection = http.client.HTTPConnection(where.netloc, timeout=60)
        try:
            connection.request(method, path, body, headers | {"cookie": f"eachonce-{where.port}=sesame"})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode(), answer.headers.get("location", ""))
        finally:
            connection.close()

    def put(self, table_name: str, **item: Any) -> None:
        """Write an item."""
        codec = Codec()
        encoded = {name: codec.encode(value) for name, value in item.items()}
        self.deployed.dynamodb.put_item(TableName=table_name, Item=encoded)


def town(**changes: Any) -> Topology:
    """The post office's system, a bus of the town, and a table that the letters are counted in."""
    return post_office(
        tables=(table("journal"), table("counts", hash_key="to")),
        buses=(bus("town"),),
        rules=(
            rule("to-letters", {"detail-type": ["LetterPosted"]}, target(queue("letters")), bus_name="town"),
            rule("to-parcels", {"detail-type": ["ParcelPosted"]}, target(queue("parcels")), bus_name="town"),
            rule("to-nobody", {"source": ["till"]}, target(queue("parcels")), bus_name="town", enabled=False),
        ),
        **changes,
    )


@cache
def _stack() -> tuple[Deployed, StandInAccount]:
    """The stack and its account: one of each, since clients take long to make."""
    deployed = Deployed(town())
    return deployed, StandInAccount(deployed)


@contextmanager
def opened(folder: Path | None = None, **named: Any) -> Iterator[Office]:
    """Open the office, which is empty, and its console; one at a time."""
    deployed, account = _stack()
    deployed.empty()
    with served(town(), account=account, folder=folder, **named) as here:
        yield Office(deployed, here)


def hostile_body(event_id: str = HOSTILE, **attributes: Any) -> str:
    """A message that holds as much malice as an event may have."""
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "post",
        "type": f"Letter{HOSTILE}",
        "data": {"to": HOSTILE, "much": "x" * 1_000_000},
    }
    return json.dumps({"detail-type": HOSTILE, "source": HOSTILE, "detail": event | attributes})
