"""What a person sends from the console, to a local cloud with real processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from eachonce_workbench.cloud.faults.faults import Faults
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.serving import Server, endpoint_of, listen
from eachonce_workbench.console.app import console
from eachonce_workbench.console.place import Place
from eachonce_workbench.console.record import Record
from eachonce_workbench.operations.account import Account
from tests.bundles import POST_OFFICE, library, post_office
from tests.console.asking import TOKEN, ask

HOSTILE = "</textarea><script>alert(1)</script>"


class Person:
    """Somebody in front of the console of a bundle's local cloud."""

    def __init__(self, cloud: LocalCloud, record: Record, faults: Faults, endpoint: str) -> None:
        self.cloud = cloud
        self.record = record
        self.faults = faults
        self._endpoint = endpoint

    async def ask(self, path: str, **form: str) -> tuple[int, str]:
        """Get a page, or send a form; return the status, and the text or where it leads."""
        return await asyncio.to_thread(lambda: ask(self._endpoint, path, **form))

    def grams(self) -> int:
        """How much the scales have weighed."""
        (weights,) = (table for table in self.cloud.topology.tables if table.logical_id == "Weights")
        asked = msgspec.json.encode({"TableName": weights.name, "Key": {"parcel": {"S": "p"}}})
        headers = {"x-amz-target": "DynamoDB_20120810.GetItem", "content-type": "application/x-amz-json-1.0"}
        _, _, answer = self.cloud.store.handle("dynamodb", headers, asked, "/")
        return int(msgspec.json.decode(answer)["Item"]["grams"]["N"])


def before(folder: Path, does: Callable[[Person], Awaitable[None]]) -> None:
    """Serve a bundle and its console, and let a person do something."""

    async def main() -> None:
        history, record, faults = History(), Record(), Faults()
        history.subscribe(record)
        async with LocalCloud(folder / "template.yaml", history=history, faults=faults) as cloud:
            record.follow(cloud.topology)
            listening = listen()
            place = Place(
                account=Account(endpoint_url=cloud.endpoint),
                record=record,
                cloud=lambda: cloud,
                faults=faults,
                topology=lambda: cloud.topology,
                folder=folder,
            )
            door = console(place, port=listening.getsockname()[1], token=TOKEN)
            server = Server(door, listening)
            await server.start()
            try:
                person = Person(cloud, record, faults, endpoint_of(listening))
                assert (await person.ask("send/ready"))[0] == 204
                await does(person)
            finally:
                door.end()
                await server.stop()

    asyncio.run(asyncio.wait_for(main(), 120))


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A post office whose messages come again two seconds after a crash."""
    folder = post_office(tmp_path / "office")
    text = POST_OFFICE.replace("VisibilityTimeout: 60", "VisibilityTimeout: 2").replace("Timeout: 10", "Timeout: 2")
    (folder / "template.yaml").write_text(text)
    return folder


def test_an_event_that_is_sent_twice_and_whose_worker_is_killed_has_one_effect(office: Path) -> None:
    """The form is its contract's, a broken one is told at its field, and the last one is kept."""

    async def does(person: Person) -> None:
        _, page = await person.ask("send")
        assert 'name="field.grams" data-kind="number"' in page
        sent = {"what": "event Weighed", "mode": "fields", "id": "e-1", "source": "post", "type": "Weighed"}
        sent |= {"field.parcel": "p", "twice": "1", "kill": "Weigh"}

        status, page = await person.ask("send", **sent, **{"field.grams": HOSTILE})
        assert (status, HOSTILE in page) == (422, False)
        assert "Expected `int`, got `str` - at `$.grams`</span>" in page
        assert person.record.events == {}

        status, where = await person.ask("send", **sent, **{"field.grams": "7"})
        assert (status, where) == (303, "/_eachonce/story?source=&id=e-1")
        await person.cloud.settle(60)
        assert (person.grams(), person.faults.on) == (7, ())
        event = person.record.called("e-1")
        assert event is not None
        assert event.outcomes == {"Weigh": "duplicate"}  # whoever had committed it was killed before it could tell
        assert sum(count for key, count in person.record.counts.items() if key[0] == "faulted") == 1
        _, page = await person.ask("send?what=event+Weighed")
        assert ("This is the last one" in page, '"grams": 7' in page.replace("&#34;", '"')) == (True, True)

    before(office, does)


def test_what_is_put_aside_is_sent_in_another_order(office: Path) -> None:
    """And a broken event all the same, which its consumer rejects."""

    async def does(person: Person) -> None:
        sent = {"what": "event Weighed", "mode": "json", "source": "post", "type": "Weighed", "aside": "1"}
        for number in (1, 2):
            data = json.dumps({"parcel": "p", "grams": number})
            assert (await person.ask("send", **sent, id=f"e-{number}", data=data))[0] == 303
        broken = json.dumps({"parcel": HOSTILE})
        assert (await person.ask("send", **sent, id="e-3", data=broken))[0] == 422
        await person.ask("send", **sent, id="e-3", data=broken, anyway="1")
        assert person.record.events == {}
        assert (await person.ask("send/aside", order="reverse")) == (303, "/_eachonce/events")
        await person.cloud.settle(60)

        outcomes = {event.event_id: event.outcomes["Weigh"] for event in person.record.events.values()}
        assert outcomes == {"e-3": "reject", "e-2": "done", "e-1": "done"}
        assert person.grams() == 3

    before(office, does)


def test_a_bundle_without_contracts_gets_plain_json(tmp_path: Path) -> None:
    """A function's answer is shown, whatever it is; what can't be sent is told."""

    async def does(person: Person) -> None:
        _, page = await person.ask("send?what=function+Lend")
        assert "an invocation of Lend" in page
        status, where = await person.ask("send", what="function Lend", data=json.dumps({"book": HOSTILE}))
        assert (status, dict(parse_qsl(urlsplit(where).query))) == (303, {"what": "function Lend"})
        _, page = await person.ask("send?what=function+Lend")
        assert ("alert(1)" in page, HOSTILE in page) == (True, False)

        status, page = await person.ask("send", what="function Lend", data="{}")
        assert (status, "KeyError" in page) == (422, True)
        status, page = await person.ask("send", what="queue Returned", data="no JSON")
        assert (status, "It is no JSON" in page) == (422, True)
        status, page = await person.ask("send", what="bus default", source="me", type="t", data="no JSON", anyway="1")
        assert (status, "MalformedDetail" in page) == (422, True)
        status, where = await person.ask("send", what="bus default", source="me", type="t", data="{}")
        assert (status, where.startswith("/_eachonce/story?source=me&id=")) == (303, True)

    before(library(tmp_path / "library"), does)
