"""Reading a till's CSV."""

import gzip
from pathlib import Path

import pytest

from shop.orders import OrdersError, read_invoices, request

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def write(path: Path, *lines: str) -> Path:
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return path


def test_lines_of_one_invoice_need_not_stand_together(tmp_path: Path) -> None:
    """They are grouped by number, in the file's order."""
    path = write(
        tmp_path / "orders.csv",
        "1,a,,1,2010-12-01T08:00:00,1,,UK",
        "2,b,,1,2010-12-01T08:01:00,1,,UK",
        "1,c,,1,2010-12-01T08:00:00,1,,UK",
    )

    invoices = read_invoices(path)

    assert {number: [line["StockCode"] for line in lines] for number, lines in invoices.items()} == {
        "1": ["a", "c"],
        "2": ["b"],
    }


def test_the_limit_counts_invoices_and_keeps_their_later_lines(tmp_path: Path) -> None:
    """A line after the limit's last invoice may still belong to an earlier one."""
    path = write(
        tmp_path / "orders.csv",
        "1,a,,1,2010-12-01T08:00:00,1,,UK",
        "2,b,,1,2010-12-01T08:01:00,1,,UK",
        "1,c,,1,2010-12-01T08:00:00,1,,UK",
    )

    invoices = read_invoices(path, limit=1)

    assert [line["StockCode"] for line in invoices["1"]] == ["a", "c"]
    assert list(invoices) == ["1"]


def test_a_compressed_file_reads_the_same(tmp_path: Path) -> None:
    """A name ending in .gz is decompressed."""
    plain = write(tmp_path / "orders.csv", "1,a,,1,2010-12-01T08:00:00,1,,UK")
    packed = tmp_path / "orders.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert read_invoices(packed) == read_invoices(plain)


def test_an_invoices_time_is_its_earliest_lines(tmp_path: Path) -> None:
    """The till prints a line's own minute; the invoice began with the first."""
    path = write(tmp_path / "orders.csv", "1,a,,1,2010-12-01T16:58:00,1,,UK", "1,b,,1,2010-12-01T16:57:00,1,,UK")

    asked = request("1", read_invoices(path)["1"])

    assert asked["invoiced_at"] == "2010-12-01T16:57:00"


@pytest.mark.parametrize("time", ["yesterday", "", "2010-12-01T08:00:00Z"])
def test_a_time_that_is_none_is_handed_on_for_the_shop_to_judge(tmp_path: Path, time: str) -> None:
    """The reader judges nothing: the refusal and its reason are PlaceOrder's."""
    path = write(tmp_path / "orders.csv", "1,a,,1,2010-12-01T08:00:00,1,,UK", f"1,b,,1,{time},1,,UK")

    asked = request("1", read_invoices(path)["1"])

    assert asked["invoiced_at"] == time


def test_a_quantity_that_is_no_number_is_handed_on(tmp_path: Path) -> None:
    """Numbers become numbers; anything else stays the text that it is."""
    path = write(tmp_path / "orders.csv", "1,a,,six,2010-12-01T08:00:00,1,,UK", "1,b,,-6,2010-12-01T08:00:00,1,,UK")

    asked = request("1", read_invoices(path)["1"])

    assert [line["quantity"] for line in asked["lines"]] == ["six", -6]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    """The error says which columns the file lacks, and which it must have."""
    path = tmp_path / "orders.csv"
    path.write_text("InvoiceNo,StockCode\n1,a\n")

    with pytest.raises(OrdersError, match="lacks Quantity, InvoiceDate, UnitPrice, CustomerID, Country"):
        read_invoices(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"\x1f\x8b broken"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    """Not there, not text, not gzip: one error, with the path."""
    path = tmp_path / "orders.csv.gz"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(OrdersError, match=r"orders\.csv\.gz"):
        read_invoices(path)
