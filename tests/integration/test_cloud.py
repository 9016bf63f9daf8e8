"""A whole local cloud: from a template to events that flow, and to nothing that is left behind."""

import asyncio
import json
import socket
import textwrap
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest

from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.template import TemplateError

T = TypeVar("T")

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Bus:
    Type: AWS::Events::EventBus
    Properties: {Name: shop}
  Inbox:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 60}
  Journal:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Greetings:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !GetAtt Bus.Name
      EventPattern: {source: [shop]}
      Targets: [{Id: inbox, Arn: !GetAtt Inbox.Arn}]
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: reader
      Handler: app.handler
      Runtime: python3.11
      Timeout: 10
      MemorySize: 256
      Events:
        Inbox:
          Type: SQS
          Properties: {Queue: !GetAtt Inbox.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}
  Follower:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: reader
      Handler: app.handler
      Runtime: python3.11
      Timeout: 30
      MemorySize: 256
      Events:
        Journal:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Journal.StreamArn
            StartingPosition: TRIM_HORIZON
            MaximumBatchingWindowInSeconds: 1
"""

PRINTING = """
    import json, os
    def handler(event, context):
        print(json.dumps({"pid": os.getpid(), "event": event}), flush=True)
"""


@pytest.fixture
def template(tmp_path: Path) -> Callable[[str], Path]:
    def write(source: str) -> Path:
        (tmp_path / "reader").mkdir()
        (tmp_path / "reader" / "app.py").write_text(textwrap.dedent(source))
        path = tmp_path / "template.yaml"
        path.write_text(TEMPLATE)
        return path

    return write


class Printed:
    """What the functions print, as JSON, by function."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.history = History()
        self.history.subscribe(self._notice)

    def _notice(self, happening: Any) -> None:
        if happening.kind == "log":
            self.lines.put_nowait((happening.fields["function"], json.loads(happening.fields["line"])))

    def all(self) -> list[tuple[str, Any]]:
        return [self.lines.get_nowait() for _ in range(self.lines.qsize())]


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main`; what would wait for ever fails instead."""

    async def limited() -> T:
        async with asyncio.timeout(60):
            return await main

    return asyncio.run(limited())


def client(cloud: LocalCloud, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


async def publish(cloud: LocalCloud, number: int = 1) -> None:
    entry = {"EventBusName": "shop", "Source": "shop", "DetailType": "Greeting", "Detail": '{"hello": "world"}'}
    events = client(cloud, "events")
    answer = await asyncio.to_thread(events.put_events, Entries=[entry] * number)
    assert answer["FailedEntryCount"] == 0


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class InProcess:
    """A Runtime that calls a coroutine in this process."""

    def __init__(self, call: Callable[[str, bytes], Coroutine[Any, Any, Invocation]]) -> None:
        self._call = call

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        """Call it."""
        return await self._call(function, payload)

    async def stop(self) -> None:
        """Nothing was started."""


def test_an_event_flows_from_the_bus_to_the_function(template):
    """PutEvents over HTTP, a rule, a queue, a mapping and a process; after settling nothing is left to be done."""

    async def main() -> list[tuple[str, Any]]:
        printed = Printed()
        async with LocalCloud(template(PRINTING), history=printed.history) as cloud:
            assert cloud.quiet()
            await publish(cloud)
            assert not cloud.quiet()
            await cloud.settle(30)
            assert cloud.quiet()
        return printed.all()

    ((function, line),) = run(main())

    (record,) = line["event"]["Records"]
    assert function == "Reader"
    assert record["eventSource"] == "aws:sqs"
    assert json.loads(record["body"])["detail"] == {"hello": "world"}


def test_a_change_of_a_table_flows_to_the_function(template):
    """PutItem over HTTP, the table's stream, a mapping and a process."""

    async def main() -> list[tuple[str, Any]]:
        printed = Printed()
        async with LocalCloud(template(PRINTING), history=printed.history) as cloud:
            table, dynamodb = cloud.topology.table("Journal").name, client(cloud, "dynamodb")
            await asyncio.to_thread(dynamodb.put_item, TableName=table, Item={"pk": {"S": "a"}})
            assert not cloud.quiet()
            await cloud.settle(30)
        return printed.all()

    ((function, line),) = run(main())

    (record,) = line["event"]["Records"]
    assert function == "Follower"
    assert record["dynamodb"]["NewImage"] == {"pk": {"S": "a"}}


def test_every_event_is_done_when_it_has_settled(template):
    """Fifty events are fifty acknowledged messages, duplicates included, in whatever batches."""

    async def main() -> int:
        printed = Printed()
        async with LocalCloud(
            template(PRINTING), history=printed.history, disorder=Disorder(1, 0.5, shuffle=True)
        ) as cloud:
            for _ in range(5):
                await publish(cloud, 10)
            await cloud.settle(30)
        lines = printed.all()
        return len({record["messageId"] for _, line in lines for record in line["event"]["Records"]})

    assert run(main()) > 50


def test_a_function_is_invoked_directly_and_over_http(template):
    """Both ways give its result."""

    async def main() -> tuple[bytes, bytes]:
        source = "def handler(event, context): return {'got': event}"
        async with LocalCloud(template(source)) as cloud:
            direct = await cloud.invoke("Reader", b"1")
            name, functions = cloud.topology.function("Reader").name, client(cloud, "lambda")
            answer = await asyncio.to_thread(functions.invoke, FunctionName=name, Payload=b"2")
            over_http = await asyncio.to_thread(answer["Payload"].read)
        return direct.payload, over_http

    assert run(main()) == (b'{"got": 1}', b'{"got": 2}')


def test_settling_waits_for_an_invocation_that_nobody_waits_for(template):
    """An asynchronous invocation has been answered long before it ends."""

    async def main() -> list[tuple[str, Any]]:
        printed = Printed()
        async with LocalCloud(template(PRINTING), history=printed.history) as cloud:
            functions = client(cloud, "lambda")
            name = cloud.topology.function("Reader").name
            await asyncio.to_thread(functions.invoke, FunctionName=name, InvocationType="Event", Payload=b"1")
            await cloud.settle(30)
        return printed.all()

    assert [line["event"] for _, line in run(main())] == [1]


def test_a_message_that_is_not_done_keeps_it_from_settling(template):
    """It is hidden, yet it will come again."""

    async def main() -> None:
        async with LocalCloud(template("def handler(event, context): raise ValueError")) as cloud:
            await publish(cloud)
            with pytest.raises(TimeoutError):
                await cloud.settle(0.5)
            assert not cloud.quiet()

    run(main())


def test_leaving_ends_the_processes_and_frees_the_port(template):
    """Nothing runs and nothing listens afterwards."""

    async def main() -> str:
        printed = Printed()
        async with LocalCloud(template(PRINTING), history=printed.history) as cloud:
            await publish(cloud)
            await cloud.settle(30)
            _, line = printed.lines.get_nowait()
            assert alive(line["pid"])
        assert not alive(line["pid"])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return cloud.endpoint

    endpoint = run(main())

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(endpoint.rpartition(":")[2])))


def test_cancellation_ends_the_processes_in_the_midst_of_their_work(template):
    """As after Ctrl-C: the task is cancelled, the function would run on, and nothing is left."""
    working = PRINTING + "        import time; time.sleep(600)\n"

    async def main() -> int:
        printed = Printed()

        async def use() -> None:
            async with LocalCloud(template(working), history=printed.history) as cloud:
                await publish(cloud)
                await cloud.settle()

        task = asyncio.create_task(use())
        _, line = await printed.lines.get()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return line["pid"]

    assert not alive(run(main()))


def test_another_runtime_can_run_the_functions(template):
    """Whatever has the two verbs: here a coroutine of this process."""
    seen = []

    async def call(function: str, payload: bytes) -> Invocation:
        seen.append((function, len(json.loads(payload)["Records"])))
        return Invocation(status="ok", payload=b"null")

    async def main() -> None:
        async with LocalCloud(template(PRINTING), runtime=lambda _: InProcess(call)) as cloud:
            await publish(cloud)
            await cloud.settle(30)

    run(main())

    assert seen == [("Reader", 1)]


def test_a_mapping_that_breaks_is_told_to_whoever_settles_and_leaves(template):
    """A defect of the cloud's own must not look like a quiet or an endless system."""

    async def call(function: str, payload: bytes) -> Invocation:
        raise LookupError("a defect")

    async def main() -> list[BaseException]:
        raised = []
        try:
            async with LocalCloud(template(PRINTING), runtime=lambda _: InProcess(call)) as cloud:
                await publish(cloud)
                try:
                    await cloud.settle(30)
                except* LookupError as settling:
                    raised.append(settling)
        except* LookupError as leaving:
            raised.append(leaving)
        return raised

    assert len(run(main())) == 2


def test_a_template_that_cannot_be_loaded_leaves_nothing_behind(template):
    """The port is free again, and no task runs."""
    path = template(PRINTING)
    path.write_text(TEMPLATE.replace("!GetAtt Inbox.Arn}]", "!GetAtt Nothing.Arn}]"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def main() -> None:
        with pytest.raises(TemplateError):
            await LocalCloud(path, port=port).__aenter__()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())

    socket.create_server(("127.0.0.1", port)).close()


def test_a_port_that_is_taken_is_an_error(template):
    """It is the caller's choice, and so the caller's to change."""
    path = template(PRINTING)

    async def main(port: int) -> None:
        async with LocalCloud(path, port=port):
            pytest.fail("started on a port that is taken")

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        run(main(taken.getsockname()[1]))
