"""AWS's own SDK speaks to the local cloud as it speaks to AWS."""

import asyncio
import concurrent.futures
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
import time_machine
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.functions.invocations import Invocations
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.server import Endpoint
from eachonce_workbench.cloud.serving import Server, endpoint_of, listen
from eachonce_workbench.cloud.store.store import Store
from tests.topologies import arn, bus, function, queue, rule, table, target, topology

ORDERS = queue("orders")
MAIL = replace(function("Mail"), published={"1": "1", "live": "1"})


class EchoRuntime:
    """Runs every function by returning what it was given; "fail" fails, "busy" is throttled."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, bytes]] = []

    async def invoke(self, name: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        self.invoked.append((name, payload))
        if payload == b'"busy"':
            return Invocation(status="throttled", payload=b"")
        if payload == b'"fail"':
            return Invocation(status="error", payload=b'{"errorType":"Boom"}', error_type="Boom")
        return Invocation(status="ok", payload=payload, log_tail="START\nEND")

    async def stop(self) -> None:
        """Nothing runs."""


class Cloud:
    """A served store, bus and runtime, on a loop in a thread of its own, as the clients are blocking ones."""

    def __init__(self) -> None:
        system = topology(
            tables=(table("items", stream_view="NEW_IMAGE"),),
            queues=(ORDERS,),
            buses=(bus("shop"),),
            rules=(rule("orders", {"source": ["shop"]}, target(ORDERS)),),
            functions=(MAIL,),
        )
        self.runtime = EchoRuntime()
        self.store = Store(system)
        self.store.create()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        listening = listen()
        self.endpoint = endpoint_of(listening)
        self._server = self.on_loop(lambda: self._build(system, listening))
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(10)

    def _build(self, system: Any, listening: socket.socket) -> Server:
        invocations = Invocations(system, self.runtime)
        routes = Bus(system, self.store.queues, History(), after=self._loop.call_later, start=invocations.start)
        return Server(Endpoint(self.store, routes, invocations), listening)

    def on_loop(self, call: Callable[[], Any]) -> Any:
        """Call something where moto may be used."""
        done: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(call()))
        return done.result(10)

    def client(self, service: str) -> BaseClient:
        config = Config(retries={"total_max_attempts": 1}, read_timeout=10, connect_timeout=10)
        return boto3.client(service, endpoint_url=self.endpoint, config=config)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud()
    yield cloud
    cloud.stop()


@pytest.fixture(autouse=True)
def _empty(cloud: Cloud) -> None:
    """Each test begins with an empty queue and no invocations."""
    cloud.on_loop(lambda: cloud.store.queues._sqs.contents["orders"].purge())
    cloud.runtime.invoked.clear()


@pytest.fixture
def sqs(cloud: Cloud) -> Any:
    return cloud.client("sqs")


@pytest.fixture
def orders_url(sqs: Any) -> str:
    url: str = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    return url


def error(call: Callable[..., Any], /, **params: Any) -> tuple[str, int]:
    """The code and the status of a request that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_items_are_written_and_read(cloud: Cloud) -> None:
    """With every type that DynamoDB knows."""
    dynamodb = cloud.client("dynamodb")
    item = {
        "pk": {"S": "every type"},
        "n": {"N": "1.5"},
        "b": {"B": b"\x00\xff"},
        "flag": {"BOOL": True},
        "nothing": {"NULL": True},
        "ss": {"SS": ["a", "b"]},
        "ns": {"NS": ["1", "2"]},
        "bs": {"BS": [b"\x01", b"\x02"]},
        "list": {"L": [{"S": "x"}, {"M": {"deep": {"N": "1"}}}]},
        "map": {"M": {"b": {"B": b"\x03"}}},
    }

    dynamodb.put_item(TableName="items", Item=item)

    assert dynamodb.get_item(TableName="items", Key={"pk": item["pk"]})["Item"] == item
    assert item in dynamodb.scan(TableName="items")["Items"]


def test_a_cancelled_transaction_carries_its_reasons(cloud: Cloud) -> None:
    """As botocore's TransactionCanceledException reads them, with the old item."""
    dynamodb = cloud.client("dynamodb")
    item = {"pk": {"S": "there"}, "b": {"B": b"\x00"}}
    dynamodb.put_item(TableName="items", Item=item)
    put = {
        "TableName": "items",
        "Item": item,
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }

    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(TransactItems=[{"Put": put}])

    (reason,) = caught.value.response["CancellationReasons"]
    assert (reason["Code"], reason["Item"]) == ("ConditionalCheckFailed", item)


def test_a_failed_condition_carries_the_old_item(cloud: Cloud) -> None:
    """As botocore's ConditionalCheckFailedException reads it."""
    dynamodb = cloud.client("dynamodb")
    item = {"pk": {"S": "old"}, "n": {"N": "1"}}
    dynamodb.put_item(TableName="items", Item=item)

    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as caught:
        dynamodb.put_item(
            TableName="items",
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    assert caught.value.response["Item"] == item


def test_a_missing_table_is_not_found(cloud: Cloud) -> None:
    """An item operation and moto's own operations say so alike."""
    dynamodb = cloud.client("dynamodb")

    assert error(dynamodb.get_item, TableName="nowhere", Key={"pk": {"S": "a"}}) == ("ResourceNotFoundException", 400)
    assert error(dynamodb.describe_table, TableName="nowhere") == ("ResourceNotFoundException", 400)


def test_a_stream_is_read(cloud: Cloud) -> None:
    """By way of its shard and an iterator."""
    cloud.client("dynamodb").put_item(TableName="items", Item={"pk": {"S": "streamed"}})
    streams = cloud.client("dynamodbstreams")
    stream_arn = streams.list_streams(TableName="items")["Streams"][0]["StreamArn"]
    (shard,) = streams.describe_stream(StreamArn=stream_arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]

    records = streams.get_records(ShardIterator=iterator)["Records"]

    assert "streamed" in {record["dynamodb"]["Keys"]["pk"]["S"] for record in records}


def test_events_reach_the_queue_of_their_rule(cloud: Cloud, sqs: Any, orders_url: str) -> None:
    """PutEvents answers an entry at a time; the event is in the queue when it returns."""
    entry = {"Source": "shop", "DetailType": "OrderPlaced", "EventBusName": "shop"}

    answer = cloud.client("events").put_events(
        Entries=[entry | {"Detail": '{"order":"1"}'}, entry | {"Detail": "no json"}]
    )

    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][1]["ErrorCode"] == "MalformedDetail"
    (message,) = sqs.receive_message(QueueUrl=orders_url)["Messages"]
    assert json.loads(message["Body"])["id"] == answer["Entries"][0]["EventId"]


def test_a_request_over_the_limits_of_putevents_fails_whole(cloud: Cloud) -> None:
    """As a ValidationException."""
    entry = {"Source": "shop", "DetailType": "x", "Detail": "{}"}

    with pytest.raises(ClientError, match=r"ValidationException.*length less than or equal to 10"):
        cloud.client("events").put_events(Entries=[entry] * 11)


def test_a_message_goes_all_its_way_over_the_wire(sqs: Any, orders_url: str) -> None:
    """Sent with attributes (the SDK checks their MD5), received, hidden, shown, received again, deleted."""
    attributes = {
        "text": {"DataType": "String", "StringValue": "v"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00"},
    }
    sqs.send_message(QueueUrl=orders_url, MessageBody="hi", MessageAttributes=attributes)
    ask = {"QueueUrl": orders_url, "MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}

    (first,) = sqs.receive_message(**ask)["Messages"]
    assert "Messages" not in sqs.receive_message(**ask)
    sqs.change_message_visibility(QueueUrl=orders_url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    (second,) = sqs.receive_message(**ask)["Messages"]
    sqs.delete_message(QueueUrl=orders_url, ReceiptHandle=second["ReceiptHandle"])

    assert second["MessageAttributes"] == attributes
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    assert "Messages" not in sqs.receive_message(**ask)


def test_batches_tell_of_each_entry(sqs: Any, orders_url: str) -> None:
    """SendMessageBatch and DeleteMessageBatch."""
    entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(3)]
    assert len(sqs.send_message_batch(QueueUrl=orders_url, Entries=entries)["Successful"]) == 3
    received = sqs.receive_message(QueueUrl=orders_url, MaxNumberOfMessages=10)["Messages"]

    answer = sqs.delete_message_batch(
        QueueUrl=orders_url,
        Entries=[{"Id": message["Body"], "ReceiptHandle": message["ReceiptHandle"]} for message in received]
        + [{"Id": "wrong", "ReceiptHandle": "nonsense"}],
    )

    assert {entry["Id"] for entry in answer["Successful"]} == {"0", "1", "2"}
    assert [entry["Code"] for entry in answer["Failed"]] == ["ReceiptHandleIsInvalid"]


def test_a_long_poll_is_answered_by_the_next_message(cloud: Cloud, sqs: Any, orders_url: str) -> None:
    """Meanwhile the loop goes on, and other requests are answered."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sqs.receive_message, QueueUrl=orders_url, WaitTimeSeconds=9)
        cloud.client("sqs").send_message(QueueUrl=orders_url, MessageBody="at last")

        assert waiting.result(9)["Messages"][0]["Body"] == "at last"


def test_a_missing_queue_does_not_exist(sqs: Any, orders_url: str) -> None:
    """Nor can anything be sent to it."""
    missing = "AWS.SimpleQueueService.NonExistentQueue"

    assert error(sqs.get_queue_url, QueueName="nowhere") == (missing, 400)
    assert error(sqs.send_message, QueueUrl=f"{orders_url}-not", MessageBody="x") == (missing, 400)


@pytest.mark.parametrize("name", ["test-Mail", "Mail", MAIL.arn, f"{MAIL.arn}:$LATEST"])
def test_a_function_is_invoked(cloud: Cloud, name: str) -> None:
    """By its name, its logical id or its ARN; what it returns is the payload."""
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=b'{"a": 1}', LogType="Tail")

    assert answer["Payload"].read() == b'{"a": 1}'
    assert (answer["StatusCode"], answer["LogResult"], "FunctionError" in answer) == (200, "U1RBUlQKRU5E", False)
    assert cloud.runtime.invoked == [("Mail", b'{"a": 1}')]


def test_a_functions_failure_is_an_answer(cloud: Cloud) -> None:
    """With X-Amz-Function-Error and Lambda's error document."""
    answer = cloud.client("lambda").invoke(FunctionName="Mail", Payload=b'"fail"')

    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read()) == {"errorType": "Boom"}


def test_a_throttled_invocation_is_429(cloud: Cloud) -> None:
    """As TooManyRequestsException, which SDKs try again."""
    assert error(cloud.client("lambda").invoke, FunctionName="Mail", Payload=b'"busy"') == (
        "TooManyRequestsException",
        429,
    )


def test_an_event_invocation_is_accepted_and_a_dry_run_runs_nothing(cloud: Cloud) -> None:
    """202 and 204."""
    client = cloud.client("lambda")

    assert client.invoke(FunctionName="Mail", InvocationType="DryRun", Payload=b"{}")["StatusCode"] == 204
    assert cloud.runtime.invoked == []
    assert client.invoke(FunctionName="Mail", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    assert cloud.on_loop(lambda: cloud.runtime.invoked) == [("Mail", b"{}")]


def test_a_function_that_is_not_there_or_a_payload_that_is_no_json_is_refused(cloud: Cloud) -> None:
    """With Lambda's own codes."""
    client = cloud.client("lambda")

    assert error(client.invoke, FunctionName="nobody") == ("ResourceNotFoundException", 404)
    assert error(client.invoke, FunctionName="Mail", Payload=b"{") == ("InvalidRequestContentException", 400)


@pytest.mark.parametrize(
    ("name", "qualifier", "version"),
    [
        ("test-Mail", "live", "1"),
        ("test-Mail", "1", "1"),
        ("test-Mail:live", None, "1"),
        (f"{MAIL.arn}:live", "live", "1"),
        ("123456789012:function:test-Mail:1", None, "1"),
        ("test-Mail", "$LATEST", "$LATEST"),
    ],
)
def test_a_version_or_an_alias_is_invoked(cloud: Cloud, name: str, qualifier: str | None, version: str) -> None:
    """Named at the end of the function's name, or by Qualifier, or by both alike."""
    qualified = {} if qualifier is None else {"Qualifier": qualifier}

    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=b"{}", **qualified)

    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, version)


@pytest.mark.parametrize("kind", ["RequestResponse", "Event", "DryRun"])
@pytest.mark.parametrize(
    ("name", "qualifier", "told"),
    [
        ("test-Mail", "99", "test-Mail:99"),
        ("test-Mail", "nowhere", "test-Mail:nowhere"),
        ("test-Mail:99", None, "test-Mail:99"),
        (f"{MAIL.arn}:nowhere", None, "test-Mail:nowhere"),
        ("123456789012:function:test-Mail:nowhere", "nowhere", "test-Mail:nowhere"),
        ("nobody", "live", "nobody:live"),
        ("nobody", None, "nobody"),
    ],
)
def test_a_version_or_an_alias_that_is_not_there_is_not_found(
    cloud: Cloud, kind: str, name: str, qualifier: str | None, told: str
) -> None:
    """However it is named, and whoever waits for it."""
    qualified = {} if qualifier is None else {"Qualifier": qualifier}

    with pytest.raises(ClientError) as caught:
        cloud.client("lambda").invoke(FunctionName=name, InvocationType=kind, Payload=b"{}", **qualified)

    error = caught.value.response["Error"]
    message = f"Function not found: arn:aws:lambda:eu-west-1:123456789012:function:{told}"
    assert (error["Code"], error["Message"]) == ("ResourceNotFoundException", message)
    assert cloud.runtime.invoked == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"FunctionName": "test-Mail:live", "Qualifier": "1"}, "InvalidParameterValueException"),
        ({"FunctionName": "test-Mail", "Qualifier": "not this"}, "ValidationException"),
        ({"FunctionName": "test-Mail", "Qualifier": "x" * 129}, "ValidationException"),
        ({"FunctionName": "test Mail"}, "ValidationException"),
        ({"FunctionName": "arn:aws:lambda:eu-west-1:123456789012@function:test-Mail"}, "ValidationException"),
        ({"FunctionName": "x" * 257}, "ValidationException"),
        ({"FunctionName": "test-Mail", "InvocationType": "Now"}, "ValidationException"),
        ({"FunctionName": "test-Mail", "LogType": "Head"}, "ValidationException"),
    ],
)
def test_an_invocation_that_contradicts_itself_or_says_nothing_known_is_refused(
    cloud: Cloud, params: dict[str, str], code: str
) -> None:
    """Before anything runs."""
    assert error(cloud.client("lambda").invoke, **params, Payload=b"{}") == (code, 400)
    assert cloud.runtime.invoked == []


def test_what_the_template_describes_is_changed_there_only(cloud: Cloud) -> None:
    """Rules and event source mappings cannot be made by a request; the refusal says where to make them."""
    events, functions = cloud.client("events"), cloud.client("lambda")
    for call, params in (
        (events.put_rule, {"Name": "new", "EventPattern": "{}"}),
        (functions.create_event_source_mapping, {"FunctionName": "Mail", "EventSourceArn": ORDERS.arn}),
    ):
        with pytest.raises(ClientError, match=r"UnsupportedOperation.*template\.yaml"):
            call(**params)


def test_other_services_are_motos(cloud: Cloud) -> None:
    """Over the query and the JSON protocols; the account is the topology's."""
    assert cloud.client("sts").get_caller_identity()["Account"] == "123456789012"
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    assert key.startswith(arn("kms", "key/"))
    cloud.client("ssm").put_parameter(Name="p", Value="v", Type="String")
    assert cloud.client("ssm").get_parameter(Name="p")["Parameter"]["Value"] == "v"
    cloud.client("logs").create_log_group(logGroupName="g")
    cloud.client("cloudwatch").put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}] * 400)


def test_a_service_that_is_not_offered_says_so(cloud: Cloud) -> None:
    """By name, with those that are."""
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*no service"):
        cloud.client("athena").list_data_catalogs()


def _unsigned(endpoint: str, request: bytes) -> bytes:
    host, port = endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65_536)


def test_an_unsigned_request_is_refused(cloud: Cloud) -> None:
    """Without a signature nothing says which service is meant."""
    answer = _unsigned(cloud.endpoint, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 403")
    assert b"MissingAuthenticationToken" in answer


def test_a_body_that_is_no_json_is_refused(cloud: Cloud) -> None:
    """As a SerializationException."""
    head = (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\nContent-Length: 1\r\n"
        b"Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/dynamodb/aws4_request\r\n\r\n{"
    )

    answer = _unsigned(cloud.endpoint, head)

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"SerializationException" in answer


def test_the_clock_of_the_store_can_be_moved(cloud: Cloud, sqs: Any, orders_url: str) -> None:
    """A visibility of 30 seconds passes at once when the clock is moved by 31."""
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        cloud.on_loop(lambda: cloud.store.queues.send(ORDERS.arn, "x"))
        cloud.on_loop(lambda: cloud.store.queues.receive(ORDERS.arn, max_messages=1))
        clock.shift(31)

        assert cloud.on_loop(lambda: cloud.store.queues.depth(ORDERS.arn)).visible == 1


def test_answers_are_sent_at_once() -> None:
    """asyncio turns Nagle's algorithm off, and saves 40 ms an answer, only for a socket whose protocol is spelt out."""
    with contextlib.closing(listen()) as listening:
        assert listening.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_an_error_and_a_stopped_server_frees_it() -> None:
    """Stopping twice is stopping once."""

    async def scenario() -> None:
        system = topology()
        listening = listen()
        port = listening.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            listen(port)
        store = Store(system)
        invocations = Invocations(system, EchoRuntime())
        routes = Bus(system, store.queues, History(), after=asyncio.get_running_loop().call_later)
        server = Server(Endpoint(store, routes, invocations), listening)
        await server.start()
        await server.stop()
        await server.stop()
        listen(port).close()

    asyncio.run(scenario())
