"""What a function is told by its environment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eachonce import MissingSettingError, Settings


def test_settings_are_read_from_the_environment() -> None:
    """One variable a table, and one for each place to send to."""
    settings = Settings.read(
        {
            "TABLE_JOURNAL": "dev-journal",
            "TABLE_STOCK": "dev-stock",
            "EVENT_SOURCE": "shop",
            "QUEUE_URL": "https://sqs/queue",
            "DEAD_LETTER_QUEUE_URL": "https://sqs/dead",
            "EVENT_BUS": "dev-bus",
            "MAXIMUM_CONCURRENCY": "10",
            "EVENT_TENANT": "acme",
            "POWERTOOLS_METRICS_NAMESPACE": "Eachonce/shop-dev",
            "AWS_LAMBDA_FUNCTION_VERSION": "12",
            "PATH": "/usr/bin",
        }
    )

    assert settings == Settings(
        tables={"JOURNAL": "dev-journal", "STOCK": "dev-stock"},
        source="shop",
        queue_url="https://sqs/queue",
        dead_letter_queue_url="https://sqs/dead",
        bus="dev-bus",
        maximum_concurrency=10,
        tenant="acme",
        metrics_namespace="Eachonce/shop-dev",
        code_version="12",
    )


def test_an_empty_variable_is_not_set() -> None:
    """A template can't leave a variable out by a condition as easily as leave it empty."""
    settings = Settings.read({"EVENT_SOURCE": "", "QUEUE_URL": "", "DEAD_LETTER_QUEUE_URL": "", "EVENT_BUS": ""})

    assert settings == Settings()


@pytest.mark.parametrize("text", ["", "0", "-1", "2.5", "many", "\u00b2", "\u0661"])
def test_a_number_of_workers_that_is_none_is_not_set(text: str) -> None:
    """Whoever needs it says so."""
    assert Settings.read({"MAXIMUM_CONCURRENCY": text}) == Settings()


def test_a_table_is_found_by_its_logical_name() -> None:
    """However the handler writes it."""
    settings = Settings(tables={"STOCK": "dev-stock"})

    assert settings.table("Stock") == settings.table("stock") == "dev-stock"


@pytest.mark.parametrize(
    ("ask", "variable"),
    [
        (lambda settings: settings.table("Stock"), "TABLE_STOCK"),
        (Settings.required_source, "EVENT_SOURCE"),
        (Settings.required_bus, "EVENT_BUS"),
        (Settings.required_maximum_concurrency, "MAXIMUM_CONCURRENCY"),
    ],
)
def test_what_is_missing_is_named(ask: Callable[[Settings], str], variable: str) -> None:
    """The error names the variable to set."""
    with pytest.raises(MissingSettingError, match=variable) as raised:
        ask(Settings())

    assert raised.value.name == variable


def test_what_is_set_is_returned() -> None:
    """The source and the bus, where they are needed."""
    settings = Settings(source="shop", bus="dev-bus")

    assert (settings.required_source(), settings.required_bus()) == ("shop", "dev-bus")
