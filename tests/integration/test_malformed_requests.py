"""Whatever a client sends is answered in its service's own form, and harms nobody."""

import asyncio
import gzip
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.functions.invocations import Invocations
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.request import MAX_BODY_BYTES, read_body
from eachonce_workbench.cloud.server import Endpoint
from eachonce_workbench.cloud.store.store import Store
from tests.topologies import bus, function, queue, rule, table, target, topology

ORDERS = queue("orders")

TARGETS = {
    "dynamodb": [
        *(f"DynamoDB_20120810.{name}" for name in ("PutItem", "GetItem", "UpdateItem", "Query", "Scan")),
        *(f"DynamoDB_20120810.{name}" for name in ("BatchWriteItem", "TransactWriteItems", "DescribeTable")),
        *(f"DynamoDBStreams_20120810.{name}" for name in ("GetRecords", "GetShardIterator", "DescribeStream")),
    ],
    "sqs": [
        f"AmazonSQS.{name}"
        for name in (
            "SendMessage",
            "ReceiveMessage",
            "DeleteMessage",
            "SendMessageBatch",
            "ChangeMessageVisibility",
            "GetQueueUrl",
            "GetQueueAttributes",
            "SetQueueAttributes",
            "ListQueues",
        )
    ],
    "events": ["AWSEvents.PutEvents", "AWSEvents.TestEventPattern", "AWSEvents.PutRule"],
    "kms": ["TrentService.CreateKey", "TrentService.Encrypt", "TrentService.Decrypt"],
    "logs": [f"Logs_20140328.{name}" for name in ("CreateLogGroup", "PutLogEvents", "FilterLogEvents")],
    "secretsmanager": ["secretsmanager.CreateSecret", "secretsmanager.GetSecretValue"],
    "ssm": ["AmazonSSM.PutParameter", "AmazonSSM.GetParameter"],
    "monitoring": ["GraniteServiceVersion20100801.PutMetricData"],
}
OPERATIONS = [(service, target) for service, targets in TARGETS.items() for target in targets]
FORMS = ["cloudformation", "sts", "sns", "ses", "sqs", "monitoring"]
INVOKE = "/2015-03-31/functions/Mail/invocations"

GARBAGE = [
    b"{",
    b"[]",
    b"5",
    b'"text"',
    b"null",
    b"\xff\xfe",
    b'{"a":"\xff"}',
    b'{"a":NaN}',
    b"[" * 5000,
    b'{"a":' * 5000,
    b"Action=ListQueues",
    gzip.compress(b"{}"),
    b"\x00",
]


class QuietRuntime:
    """Runs every function by returning what it was given."""

    async def invoke(self, name: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        return Invocation(status="ok", payload=payload)

    async def stop(self) -> None:
        """Nothing runs."""


class Answer:
    """What came back, as a client reads it."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages = messages
        self.status = messages[0]["status"] if messages else None
        self.body = b"".join(message.get("body", b"") for message in messages[1:])

    @property
    def code(self) -> str:
        """The error's code, of JSON and XML alike."""
        if self.body.startswith(b"<"):
            return ET.fromstring(self.body).findtext(".//{*}Code") or ""
        return str(json.loads(self.body)["__type"])


class Cloud:
    """An endpoint that is called as a server would call it."""

    def __init__(self) -> None:
        system = topology(
            tables=(table("items", stream_view="NEW_IMAGE"),),
            queues=(ORDERS,),
            buses=(bus("shop"),),
            rules=(rule("orders", {"source": ["shop"]}, target(ORDERS)),),
            functions=(function("Mail"),),
        )
        self.store = Store(system)
        self.store.create()
        routes = Bus(system, self.store.queues, History(), after=lambda *_: None)
        invocations = Invocations(system, QuietRuntime())
        self.endpoint = Endpoint(self.store, routes, invocations, hosts=["host.docker.internal"])

    def ask(
        self,
        service: str,
        body: bytes | Iterable[bytes] = b"",
        *,
        target: str = "",
        path: str = "/",
        query: str = "",
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        whole: bool = True,
    ) -> Answer:
        """Send a request, its body in one piece or in several; `whole` is whether the client stays till the end."""
        credential = f"AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/{service}/aws4_request"
        given = dict(headers or {}).items() if not isinstance(headers, list) else headers
        fields = [("host", "127.0.0.1:4566"), ("authorization", credential), ("x-amz-target", target)]
        kept = [field for field in fields if field[1] and field[0] not in dict(given)]
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in [*kept, *given]],
        }
        pieces = [body] if isinstance(body, bytes) else list(body)
        coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        coming.append({"type": "http.request", "more_body": False} if whole else {"type": "http.disconnect"})
        sent: list[dict[str, Any]] = []

        async def receive() -> Any:
            return coming.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(asyncio.wait_for(self.endpoint(scope, receive, send), 60))
        return Answer(sent)


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return Cloud()


@pytest.mark.parametrize(("service", "target"), OPERATIONS, ids=lambda name: name.partition(".")[2])
def test_a_body_that_is_no_json_object_is_refused(cloud: Cloud, service: str, target: str) -> None:
    """By every operation of every service that speaks JSON."""
    answers = {body[:16]: cloud.ask(service, body, target=target) for body in GARBAGE}

    told = {body: (answer.status, answer.code) for body, answer in answers.items()}
    assert {status for status, _ in told.values()} == {400}
    assert {code for _, code in told.values()} <= {"SerializationException", "ValidationException"}


@pytest.mark.parametrize(
    ("service", "target", "params"),
    [
        ("sqs", "AmazonSQS.SendMessage", {"QueueUrl": 5, "MessageBody": "x"}),
        ("sqs", "AmazonSQS.SendMessage", {"QueueUrl": "x/orders", "MessageBody": {"a": 1}}),
        ("sqs", "AmazonSQS.ReceiveMessage", {"QueueUrl": "x/orders", "MaxNumberOfMessages": "many"}),
        ("sqs", "AmazonSQS.ReceiveMessage", {"QueueUrl": "x/orders", "WaitTimeSeconds": True}),
        ("sqs", "AmazonSQS.SendMessageBatch", {"QueueUrl": "x/orders", "Entries": [None, 5]}),
        ("sqs", "AmazonSQS.SetQueueAttributes", {"QueueUrl": "x/orders", "Attributes": ["VisibilityTimeout"]}),
        ("events", "AWSEvents.PutEvents", {"Entries": "x"}),
        ("events", "AWSEvents.PutEvents", {"Entries": [{"Source": 5}]}),
        ("events", "AWSEvents.TestEventPattern", {"EventPattern": {}, "Event": "{}"}),
        ("kms", "TrentService.Decrypt", {"CiphertextBlob": "not base64"}),
        ("logs", "Logs_20140328.PutLogEvents", {"logGroupName": "a", "logStreamName": "b", "logEvents": {"a": 1}}),
        ("ssm", "AmazonSSM.PutParameter", {"Name": ["x"], "Value": "v"}),
        ("dynamodb", "DynamoDB_20120810.Scan", {"TableName": "items", "Limit": {"S": "1"}}),
        ("dynamodb", "DynamoDB_20120810.TransactWriteItems", {"TransactItems": [5]}),
        ("dynamodb", "DynamoDBStreams_20120810.GetRecords", {"ShardIterator": 5}),
    ],
)
def test_a_value_of_another_type_is_refused(cloud: Cloud, service: str, target: str, params: dict[str, Any]) -> None:
    """AWS's own model of the service says which type is meant."""
    answer = cloud.ask(service, json.dumps(params).encode(), target=target)

    assert (answer.status, answer.code) == (400, "SerializationException")


@pytest.mark.parametrize(
    ("service", "target"),
    [
        ("sqs", "AmazonSQS.SendMessage"),
        ("events", "AWSEvents.PutEvents"),
        ("events", "AWSEvents.TestEventPattern"),
        ("kms", "TrentService.Encrypt"),
        ("logs", "Logs_20140328.CreateLogGroup"),
        ("ssm", "AmazonSSM.PutParameter"),
        ("secretsmanager", "secretsmanager.GetSecretValue"),
        ("dynamodb", "DynamoDB_20120810.Scan"),
    ],
)
def test_a_missing_parameter_is_refused(cloud: Cloud, service: str, target: str) -> None:
    """A body without anything lacks it, and so does one that says null."""
    assert (cloud.ask(service, target=target).status, cloud.ask(service, b"{}", target=target).status) == (400, 400)


@pytest.mark.parametrize(("service", "target"), [(service, targets[0]) for service, targets in TARGETS.items()])
@pytest.mark.parametrize("wrong", ["{prefix}.Nope", "Nope.{name}", "{name}", "{prefix}.", ".", "\u00e9.{name}"])
def test_an_operation_that_is_not_there_is_refused(cloud: Cloud, service: str, target: str, wrong: str) -> None:
    """As an UnknownOperationException."""
    prefix, _, name = target.partition(".")

    answer = cloud.ask(service, b"{}", target=wrong.format(prefix=prefix, name=name))

    assert (answer.status, answer.code) == (400, "UnknownOperationException")


@pytest.mark.parametrize("service", ["dynamodb", "events", "kms", "logs", "secretsmanager", "ssm"])
def test_a_request_without_a_target_is_refused(cloud: Cloud, service: str) -> None:
    """Nothing says what is asked for."""
    assert (cloud.ask(service, b"{}").status, cloud.ask(service, b"{}").code) == (400, "UnknownOperationException")


@pytest.mark.parametrize("service", FORMS)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MissingAction"),
        (b"Action=", "MissingAction"),
        (b"&&==&%", "MissingAction"),
        (b"\xff\xfe", "MissingAction"),
        (b"{}", "MissingAction"),
        (b"Action=Nope", "InvalidAction"),
        (b"Action=%ff%00", "InvalidAction"),
        (b"Action=\xf0\x9f\x98\x80&x=%zz", "InvalidAction"),
    ],
)
def test_a_form_without_a_known_action_is_refused(cloud: Cloud, service: str, body: bytes, code: str) -> None:
    """In XML, which is what the query protocol answers in."""
    answer = cloud.ask(service, body, headers={"content-type": "application/x-www-form-urlencoded"})

    assert (answer.status, answer.code) == (400, code)


def test_a_query_string_is_a_form_too(cloud: Cloud) -> None:
    """The query protocol takes parameters from either, and a stack's name of any characters."""
    assert cloud.ask("cloudformation", query="Action=DescribeStacks&StackName=test").status == 200
    assert cloud.ask("cloudformation", query="Action=DescribeStacks&StackName=%00%ff").code == "ValidationError"
    assert cloud.ask("sts", query="Action=GetCallerIdentity&Version=2011-06-15").status == 200


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"a":"\xff"}', b'{"a":NaN}', b"[" * 5000, b"text", '{"a":1}'.encode("utf-16")]
)
def test_a_payload_that_is_no_json_is_refused(cloud: Cloud, body: bytes) -> None:
    """As an InvalidRequestContentException."""
    answer = cloud.ask("lambda", body, path=INVOKE)

    assert (answer.status, answer.code) == (400, "InvalidRequestContentException")


def test_a_service_that_is_not_there_is_refused(cloud: Cloud) -> None:
    """With the names of those that are."""
    answer = cloud.ask("nope", b"{}", target="Nope.Do")

    assert (answer.status, answer.code) == (400, "UnsupportedOperation")


def test_what_nobody_foresaw_is_refused_and_told_to_whoever_runs_the_cloud(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client hears of no traceback, and the log does."""
    monkeypatch.setattr(cloud.store, "handle", lambda *_: 1 / 0)

    answer = cloud.ask("sqs", b"{}", target="AmazonSQS.ListQueues")

    assert (answer.status, answer.code) == (400, "ValidationException")
    assert b"Traceback" not in answer.body
    assert "ZeroDivisionError of a request to AmazonSQS.ListQueues" in caplog.text


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats() | st.text(max_size=5) | st.sampled_from(["items"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("SNBMLx"), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        "TableName",
        "Key",
        "Item",
        "TransactItems",
        "RequestItems",
        "UpdateExpression",
        "ExpressionAttributeValues",
        "Limit",
        "QueueUrl",
        "MessageBody",
        "Attributes",
        "Entries",
        "MaxNumberOfMessages",
        "ReceiptHandle",
        "VisibilityTimeout",
        "MessageAttributes",
        "DelaySeconds",
        "QueueName",
        "Name",
        "KeyId",
        "Plaintext",
        "CiphertextBlob",
        "logGroupName",
        "logStreamName",
        "logEvents",
        "SecretId",
        "Value",
        "EventPattern",
        "Event",
        "MetricData",
        "Namespace",
        "ShardIterator",
        "StreamArn",
        "ShardId",
        "ShardIteratorType",
    ]
)
good = {
    "TableName": "items",
    "QueueUrl": f"http://127.0.0.1/{ORDERS.name}",
    "Key": {"pk": {"S": "a"}},
    "MessageBody": "b",
}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operation=st.sampled_from(OPERATIONS), odd=st.dictionaries(names, values, max_size=4))
def test_no_parameters_are_an_error_of_the_servers(cloud: Cloud, operation: tuple[str, str], odd: Any) -> None:
    """Property: any JSON is answered, or refused as the client's error."""
    service, target = operation

    answer = cloud.ask(service, json.dumps(good | odd).encode(), target=target)

    assert answer.status in {200, 400, 404}
    assert answer.status == 200 or answer.code


# Bodies


def test_a_body_in_very_many_pieces_is_read_in_linear_time() -> None:
    """Each piece is copied once: that this ends is the test."""
    pieces = iter([{"type": "http.request", "body": b"x" * 100, "more_body": True}] * 100_000)

    async def receive() -> Any:
        return next(pieces, {"type": "http.request"})

    assert asyncio.run(read_body(receive)) == b"x" * 10_000_000


@pytest.mark.parametrize(
    ("service", "options", "code"),
    [
        ("sqs", {"target": "AmazonSQS.SendMessage"}, "RequestEntityTooLargeException"),
        ("lambda", {"path": INVOKE}, "RequestEntityTooLargeException"),
        ("sts", {}, "RequestEntityTooLargeException"),
    ],
)
def test_a_body_over_the_limit_is_refused_before_it_is_read_whole(
    cloud: Cloud, service: str, options: dict[str, Any], code: str
) -> None:
    """With 413, as soon as it is over."""
    pieces = (b"x" * 1_000_000 for _ in range(MAX_BODY_BYTES // 1_000_000 + 1))

    answer = cloud.ask(service, pieces, **options)

    assert (answer.status, answer.code) == (413, code)


def test_a_payload_over_lambdas_limit_is_refused(cloud: Cloud) -> None:
    """6 MB where somebody waits, 1 MB where nobody does."""
    over_1_mb, over_6_mb = b'"' + b"x" * 1_048_576 + b'"', b'"' + b"x" * 6_291_456 + b'"'
    event = {"x-amz-invocation-type": "Event"}

    assert cloud.ask("lambda", over_1_mb, path=INVOKE).status == 200
    assert cloud.ask("lambda", over_1_mb, path=INVOKE, headers=event).code == "RequestTooLargeException"
    assert cloud.ask("lambda", over_6_mb, path=INVOKE).status == 413


def test_a_compressed_body_is_read(cloud: Cloud) -> None:
    """AWS's SDKs compress large bodies of CloudWatch's."""
    body = json.dumps({"QueueUrl": "http://127.0.0.1/orders", "MessageBody": "small"}).encode()

    answer = cloud.ask("sqs", gzip.compress(body), target="AmazonSQS.SendMessage", headers={"content-encoding": "gzip"})

    assert answer.status == 200


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", b"no gzip", 400),
        ("gzip", gzip.compress(b"{}")[:-3], 400),
        ("gzip", gzip.compress(b"0" * (MAX_BODY_BYTES + 1)), 413),
        ("br", b"{}", 400),
    ],
    ids=["other", "cut off", "a bomb", "unknown"],
)
def test_a_body_that_is_not_compressed_as_it_says_is_refused(
    cloud: Cloud, encoding: str, body: bytes, status: int
) -> None:
    """One that grows too large is too large."""
    answer = cloud.ask("sqs", body, target="AmazonSQS.ListQueues", headers={"content-encoding": encoding})

    assert answer.status == status


def test_a_request_that_is_cut_off_is_not_carried_out(cloud: Cloud) -> None:
    """Half of a body may make sense by itself."""
    answer = cloud.ask("lambda", b"5", path=INVOKE, whole=False)

    assert answer.messages == []


# Callers


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4566", "localhost", "LocalHost.:4566", "127.1.2.3", "[::1]:4566", "host.docker.internal:4566"],
)
def test_a_request_to_this_machine_is_answered(cloud: Cloud, host: str) -> None:
    """By any of its names, and by those that were allowed."""
    assert cloud.ask("sqs", target="AmazonSQS.ListQueues", headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("host", "evil.example")],
        [("host", "127.0.0.1.evil.example:4566")],
        [("host", "localhost.evil.example")],
        [("host", "192.168.0.1")],
        [("host", "0.0.0.0:4566")],
        [("host", "")],
        [("host", "[::1")],
        [("host", "evil.example@127.0.0.1.evil.example")],
        [("host", "127.0.0.1"), ("host", "evil.example")],
        [("origin", "https://evil.example")],
        [("origin", "null")],
    ],
)
def test_a_page_that_reached_this_machine_by_another_name_is_refused(
    cloud: Cloud, headers: list[tuple[str, str]]
) -> None:
    """With 403, whatever it asks for."""
    answer = cloud.ask("sqs", target="AmazonSQS.ListQueues", headers=headers)

    assert (answer.status, answer.code) == (403, "AccessDeniedException")


def test_a_page_of_this_machine_may_call(cloud: Cloud) -> None:
    """A person's own console is one."""
    assert cloud.ask("sqs", target="AmazonSQS.ListQueues", headers={"origin": "http://localhost:3000"}).status == 200
