"""The peers in bench/peers keep the shop's rules while nothing fails, so that a comparison shows what failures do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from operator import itemgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from botocore.stub import ANY, Stubber
from eachonce import Aws
from moto import mock_aws

from tests.records import Context, batch, cloud_event, on_the_bus, record, returned
from tests.shop import functions as shop
from tests.shop.functions import line
from tests.store import Store

PEERS = Path(__file__).parents[2] / "bench" / "peers" / "powertools"
CONSUMERS = sorted(path.parent.name for path in PEERS.glob("*/app.py"))

TABLES = {**shop.TABLES, "Idempotency": ("id",)}
EFFECTS = ("Stock", "Sales", "Customers")

# What the layer notes on items, and the key under which a mail is sent.
OWN = {"written_by", "created_by", "newest_by", "key"}

Event = dict[str, Any]
State = dict[str, list[Any]]
Load = Callable[[Path], ModuleType]


def order(event_type: str = "OrderPlaced", *lines: Event, event_id: str = "e-1", **changes: Any) -> Event:
    data = {
        "order_id": "536365",
        "placed_at": "2010-12-01T08:26:00",
        "country": "United Kingdom",
        "customer": "17850",
        "lines": list(lines) or [line()],
        **changes,
    }
    return on_the_bus(cloud_event(event_type, data, event_id=event_id))


ORDERS = [
    order("OrderPlaced", line("a", 6, "2.55"), line("b", 2, "0.000001"), line("a", 4, "2.10")),
    order("OrderPlaced", line("a", 1, "3.39"), event_id="e-2", order_id="536366", placed_at="2010-12-01T08:28:00"),
    order("OrderPlaced", line("c", 1, "1.00"), event_id="e-3", order_id="536364", country="France"),
    order("OrderPlaced", line("c", 2, "1.00"), event_id="e-4", order_id="536367", customer="13047"),
    order("OrderPlaced", line("c", 3, "1.00"), event_id="e-5", order_id="536368", customer=None),
    order("OrderPlaced", line("c", 5, "1.00"), event_id="e-6", order_id="536368", part=2, parts=2),
]
RETURNS = [
    order(
        "OrderCancelled",
        *[line("a", 1, "2.55"), line("a", 2, "2.55"), line("d", 1, "27.50")],
        event_id="e-9",
        order_id="C536379",
        placed_at="2010-12-02T09:41:00",
    )
]
CORRECTIONS = [
    on_the_bus(
        cloud_event(
            "StockAdjusted",
            {
                "order_id": "536589",
                "placed_at": "2010-12-01T16:50:00",
                "lines": [{"sku": "a", "quantity": -10}, {"sku": "e", "quantity": 0}],
            },
            event_id="e-10",
        )
    )
]

EVENTS = {
    "reserve_stock": [*ORDERS, *RETURNS, *CORRECTIONS],
    "tally_sales": [*ORDERS, *RETURNS],
    "track_customer": ORDERS,
    "notify_customer": ORDERS,
}

MALFORMED: dict[str, str | Event] = {
    "no JSON": "{",
    "null": "null",
    "no object": "[1]",
    "no event": {},
    "no detail": {"detail": None},
    "no type": on_the_bus({"id": "e-7"}),
    "no data": on_the_bus({"id": "e-7", "type": "OrderPlaced"}),
    "no order": on_the_bus(cloud_event("OrderPlaced", {}, event_id="e-7")),
    "an unknown type": on_the_bus(cloud_event("OrderLost", {}, event_id="e-7")),
    "no id": order(event_id=""),
    "nested too deeply": "[" * 100_000,
}


@pytest.fixture
def store(aws_clients: Aws) -> Iterator[Store]:
    """The shop's tables and the one that Powertools keeps its records in."""
    with mock_aws():
        yield Store.create(aws_clients, TABLES)


@pytest.fixture
def load(store: Store, bus: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Load]:
    """Import the function in a folder with its environment, as Lambda does."""
    environment = shop.environment(store) | {
        "IDEMPOTENCY_TABLE": store.settings.table("Idempotency"),
        "MAIL_DIRECTORY": str(tmp_path),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MAIL_SENDER", raising=False)
    with ExitStack() as stack:
        # An absolute path joined to functions/ stays what it is.
        yield lambda folder: stack.enter_context(shop.imported(str(folder)))


def deliver(app: ModuleType, *events: Event) -> list[str]:
    """Hand events to a function; return the ids of those that come again."""
    records = [record(event, message_id=event["detail"]["id"]) for event in events]
    return returned(app.handler(batch(*records), Context()))


def state(store: Store, mail: Path) -> State:
    """Return all effects, sorted by their keys; without what each kind of consumer notes for itself."""
    tables = {name: sorted(map(shown, store.items(name)), key=itemgetter(*TABLES[name])) for name in EFFECTS}
    mails = (shown(json.loads(path.read_text())) for path in mail.glob("*.json"))
    return {**tables, "mail": sorted(mails, key=itemgetter("order_id"))}


def shown(item: Event) -> Event:
    return {name: value for name, value in item.items() if name not in OWN}


def clear(store: Store, *tables: str) -> None:
    for name in tables:
        for item in store.items(name):
            key = {part: {"S": item[part]} for part in TABLES[name]}
            store.aws.dynamodb.delete_item(TableName=store.settings.table(name), Key=key)


def state_by_the_shop(load: Load, store: Store, mail: Path, consumer: str, events: list[Event]) -> State:
    """Return what the shop's own function makes of the same events, from nothing."""
    clear(store, *EFFECTS)
    for path in mail.glob("*.json"):
        path.unlink()
    assert deliver(load(shop.FUNCTIONS / consumer), *events) == []
    return state(store, mail)


@pytest.mark.parametrize("consumer", CONSUMERS)
@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "out of order"])
def test_a_peer_leaves_what_the_shops_function_leaves(
    load: Load, store: Store, tmp_path: Path, consumer: str, reverse: bool
) -> None:
    """Orders, returns and corrections, row for row and to the penny, so that one oracle judges both."""
    events = EVENTS[consumer][::-1] if reverse else EVENTS[consumer]

    assert deliver(load(PEERS / consumer), *events) == []

    left = state(store, tmp_path)
    assert any(left.values())
    assert left == state_by_the_shop(load, store, tmp_path, consumer, events)


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_copy_changes_nothing(load: Load, store: Store, bus: str, tmp_path: Path, consumer: str) -> None:
    """In the same batch, in a later one, and in another worker; the bus hears nothing more either."""
    app = load(PEERS / consumer)
    deliver(app, *EVENTS[consumer])
    once, published = state(store, tmp_path), store.on_the_bus(bus)

    assert deliver(app, *EVENTS[consumer], *EVENTS[consumer]) == []
    assert deliver(load(PEERS / consumer), *EVENTS[consumer]) == []

    assert state(store, tmp_path) == once
    assert len(published) == (len(ORDERS) if consumer == "reserve_stock" else 0)
    assert store.on_the_bus(bus) == []


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_malformed_body_fails_by_itself(load: Load, store: Store, tmp_path: Path, consumer: str) -> None:
    """Its message comes again, and its neighbours are done."""
    app = load(PEERS / consumer)
    before, after = (record(event, message_id=f"m-{number}") for number, event in enumerate(ORDERS[:2]))
    malformed = [record(body, message_id=name) for name, body in MALFORMED.items()]

    response = app.handler(batch(before, *malformed, after), Context())

    assert returned(response) == list(MALFORMED)
    assert state(store, tmp_path) == state_by_the_shop(load, store, tmp_path, consumer, ORDERS[:2])


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_batch_that_fails_altogether_is_an_error(load: Load, consumer: str) -> None:
    """As Powertools documents: the invocation fails, and Lambda returns every message."""
    app = load(PEERS / consumer)

    with pytest.raises(BatchProcessingError):
        app.handler(batch(record("{")), Context())


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_an_id_that_comes_with_other_content_is_refused(
    load: Load, store: Store, tmp_path: Path, consumer: str
) -> None:
    """By the payload validation."""
    app = load(PEERS / consumer)
    other = order("OrderPlaced", line("a", 7), customer="1", order_id="1", event_id="e-1")

    assert deliver(app, ORDERS[0], other) == ["e-1"]

    assert state(store, tmp_path) == state_by_the_shop(load, store, tmp_path, consumer, ORDERS[:1])


def test_reserved_stock_is_told_as_the_shops_function_tells_it(load: Load, store: Store, bus: str) -> None:
    """A part at a time, as an answer to its cause; what comes back or is corrected reserves nothing."""
    app = load(PEERS / "reserve_stock")

    deliver(app, order(part=2, parts=3, event_id="e-2"), *RETURNS, *CORRECTIONS)

    (event,) = store.on_the_bus(bus)
    assert (event["type"], event["source"], event["subject"]) == ("StockReserved", "shop", "536365")
    assert (event["causationid"], event["correlationid"]) == ("e-2", "e-2")
    assert event["data"] == {"order_id": "536365", "part": 2, "parts": 3}


def test_an_announcement_that_the_bus_refuses_is_made_again(load: Load, store: Store, bus: str) -> None:
    """The message comes again."""
    app = load(PEERS / "reserve_stock")
    refusal = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}]}

    with Stubber(app.events) as busy:
        busy.add_response("put_events", refusal, {"Entries": ANY})
        assert deliver(app, ORDERS[0], *RETURNS) == ["e-1"]
    assert deliver(app, ORDERS[0]) == []

    assert [event["causationid"] for event in store.on_the_bus(bus)] == ["e-1"]


def test_what_is_done_again_is_sent_under_the_same_ids(load: Load, store: Store, bus: str) -> None:
    """So that DynamoDB knows the transaction for ten minutes, and whoever listens knows the announcement for ever."""
    tokens: list[str] = []
    for _ in range(2):
        app = load(PEERS / "reserve_stock")
        app.dynamodb.meta.events.register(
            "provide-client-params.dynamodb.TransactWriteItems",
            lambda params, **_: tokens.append(params["ClientRequestToken"]),
        )
        deliver(app, ORDERS[0])
        clear(store, "Idempotency")

    first, again = store.on_the_bus(bus)

    assert first["id"] == again["id"]
    assert tokens == [tokens[0]] * 2
    assert first["id"] != tokens[0]


def test_the_records_outlive_every_copy(load: Load, store: Store) -> None:
    """For 35 days, under a key with the consumer's name, in the attributes that the table's time-to-live goes by."""
    for consumer in CONSUMERS:
        deliver(load(PEERS / consumer), ORDERS[0])

    records = store.items("Idempotency")

    assert sorted(row["id"].partition("#")[0] for row in records) == [name.replace("_", "-") for name in CONSUMERS]
    assert {row["status"] for row in records} == {"COMPLETED"}
    for row in records:
        completed_ms = row["in_progress_expiration"] - Context().remaining_ms
        assert abs(row["expiration"] - completed_ms / 1000 - 35 * 86_400) < 7_200  # a summer time may begin or end


def test_each_peer_has_a_consumer_to_stand_beside() -> None:
    """By the name of its folder."""
    functions = {path.parent.name for path in shop.FUNCTIONS.glob("*/app.py")}

    assert set(CONSUMERS) == set(EVENTS)
    assert set(CONSUMERS) <= functions
