"""The page of limits has the numbers that the code has."""

from __future__ import annotations

import importlib
import inspect
import re
from datetime import timedelta
from typing import Any

import pytest
from typer.main import get_command

from eachonce_workbench.cli.app import app
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
_UNITS = {"KiB": 1024, "MiB": 1024 * 1024, "bytes": 1}
_TIMES = {"millisecond": "milliseconds", "second": "seconds", "minute": "minutes", "hour": "hours", "day": "days"}

ROWS = re.findall(r"^\| [^|]+ \| ([0-9][^|]*) \| `(eachonce[\w.]+(?:\(\w+\))?)`", PAGE, re.MULTILINE)
BOUNDS = re.findall(r"^\| [^|]+ \| (\d), up to (\d) \| `eachonce certify --(\w+)`", PAGE, re.MULTILINE)


def test_the_page_has_rows_to_compare() -> None:
    """Else the table has another form, and nothing is compared any more."""
    assert len(ROWS) >= 20
    assert len(BOUNDS) == 2


@pytest.mark.parametrize(("number", "where"), ROWS, ids=[where for _, where in ROWS])
def test_a_limit_is_the_one_in_the_code(number: str, where: str) -> None:
    """Whoever changes one changes the other."""
    assert in_code(where) in readings(number.strip())


@pytest.mark.parametrize(("default", "most", "option"), BOUNDS)
def test_a_bound_of_the_certificate_is_its_option(default: str, most: str, option: str) -> None:
    """By the command itself."""
    command: Any = get_command(app)
    (found,) = (each for each in command.commands["certify"].params if f"--{option}" in each.opts)

    assert (found.default, found.max) == (int(default), int(most))


def in_code(where: str) -> Any:
    """Return a constant, or an argument's default, by its dotted name."""
    name, _, argument = where.rstrip(")").partition("(")
    module, _, attribute = name.rpartition(".")
    found = getattr(importlib.import_module(module), attribute)
    return inspect.signature(found).parameters[argument].default if argument else found


def readings(text: str) -> list[object]:
    """Return what a number of the page may be in code: a count, bytes, or a time, which is also its seconds."""
    number, _, unit = text.partition(" ")
    if not unit or unit in _UNITS:
        return [int(number) * _UNITS.get(unit, 1)]
    time = timedelta(**{_TIMES[unit.rstrip("s")]: int(number)})
    return [time, time.total_seconds()]
