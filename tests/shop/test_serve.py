"""`eachonce serve`, as a person and their programs see it."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

import boto3
import pytest

from eachonce_workbench.cloud.loopback import CONTAINER_HOST
from tests.interruptible import started
from tests.shop.place import ROOT

INVOICE = (ROOT / "events" / "place_order" / "direct.json").read_bytes()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, Iterator[str]]]:
    """Its endpoint, and the lines that follow."""
    with started("serve", "--port", "0") as program:
        assert program.stdout is not None
        lines = iter(program.stdout.readline, "")
        said = next(line for line in lines if line.startswith("listening on"))
        yield said.split()[2].rstrip(","), lines
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=60)


def test_what_becomes_of_an_event_is_shown(served: tuple[str, Iterator[str]]) -> None:
    """From the order that is placed to each of its consumers."""
    endpoint, lines = served
    functions = boto3.client("lambda", endpoint_url=endpoint)

    answer = json.load(functions.invoke(FunctionName="eachonce-dev-place-order", Payload=INVOICE)["Payload"])

    assert answer["outcome"] == "done"
    waited_for = {"PlaceOrder", "ReserveStock", "TallySales", "TrackCustomer", "NotifyCustomer"}
    for line in lines:
        _, function, verdict, *_ = [*line.split(), "", ""]
        if verdict == "done":
            waited_for.discard(function)
        if not waited_for:
            break
    assert not waited_for


def test_tables_are_listed_in_pages(served: tuple[str, Iterator[str]]) -> None:
    """As a client asks that wants to know whether anybody answers."""
    client = boto3.client("dynamodb", endpoint_url=served[0])

    every = client.list_tables()["TableNames"]
    first = client.list_tables(Limit=2)
    rest = client.list_tables(Limit=100, ExclusiveStartTableName=first["LastEvaluatedTableName"])

    assert {f"eachonce-{name}" for name in ("Customers", "Journal", "Orders", "Sales", "Stock")} <= set(every)
    assert first["TableNames"] + rest["TableNames"] == every
    assert "LastEvaluatedTableName" not in rest


@pytest.mark.parametrize(
    ("host", "refusal"), [(CONTAINER_HOST, "MissingAuthenticationToken"), ("shop.test", "AccessDenied")]
)
def test_a_container_may_call_by_its_own_name_for_this_machine(
    host: str, refusal: str, served: tuple[str, Iterator[str]]
) -> None:
    """As `sam local invoke` does, and then only needs a signature; no other name is let in."""
    connection = http.client.HTTPConnection(urlsplit(served[0]).netloc)

    connection.request("GET", "/", headers={"Host": f"{host}:45660"})
    answer = connection.getresponse().read().decode()
    connection.close()

    assert refusal in answer
