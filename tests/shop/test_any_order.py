"""Any order and any multiset of deliveries of one set of events, in any batches, gives one final state."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from eachonce import Aws, Consumer, Event, Work
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests import faults as wire
from tests import parcels
from tests.parcels import (
    Registered,
    Seen,
    Weighed,
    register,
    registered,
    see,
    seen,
    weigh_and_announce,
    weighed,
)
from tests.records import Context, batch, on_the_bus, record, returned
from tests.shop import functions as shop
from tests.shop.functions import invoice, line, published
from tests.store import Store

CONSUMERS = ("reserve_stock", "tally_sales", "track_customer", "notify_customer")

Json = dict[str, Any]
Handler = Callable[[Any, Any], Any]

# A counterexample is a few events and readable as it is: shrinking it would take minutes of moto's time.
properties = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of deliveries have nothing new to say."""
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "CRITICAL")


def deliveries(events: Sequence[Json], chance: random.Random) -> Iterator[list[Json]]:
    """Yield batches of all events and some copies, in any order, cut anywhere."""
    copies = [*events, *chance.choices(events, k=chance.randrange(len(events) + 1))]
    chance.shuffle(copies)
    while copies:
        size = chance.randint(1, 10)
        yield copies[:size]
        copies = copies[size:]


def deliver(handler: Handler, batches: Iterable[Sequence[Json]]) -> None:
    """Deliver batches as a queue does: what is returned comes again."""
    waiting = [[record(on_the_bus(event)) for event in events] for events in batches]
    for _ in range(100):
        if not waiting:
            return
        records = waiting.pop(0)
        again = returned(handler(batch(*records), Context()))
        if again:
            waiting.append([message for message in records if message["messageId"] in again])
    raise AssertionError("some messages never left their queue")


# --- the layer's plans, with faults ---------------------------------------------------------------------------------

parcel_names = st.sampled_from("pq")
places = st.sampled_from(["York", "Bath"])


@st.composite
def parcel_events(draw: st.DrawFn) -> list[Json]:
    """Draw events of every plan; parcels are few, so that they meet."""
    makers: list[Callable[[str], Json]] = [
        lambda event_id: weighed(draw(parcel_names), event_id=event_id, grams=draw(st.integers(0, 3))),
        lambda event_id: seen(draw(parcel_names), event_id=event_id, at=draw(st.integers(1, 2)), place=draw(places)),
        lambda event_id: registered(f"p-{event_id}", event_id=event_id, sender=draw(parcel_names)),
    ]
    kinds = draw(st.lists(st.sampled_from(makers), min_size=1, max_size=8))
    return [make(f"e-{number}") for number, make in enumerate(kinds)]


def weigh_see_and_announce(event: Event[Seen], work: Work) -> None:
    """A transaction in which one write may come too late, and the others must not."""
    see(event, work)
    work.add("Weights", {"parcel": "all"}, sightings=1)
    work.publish(parcels.Arrived(parcel=event.data.parcel))


def keep_heaviest(event: Event[Weighed], work: Work) -> None:
    """Read, compare, and write in any case, so that every event leaves its row."""
    key = {"parcel": f"compare-{event.data.parcel}"}
    known = work.read("Weights", key) or {"grams": 0}
    work.put("Weights", key, grams=max(known["grams"], event.data.grams))


def workers(store: Store) -> list[Consumer]:
    """Return a consumer of each way to commit: the first writes no journal for what it creates and sees."""
    plain = Consumer("plain", aws=store.aws, settings=store.settings, unknown="ignore")
    plain.on(Registered)(register)
    plain.on(Seen)(see)
    plain.on(Weighed)(weigh_and_announce)
    mixed = Consumer("mixed", aws=store.aws, settings=store.settings, unknown="ignore")
    mixed.on(Seen)(lambda event, work: weigh_see_and_announce(_elsewhere(event), work))
    compare = Consumer("compare", aws=store.aws, settings=store.settings, unknown="ignore")
    compare.on(Weighed)(keep_heaviest)
    return [plain, mixed, compare]


def _elsewhere(event: Event[Seen]) -> Event[Seen]:
    """Each consumer has items of its own."""
    return event.with_data(Seen(parcel=f"mixed-{event.data.parcel}", at=event.data.at, place=event.data.place))


def parcels_after(aws: Aws, events: list[Json], chance: random.Random | None) -> Json:
    """Return the tables after all deliveries: each once and in order, or by chance with calls that fail."""
    with mock_aws():
        store = Store.create(aws, parcels.TABLES)
        with wire.between(aws) as faults:
            for consumer in workers(store):
                if chance is None:
                    deliver(consumer, [events])
                else:
                    disturb(faults, chance)
                    deliver(consumer, deliveries(events, chance))
        return state(store, parcels.TABLES)


def disturb(faults: wire.Faults, chance: random.Random) -> None:
    for operation in ("UpdateItem", "TransactWriteItems", "GetItem"):
        for _ in range(6):
            fault = chance.choice([wire.answer_lost, wire.never_sent, _nothing, _nothing])
            faults.next(operation, fault)


def _nothing(request: Any, send: Callable[[], Any]) -> Any:
    return send()


def state(store: Store, tables: Iterable[str]) -> Json:
    """Return all tables, without what tells when and by whom an item was last added to."""
    items = {table: store.items(table) for table in tables if table != "Journal"}
    content: Json = {table: sorted(map(_settled, found), key=repr) for table, found in items.items()}
    content["journal"] = {row["pk"]: (row["state"], row["fingerprint"]) for row in store.items("Journal")}
    content["published"] = sorted(event["id"] for pk in content["journal"] for event in published(store, pk))
    return content


def _settled(item: Json) -> list[tuple[str, Any]]:
    return sorted((name, value) for name, value in item.items() if name != "written_by")


@properties
@given(events=parcel_events(), chance=st.randoms(use_true_random=False))
def test_every_plan_ends_alike(aws_clients: Aws, events: list[Json], chance: random.Random) -> None:
    """With and without a journal, although answers are lost: the tables, the marks and the published ids are one."""
    assert parcels_after(aws_clients, events, chance) == parcels_after(aws_clients, events, None)


# --- the shop -------------------------------------------------------------------------------------------------------

lines = st.builds(line, st.sampled_from("ab"), st.integers(1, 3), st.sampled_from(["0.10", "2.555", "0.00"]))
times = st.sampled_from(["2010-12-01T08:26:00", "2010-12-01T08:26:01", "2010-12-02T00:00:00"])


@st.composite
def invoices(draw: st.DrawFn) -> list[Json]:
    """Draw invoices: orders, returns and corrections, now and then in two parts."""
    drawn = []
    for number in range(draw(st.integers(1, 3))):
        sold = draw(st.lists(lines, min_size=1, max_size=2)) * draw(st.sampled_from([1, 41]))
        returning = draw(st.booleans())
        drawn.append(
            invoice(
                f"{'C' if returning else ''}{number}",
                *[{**line_, "quantity": -line_["quantity"]} if returning else line_ for line_ in sold],
                *([line("a", -2, "0.00")] if not returning and draw(st.booleans()) else []),
                invoiced_at=draw(times),
                country=draw(st.sampled_from(["France", "EIRE"])),
                customer=draw(st.sampled_from([None, "1", "2"])),
            )
        )
    return drawn


class Shop:
    """The shop's functions over tables of their own."""

    def __init__(self, aws: Aws, apps: dict[str, ModuleType], mail: Path) -> None:
        self.store = Store.create(aws, shop.TABLES)
        self._apps = apps
        self._mail = mail
        for path in mail.iterdir():
            path.unlink()

    def place(self, requests: Iterable[Json]) -> list[Json]:
        """Hand invoices in, and return what the shop published."""
        for request in requests:
            self._apps["place_order"].handler(request, Context())
        return [event for order in self.store.items("Orders") for event in published(self.store, _row(order))]

    def consume(self, function: str, batches: Iterable[Sequence[Json]]) -> None:
        """Deliver to one consumer what its rule lets through."""
        handler = self._apps[function].handler
        mine = {contract.event_type() for contract in handler.contracts}
        deliver(handler, [[event for event in events if event["type"] in mine] for events in batches])

    def state(self) -> Json:
        """Return all tables and all mail."""
        mail = sorted(path.read_text() for path in self._mail.iterdir())
        return {**state(self.store, shop.TABLES), "mail": mail, "dead": self.store.dead_letters()}


def _row(order: Json) -> str:
    return f"place-order##shop#{order['order_id']}"


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch, aws_clients: Aws, tmp_path: Path) -> Iterator[dict[str, ModuleType]]:
    """The shop's functions, each imported alone."""
    with mock_aws():
        environment = shop.environment(Store.create(aws_clients, shop.TABLES))
    for name, value in {**environment, "MAIL_DIRECTORY": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MAIL_SENDER", raising=False)
    with ExitStack() as stack:
        yield {name: stack.enter_context(shop.imported(name)) for name in ("place_order", *CONSUMERS)}


def expected(requests: list[Json]) -> Json:
    """Return the shop's tables from the invoices alone."""
    stock: Counter[tuple[str, str]] = Counter()
    units: Counter[tuple[str, str]] = Counter()
    revenue: dict[tuple[str, str], Decimal] = {}
    newest: dict[str, tuple[str, str, str]] = {}
    for request in requests:
        number, day = request["invoice"], request["invoiced_at"][:10]
        sold = [line_ for line_ in request["lines"] if number.startswith("C") or line_["quantity"] > 0]
        for line_ in request["lines"]:
            kind = "returned" if number.startswith("C") else "sold" if line_["quantity"] > 0 else "adjusted"
            stock[line_["sku"], kind] += abs(line_["quantity"]) if kind == "returned" else line_["quantity"]
        where = (day, request["country"])
        units[where] += sum(line_["quantity"] for line_ in sold)
        paid = sum((line_["quantity"] * Decimal(line_["unit_price"]) for line_ in sold), Decimal())
        revenue[where] = revenue.get(where, Decimal()) + paid
        if request["customer"] and not number.startswith("C"):
            order = (request["invoiced_at"], number, request["country"])
            newest[request["customer"]] = max(order, newest.get(request["customer"], order))
    return {"stock": dict(stock), "units": dict(units), "revenue": revenue, "newest": newest}


def found(store: Store) -> Json:
    """Return what the shop's tables say, as `expected` does."""
    sales = {(item["day"], item["country"]): item for item in store.items("Sales")}
    return {
        "stock": {
            (item["sku"], kind): item[kind]
            for item in store.items("Stock")
            for kind in ("sold", "returned", "adjusted")
            if kind in item
        },
        "units": {where: item["units"] for where, item in sales.items()},
        "revenue": {where: item["revenue"] for where, item in sales.items()},
        "newest": {
            item["customer"]: (item["last_order_at"], item["last_order"], item["country"])
            for item in store.items("Customers")
        },
    }


@properties
@given(requests=invoices(), chance=st.randoms(use_true_random=False))
def test_the_shop_ends_alike(
    aws_clients: Aws,
    apps: dict[str, ModuleType],
    tmp_path: Path,
    requests: list[Json],
    chance: random.Random,
) -> None:
    """Invoices in any order and repeated, events in any order, copied, in any batches: the same books, to the penny."""
    with mock_aws():
        calm = Shop(aws_clients, apps, tmp_path)
        events = calm.place(requests)
        for consumer in CONSUMERS:
            calm.consume(consumer, [events])
        expected_state = calm.state()
        assert found(calm.store) == expected(requests)

    with mock_aws():
        wild = Shop(aws_clients, apps, tmp_path)
        events = wild.place(request for requests_ in deliveries(requests, chance) for request in requests_)
        for consumer in chance.sample(CONSUMERS, k=len(CONSUMERS)):
            wild.consume(consumer, deliveries(events, chance))
        assert wild.state() == expected_state

    placed = [request for request in requests if not request["invoice"].startswith("C")]
    assert sorted(json.loads(mail)["order_id"] for mail in expected_state["mail"]) == sorted(
        request["invoice"] for request in placed
    )
