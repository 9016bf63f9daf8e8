"""What tables and queues hold goes on in the next local cloud, whatever it is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
import time_machine

from eachonce_workbench.cloud.data_folder import DataFolder, DataFolderError
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.store.keeping import give_back, keep
from eachonce_workbench.cloud.store.kept import Kept
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.cloud.watch import Watch
from eachonce_workbench.template.topology import Topology
from tests.counter import Counter, Scripted
from tests.templates import STREAM, TABLE, write
from tests.topologies import queue, table, topology

LETTERS = queue("letters")
PARCELS = queue("parcels.fifo")
ITEM = {
    "pk": {"S": "every type"},
    "n": {"N": "1.5"},
    "b": {"B": b"\x00\xff"},
    "flag": {"BOOL": True},
    "nothing": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "bs": {"BS": [b"\x01", b"\x02"]},
    "list": {"L": [{"S": "x"}, {"M": {"deep": {"B": b"\x03"}}}]},
}


def passed_on(counter: Counter, then: Topology) -> tuple[Counter, list[str]]:
    """The next cloud, with what was written down of the one before it, and what had no place."""
    kept = Kept.decoded(keep(counter.store, ()).encoded())
    after = Counter(then)
    return after, list(give_back(kept, after.store))


def test_items_of_every_type_are_kept() -> None:
    """By their keys, with or without a sort key."""
    system = topology(tables=(table("plain"), table("sorted", range_key="sk")))
    before = Counter(system)
    before.client("dynamodb").put_item(TableName="plain", Item=ITEM)
    for place in ("1", "2"):
        before.client("dynamodb").put_item(TableName="sorted", Item={**ITEM, "sk": {"S": place}})

    after, gone = passed_on(before, system)

    dynamodb = after.client("dynamodb")
    assert not gone
    assert dynamodb.scan(TableName="plain")["Items"] == [ITEM]
    found = dynamodb.query(
        TableName="sorted",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": ITEM["pk"]},
    )["Items"]
    assert found == [{**ITEM, "sk": {"S": "1"}}, {**ITEM, "sk": {"S": "2"}}]


def test_a_message_is_kept_as_it_is() -> None:
    """Visible, in flight until its time is over, or delayed; with its attributes, its receives and its receipt."""
    system = topology(queues=(LETTERS,))
    with time_machine.travel(1_000_000, tick=False) as clock:
        before = Counter(system)
        sqs, url = before.client("sqs"), LETTERS.url
        sqs.send_message(QueueUrl=url, MessageBody="in flight")
        (taken,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=30)["Messages"]
        attributes = {"bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
        sqs.send_message(QueueUrl=url, MessageBody="visible", MessageAttributes=attributes)
        sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=60)

        after, gone = passed_on(before, system)
        sqs = after.client("sqs")
        (visible,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])[
            "Messages"
        ]
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=taken["ReceiptHandle"], VisibilityTimeout=45)
        clock.shift(50)
        (back, *_) = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=1, MessageSystemAttributeNames=["ApproximateReceiveCount"]
        )["Messages"]

        assert not gone
        assert (visible["Body"], visible["MessageAttributes"]["bytes"]["BinaryValue"]) == ("visible", b"\x00\xff")
        assert back["MessageId"] in (taken["MessageId"], visible["MessageId"])
        assert after.store.queues.depth(LETTERS.arn).total == 3
        assert after.store.queues.depth(LETTERS.arn).delayed == 1


def test_a_fifo_queue_keeps_its_order_its_groups_and_what_it_has_seen() -> None:
    """A copy of a message from before is still one, and a group with a message in flight still waits."""
    system = topology(queues=(PARCELS,))
    before = Counter(system)
    sqs, url = before.client("sqs"), PARCELS.url

    def send(body: str, group: str) -> str:
        sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=body)
        return str(sent["MessageId"])

    first = send("a1", "a")
    send("b1", "b")
    send("a2", "a")
    (taken,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"]

    after, _ = passed_on(before, system)
    sqs = after.client("sqs")

    assert send("a1", "a") == first
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == ["b1"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=taken["ReceiptHandle"])
    send("a3", "a")
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == ["a2", "a3"]


def test_what_has_no_place_any_more_is_told() -> None:
    """With how much it was; what was empty isn't missed."""
    before = Counter(topology(tables=(table("old"), table("changed"), table("empty")), queues=(LETTERS, PARCELS)))
    for name in ("old", "changed"):
        before.client("dynamodb").put_item(TableName=name, Item=ITEM)
    before.client("sqs").send_message(QueueUrl=LETTERS.url, MessageBody="lost")

    _, gone = passed_on(before, topology(tables=(table("changed", hash_key="id"),)))

    assert gone == [
        "table old: it is no more in the template, and its 1 items are gone",
        "table changed: its key is another one now, and its 1 items are gone",
        "queue letters: it is no more in the template, and its 1 messages are gone",
    ]


class Stuck(Scripted):
    """Takes batches of a stream, and never ends them, or returns."""

    def __init__(self, *, returns: bool) -> None:
        super().__init__(Invocation(status="ok", payload=b"null"))
        self._returns = returns
        self.took = asyncio.Event()

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        self.came.append((function, payload))
        self.took.set()
        if not self._returns:
            await asyncio.Event().wait()
        return self.answers[0]


@pytest.mark.parametrize(
    ("returns", "again"), [(False, True), (True, False)], ids=["what it is at comes again", "what it did does not"]
)
def test_what_a_function_has_not_read_of_a_stream_it_reads_in_the_next_cloud(
    tmp_path: Path, returns: bool, again: bool
) -> None:
    """Whatever its mapping begins with: LATEST is the beginning of a mapping, and not of a cloud."""
    (tmp_path / "code").mkdir()
    template = write(tmp_path, STREAM + TABLE)

    async def through() -> tuple[Stuck, Stuck]:
        first, second = Stuck(returns=returns), Stuck(returns=True)
        async with LocalCloud(template, port=None, runtime=lambda _: first) as cloud:
            _put(cloud.store, "eachonce-Table", {"id": {"S": "a"}})
            await first.took.wait()
            if returns:
                await cloud.settle(timeout_seconds=30)
        kept = Kept.decoded(cloud.keep().encoded())
        async with LocalCloud(template, port=None, runtime=lambda _: second, kept=kept) as cloud:
            _put(cloud.store, "eachonce-Table", {"id": {"S": "b"}})
            await cloud.settle(timeout_seconds=30)
        return first, second

    _, second = asyncio.run(through())

    records = b"".join(payload for _, payload in second.came)
    assert (b'"S":"a"' in records.replace(b" ", b"")) == again
    assert b'"S":"b"' in records.replace(b" ", b"")


def _put(store: Store, name: str, item: dict[str, Any]) -> None:
    headers = {"x-amz-target": "DynamoDB_20120810.PutItem", "content-type": "application/x-amz-json-1.0"}
    status, _, body = store.handle("dynamodb", headers, msgspec.json.encode({"TableName": name, "Item": item}))
    assert status == 200, body


def test_a_folder_keeps_for_one_cloud_at_a_time(tmp_path: Path) -> None:
    """And says what is wrong with it."""
    kept = Kept(queues={})
    with DataFolder(tmp_path / "new" / "data") as folder:
        assert folder.read() == Kept()
        folder.write(kept)
        with pytest.raises(DataFolderError, match="another local cloud has it"):
            DataFolder(tmp_path / "new" / "data").__enter__()
    with DataFolder(tmp_path / "new" / "data") as folder:
        assert folder.read() == kept


@pytest.mark.parametrize("text", [b"", b"nonsense", Kept(format=99).encoded()])
def test_what_nobody_kept_is_not_read(tmp_path: Path, text: bytes) -> None:
    """It is left as it is: nothing begins anew in silence."""
    (tmp_path / "data.msgpack").write_bytes(text)

    with DataFolder(tmp_path) as folder, pytest.raises(DataFolderError, match=r"data\.msgpack: "):
        folder.read()


def test_changes_of_files_are_told_together(tmp_path: Path) -> None:
    """New ones, changed ones and removed ones; not those that programs write beside them."""
    for name in ("changed.py", "removed.py", "left.py"):
        (tmp_path / name).write_text("1")
    watch = Watch([tmp_path])
    (tmp_path / "changed.py").write_text("22")
    (tmp_path / "removed.py").unlink()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "new.py").write_text("1")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "x.pyc").write_text("1")

    changes = asyncio.run(asyncio.wait_for(watch.changes(), 30))

    assert {str(path.relative_to(tmp_path)) for path in changes} == {"changed.py", "removed.py", "deep/new.py"}
