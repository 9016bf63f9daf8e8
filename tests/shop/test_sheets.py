"""Comparing and writing the final state."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eachonce_workbench.run.reconciliation import Reconciliation, State, reconcile
from shop.sheets import COUNTED, KEYS, money, sheets


def state(orders: str = "12", **tables: list[dict[str, Any]]) -> State:
    rows = {"orders": [{"order_id": order} for order in orders], **tables}
    return sheets({name: rows.get(name, []) for name in KEYS})


def reconciled(expected: State, found: State) -> Reconciliation:
    return reconcile(expected, found, counted=COUNTED)


def test_equal_states_agree() -> None:
    """In whatever order their rows stand."""
    one = state(stock=[{"sku": "a", "sold": 1}, {"sku": "b", "sold": 2}])
    other = state(stock=[{"sku": "b", "sold": 2}, {"sku": "a", "sold": 1}])

    found = reconciled(one, other)

    assert found.agrees
    assert str(found) == "2 orders, 0 lost, 0 doubled, 0 different, 0 refused"


def test_a_missing_row_is_lost() -> None:
    """An order and a row count alike."""
    found = reconciled(state("123", notifications=[{"order_id": "1"}]), state("12"))

    assert found.lost == ("notifications 1", "orders 3")
    assert not found.agrees


def test_a_row_too_many_is_doubled() -> None:
    """Twice the same, or one that nobody expected."""
    found = reconciled(
        state(notifications=[{"order_id": "1"}]),
        state(notifications=[{"order_id": "1"}, {"order_id": "1"}, {"order_id": "9"}]),
    )

    assert found.doubled == ("notifications 1", "notifications 9")
    assert not found.agrees


def test_another_value_is_different_and_named() -> None:
    """The sentence has the row, the column and both values."""
    found = reconciled(state(stock=[{"sku": "a", "sold": 1}]), state(stock=[{"sku": "a", "sold": 2}]))

    assert found.different == ("stock a: sold is 2, expected 1",)
    assert not found.agrees


def test_the_reason_of_a_refusal_is_not_compared() -> None:
    """The words are the shop's; that the invoice was refused is what must agree."""
    found = reconciled(state(refused=[{"invoice": "A1"}]), state(refused=[{"invoice": "A1", "reason": "no number"}]))

    assert found.agrees
    assert found.counts["refused"] == 1


def test_rows_are_written_a_json_object_a_line_in_key_order(tmp_path: Path) -> None:
    """Two runs of the same orders write the same files."""
    there = state(sales=[{"day": "2", "country": "é"}, {"day": "1", "country": "b"}])

    reconciled(there, there).write(tmp_path)

    lines = (tmp_path / "sales.jsonl").read_text(encoding="utf-8").splitlines()

    assert [json.loads(line) for line in lines] == [{"day": "1", "country": "b"}, {"day": "2", "country": "é"}]
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.jsonl" for name in KEYS}


@pytest.mark.parametrize(
    ("amount", "text"),
    [("100", "100.00"), ("0.145", "0.145"), ("-1.5", "-1.50"), ("0", "0.00"), ("1E+3", "1000.00"), ("0.1450", "0.145")],
)
def test_money_has_all_its_digits_and_at_least_the_pence(amount: str, text: str) -> None:
    """As a decimal string, never in exponents."""
    assert money(Decimal(amount)) == text
