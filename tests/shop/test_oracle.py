"""The books computed from the CSV alone."""

from decimal import Decimal

import pytest

from eachonce_workbench.run.reconciliation import State
from shop.oracle import expect
from shop.orders import Row, read_invoices
from tests.shop.place import ORDERS


def line(sku: str = "a", quantity: str = "1", price: str = "1.00", **other: str) -> Row:
    row = {"StockCode": sku, "Quantity": quantity, "UnitPrice": price, "InvoiceDate": "2010-12-01T08:00:00"}
    return row | {"CustomerID": "17850", "Country": "France"} | other


def rows(state: State, table: str) -> list[dict[str, object]]:
    return state[table].rows


def test_december_2010_has_the_totals_that_are_known_of_it() -> None:
    """Counted once by hand from the file: 2,025 invoices, 1,629 of them with goods sold, 748,957.02 pounds net."""
    state = expect(read_invoices(ORDERS))

    assert len(rows(state, "orders")) == 2025
    assert len(rows(state, "notifications")) == 1629
    assert sum(Decimal(str(row["revenue"])) for row in rows(state, "sales")) == Decimal("748957.02")
    assert rows(state, "refused") == []


def test_duplicate_lines_of_an_invoice_both_count() -> None:
    """Nothing but the event's id makes a copy a copy."""
    state = expect({"1": [line(quantity="2"), line(quantity="2")]})

    assert rows(state, "stock") == [{"sku": "a", "sold": 4, "returned": 0, "adjusted": 0}]


def test_a_return_counts_against_its_own_day() -> None:
    """It does not name the order that it returns."""
    state = expect({"1": [line(quantity="3")], "C2": [line(quantity="-1", InvoiceDate="2010-12-02T08:00:00")]})

    assert sorted((row["day"], row["units"], row["revenue"]) for row in rows(state, "sales")) == [
        ("2010-12-01", 3, "3.00"),
        ("2010-12-02", -1, "-1.00"),
    ]
    assert rows(state, "stock") == [{"sku": "a", "sold": 3, "returned": 1, "adjusted": 0}]


def test_a_correction_changes_stock_alone() -> None:
    """No sale, no customer, no confirmation; the sign is the file's."""
    state = expect({"1": [line(quantity="-5", price="0")]})

    assert rows(state, "stock") == [{"sku": "a", "sold": 0, "returned": 0, "adjusted": -5}]
    assert not rows(state, "sales")
    assert not rows(state, "customers")
    assert not rows(state, "notifications")


def test_the_newest_order_is_by_time_then_by_number() -> None:
    """Numbers count as numbers: 10 is after 9."""
    later = {"InvoiceDate": "2010-12-03T08:00:00", "Country": "Spain"}
    state = expect({"11": [line()], "10": [line(**later)], "9": [line(**later)]})

    assert rows(state, "customers") == [
        {"customer": "17850", "last_order": "10", "last_order_at": "2010-12-03T08:00:00", "country": "Spain"}
    ]


def test_exact_prices_stay_exact() -> None:
    """Three decimals are not rounded, and tenths add up."""
    state = expect({"1": [line(price="0.145"), line(price="0.1", quantity="3")]})

    assert rows(state, "sales")[0]["revenue"] == "0.445"


@pytest.mark.parametrize(
    ("number", "broken"),
    [
        ("A563185", line()),
        ("", line()),
        ("C", line(quantity="-1")),
        ("C1", line(quantity="1")),
        ("1", line(price="-11062.06")),
        ("1", line(price="NaN")),
        ("1", line(price="cheap")),
        ("1", line(quantity="six")),
        ("1", line(quantity="10000000000")),
        ("1", line(sku="")),
        ("1", line(Country="")),
        ("1", line(InvoiceDate="yesterday")),
        ("1", line(InvoiceDate="2010-12-01T08:00:00+01:00")),
    ],
)
def test_an_invoice_that_breaks_the_contract_is_refused_whole(number: str, broken: Row) -> None:
    """One broken line is enough, and none of its lines counts."""
    state = expect({number: [broken, line(quantity="-1" if number.startswith("C") else "1")]})

    assert rows(state, "refused") == [{"invoice": number}]
    assert not rows(state, "orders")
    assert not rows(state, "stock")
