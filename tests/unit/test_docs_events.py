"""The examples of the page on events run, one after the other, and take what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from eachonce.listener import listen

from tests.forms import object_created, on_the_bus_plain, s3_records
from tests.records import batch, record

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the examples define."""
    names: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(example, names)
    return names


@pytest.mark.parametrize(
    ("consumer", "body", "event_id"),
    [
        (
            "consumer",
            on_the_bus_plain({"order_id": "536365", "units": 6}, event_type="order.placed", source="com.example.shop"),
            "order.placed|536365",
        ),
        (
            "consumer",
            on_the_bus_plain({"payment_id": "7", "pence": 1}, event_type="payment.made", source="com.example.bank"),
            "payment.made|7",
        ),
        ("thumbnails", object_created(), "Object Created|photos|cat.jpg|0055"),
        ("thumbnails", s3_records("red+cat.jpg"), "ObjectCreated:Put|photos|red+cat.jpg|0055"),
    ],
)
def test_an_examples_consumer_takes_what_it_is_for(
    names: dict[str, Any], consumer: str, body: dict[str, Any], event_id: str
) -> None:
    """With the identity that the page says."""
    (delivery,) = listen(batch(record(json.dumps(body))), known=names[consumer])

    assert delivery.event is not None
    assert delivery.event.id == event_id


def test_every_table_of_arguments_is_complete(names: dict[str, Any]) -> None:
    """What `describe` takes is on the page."""
    arguments = set(re.findall(r"^\| `(\w+)(?:=True)?` \|", PAGE, re.MULTILINE))

    assert names["describe"].__kwdefaults__.keys() == arguments


def test_every_link_leads_somewhere() -> None:
    """To a heading of the page."""
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)}

    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings
