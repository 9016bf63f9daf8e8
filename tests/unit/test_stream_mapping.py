"""Changes of a table reach a function as Lambda's reader of a DynamoDB stream brings them."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from scripted_runtime import THROTTLED, Handler, ScriptedRuntime, fail, succeed

from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.mappings.batches import Record
from eachonce_workbench.cloud.mappings.stream_mapping import StreamReader
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.simulator import clock as virtual_time
from eachonce_workbench.template.topology import Queue, StreamMapping, Table, Topology

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/journal"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:shop-Fn"
FAILURES = Queue(
    logical_id="failures",
    name="failures",
    arn="arn:aws:sqs:eu-west-1:123456789012:failures",
    url="http://127.0.0.1:4566/123456789012/failures",
    fifo=False,
    visibility_timeout_seconds=60,
    retention_seconds=1_209_600,
    dead_letter_arn=None,
    max_receive_count=None,
    properties={},
)
TABLE = Table(
    logical_id="Journal",
    name="journal",
    arn=ARN,
    hash_key="pk",
    range_key=None,
    key_types={"pk": "S"},
    stream_arn=f"{ARN}/stream/now",
    stream_view="NEW_IMAGE",
    ttl_attribute=None,
    point_in_time_recovery=False,
    properties={
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
    },
)


def mapping(**changes: Any) -> StreamMapping:
    values: dict[str, Any] = {
        "function": "Fn",
        "table_name": "journal",
        "stream_arn": f"{ARN}/stream/now",
        "enabled": True,
        "starting_position": "TRIM_HORIZON",
        "batch_size": 100,
        "window_seconds": 0,
        "max_retries": None,
        "max_age_seconds": None,
        "bisect": False,
        "parallelization": 1,
        "report_failures": True,
        "on_failure_arn": FAILURES.arn,
        "filters": Filters.of(None),
    }
    return StreamMapping(**(values | changes))


class Stage:
    """A table with a stream, its reader and a scripted function."""

    def __init__(self, runtime: ScriptedRuntime) -> None:
        self.runtime = runtime
        self.happened: list[Happening] = []
        self.failures: list[dict[str, Any]] = []
        history = History()
        history.subscribe(self.happened.append)
        self.history = history
        self.store = Store(
            Topology(
                stack="shop",
                region="eu-west-1",
                account_id="123456789012",
                tables=(TABLE,),
                queues=(FAILURES,),
                buses=(),
                rules=(),
                functions=(),
                queue_mappings=(),
                stream_mappings=(),
                outputs={},
            ),
            history=history,
        )
        self.store.create()

    def reader(self, **changes: Any) -> StreamReader:
        return StreamReader(
            mapping(**changes),
            function_arn=FUNCTION_ARN,
            streams=self.store.streams,
            queues=self.store.queues,
            runtime=self.runtime,
            history=self.history,
            clock=time.time,
            passed=lambda: None,
        )

    def put(self, *keys: str, **attributes: str) -> None:
        for key in keys:
            item = {"pk": key} | attributes
            body = {"TableName": "journal", "Item": {name: {"S": value} for name, value in item.items()}}
            headers = {"x-amz-target": "DynamoDB_20120810.PutItem"}
            assert self.store.handle("dynamodb", headers, json.dumps(body).encode())[0] == 200

    def keys(self) -> list[list[str]]:
        return [[key(record) for record in batch] for batch in self.runtime.batches]

    def take_failures(self) -> None:
        records = self.store.queues.receive(FAILURES.arn, max_messages=100)
        self.failures = [json.loads(record["body"]) for record in records]


def key(record: Record) -> str:
    return record["dynamodb"]["Keys"]["pk"]["S"]


@contextlib.asynccontextmanager
async def reading(handler: Handler = succeed, **changes: Any) -> AsyncIterator[Stage]:
    stage = Stage(ScriptedRuntime(handler))
    stage.current = stage.reader(**changes)
    stage.task = task = asyncio.create_task(stage.current.run())
    try:
        yield stage
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        stage.take_failures()


def poison(*keys: str) -> Handler:
    """Fail every batch that holds one of `keys`, without saying which."""

    async def handler(records: list[Record]) -> None:
        if any(key(record) in keys for record in records):
            raise ValueError("poison")

    return handler


def reporting(*keys: str) -> Handler:
    """Report the records of `keys` as failed."""

    async def handler(records: list[Record]) -> dict[str, Any]:
        failed = [record["dynamodb"]["SequenceNumber"] for record in records if key(record) in keys]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    return handler


def test_what_is_left_of_a_stream_can_be_looked_at():
    """Without reading it, and only the first of it."""
    stage = Stage(ScriptedRuntime())
    reader = stage.reader()

    stage.put("a", "b", "c")

    assert (reader.left, reader.behind) == (3, True)
    assert [key(record) for record in reader.unread(2)] == ["a", "b"]
    assert reader.left == 3


def test_changes_come_in_the_order_of_their_writes():
    """In batches of the batch size or less, and each once."""

    async def main() -> Stage:
        async with reading(batch_size=2) as stage:
            stage.put("a", "b", "c")
            await asyncio.sleep(1)
            stage.put("a", number="2")
            await asyncio.sleep(1)
            assert not stage.current.behind
        return stage

    assert virtual_time.run(main()).keys() == [["a", "b"], ["c"], ["a"]]


@pytest.mark.parametrize(("position", "keys"), [("TRIM_HORIZON", [["before", "after"]]), ("LATEST", [["after"]])])
def test_the_starting_position_decides_whether_earlier_changes_count(position, keys):
    """TRIM_HORIZON reads what is there already, LATEST only what comes."""

    async def main() -> Stage:
        stage = Stage(ScriptedRuntime())
        stage.put("before")
        reader = stage.reader(starting_position=position)
        stage.put("after")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.run(), 1)
        return stage

    assert virtual_time.run(main()).keys() == keys


def test_a_window_gathers_what_is_written_until_it_closes():
    """The first record opens it."""

    async def main() -> Stage:
        async with reading(window_seconds=5) as stage:
            for name in "abc":
                await asyncio.sleep(3)
                stage.put(name)
            await asyncio.sleep(10)
        return stage

    stage = virtual_time.run(main())

    assert stage.keys() == [["a", "b"], ["c"]]
    assert stage.runtime.times == [8, 14]


def test_records_that_no_filter_admits_are_passed_over():
    """The function never sees them, and they hold nothing up."""
    filters = Filters.of(
        {"Filters": [{"Pattern": json.dumps({"dynamodb": {"NewImage": {"outbox": {"S": [{"exists": True}]}}}})}]}
    )

    async def main() -> Stage:
        async with reading(filters=filters) as stage:
            stage.put("a")
            stage.put("b", outbox="events")
            await asyncio.sleep(1)
            stage.put("c")
            await asyncio.sleep(1)
            assert not stage.current.behind
        return stage

    assert virtual_time.run(main()).keys() == [["b"]]


def test_a_failed_batch_is_tried_again_and_nothing_overtakes_it():
    """With unbounded retries the shard waits until the function succeeds."""

    async def main() -> Stage:
        async with reading(fail, batch_size=1) as stage:
            stage.put("a", "b")
            await asyncio.sleep(30)
            assert stage.current.behind
            stage.runtime.handler = succeed
            await asyncio.sleep(30)
        return stage

    keys = virtual_time.run(main()).keys()

    assert len(keys) > 5
    assert keys[:-1] == [["a"]] * (len(keys) - 1)
    assert keys[-1] == ["b"]


def test_retries_that_are_used_up_give_the_batch_to_the_destination():
    """Two retries are three invocations; then Lambda's failure record is sent, and the next batch comes."""

    async def main() -> Stage:
        async with reading(poison("b"), batch_size=2, max_retries=2) as stage:
            stage.put("a", "b", "c")
            await asyncio.sleep(30)
        return stage

    stage = virtual_time.run(main())

    assert stage.keys() == [["a", "b"]] * 3 + [["c"]]
    (failure,) = stage.failures
    assert failure["requestContext"] == {
        "requestId": "r",
        "functionArn": FUNCTION_ARN,
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 3,
    }
    assert failure["responseContext"]["functionError"] == "Unhandled"
    batch = failure["DDBStreamBatchInfo"]
    first, second = (record["dynamodb"]["SequenceNumber"] for record in stage.runtime.batches[0])
    assert (batch["startSequenceNumber"], batch["endSequenceNumber"], batch["batchSize"]) == (first, second, 2)
    assert batch["approximateArrivalOfFirstRecord"] == "2026-01-01T00:00:00.000Z"
    assert batch["streamArn"] == f"{ARN}/stream/now"


def test_without_a_destination_records_that_were_given_up_are_told_as_lost():
    """Nothing is silent: the history names the condition."""

    async def main() -> Stage:
        async with reading(fail, max_retries=0, on_failure_arn=None) as stage:
            stage.put("a")
            await asyncio.sleep(1)
        return stage

    (told,) = virtual_time.run(main()).happened

    assert told.kind == "undelivered"
    assert (told.fields["condition"], told.fields["records"]) == ("RetryAttemptsExhausted", 1)


def test_bisecting_finds_the_poison_and_spares_its_neighbours():
    """Splitting costs no retry, so that only the poison is given up."""

    async def main() -> Stage:
        async with reading(poison("c"), bisect=True, max_retries=0) as stage:
            stage.put(*"abcd")
            await asyncio.sleep(30)
        return stage

    stage = virtual_time.run(main())

    assert stage.keys() == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]
    assert [failure["DDBStreamBatchInfo"]["batchSize"] for failure in stage.failures] == [1]


def test_a_report_checkpoints_at_the_lowest_failure():
    """All from there on comes again, whatever else was done after it."""

    async def main() -> Stage:
        async with reading(reporting("b", "d")) as stage:
            stage.put(*"abcd")
            await asyncio.sleep(0.05)
            stage.runtime.handler = succeed
            await asyncio.sleep(30)
        return stage

    assert virtual_time.run(main()).keys() == [["a", "b", "c", "d"], ["b", "c", "d"]]


def test_a_report_with_bisecting_splits_at_the_lowest_failure():
    """What comes before it is done, and the rest is split further when it fails again."""

    async def main() -> Stage:
        async with reading(reporting("b"), bisect=True, max_retries=1) as stage:
            stage.put(*"abcde")
            await asyncio.sleep(30)
        return stage

    stage = virtual_time.run(main())

    assert stage.keys() == [
        ["a", "b", "c", "d", "e"],
        ["b", "c", "d", "e"],
        ["b", "c"],
        ["b"],
        ["b"],
        ["c"],
        ["d", "e"],
    ]
    assert [failure["DDBStreamBatchInfo"]["batchSize"] for failure in stage.failures] == [1]


def test_an_invalid_report_fails_the_whole_batch():
    """As for a queue, a record that isn't in the batch makes all of it a failure."""

    async def respond(records: list[Record]) -> dict[str, Any]:
        return {"batchItemFailures": [{"itemIdentifier": "0"}]}

    async def main() -> Stage:
        async with reading(respond, max_retries=1) as stage:
            stage.put("a", "b")
            await asyncio.sleep(30)
        return stage

    assert virtual_time.run(main()).keys() == [["a", "b"]] * 2


def test_throttles_use_up_no_retries():
    """A function that may not run hasn't failed."""

    async def throttle(records: list[Record]) -> Any:
        return THROTTLED if asyncio.get_running_loop().time() < 20 else None

    async def main() -> Stage:
        async with reading(throttle, max_retries=0) as stage:
            stage.put("a")
            await asyncio.sleep(60)
            assert not stage.current.behind
        return stage

    assert virtual_time.run(main()).failures == []


def test_records_that_grow_too_old_are_given_up():
    """The age that counts is the record's own; younger ones go on being tried."""

    async def main() -> Stage:
        async with reading(fail, max_age_seconds=60) as stage:
            stage.put("a")
            await asyncio.sleep(40)
            stage.put("b")
            await asyncio.sleep(50)
        return stage

    stage = virtual_time.run(main())

    assert [failure["requestContext"]["condition"] for failure in stage.failures] == ["RecordAgeExceeded"]
    assert stage.keys()[-1] == ["b"]


def test_lanes_keep_the_order_of_each_item():
    """Ten lanes run side by side, and of one item's changes never two at once."""
    busy: list[str] = []
    seen: dict[str, list[str]] = {}

    async def slow(records: list[Record]) -> None:
        names = {key(record) for record in records}
        assert not names & set(busy)
        busy.extend(names)
        await asyncio.sleep(len(busy))
        for record in records:
            seen.setdefault(key(record), []).append(record["dynamodb"]["NewImage"]["number"]["S"])
            busy.remove(key(record))

    async def main() -> Stage:
        async with reading(slow, parallelization=10, batch_size=1) as stage:
            for number in range(3):
                stage.put(*"abcdef", number=str(number))
            await asyncio.sleep(120)
            assert not stage.current.behind
        return stage

    stage = virtual_time.run(main())

    assert seen == {name: ["0", "1", "2"] for name in "abcdef"}
    assert stage.runtime.most_running > 1


def test_what_has_been_passed_may_be_forgotten():
    """`passed` is called after each step, with the position already moved on."""
    positions: list[int] = []

    async def main() -> None:
        stage = Stage(ScriptedRuntime())
        reader = StreamReader(
            mapping(batch_size=2),
            function_arn=FUNCTION_ARN,
            streams=stage.store.streams,
            queues=stage.store.queues,
            runtime=stage.runtime,
            history=stage.history,
            clock=time.time,
            passed=lambda: positions.append(reader.position),
        )
        stage.put("a", "b", "c")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.run(), 1)

    virtual_time.run(main())

    assert positions == [2, 3]


def test_a_reader_that_is_halted_stays_where_it_is():
    """The batch in flight ends; a failing one isn't tried again, and comes again when the reader is run again."""
    failing = [True]

    async def until_told(records: list[dict[str, Any]]) -> None:
        await asyncio.sleep(5)
        if failing[0]:
            raise ValueError("not yet")

    async def main() -> Stage:
        async with reading(until_told) as stage:
            stage.put("a")
            await asyncio.sleep(1)
            stage.current.halt()
            await asyncio.sleep(60)
            assert stage.task.done()
            assert stage.keys() == [["a"]]
            stage.put("b")
            failing[0] = False
            task = asyncio.create_task(stage.current.run())
            await asyncio.sleep(20)
            task.cancel()
        return stage

    stage = virtual_time.run(main())

    assert [key for batch in stage.keys()[1:] for key in batch] == ["a", "b"]
    assert not stage.current.behind


def test_an_idle_reader_is_halted_at_once():
    """It waits for a record, and then for nothing."""

    async def main() -> Stage:
        async with reading() as stage:
            await asyncio.sleep(1)
            stage.current.halt()
            await asyncio.sleep(1)
            assert stage.task.done()
            stage.put("a")
            await asyncio.sleep(10)
        return stage

    assert virtual_time.run(main()).keys() == []
