"""`eachonce dlq` and `eachonce why`, as a person types them, against a running local cloud."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from eachonce_workbench.cli.app import app
from eachonce_workbench.cloud.local_cloud import LocalCloud
from tests.interruptible import started
from tests.shop.place import ROOT, TEMPLATE

SAMPLES = ROOT / "events"
REASON = "the body is not JSON: Input data was truncated"


class Shop:
    """The bundle in a local cloud, on a loop in a thread of its own, and the commands of a person beside it."""

    def __init__(self, mail: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._cloud = LocalCloud(TEMPLATE, parameters={"MailDirectory": str(mail)})
        self.wait_for(self._cloud.__aenter__())
        self.endpoint = self._cloud.endpoint
        self.topology = self._cloud.topology
        credentials = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
        self.sqs, self.lambda_, self.dynamodb = (
            boto3.client(service, endpoint_url=self.endpoint, **credentials)  # type: ignore[call-overload]
            for service in ("sqs", "lambda", "dynamodb")
        )

    def wait_for(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def stop(self) -> None:
        self.wait_for(self._cloud.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for client in (self.sqs, self.lambda_, self.dynamodb):
            client.close()

    def settle(self) -> None:
        """Wait until no event is on its way."""
        self.wait_for(self._cloud.settle(30))

    def invoke(self, function: str, sample: str) -> Any:
        """Do what `lambda invoke` does, with a sample input."""
        payload = self.signed((SAMPLES / sample).read_text())
        return json.load(self.lambda_.invoke(FunctionName=f"eachonce-dev-{function}", Payload=payload)["Payload"])

    def signed(self, text: str) -> str:
        """Return what holds an event as one that its consumers take."""

        async def seal() -> str:
            return self._cloud.seal.body(text)

        return str(self.wait_for(seal()))

    def bury(self, consumer: str, sample: str) -> str:
        """Put a sample's message into a dead-letter queue; return its event's id."""
        body = json.loads((SAMPLES / sample).read_text())["Records"][0]["body"]
        self.sqs.send_message(
            QueueUrl=self.topology.queue(f"{consumer}DeadLetterQueue").url,
            MessageBody=self.signed(body),
            MessageAttributes={"reason": {"DataType": "String", "StringValue": "the shop was shut"}},
        )
        event_id: str = json.loads(body)["detail"]["id"]
        return event_id

    def empty(self) -> None:
        """Forget what lies in the dead-letter queues and in the tables."""
        for url in [queue.url for queue in self.topology.queues if queue.logical_id.endswith("DeadLetterQueue")]:
            while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        for table, key in (("Journal", "pk"), ("Stock", "sku"), ("Orders", "order_id")):
            name = self.topology.table(table).name
            for item in self.dynamodb.scan(TableName=name)["Items"]:
                self.dynamodb.delete_item(TableName=name, Key={key: item[key]})

    def resume(self, function: str) -> None:
        """Let a consumer go on that may be paused."""
        (mapping,) = self.lambda_.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        self.lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def depth(self, queue: str) -> int:
        """Return how many messages a queue has, hidden ones, too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=self.topology.queue(queue).url, AttributeNames=names)
        return sum(int(told["Attributes"][name]) for name in names)

    def units(self, column: str) -> int:
        """Return the sum of a column of the stock."""
        items = self.dynamodb.scan(TableName=self.topology.table("Stock").name)["Items"]
        return sum(int(item.get(column, {"N": "0"})["N"]) for item in items)

    def eachonce(self, *arguments: str, answer: str = "", **changes: str | None) -> Result:
        """Run a command, in an environment with these changes."""
        return CliRunner().invoke(app, arguments, input=answer, env={"AWS_ENDPOINT_URL": self.endpoint, **changes})

    def told(self, *arguments: str) -> Any:
        """Run a command that must succeed, and return its JSON."""
        ended = self.eachonce(*arguments, "--json")
        assert ended.exit_code == 0, ended.output
        return json.loads(ended.stdout)


def adjusted(sample: str) -> int:
    """Return by how many units a sample corrects the stock."""
    (record,) = json.loads((SAMPLES / sample).read_text())["Records"]
    return sum(line["quantity"] for line in json.loads(record["body"])["detail"]["data"]["lines"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("mail"))
    yield shop
    shop.stop()


@pytest.fixture
def shop(running: Shop) -> Shop:
    """The shop, empty and quiet."""
    running.settle()
    running.empty()
    return running


def test_dead_letters_are_listed_by_reason(shop: Shop) -> None:
    """With counts, consumers and an id to look at, and nothing of what they hold."""
    for consumer in ("reserve-stock", "reserve-stock", "tally-sales"):
        shop.invoke(consumer, f"{consumer.replace('-', '_')}/malformed.json")
    shop.bury("TallySales", "tally_sales/OrderPlaced.json")

    listed = shop.eachonce("dlq", "list")

    assert listed.exit_code == 0, listed.stderr
    lines = listed.stdout.splitlines()
    assert lines[0].split(maxsplit=1) == ["3", REASON]
    assert lines[1].split()[:4] == ["2", "reserve-stock", "no", "event"]
    assert lines[2].split()[:4] == ["1", "tally-sales", "no", "event"]
    assert lines[3].split(maxsplit=1) == ["1", "the shop was shut"]
    assert lines[4].split()[:3] == ["1", "tally-sales", "OrderPlaced"]
    assert lines[5] == "4 dead letters"
    assert "85123A" not in listed.stdout


def test_a_list_is_narrowed(shop: Shop) -> None:
    """By consumer, by a part of the reason, and by type."""
    shop.invoke("tally-sales", "tally_sales/malformed.json")
    for consumer in ("ReserveStock", "TallySales"):
        shop.bury(consumer, "tally_sales/OrderPlaced.json")

    listed = shop.told("dlq", "list", "--consumer", "TallySales", "--reason", "SHUT", "--type", "OrderPlaced")

    ((letter,),) = [group["letters"] for group in listed["reasons"]]
    assert (letter["consumer"], letter["type"], letter["reason"]) == ("tally-sales", "OrderPlaced", "the shop was shut")


def test_a_dead_letter_is_shown_whole(shop: Shop) -> None:
    """By its event's id or its message's, with its body."""
    event_id = shop.bury("ReserveStock", "reserve_stock/OrderPlaced.json")

    shown = shop.eachonce("dlq", "show", event_id)
    (letter,) = shop.told("dlq", "show", event_id)["letters"]
    (same,) = shop.told("dlq", "show", letter["message_id"])["letters"]

    assert "the shop was shut" in shown.stdout
    assert f'"id": "{event_id}"' in shown.stdout
    assert letter == same
    assert json.loads(letter["body"])["detail"]["id"] == event_id


def test_a_redriven_event_takes_effect_once(shop: Shop) -> None:
    """One that has been done since is only deleted; one that can't be done comes back, with its reason."""
    done = shop.bury("ReserveStock", "reserve_stock/OrderPlaced.json")
    shop.invoke("reserve-stock", "reserve_stock/OrderPlaced.json")
    new = shop.bury("ReserveStock", "reserve_stock/StockAdjusted.json")
    shop.invoke("reserve-stock", "reserve_stock/malformed.json")
    sold = shop.units("sold")

    foreseen = shop.told("dlq", "redrive", "--dry-run")
    redriven = shop.told("dlq", "redrive")
    shop.settle()

    counts = {"found": 3, "redriven": 2, "done_since": 1, "kept": {}, "left": 0, "out_of_sight": 0}
    assert foreseen == counts | {"dry_run": True}
    assert redriven == counts | {"dry_run": False}
    assert [group["reason"] for group in shop.told("dlq", "list")["reasons"]] == [REASON]
    stories = [shop.told("why", event_id)["stories"][0] for event_id in (done, new)]
    assert {story["consumers"][0]["state"] for story in stories} == {"DONE"}
    assert shop.units("sold") == sold != 0
    assert shop.units("adjusted") == adjusted("reserve_stock/StockAdjusted.json") != 0


def test_a_rising_redrive_says_what_is_dead_again(shop: Shop) -> None:
    """At the rate that it is told, and to its end."""
    event_id = shop.bury("ReserveStock", "reserve_stock/StockAdjusted.json")

    redriven = shop.told("dlq", "redrive", "--rate", "50", "--rising")
    shop.settle()

    assert (redriven["redriven"], redriven["left"], redriven["dead_again"]) == (1, 0, 0)
    assert shop.told("why", event_id)["stories"][0]["consumers"][0]["state"] == "DONE"


def test_a_slow_redrive_that_is_stopped_says_what_was_moved_and_what_stays(shop: Shop) -> None:
    """What stays is visible at once, and the same command again goes on."""
    for _ in range(3):
        shop.bury("ReserveStock", "reserve_stock/StockAdjusted.json")

    with started("dlq", "redrive", "--rate", "0.01", "--endpoint-url", shop.endpoint) as redrive:
        while shop.depth("ReserveStockDeadLetterQueue") != 2:
            assert redrive.poll() is None, redrive.communicate()
        redrive.send_signal(signal.SIGINT)
        said = redrive.communicate(timeout=60)[1]

    assert redrive.returncode == 130
    assert "redrove 1 dead letter; 2 left: the same command again goes on" in said
    assert shop.told("dlq", "list")["count"] == 2
    assert shop.told("dlq", "redrive")["left"] == 0


def test_dropping_asks_first(shop: Shop) -> None:
    """Whoever doesn't say yes drops nothing."""
    shop.invoke("reserve-stock", "reserve_stock/malformed.json")

    unasked = shop.eachonce("dlq", "drop")
    refused = shop.eachonce("dlq", "drop", answer="n\n")
    kept = shop.told("dlq", "list")["count"]
    agreed = shop.eachonce("dlq", "drop", answer="y\n")

    assert (unasked.exit_code, refused.exit_code, kept) == (1, 1, 1)
    assert agreed.exit_code == 0
    assert "dropped 1 dead letter" in agreed.stdout
    assert shop.told("dlq", "drop", "--yes") == {"found": 0, "dropped": 0, "left": 0, "out_of_sight": 0}


def test_why_tells_an_events_whole_story(shop: Shop) -> None:
    """From the request that led to it to what each consumer made of it."""
    shop.invoke("place-order", "place_order/direct.json")
    shop.settle()
    (told,) = shop.told("why", "536365")["stories"]
    (request,) = [chapter for chapter in told["consumers"] if chapter["state"]]
    (placed,) = request["published"]

    story = shop.eachonce("why", placed["id"], "--scan")

    assert (request["consumer"], placed["type"]) == ("place-order", "OrderPlaced")
    lines = story.stdout.splitlines()
    assert lines[0] == f"OrderPlaced {placed['id']} of shop"
    assert lines[1] == "published by place-order, which handled 536365"
    assert lines[2].split()[:2] == ["reserve-stock", "DONE"]
    assert lines[3].split()[:2] == ["published", "StockReserved"]
    assert lines[4].split()[:2] == ["tally-sales", "DONE"]


def test_why_says_that_an_event_is_dead(shop: Shop) -> None:
    """In which queue it lies, and why."""
    event_id = shop.bury("ReserveStock", "reserve_stock/OrderPlaced.json")

    story = shop.eachonce("why", event_id)

    assert story.exit_code == 0
    assert "in its dead-letter queue now" in story.stdout
    assert "the shop was shut" in story.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["dlq", "list", "--consumer", "nobody"], 2, "reserve-stock, tally-sales, track-customer, notify-customer"),
        (["dlq", "list", "--stack", "nowhere"], 2, "Stack with id nowhere does not exist"),
        (["dlq", "redrive", "--resaon", "x"], 2, "--reason"),
        (["dlq", "redrive", "--rising"], 2, "Say --rate, too"),
        (["dlq", "redrive", "--rate", "0"], 2, "--rate"),
        (["dlq", "show", "e-404"], 1, "no dead letter has the id e-404"),
        (["why", "e-404"], 1, "nothing is known of an event e-404 of shop"),
        (["dlq", "list", "--endpoint-url", "http://127.0.0.1:1"], 1, "start the local cloud with `make serve`"),
    ],
)
def test_what_is_wrong_is_said(shop: Shop, arguments: list[str], status: int, said: str) -> None:
    """In a line, without a traceback: 2 for a wrong argument, 1 for what is not there."""
    ended = shop.eachonce(*arguments)

    assert ended.exit_code == status, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


PROXIES = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")


@pytest.mark.parametrize("persons", [{"AWS_PROFILE": "nope"}, {"AWS_DEFAULT_PROFILE": "nope"}, PROXIES])
def test_what_a_person_has_for_aws_is_not_for_the_local_cloud(shop: Shop, persons: dict[str, str | None]) -> None:
    """Neither a profile that isn't there nor a proxy that leads elsewhere."""
    shop.invoke("reserve-stock", "reserve_stock/malformed.json")

    ended = shop.eachonce("dlq", "list", **persons)

    assert ended.exit_code == 0, ended.stderr
    assert "1 dead letter" in ended.stdout


@pytest.mark.parametrize("arguments", [["dlq", "list"], ["dlq", "list", "--endpoint-url", ""], ["why", "e-1"]])
def test_an_empty_endpoint_is_none(shop: Shop, arguments: list[str], tmp_path: Path) -> None:
    """As for AWS's SDK: the command is for AWS then, which needs credentials."""
    missing = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))

    ended = shop.eachonce(*arguments, HOME=str(tmp_path), AWS_ENDPOINT_URL="", **missing)

    assert ended.exit_code == 1
    assert "no AWS credentials" in ended.stderr


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_aws_is_not_touched_when_nobody_can_be_asked(shop: Shop, command: str, tmp_path: Path) -> None:
    """Before credentials are looked for, even."""
    ended = shop.eachonce("dlq", command, answer="y\n", HOME=str(tmp_path), AWS_ENDPOINT_URL="")

    assert ended.exit_code == 2
    assert ended.stderr == f"{command} changes what is on AWS, and there is no terminal to ask on: say --yes\n"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (("AWS_REGION", "AWS_DEFAULT_REGION"), "no region: say --region"),
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "no AWS credentials"),
    ],
)
def test_aws_needs_a_region_and_credentials(shop: Shop, missing: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """Nothing is asked of AWS without them, and the error says what to do."""
    ended = shop.eachonce("dlq", "list", HOME=str(tmp_path), **dict.fromkeys(("AWS_ENDPOINT_URL", *missing)))

    assert ended.exit_code == 1
    assert said in ended.stderr
