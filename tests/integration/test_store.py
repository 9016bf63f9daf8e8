"""The store keeps AWS's promises that moto alone does not, at a cost that does not grow with what it holds."""

import json
import subprocess
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
import time_machine
from moto.core.base_backend import BackendDict
from moto.dynamodb.models import dynamodb_backends

from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.store.queues.messages import Depth
from eachonce_workbench.cloud.store.queues.queues import MessageRefusedError, QueueMissing, QueueUnavailableError
from eachonce_workbench.cloud.store.store import Store
from tests.topologies import ACCOUNT, REGION, arn, queue, table, topology

DEAD_LETTERS = queue("dead")
ORDERS = queue("orders", dead_letters=DEAD_LETTERS, max_receives=2)
LEDGER = queue("ledger.fifo", properties={"ContentBasedDeduplication": True})


class Cloud:
    """A store, and its requests in short."""

    def __init__(self) -> None:
        self.happenings: list[Happening] = []
        history = History()
        history.subscribe(self.happenings.append)
        self.store = Store(
            topology(
                tables=(
                    table("plain"),
                    table("items", stream_view="NEW_AND_OLD_IMAGES", ttl_attribute="expires"),
                    table("pairs", range_key="sk"),
                ),
                queues=(ORDERS, DEAD_LETTERS, LEDGER),
            ),
            history=history,
        )
        self.store.create()

    def ask(self, operation: str, /, **params: Any) -> dict[str, Any]:
        """Send a request that must succeed."""
        status, body = self.answer(operation, **params)
        assert status == 200, body
        return body

    def refused(self, operation: str, /, **params: Any) -> dict[str, Any]:
        """Send a request that must fail."""
        status, body = self.answer(operation, **params)
        assert status == 400, body
        return body

    def answer(self, operation: str, /, **params: Any) -> tuple[int, dict[str, Any]]:
        service, target = ("sqs", "AmazonSQS") if "QueueUrl" in params else ("dynamodb", "DynamoDB_20120810")
        headers = {"x-amz-target": f"{target}.{operation}", "content-type": "application/x-amz-json-1.0"}
        status, _, body = self.store.handle(service, headers, json.dumps(params).encode())
        return status, json.loads(body)

    def item(self, key: str, *, name: str = "items") -> dict[str, Any] | None:
        return self.ask("GetItem", TableName=name, Key={"pk": {"S": key}}).get("Item")

    def records(self) -> list[dict[str, Any]]:
        return self.store.streams.read("items", 0, 1000)[0]


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        yield clock


def put(key: str, **attributes: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": "items", "Item": {"pk": {"S": key}} | attributes}}


def add(key: str, amount: str = "1", **more: Any) -> dict[str, Any]:
    update = {
        "TableName": "items",
        "Key": {"pk": {"S": key}},
        "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": amount}},
    }
    return {"Update": update | more}


# Transactions


def test_a_transaction_applies_all_of_its_items(cloud: Cloud) -> None:
    """Puts, updates, deletes and checks, over two tables."""
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "old"}})
    pair = {"pk": {"S": "p"}, "sk": {"S": "s"}}

    cloud.ask(
        "TransactWriteItems",
        TransactItems=[
            put("new"),
            add("sum", "2.5"),
            {"Delete": {"TableName": "items", "Key": {"pk": {"S": "old"}}}},
            {"Put": {"TableName": "pairs", "Item": pair}},
        ],
    )

    assert cloud.item("new") == {"pk": {"S": "new"}}
    assert cloud.item("sum") == {"pk": {"S": "sum"}, "n": {"N": "2.5"}}
    assert cloud.item("old") is None
    assert cloud.ask("GetItem", TableName="pairs", Key=pair)["Item"] == pair
    assert [record["eventName"] for record in cloud.records()] == ["INSERT", "INSERT", "INSERT", "REMOVE"]


def test_a_cancelled_transaction_leaves_no_trace(cloud: Cloud) -> None:
    """Neither items nor stream records; the reasons stand in the order of the items, with the old item where asked."""
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "there"}, "n": {"N": "1"}})

    told = cloud.refused(
        "TransactWriteItems",
        TransactItems=[
            put("new"),
            add("there", ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
            add("other"),
            add("gone", ConditionExpression="attribute_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        ],
    )

    assert told["__type"] == "TransactionCanceledException"
    assert told["message"].endswith("[None, ConditionalCheckFailed, None, ConditionalCheckFailed]")
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    assert told["CancellationReasons"] == [
        {"Code": "None"},
        failed | {"Item": {"pk": {"S": "there"}, "n": {"N": "1"}}},
        {"Code": "None"},
        failed,
    ]
    assert cloud.item("new") is cloud.item("other") is None
    assert len(cloud.records()) == 1


def test_what_cannot_be_done_to_an_item_cancels_the_transaction(cloud: Cloud) -> None:
    """Its reason is ValidationError, as DynamoDB has it for a sum with a text."""
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}, "n": {"S": "text"}})

    told = cloud.refused("TransactWriteItems", TransactItems=[put("new"), add("a")])

    assert [reason["Code"] for reason in told["CancellationReasons"]] == ["None", "ValidationError"]
    assert cloud.item("new") is None


@pytest.mark.parametrize(
    "items",
    [
        [],
        [put(str(number)) for number in range(101)],
        [put("a"), add("a")],
        [put("a") | add("b")],
        [put(str(number), text={"S": "x" * 300_000}) for number in range(15)],
        [put("a", text={"S": "x" * 409_600})],
    ],
    ids=["none", "101", "one item twice", "two verbs", "over 4 MB", "an item over 400 KB"],
)
def test_a_transaction_over_a_limit_is_refused_whole(cloud: Cloud, items: list[dict[str, Any]]) -> None:
    """DynamoDB's limits of TransactWriteItems."""
    told = cloud.refused("TransactWriteItems", TransactItems=items)

    assert told["__type"] == "ValidationException"
    assert cloud.records() == []


def test_a_hundred_items_are_allowed(cloud: Cloud) -> None:
    """The limit itself is fine."""
    cloud.ask("TransactWriteItems", TransactItems=[put(str(number)) for number in range(100)])

    assert len(cloud.records()) == 100


def test_the_same_token_applies_a_transaction_once(cloud: Cloud, clock: time_machine.Traveller) -> None:
    """Within ten minutes the repetition succeeds without effect; later it is a new transaction."""
    request = {"TransactItems": [add("sum")], "ClientRequestToken": "token"}

    for _ in range(3):
        cloud.ask("TransactWriteItems", **request)
    assert cloud.item("sum") == {"pk": {"S": "sum"}, "n": {"N": "1"}}

    clock.shift(601)
    cloud.ask("TransactWriteItems", **request)
    assert cloud.item("sum") == {"pk": {"S": "sum"}, "n": {"N": "2"}}


def test_the_same_token_with_another_request_is_refused(cloud: Cloud) -> None:
    """The order of a request's keys does not make it another; an amount does."""
    cloud.ask("TransactWriteItems", TransactItems=[add("sum")], ClientRequestToken="token")
    reordered = {"Update": dict(reversed(add("sum")["Update"].items()))}

    cloud.ask("TransactWriteItems", ClientRequestToken="token", TransactItems=[reordered])
    told = cloud.refused("TransactWriteItems", TransactItems=[add("sum", "2")], ClientRequestToken="token")

    assert told["__type"] == "IdempotentParameterMismatchException"


def test_a_token_of_a_cancelled_transaction_is_free(cloud: Cloud) -> None:
    """Nothing happened, so the repetition is the first."""
    request = {
        "TransactItems": [add("a", ConditionExpression="attribute_exists(pk)")],
        "ClientRequestToken": "token",
    }
    cloud.refused("TransactWriteItems", **request)
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}})

    cloud.ask("TransactWriteItems", **request)

    assert cloud.item("a") == {"pk": {"S": "a"}, "n": {"N": "1"}}


def test_transactional_reads_keep_their_order(cloud: Cloud) -> None:
    """One answer a request, empty where there is no item."""
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}})
    gets = [{"Get": {"TableName": "items", "Key": {"pk": {"S": key}}}} for key in ("b", "a")]

    assert cloud.ask("TransactGetItems", TransactItems=gets)["Responses"] == [{}, {"Item": {"pk": {"S": "a"}}}]


# Items


@pytest.mark.parametrize(
    ("given", "kept"),
    [("10.50", "10.5"), ("007", "7"), ("-0", "0"), ("1E3", "1000"), ("+5", "5"), ("0.10", "0.1"), ("9" * 38, "9" * 38)],
)
def test_numbers_are_kept_exactly_and_in_one_form(cloud: Cloud, given: str, kept: str) -> None:
    """DynamoDB trims needless zeroes, and rounds nothing."""
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}, "n": {"N": given}})

    assert cloud.item("a") == {"pk": {"S": "a"}, "n": {"N": kept}}


@pytest.mark.parametrize("number", ["", "x", "NaN", "Infinity", "1" * 39, "1E200", " 1"])
def test_what_is_no_number_of_dynamodb_is_refused(cloud: Cloud, number: str) -> None:
    """38 digits, no more, and nothing that is no number."""
    told = cloud.refused("PutItem", TableName="items", Item={"pk": {"S": "a"}, "n": {"N": number}})

    assert told["__type"] == "ValidationException"


def test_sums_of_money_are_exact(cloud: Cloud) -> None:
    """Tenths add up to ones, and 30 digits stay 30 digits."""
    for _ in range(10):
        cloud.ask("UpdateItem", **add("sum", "0.1")["Update"])
    cloud.ask("UpdateItem", **add("long", "1" * 30)["Update"])
    cloud.ask("UpdateItem", **add("long", "0.01")["Update"])

    assert cloud.item("sum") == {"pk": {"S": "sum"}, "n": {"N": "1"}}
    assert cloud.item("long") == {"pk": {"S": "long"}, "n": {"N": "1" * 30 + ".01"}}


@pytest.mark.parametrize(
    "request_",
    [
        {"Item": {"n": {"N": "1"}}},
        {"Item": {"pk": {"N": "1"}}},
        {"Item": {"pk": {"S": ""}}},
        {"Item": {"pk": {"S": "x" * 2049}}},
        {"Item": {"pk": {"S": "a"}, "tags": {"SS": []}}},
        {"Item": {"pk": {"S": "a"}, "n": {"S": "1", "N": "1"}}},
        {"Item": {"pk": {"S": "a"}, "n": {"NULL": False}}},
        {"Item": {"pk": {"S": "a"}}, "ExpressionAttributeNames": {"#unused": "n"}},
        {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "n = :n", "ExpressionAttributeValues": {}},
        {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "n = :undefined"},
        {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "#undefined = n"},
        {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "status = n"},
        {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "n ="},
        {"Item": {"pk": {"S": "a"}}, "ConditionExpression": ""},
        {"Item": {"pk": {"S": "a"}}, "ReturnValues": "ALL_NEW"},
        {},
    ],
)
def test_a_wrong_request_is_a_validation_error(cloud: Cloud, request_: dict[str, Any]) -> None:
    """Whatever the table holds; nothing is written."""
    told = cloud.refused("PutItem", TableName="items", **request_)

    assert told["__type"] == "ValidationException"
    assert cloud.records() == []


@pytest.mark.parametrize("condition", ["n < :text", "n > :text", "n BETWEEN :text AND :text", "size(absent) < n"])
def test_what_does_not_compare_does_not_hold(cloud: Cloud, condition: str) -> None:
    """A number is neither less nor more than a text, and what is missing has no size."""
    values = {"ExpressionAttributeValues": {":text": {"S": "x"}}} if ":text" in condition else {}
    item = {"pk": {"S": "a"}, "n": {"N": "1"}}
    cloud.ask("PutItem", TableName="items", Item=item)

    told = cloud.refused("PutItem", TableName="items", Item=item, ConditionExpression=condition, **values)

    assert told["__type"] == "ConditionalCheckFailedException"


def test_what_is_updated_can_be_returned(cloud: Cloud) -> None:
    """UPDATED_OLD and UPDATED_NEW tell of the attributes that the expression names, changed or not."""
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}, "n": {"N": "1"}, "m": {"N": "5"}})
    update = add("a", "2")["Update"]

    old = cloud.ask("UpdateItem", **update, ReturnValues="UPDATED_OLD")
    new = cloud.ask("UpdateItem", **update, ReturnValues="UPDATED_NEW")

    assert (old["Attributes"], new["Attributes"]) == ({"n": {"N": "1"}}, {"n": {"N": "5"}})


def test_consumed_capacity_is_told_when_asked_for(cloud: Cloud) -> None:
    """A unit a started KB, two in a transaction, which says of which kind; half a unit a started 4 KB for a read."""
    small, large = {"pk": {"S": "a"}}, {"pk": {"S": "b"}, "text": {"S": "x" * 5000}}
    total = {"ReturnConsumedCapacity": "TOTAL"}

    written = cloud.ask("PutItem", TableName="items", Item=large, **total)["ConsumedCapacity"]
    transacted = cloud.ask(
        "TransactWriteItems",
        TransactItems=[{"Put": {"TableName": "items", "Item": item}} for item in (small, large)],
        **total,
    )["ConsumedCapacity"]
    get = {"TableName": "items", "Key": {"pk": {"S": "b"}}}
    read = cloud.ask("GetItem", **get, **total)["ConsumedCapacity"]
    together = cloud.ask("TransactGetItems", TransactItems=[{"Get": get}], ReturnConsumedCapacity="INDEXES")

    assert written == {"TableName": "items", "CapacityUnits": 5}
    assert transacted == [{"TableName": "items", "CapacityUnits": 12, "WriteCapacityUnits": 12}]
    assert read == {"TableName": "items", "CapacityUnits": 1}
    units = {"CapacityUnits": 4, "ReadCapacityUnits": 4}
    assert together["ConsumedCapacity"] == [{"TableName": "items", **units, "Table": units}]


def test_what_there_was_before_expressions_works_as_ever(cloud: Cloud) -> None:
    """And the stream tells of one change each."""
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}}, Expected={"pk": {"Exists": False}})
    cloud.ask(
        "UpdateItem",
        TableName="items",
        Key={"pk": {"S": "b"}},
        AttributeUpdates={"n": {"Action": "ADD", "Value": {"N": "1"}}},
    )
    cloud.ask(
        "UpdateItem",
        TableName="items",
        Key={"pk": {"S": "b"}},
        AttributeUpdates={"n": {"Action": "ADD", "Value": {"N": "1"}}},
    )

    _, made, changed = [record["dynamodb"] for record in cloud.records()]
    assert [record["eventName"] for record in cloud.records()] == ["INSERT", "INSERT", "MODIFY"]
    assert made["NewImage"]["n"] == changed["OldImage"]["n"] == {"N": "1"}
    assert changed["NewImage"]["n"] == {"N": "2"}


def test_items_expire_when_their_time_has_come(cloud: Cloud, clock: time_machine.Traveller) -> None:
    """Deletions by time to live are in the stream, too."""
    now = 1_767_323_045
    for key, expires in (("past", now - 1), ("future", now + 1)):
        cloud.ask("PutItem", TableName="items", Item={"pk": {"S": key}, "expires": {"N": str(expires)}})

    assert cloud.store.expire() == 1
    assert cloud.item("past") is None
    assert cloud.item("future") is not None
    assert cloud.records()[-1]["eventName"] == "REMOVE"


# Streams


def test_a_stream_record_has_lambdas_shape(cloud: Cloud, clock: time_machine.Traveller) -> None:
    """As https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html shows it."""
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}, "b": {"B": "aGk="}})

    (record,) = cloud.records()

    assert record.pop("eventID")
    assert record == {
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventVersion": "1.1",
        "awsRegion": REGION,
        "eventSourceARN": arn("dynamodb", "table/items/stream/2026-01-01T00:00:00.000"),
        "dynamodb": {
            "ApproximateCreationDateTime": 1_767_323_045.0,
            "Keys": {"pk": {"S": "a"}},
            "NewImage": {"pk": {"S": "a"}, "b": {"B": "aGk="}},
            "SequenceNumber": "1100000000017454423009",
            "SizeBytes": 6,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def test_a_write_that_changes_nothing_is_no_record(cloud: Cloud) -> None:
    """DynamoDB leaves it out of the stream."""
    for _ in range(2):
        cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}})

    assert len(cloud.records()) == 1


def test_reading_goes_on_where_it_ended(cloud: Cloud) -> None:
    """Positions stay what they are when the beginning is trimmed, and trimming twice is trimming once."""
    for number in range(5):
        cloud.ask("PutItem", TableName="items", Item={"pk": {"S": str(number)}})
    streams = cloud.store.streams

    first, position = streams.read("items", 0, 2)
    streams.trim("items", position)
    streams.trim("items", position)
    rest, end = streams.read("items", position, 100)

    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in first + rest] == ["0", "1", "2", "3", "4"]
    assert end == streams.end("items") == 5
    assert streams.read("items", end, 100) == ([], 5)
    assert streams.read("items", 0, 1)[1] == 3


def test_every_write_wakes_the_streams_reader(cloud: Cloud) -> None:
    """Once a record, whatever wrote it."""
    woken: list[int] = []
    cloud.store.streams.on_write("items", lambda: woken.append(cloud.store.streams.end("items")))

    cloud.ask("TransactWriteItems", TransactItems=[put("a"), put("b")])
    cloud.ask("BatchWriteItem", RequestItems={"items": [{"PutRequest": {"Item": {"pk": {"S": "c"}}}}]})

    assert woken == [1, 2, 3]


# Queues


def test_a_message_has_lambdas_shape(cloud: Cloud, clock: time_machine.Traveller) -> None:
    """As https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html shows it."""
    message_id = cloud.store.queues.send(ORDERS.arn, "hi", attributes={"reason": "why"})

    (record,) = cloud.store.queues.receive(ORDERS.arn, max_messages=1)

    assert record.pop("receiptHandle")
    assert record.pop("md5OfMessageAttributes")
    assert record == {
        "messageId": message_id,
        "body": "hi",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1767323045000",
            "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
            "ApproximateFirstReceiveTimestamp": "1767323045000",
        },
        "messageAttributes": {
            "reason": {"stringValue": "why", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
        },
        "md5OfBody": "49f68a5c8493ec2c0bf489821c21fc3b",
        "eventSource": "aws:sqs",
        "eventSourceARN": ORDERS.arn,
        "awsRegion": REGION,
    }


def test_a_message_received_too_often_moves_to_the_dead_letter_queue(
    cloud: Cloud, clock: time_machine.Traveller
) -> None:
    """With its id and its body; whoever reads the dead-letter queue is woken, and the history tells of it."""
    woken: list[str] = []
    cloud.store.queues.on_send(DEAD_LETTERS.arn, lambda: woken.append("dead"))
    message_id = cloud.store.queues.send(ORDERS.arn, "poison")
    for _ in range(3):
        cloud.store.queues.receive(ORDERS.arn, max_messages=10)
        clock.shift(31)

    (dead,) = cloud.store.queues.receive(DEAD_LETTERS.arn, max_messages=10)

    assert (dead["messageId"], dead["body"]) == (message_id, "poison")
    assert dead["attributes"]["DeadLetterQueueSourceArn"] == ORDERS.arn
    assert woken == ["dead"]
    assert [happening.kind for happening in cloud.happenings] == ["dead-lettered"]
    assert cloud.store.queues.depth(ORDERS.arn).total == 0


def test_whatever_makes_a_message_visible_wakes_the_queues_reader(cloud: Cloud) -> None:
    """A send from this process, a send over the wire, a visibility of 0."""
    woken: list[Depth] = []
    queues = cloud.store.queues
    queues.on_send(ORDERS.arn, lambda: woken.append(queues.depth(ORDERS.arn)))

    queues.send(ORDERS.arn, "a")
    cloud.ask("SendMessage", QueueUrl=ORDERS.url, MessageBody="b")
    (first, _) = queues.receive(ORDERS.arn, max_messages=10)
    queues.change_visibility(ORDERS.arn, first["receiptHandle"], 0)

    assert [depth.visible for depth in woken] == [1, 2, 1]


def test_the_next_message_to_show_itself_can_be_waited_for(cloud: Cloud, clock: time_machine.Traveller) -> None:
    """A delay and a visibility are waited for alike; a queue that hides nothing has nothing to wait for."""
    queues = cloud.store.queues
    assert queues.next_visible_seconds(ORDERS.arn) is None

    queues.send(ORDERS.arn, "a")
    queues.receive(ORDERS.arn, max_messages=1)
    queues.send(ORDERS.arn, "b", delay_seconds=10)

    assert queues.next_visible_seconds(ORDERS.arn) == pytest.approx(10)
    clock.shift(20)
    assert queues.depth(ORDERS.arn).visible == 1
    assert queues.next_visible_seconds(ORDERS.arn) == pytest.approx(10)


def test_a_queue_says_why_it_takes_no_message(cloud: Cloud) -> None:
    """Missing, refused for good, or unavailable for now: three different answers."""
    queues = cloud.store.queues
    with pytest.raises(QueueMissing):
        queues.send(arn("sqs", "nowhere"), "x")
    with pytest.raises(MessageRefusedError):
        queues.send(ORDERS.arn, "x" * (1024 * 1024 + 1))
    with pytest.raises(MessageRefusedError):
        queues.send(LEDGER.arn, "no group")
    with pytest.raises(MessageRefusedError):
        queues.send(ORDERS.arn, "\x00")
    queues.begin_outage(ORDERS.arn)
    with pytest.raises(QueueUnavailableError):
        queues.send(ORDERS.arn, "x")


def test_a_message_is_measured_in_bytes_with_its_attributes(cloud: Cloud) -> None:
    """1 MiB is the limit of both together; an umlaut is two bytes."""
    queues = cloud.store.queues
    limit = 1024 * 1024

    queues.send(ORDERS.arn, "ü" * (limit // 2))
    with pytest.raises(MessageRefusedError):
        queues.send(ORDERS.arn, "ü" * (limit // 2), attributes={"a": "b"})


def test_a_late_delete_on_a_fifo_queue_is_without_effect_here_and_an_error_on_the_wire(
    cloud: Cloud, clock: time_machine.Traveller
) -> None:
    """The message is on its way to somebody else."""
    queues = cloud.store.queues
    queues.send(LEDGER.arn, "x", group_id="g")
    (record,) = queues.receive(LEDGER.arn, max_messages=1)
    clock.shift(31)

    queues.delete(LEDGER.arn, record["receiptHandle"])
    told = cloud.refused("DeleteMessage", QueueUrl=LEDGER.url, ReceiptHandle=record["receiptHandle"])

    assert told["__type"].endswith("InvalidParameterValue")
    assert queues.depth(LEDGER.arn).visible == 1


def test_counts_and_purges_are_of_what_is_really_held(cloud: Cloud) -> None:
    """GetQueueAttributes and PurgeQueue over the wire."""
    for _ in range(3):
        cloud.store.queues.send(ORDERS.arn, "x")
    cloud.store.queues.receive(ORDERS.arn, max_messages=1)

    told = cloud.ask("GetQueueAttributes", QueueUrl=ORDERS.url, AttributeNames=["All"])["Attributes"]
    cloud.ask("PurgeQueue", QueueUrl=ORDERS.url)

    assert told["ApproximateNumberOfMessages"] == "2"
    assert told["ApproximateNumberOfMessagesNotVisible"] == "1"
    assert cloud.store.queues.depth(ORDERS.arn).total == 0


# The store


def test_a_new_store_begins_empty(cloud: Cloud) -> None:
    """Creating one forgets whatever moto held before."""
    cloud.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}})

    assert Cloud().item("a") is None


def test_moto_can_begin_anew(cloud: Cloud) -> None:
    """As its own mocks do, around other tests: the store is then without tables and queues, and says so."""
    cloud.store.queues.send(ORDERS.arn, "x")

    BackendDict.reset()

    with pytest.raises(QueueMissing):
        cloud.store.queues.send(ORDERS.arn, "x")
    assert cloud.refused("GetItem", TableName="items", Key={"pk": {"S": "a"}})["__type"] == "ResourceNotFoundException"


def test_tables_have_the_protection_that_the_template_asks_for(cloud: Cloud) -> None:
    """Point-in-time recovery and time to live are set, and moto's DescribeTable knows the stream by its ARN."""
    assert dynamodb_backends[ACCOUNT][REGION].describe_time_to_live("items")["AttributeName"] == "expires"
    recovery = cloud.ask("DescribeContinuousBackups", TableName="items")["ContinuousBackupsDescription"]
    assert recovery["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    stream_arn = cloud.ask("DescribeTable", TableName="items")["Table"]["LatestStreamArn"]
    assert stream_arn == arn("dynamodb", "table/items/stream/2026-01-01T00:00:00.000")


def calls_of(cloud: Cloud, operation: str, **params: Any) -> int:
    """Python calls that a request takes: work, counted where time would lie."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        cloud.ask(operation, **params)
    finally:
        sys.setprofile(None)
    return calls


def test_a_transaction_costs_the_same_in_an_empty_and_in_a_full_table(cloud: Cloud) -> None:
    """moto copies the whole table; here the number of calls does not change with 2,000 items and as many records."""

    def cost(key: str) -> int:
        return calls_of(
            cloud, "TransactWriteItems", TransactItems=[put(f"{key}1"), add(f"{key}2")], ClientRequestToken=key
        )

    cost("warm-up")
    empty = cost("empty")
    for number in range(2000):
        cloud.ask("PutItem", TableName="items", Item={"pk": {"S": str(number)}})

    assert cost("full") <= empty * 1.1


def test_a_cancelled_transaction_costs_no_more_than_its_items(cloud: Cloud) -> None:
    """There is nothing to roll back."""
    fails = add("none", ConditionExpression="attribute_exists(pk)")

    def cost() -> int:
        counted = 0

        def count(frame: FrameType, event: str, argument: object) -> None:
            nonlocal counted
            counted += event == "call"

        sys.setprofile(count)
        try:
            cloud.refused("TransactWriteItems", TransactItems=[put("a"), fails])
        finally:
            sys.setprofile(None)
        return counted

    cost()
    empty = cost()
    for number in range(2000):
        cloud.ask("PutItem", TableName="items", Item={"pk": {"S": str(number)}})

    assert cost() <= empty * 1.1


_WITH_A_SECRET = """
import json, sys
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.template.topology import StoredValue
from tests.topologies import topology

secret = StoredValue(service="secretsmanager", name="token", value="long", arn="arn:token")
store = Store(topology(stored_values=(secret,)))
store.create()
before = "moto.secretsmanager" in sys.modules
headers = {"x-amz-target": "secretsmanager.GetSecretValue", "content-type": "application/x-amz-json-1.1"}
status, _, body = store.handle("secretsmanager", headers, b'{"SecretId": "token"}')
print(json.dumps([before, status, json.loads(body)["SecretString"], json.loads(body)["ARN"]]))
"""


def test_a_secret_costs_nothing_until_somebody_asks_for_it() -> None:
    """moto's part for it is imported then, and the secret is there."""
    run = subprocess.run([sys.executable, "-c", _WITH_A_SECRET], capture_output=True, check=True)

    assert json.loads(run.stdout) == [False, 200, "long", "arn:token"]
