"""`eachonce pause`, `eachonce resume` and `eachonce replay`, as a person types them, against a running local cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.shop.test_dead_letters_cli import SAMPLES, Shop


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("mail"))
    yield shop
    shop.stop()


@pytest.fixture
def shop(running: Shop) -> Iterator[Shop]:
    """The shop, empty and quiet, and nobody in it paused when the test has ended."""
    running.settle()
    running.empty()
    yield running
    running.resume("ReserveStock")


def send(shop: Shop) -> None:
    body = json.loads((SAMPLES / "reserve_stock/StockAdjusted.json").read_text())["Records"][0]["body"]
    shop.sqs.send_message(QueueUrl=shop.topology.queue("ReserveStockQueue").url, MessageBody=shop.signed(body))


def test_a_paused_consumer_takes_nothing_until_it_is_resumed(shop: Shop) -> None:
    """What comes meanwhile waits in its queue, and has its effect then."""
    paused = shop.told("pause", "ReserveStock")
    send(shop)
    shop.settle()
    waiting, done = shop.depth("ReserveStockQueue"), shop.units("adjusted")
    resumed = shop.told("resume", "reserve-stock")
    shop.settle()

    assert (paused["consumer"], paused["state"], paused["changed"]) == ("reserve-stock", "Disabled", True)
    assert (waiting, done) == (1, 0)
    assert (resumed["state"], resumed["changed"]) == ("Enabled", True)
    assert shop.depth("ReserveStockQueue") == 0
    assert shop.units("adjusted") != 0


def test_a_person_sees_who_is_paused_and_what_waits(shop: Shop) -> None:
    """From the command itself, and from those that look for trouble."""
    said = shop.eachonce("pause", "reserve-stock").stdout
    send(shop)
    again = shop.eachonce("pause", "reserve-stock").stdout
    listed = shop.eachonce("dlq", "list")

    assert "reserve-stock is paused: 0 messages wait in its queue, which keeps each for 14 days" in said
    assert "reserve-stock is paused already: 1 message waits" in again
    assert "`eachonce resume reserve-stock` lets it go on" in again
    assert "reserve-stock is paused" in listed.stderr
    assert shop.told("dlq", "list")["paused"] == ["reserve-stock"]


def test_a_consumer_that_is_not_there_is_no_consumer(shop: Shop) -> None:
    """Those that are there are named; a function without a queue is none."""
    for name in ("nobody", "place-order"):
        ended = shop.eachonce("pause", name)
        assert ended.exit_code == 2
        assert "reserve-stock, tally-sales, track-customer, notify-customer" in " ".join(
            ended.stderr.replace("│", " ").split()
        )


SINCE = ["--from", "2010-01-01", "--effects-again", "--consumer", "reserve-stock"]


@pytest.mark.parametrize("source", [["--from-journal"], ["--from-archive", "eachonce-dev"]])
def test_a_replayed_event_has_no_second_effect(shop: Shop, source: list[str]) -> None:
    """It comes to the one consumer again, as a duplicate."""
    shop.invoke("place-order", "place_order/direct.json")
    shop.settle()
    sold, (tally,) = shop.units("sold"), [shop.depth("TallySalesQueue")]

    told = shop.told("replay", *SINCE, *source)
    shop.settle()

    assert told.get("sent", 1) >= 1
    assert told.get("state", "COMPLETED") == "COMPLETED"
    assert shop.units("sold") == sold != 0
    assert shop.depth("TallySalesQueue") == tally == 0


def test_a_replayed_event_that_was_lost_has_its_effect(shop: Shop) -> None:
    """That is what replays are for."""
    shop.told("pause", "reserve-stock")
    shop.invoke("place-order", "place_order/direct.json")
    shop.settle()
    shop.sqs.purge_queue(QueueUrl=shop.topology.queue("ReserveStockQueue").url)
    shop.told("resume", "reserve-stock")

    shop.told("replay", *SINCE, "--from-archive", "eachonce-dev")
    shop.settle()

    assert shop.units("sold") != 0


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "say one: --from-archive NAME or --from-journal"),
        (["--from-journal", "--from-archive", "a"], 2, "say one"),
        (["--from-journal", "--from", "yesterday"], 2, "'yesterday' is no time such as"),
        (["--from-journal", "--from", "2010-01-01"], 2, "Say --effects-again"),
        (["--from-journal", "--to", "2010-01-01"], 2, "it begins after its end"),
        (["--from-journal", "--consumer", "nobody"], 2, "reserve-stock, tally-sales"),
        (["--from-archive", "nowhere"], 1, "there is no archive nowhere"),
    ],
)
def test_what_is_wrong_with_a_replay_is_said(shop: Shop, arguments: list[str], status: int, said: str) -> None:
    """Before anything is replayed."""
    ended = shop.eachonce("replay", "--consumer", "reserve-stock", "--from", _hour_ago(), *arguments)

    assert ended.exit_code == status, ended.stderr
    assert said in " ".join(ended.stderr.replace("│", " ").split())


def _hour_ago() -> str:
    return (datetime.now(UTC) - timedelta(hours=1)).isoformat()


def test_keys_are_listed_and_another_one_signs(shop: Shop) -> None:
    """What the former key has signed is taken all the same; no secret is shown."""
    shop.invoke("place-order", "place_order/direct.json")
    shop.settle()
    before = {key["id"]: key for key in shop.told("keys", "list")["keys"]}

    rotated = shop.told("keys", "rotate")
    after = {key["id"]: key for key in shop.told("keys", "list")["keys"]}
    seen = shop.eachonce("keys", "list")

    (former,) = [key for key in before if before[key]["signs"]]
    assert [each["id"] for each in rotated["former"]] == [former]
    assert (after[former]["state"], after[rotated["key"]]["state"]) == ("good", "signs")
    assert after[former]["until"] is not None
    assert shop.told("keys", "list")["personal"]["state"] == "Enabled"
    assert "personal fields:" in seen.stdout
    assert "about 2 items" in seen.stdout


def test_which_secret_is_meant_is_said_where_it_is_not_clear(shop: Shop) -> None:
    """Those that there are, are named."""
    ended = shop.eachonce("keys", "rotate", "--secret", "another")

    assert ended.exit_code == 2
    assert "SigningSecret" in ended.stdout + ended.stderr
