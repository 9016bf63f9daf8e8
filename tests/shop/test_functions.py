"""The shop's rules, function by function, each imported alone from its folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from eachonce import Aws
from moto import mock_aws

from tests.records import Context, batch, cloud_event, http_request, on_the_bus, record, returned, stream_record
from tests.shop import functions as shop
from tests.shop.functions import FUNCTIONS, invoice, line, published
from tests.store import Store

LAYERS = [FUNCTIONS.parent / "layers" / name for name in ("eachonce", "contracts")]
NAMES = sorted(path.name for path in FUNCTIONS.iterdir() if (path / "app.py").exists())

Load = Callable[[str], ModuleType]


@pytest.fixture
def store(aws_clients: Aws) -> Iterator[Store]:
    """The shop's tables, instead of the post office's."""
    with mock_aws():
        yield Store.create(aws_clients, shop.TABLES)


@pytest.fixture
def load(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Load]:
    """Import functions with the environment that the template gives them."""
    for name, value in shop.environment(store).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MAIL_DIRECTORY", str(tmp_path))
    monkeypatch.delenv("MAIL_SENDER", raising=False)
    with ExitStack() as stack:
        yield lambda function: stack.enter_context(shop.imported(function))


@pytest.fixture
def place(load: Load, context: Context) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Hand an invoice in."""
    handler = load("place_order").handler
    return lambda request: handler(request, context)


def order(
    event_type: str = "OrderPlaced", *lines: dict[str, Any], event_id: str = "e-1", **changes: Any
) -> dict[str, Any]:
    data = {
        "order_id": "536365",
        "placed_at": "2010-12-01T08:26:00",
        "country": "United Kingdom",
        "customer": "17850",
        "lines": list(lines) or [line()],
        **changes,
    }
    return on_the_bus(cloud_event(event_type, data, event_id=event_id))


def deliver(handler: Any, *events: dict[str, Any]) -> list[str]:
    return returned(handler(batch(*[record(event) for event in events]), Context()))


ALONE = """
import sys
sys.path[:0] = sys.argv[1:]
import app
assert callable(app.handler)
strangers = [name for name in sys.modules if name.split(".")[0] in {"eachonce_workbench", "tests", "moto", "boto3"}]
assert not strangers, strangers
"""


@pytest.mark.parametrize("function", NAMES)
def test_a_function_needs_its_folder_and_the_layers_only(function: str) -> None:
    """In a fresh interpreter, with an empty environment, before any event."""
    paths = [str(FUNCTIONS / function), *map(str, LAYERS)]

    alone = subprocess.run([sys.executable, "-I", "-c", ALONE, *paths], env={}, capture_output=True, text=True)

    assert alone.returncode == 0, alone.stderr


def test_an_invoice_of_digits_is_an_order(place: Any, store: Store) -> None:
    """It is recorded once, and the shop hears what was sold, to whom, where and when."""
    response = place(invoice("536365", line("85123A", 6, "2.55"), line("71053", 2, "3.39")))

    assert response == {"outcome": "done", "order_id": "536365", "parts": 1}
    assert store.item("Orders", order_id="536365")["placed_at"] == "2010-12-01T08:26:00"
    (event,) = published(store, "place-order##shop#536365")
    assert (event["source"], event["type"], event["subject"]) == ("shop", "OrderPlaced", "536365")
    assert event["data"] == {
        "order_id": "536365",
        "part": 1,
        "parts": 1,
        "placed_at": "2010-12-01T08:26:00",
        "country": "United Kingdom",
        "customer": "17850",
        "lines": [line("85123A", 6, "2.55"), line("71053", 2, "3.39")],
    }


def test_an_invoice_that_begins_with_c_is_a_return(place: Any, store: Store) -> None:
    """The till writes what came back as negative; the event says how many units came back."""
    response = place(invoice("C536379", line("D", -1, "27.50"), line("22632", -3, "1.85")))

    assert response["outcome"] == "done"
    (event,) = published(store, "place-order##shop#C536379")
    assert (event["type"], event["data"]["order_id"]) == ("OrderCancelled", "C536379")
    assert event["data"]["lines"] == [line("D", 1, "27.50"), line("22632", 3, "1.85")]


def test_lines_of_no_or_fewer_units_correct_the_stock(place: Any, store: Store) -> None:
    """They are no sale: they keep their sign, and have no price."""
    place(invoice("536589", line("21777", -10, "0.00"), line("85123A", 6, "2.55"), line("22000", 0, "0.00")))

    sold, corrected = published(store, "place-order##shop#536589")
    assert (sold["type"], sold["data"]["lines"]) == ("OrderPlaced", [line("85123A", 6, "2.55")])
    assert corrected["type"] == "StockAdjusted"
    assert corrected["data"]["lines"] == [{"sku": "21777", "quantity": -10}, {"sku": "22000", "quantity": 0}]


def test_an_invoice_may_have_corrections_only(place: Any, store: Store) -> None:
    """Then nothing was sold."""
    place(invoice("536589", line("21777", -10, "0.00"), customer=None))

    assert [event["type"] for event in published(store, "place-order##shop#536589")] == ["StockAdjusted"]


@pytest.mark.parametrize(
    ("number", "lines", "says"),
    [
        ("A563185", [line()], "digits for an order, or C and digits"),
        ("", [line()], "invoice"),
        ("C", [line(quantity=-1)], "digits"),
        ("CC1", [line(quantity=-1)], "digits"),
        ("c536379", [line(quantity=-1)], "digits"),
        ("536 365", [line()], "digits"),
        ("٥٣٦", [line()], "digits"),
        ("²", [line()], "digits"),
        ("C536379", [line(quantity=1)], "negative quantities only"),
        ("C536379", [line(quantity=-1), line(quantity=0)], "negative quantities only"),
        ("536365", [line(unit_price="-11062.06")], "not negative"),
        ("536365", [line(unit_price="NaN")], "a price is a number"),
        ("536365", [line(unit_price="Infinity")], "a price is a number"),
        ("536365", [line(unit_price="0.0000001")], "at most 6 decimals"),
        ("536365", [line(unit_price="1000000000.01")], "below"),
        ("536365", [line(unit_price="cheap")], "unit_price"),
        ("536365", [line(quantity=10**10)], "quantity"),
        ("536365", [line() | {"quantity": 1.5}], "quantity"),
        ("536365", [line(sku="")], "sku"),
        ("536365", [], "lines"),
    ],
)
def test_what_breaks_the_contract_is_refused_with_its_reason(
    place: Any, store: Store, number: str, lines: list[Any], says: str
) -> None:
    """And leaves nothing behind."""
    response = place({**invoice(number), "lines": lines})

    assert response["outcome"] == "reject"
    assert says in response["reason"]
    assert store.items("Orders") == store.items("Journal") == []


@pytest.mark.parametrize(
    "changes", [{"invoiced_at": "yesterday"}, {"invoiced_at": "2010-12-01T08:26:00Z"}, {"country": ""}]
)
def test_an_invoice_says_when_and_where(place: Any, changes: dict[str, Any]) -> None:
    """Times are the shop's own, without a zone."""
    assert place(invoice(**changes))["outcome"] == "reject"


@pytest.mark.parametrize(("count", "parts"), [(1, 1), (40, 1), (41, 2), (80, 2), (81, 3), (675, 17), (1114, 28)])
def test_a_large_order_is_published_in_parts_of_40_lines(place: Any, store: Store, count: int, parts: int) -> None:
    """Every line is in exactly one part, and each part stands alone."""
    lines = [line(f"sku-{number}", number + 1) for number in range(count)]

    response = place(invoice("536365", *lines))

    events = published(store, "place-order##shop#536365")
    assert response["parts"] == len(events) == parts
    assert [sold for event in events for sold in event["data"]["lines"]] == lines
    assert [(event["data"]["part"], event["data"]["parts"]) for event in events] == [
        (part, parts) for part in range(1, parts + 1)
    ]
    assert len({event["id"] for event in events}) == parts


def test_sold_and_corrected_lines_are_numbered_apart(place: Any, store: Store) -> None:
    """Parts are of one kind of event."""
    place(invoice("536365", *[line()] * 41, *[line(quantity=-1)] * 41))

    numbered = [
        (e["type"], e["data"]["part"], e["data"]["parts"]) for e in published(store, "place-order##shop#536365")
    ]
    assert numbered == [
        ("OrderPlaced", 1, 2),
        ("OrderPlaced", 2, 2),
        ("StockAdjusted", 1, 2),
        ("StockAdjusted", 2, 2),
    ]


def test_a_large_return_is_published_in_parts_too(place: Any, store: Store) -> None:
    """As orders are."""
    place(invoice("C536365", *[line(quantity=-1)] * 41))

    assert [event["data"]["parts"] for event in published(store, "place-order##shop#C536365")] == [2, 2]


def test_the_same_invoice_again_is_answered_and_not_placed(place: Any, store: Store) -> None:
    """The till may ask twice."""
    first, again = place(invoice()), place(invoice())

    assert (first["outcome"], again["outcome"]) == ("done", "duplicate")
    assert first["parts"] == again["parts"]
    assert len(store.items("Orders")) == 1


def test_an_invoice_number_is_used_once(place: Any, load: Load, context: Context) -> None:
    """Another invoice of that number is refused, whatever key it comes under."""
    place(invoice())
    other = invoice("536365", line(quantity=7))

    assert place(other)["reason"] == "the event id was used before with different content"
    over_http = load("place_order").handler(http_request(json.dumps(other), key="another"), context)
    assert (over_http["statusCode"], json.loads(over_http["body"])["reason"]) == (
        422,
        "Orders: the item exists already",
    )


def test_duplicate_lines_both_count(load: Load, place: Any, store: Store) -> None:
    """They are real: the same thing twice on one invoice is twice the thing, in every table."""
    place(invoice("536365", line("85123A", 6, "2.55"), line("85123A", 6, "2.55")))
    events = [on_the_bus(event) for event in published(store, "place-order##shop#536365")]

    deliver(load("reserve_stock").handler, *events)
    deliver(load("tally_sales").handler, *events)

    assert store.item("Stock", sku="85123A")["sold"] == 12
    assert store.item("Sales", day="2010-12-01", country="United Kingdom")["revenue"] == Decimal("30.60")


def test_stock_is_counted_by_what_happened_to_it(load: Load, store: Store) -> None:
    """Sold, returned and adjusted are told apart."""
    handler = load("reserve_stock").handler

    assert (
        deliver(
            handler,
            order("OrderPlaced", line("a", 6), line("b", 2), event_id="e-1"),
            order("OrderCancelled", line("a", 1), event_id="e-2"),
            order("StockAdjusted", {"sku": "a", "quantity": -3}, {"sku": "c", "quantity": 0}, event_id="e-3"),
            order("OrderPlaced", line("a", 4), event_id="e-4"),
        )
        == []
    )

    stock = {item["sku"]: item for item in store.items("Stock")}
    assert (stock["a"]["sold"], stock["a"]["returned"], stock["a"]["adjusted"]) == (10, 1, -3)
    assert stock["b"]["sold"] == 2
    assert stock["c"]["adjusted"] == 0


def test_stock_that_is_reserved_is_told(load: Load, store: Store) -> None:
    """A part at a time; what comes back or is corrected reserves nothing."""
    deliver(load("reserve_stock").handler, order(part=2, parts=3), order("OrderCancelled", event_id="e-2"))

    (event,) = published(store, "reserve-stock##post#e-1")
    assert (event["type"], event["data"]) == ("StockReserved", {"order_id": "536365", "part": 2, "parts": 3})
    assert published(store, "reserve-stock##post#e-2") == []


def test_an_order_of_40_different_things_is_one_transaction(load: Load, store: Store) -> None:
    """The largest part of an order fits, with its row."""
    lines = [line(f"sku-{number}") for number in range(40)]

    assert deliver(load("reserve_stock").handler, order("OrderPlaced", *lines)) == []
    assert len(store.items("Stock")) == 40


def test_sales_are_net_by_day_and_country(load: Load, store: Store) -> None:
    """Returns count on their own day; money is exact."""
    handler = load("tally_sales").handler

    deliver(
        handler,
        order("OrderPlaced", line("a", 3, "0.10"), line("b", 1, "2.555"), event_id="e-1"),
        order("OrderPlaced", line("a", 1, "0.10"), event_id="e-2", country="France"),
        order("OrderCancelled", line("a", 1, "0.10"), event_id="e-3"),
        order("OrderCancelled", line("a", 2, "0.10"), event_id="e-4", placed_at="2010-12-02T00:00:00"),
    )

    sales = {(item["day"], item["country"]): (item["units"], item["revenue"]) for item in store.items("Sales")}
    assert sales == {
        ("2010-12-01", "United Kingdom"): (3, Decimal("2.755")),
        ("2010-12-01", "France"): (1, Decimal("0.10")),
        ("2010-12-02", "United Kingdom"): (-2, Decimal("-0.20")),
    }


def test_the_largest_amounts_stay_exact(load: Load, store: Store) -> None:
    """40 lines of the highest price and the most units still fit DynamoDB's 38 digits."""
    lines = [line(quantity=1_000_000_000, unit_price="999999999.999999")] * 40

    assert deliver(load("tally_sales").handler, order("OrderPlaced", *lines)) == []
    (item,) = store.items("Sales")
    assert item["revenue"] == Decimal("999999999.999999") * 40_000_000_000


@pytest.mark.parametrize("consumer", ["tally_sales", "track_customer", "notify_customer"])
def test_what_a_consumer_does_not_subscribe_to_is_rejected(load: Load, store: Store, consumer: str) -> None:
    """Its rule should not have let it through."""
    deliver(load(consumer).handler, order("StockAdjusted", {"sku": "a", "quantity": -3}))

    (dead,) = store.dead_letters()
    assert dead["notes"]["reason"] == f"{consumer.replace('_', '-')} has no handler for events of this type"


@pytest.mark.parametrize(
    ("orders", "newest"),
    [
        ([("1", "2010-12-01T08:00:00"), ("2", "2010-12-02T08:00:00")], "2"),
        ([("2", "2010-12-01T08:00:00"), ("1", "2010-12-02T08:00:00")], "1"),
        ([("1", "2010-12-01T08:00:00"), ("2", "2010-12-01T08:00:00")], "2"),
        ([("9", "2010-12-01T08:00:00"), ("10", "2010-12-01T08:00:00")], "10"),
        ([("2", "2010-12-01T08:00:00"), ("1", "2010-12-01T08:00:00.500000")], "1"),
    ],
    ids=["later", "later with a lower number", "a higher number", "a longer number", "half a second"],
)
@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "out of order"])
def test_a_customers_last_order_is_the_newest_by_time_then_number(
    load: Load, store: Store, orders: list[tuple[str, str]], newest: str, reverse: bool
) -> None:
    """In whatever order the events come."""
    events = [
        order(order_id=number, placed_at=at, country=f"country of {number}", event_id=f"e-{number}")
        for number, at in orders
    ]

    deliver(load("track_customer").handler, *(reversed(events) if reverse else events))

    customer = store.item("Customers", customer="17850")
    assert (customer["last_order"], customer["country"]) == (newest, f"country of {newest}")
    assert customer["last_order_at"] == dict(orders)[newest]


def test_a_sale_without_a_customer_is_nobodys(load: Load, store: Store) -> None:
    """It is done all the same."""
    assert deliver(load("track_customer").handler, order(customer=None)) == []
    assert store.items("Customers") == []


def mails(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in directory.iterdir()]


def test_an_order_is_confirmed_once(load: Load, tmp_path: Path) -> None:
    """Copies of its event send nothing more."""
    handler = load("notify_customer").handler

    deliver(handler, order(), order())
    deliver(handler, order())

    assert mails(tmp_path) == [{"key": "notify-customer##post#e-1", "order_id": "536365", "customer": "17850"}]


def test_an_order_in_parts_is_confirmed_once(load: Load, tmp_path: Path) -> None:
    """By its first part, whichever comes first."""
    handler = load("notify_customer").handler

    deliver(handler, *[order(part=part, parts=3, event_id=f"e-{part}") for part in (3, 1, 2)])

    assert [mail["order_id"] for mail in mails(tmp_path)] == ["536365"]


def test_a_second_try_to_confirm_finds_the_first_ones_file(load: Load, tmp_path: Path) -> None:
    """The folder knows the key, whatever the order's number looks like."""
    app = load("notify_customer")
    confirmation = app.Confirmation(key="notify-customer##post#../../e-1", order_id="536365", customer=None)

    app.send(confirmation)
    app.send(confirmation)

    assert mails(tmp_path) == [{"key": "notify-customer##post#../../e-1", "order_id": "536365", "customer": None}]


def test_with_a_sender_confirmations_go_by_ses(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To SES's own simulator, since the data has no addresses."""
    sesv2 = boto3.client("sesv2")
    sesv2.create_email_identity(EmailIdentity="shop@example.com")
    monkeypatch.setenv("MAIL_SENDER", "shop@example.com")

    assert deliver(load("notify_customer").handler, order(), order(customer=None, event_id="e-2")) == []

    assert boto3.client("ses").get_send_quota()["SentLast24Hours"] == 2
    assert mails(tmp_path) == []


def test_the_relay_brings_an_order_to_the_bus(load: Load, place: Any, store: Store, bus: str, context: Context) -> None:
    """From the till to the bus, through the journal's stream."""
    place(invoice())
    row = stream_record(store.stored("Journal", pk="place-order##shop#536365"), number="1")

    response = load("relay_outbox").handler(batch(row), context)

    assert response == {"batchItemFailures": []}
    assert [event["type"] for event in store.on_the_bus(bus)] == ["OrderPlaced"]
