"""Messages reach a function as Lambda's poller of an SQS queue brings them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from scripted_runtime import THROTTLED, Handler, ScriptedRuntime, fail, succeed

from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.mappings.queue_mapping import QueuePoller
from eachonce_workbench.cloud.store.queues.queues import Queues
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.simulator import clock as virtual_time
from eachonce_workbench.template.topology import Queue, QueueMapping, Topology

ARN = "arn:aws:sqs:eu-west-1:123456789012:"


def queue(name: str, **changes: Any) -> Queue:
    values: dict[str, Any] = {
        "logical_id": name,
        "name": name,
        "arn": ARN + name,
        "url": f"http://127.0.0.1:4566/123456789012/{name}",
        "fifo": name.endswith(".fifo"),
        "visibility_timeout_seconds": 60,
        "retention_seconds": 1_209_600,
        "dead_letter_arn": None,
        "max_receive_count": None,
        "properties": {},
    }
    return Queue(**(values | changes))


def mapping(source: Queue, **changes: Any) -> QueueMapping:
    values: dict[str, Any] = {
        "function": "Fn",
        "queue_arn": source.arn,
        "enabled": True,
        "batch_size": 10,
        "window_seconds": 0,
        "max_concurrency": None,
        "report_failures": True,
        "filters": Filters.of(None),
    }
    return QueueMapping(**(values | changes))


class Stage:
    """A queue, its poller and a scripted function."""

    def __init__(self, source: Queue, queues: Queues, runtime: ScriptedRuntime) -> None:
        self.source = source
        self.queues = queues
        self.runtime = runtime
        self.happened: list[Happening] = []
        self.poller: QueuePoller
        self.task: asyncio.Task[None]

    def send(self, *bodies: str, **options: Any) -> None:
        for body in bodies:
            self.queues.send(self.source.arn, body, **options)

    def bodies(self) -> list[list[str]]:
        return [[record["body"] for record in batch] for batch in self.runtime.batches]

    def empty(self) -> bool:
        return self.queues.depth(self.source.arn).total == 0


@contextlib.asynccontextmanager
async def polling(
    handler: Handler = succeed, *, source: Queue | None = None, concurrency: int = 1, **changes: Any
) -> AsyncIterator[Stage]:
    source = queue("orders") if source is None else source
    others = [] if source.dead_letter_arn is None else [queue("dead")]
    stage, history = make(source, *others, runtime=ScriptedRuntime(handler))
    poller = QueuePoller(
        mapping(source, **changes),
        queue=source,
        queues=stage.queues,
        runtime=stage.runtime,
        history=history,
        concurrency=concurrency,
    )
    stage.poller = poller
    stage.task = task = asyncio.create_task(poller.run())
    try:
        yield stage
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def make(source: Queue, *others: Queue, runtime: ScriptedRuntime) -> tuple[Stage, History]:
    topology = Topology(
        stack="shop",
        region="eu-west-1",
        account_id="123456789012",
        tables=(),
        queues=(source, *others),
        buses=(),
        rules=(),
        functions=(),
        queue_mappings=(),
        stream_mappings=(),
        outputs={},
    )
    history = History()
    store = Store(topology, history=history)
    store.create()
    stage = Stage(source, store.queues, runtime)
    history.subscribe(stage.happened.append)
    return stage, history


def reporting(*bodies: str) -> Handler:
    async def handler(records: list[dict[str, Any]]) -> dict[str, Any]:
        failed = [{"itemIdentifier": record["messageId"]} for record in records if record["body"] in bodies]
        return {"batchItemFailures": failed}

    return handler


def test_messages_that_wait_come_in_one_batch_and_are_deleted():
    """What is there is handed over together, oldest first, and forgotten once the function returned."""

    async def main() -> Stage:
        async with polling() as stage:
            stage.send("a", "b", "c")
            await asyncio.sleep(1)
        return stage

    stage = virtual_time.run(main())

    assert stage.bodies() == [["a", "b", "c"]]
    assert stage.empty()
    assert [happening.kind for happening in stage.happened] == ["acknowledged"] * 3


def test_a_batch_holds_no_more_than_the_batch_size():
    """Three of size two make two batches."""

    async def main() -> Stage:
        async with polling(batch_size=2) as stage:
            stage.send("a", "b", "c")
            await asyncio.sleep(1)
        return stage

    assert virtual_time.run(main()).bodies() == [["a", "b"], ["c"]]


def test_a_window_gathers_what_comes_until_it_closes():
    """The first message opens it; what comes five seconds later belongs to the next batch."""

    async def main() -> Stage:
        async with polling(window_seconds=5) as stage:
            for body in "abc":
                stage.send(body)
                await asyncio.sleep(3)
            await asyncio.sleep(10)
        return stage

    stage = virtual_time.run(main())

    assert stage.bodies() == [["a", "b"], ["c"]]
    assert stage.runtime.times == [5, 11]


def test_a_full_batch_does_not_wait_for_its_window():
    """The batch size closes the window early."""

    async def main() -> Stage:
        async with polling(window_seconds=300, batch_size=2) as stage:
            stage.send("a")
            await asyncio.sleep(1)
            stage.send("b")
            await asyncio.sleep(1)
        return stage

    assert virtual_time.run(main()).runtime.times == [1]


def test_a_window_does_not_apply_to_a_fifo_queue():
    """Lambda supports none there."""

    async def main() -> Stage:
        async with polling(source=queue("orders.fifo"), window_seconds=300) as stage:
            stage.send("a", group_id="g", deduplication_id="1")
            await asyncio.sleep(1)
        return stage

    assert virtual_time.run(main()).runtime.times == [0]


def test_only_the_reported_messages_come_again_after_their_visibility():
    """A partial failure returns what it names, once the queue's visibility time-out is over."""

    async def main() -> Stage:
        async with polling(reporting("b")) as stage:
            stage.send("a", "b", "c")
            await asyncio.sleep(60)
            stage.runtime.handler = succeed
            await asyncio.sleep(2)
        return stage

    stage = virtual_time.run(main())

    assert stage.bodies() == [["a", "b", "c"], ["b"]]
    assert stage.runtime.times[1] == 60
    assert stage.runtime.batches[1][0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert stage.empty()


def test_a_message_comes_again_when_the_function_said():
    """A visibility that the function changed counts, not the queue's."""

    async def main() -> Stage:
        async with polling() as stage:

            async def later(records: list[dict[str, Any]]) -> dict[str, Any]:
                stage.queues.change_visibility(stage.source.arn, records[0]["receiptHandle"], 7)
                stage.runtime.handler = succeed
                return {"batchItemFailures": [{"itemIdentifier": records[0]["messageId"]}]}

            stage.runtime.handler = later
            stage.send("a")
            await asyncio.sleep(8)
        return stage

    assert virtual_time.run(main()).runtime.times == [0, 7]


@pytest.mark.parametrize("report_failures", [True, False])
def test_a_function_that_fails_returns_its_whole_batch(report_failures):
    """All of it comes again, whether or not failures are reported."""

    async def main() -> Stage:
        async with polling(fail, report_failures=report_failures) as stage:
            stage.send("a", "b")
            await asyncio.sleep(61)
        return stage

    assert virtual_time.run(main()).bodies() == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("response", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_a_response_that_reports_nothing_is_success(response):
    """Nothing, an empty object, an empty list and null all mean that every message is done."""

    async def respond(records: list[dict[str, Any]]) -> Any:
        return response

    async def main() -> Stage:
        async with polling(respond) as stage:
            stage.send("a", "b")
            await asyncio.sleep(1)
        return stage

    assert virtual_time.run(main()).empty()


@pytest.mark.parametrize(
    "response",
    [
        "fine",
        [],
        {"batchItemFailures": "a"},
        {"batchItemFailures": ["a"]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"messageId": "a"}]},
        {"batchItemFailures": [{"itemIdentifier": "no message of this batch"}]},
    ],
)
def test_a_response_that_is_no_report_fails_the_whole_batch(response):
    """Lambda takes it as a failure of all, and so no message is deleted."""

    async def respond(records: list[dict[str, Any]]) -> Any:
        return response

    async def main() -> Stage:
        async with polling(respond) as stage:
            stage.send("a", "b")
            await asyncio.sleep(1)
            assert stage.queues.depth(stage.source.arn).in_flight == 2
        return stage

    assert [happening.kind for happening in virtual_time.run(main()).happened] == ["returned"] * 2


def test_without_reports_the_response_does_not_matter():
    """A mapping without ReportBatchItemFailures deletes whatever the function returned."""

    async def respond(records: list[dict[str, Any]]) -> Any:
        return {"batchItemFailures": [{"itemIdentifier": records[0]["messageId"]}]}

    async def main() -> Stage:
        async with polling(respond, report_failures=False) as stage:
            stage.send("a")
            await asyncio.sleep(1)
        return stage

    assert virtual_time.run(main()).empty()


def test_messages_that_no_filter_admits_are_deleted_unseen():
    """The function gets the others, in as full a batch as if those had never been sent."""
    filters = Filters.of({"Filters": [{"Pattern": json.dumps({"body": {"kind": ["good"]}})}]})

    async def main() -> Stage:
        async with polling(filters=filters, batch_size=2, window_seconds=1) as stage:
            stage.send(*(json.dumps({"kind": kind}) for kind in ("bad", "good", "bad", "bad", "good")))
            await asyncio.sleep(2)
        return stage

    stage = virtual_time.run(main())

    assert stage.bodies() == [['{"kind": "good"}', '{"kind": "good"}']]
    assert stage.empty()


def test_no_more_than_the_maximum_concurrency_run_at_once():
    """And what is over it stays visible, neither hidden nor counted as received."""

    async def slow(records: list[dict[str, Any]]) -> None:
        await asyncio.sleep(30)

    async def main() -> Stage:
        async with polling(slow, batch_size=1, max_concurrency=2, concurrency=9) as stage:
            stage.send("a", "b", "c")
            await asyncio.sleep(10)
            assert stage.queues.depth(stage.source.arn).visible == 1
            await asyncio.sleep(30)
        return stage

    stage = virtual_time.run(main())

    assert stage.runtime.most_running == 2
    assert stage.runtime.batches[2][0]["attributes"]["ApproximateReceiveCount"] == "1"


def test_concurrency_starts_at_five_and_grows_while_a_backlog_lasts():
    """Five more a second is Lambda's 300 a minute."""

    async def slow(records: list[dict[str, Any]]) -> None:
        await asyncio.sleep(600)

    async def main() -> list[int]:
        seen = []
        async with polling(slow, batch_size=1, concurrency=100) as stage:
            stage.send(*map(str, range(100)))
            for seconds in (0.1, 1, 1):
                await asyncio.sleep(seconds)
                seen.append(stage.runtime.running)
        return seen

    assert virtual_time.run(main()) == [5, 10, 15]


def test_a_throttled_batch_is_tried_again_within_its_visibility():
    """The function sees it as soon as it may run, received once, and nothing counts against it."""

    async def throttle(records: list[dict[str, Any]]) -> Any:
        return THROTTLED if asyncio.get_running_loop().time() < 5 else None

    async def main() -> Stage:
        async with polling(throttle) as stage:
            stage.send("a")
            await asyncio.sleep(30)
        return stage

    stage = virtual_time.run(main())

    assert stage.empty()
    assert {batch[0]["attributes"]["ApproximateReceiveCount"] for batch in stage.runtime.batches} == {"1"}


def test_a_batch_that_stays_throttled_returns_after_its_visibility():
    """Lambda drops it then; the queue brings it again."""

    async def throttle(records: list[dict[str, Any]]) -> Any:
        return THROTTLED

    async def main() -> Stage:
        async with polling(throttle) as stage:
            stage.send("a")
            await asyncio.sleep(100)
        return stage

    stage = virtual_time.run(main())

    counts = [batch[0]["attributes"]["ApproximateReceiveCount"] for batch in stage.runtime.batches]
    assert set(counts) == {"1", "2"}


def test_a_fifo_group_is_in_one_invocation_at_a_time():
    """Other groups go on beside it, and each group's messages come in order."""

    async def slow(records: list[dict[str, Any]]) -> None:
        await asyncio.sleep(10)

    async def main() -> Stage:
        async with polling(slow, source=queue("orders.fifo"), batch_size=1, concurrency=3) as stage:
            for number, (body, group) in enumerate([("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")]):
                stage.send(body, group_id=group, deduplication_id=str(number))
            await asyncio.sleep(25)
        return stage

    stage = virtual_time.run(main())

    assert stage.bodies() == [["a1"], ["b1"], ["a2"], ["b2"]]
    assert stage.runtime.times == [0, 0, 10, 10]


def test_a_failed_message_holds_up_its_fifo_group():
    """Nothing of the group comes before it comes again."""

    async def main() -> Stage:
        async with polling(fail, source=queue("orders.fifo"), batch_size=1) as stage:
            for number, (body, group) in enumerate([("a1", "a"), ("a2", "a"), ("b1", "b")]):
                stage.send(body, group_id=group, deduplication_id=str(number))
            await asyncio.sleep(1)
            stage.runtime.handler = succeed
            await asyncio.sleep(70)
        return stage

    bodies = [body for (body,) in virtual_time.run(main()).bodies()]

    assert bodies[:2] == ["a1", "b1"]
    assert [body for body in bodies if body.startswith("a")] == ["a1", "a1", "a2"]


def test_a_message_that_fails_too_often_reaches_the_dead_letter_queue():
    """maxReceiveCount receives are all it gets."""
    source = queue(
        "orders",
        dead_letter_arn=ARN + "dead",
        max_receive_count=3,
        properties={"RedrivePolicy": {"deadLetterTargetArn": ARN + "dead", "maxReceiveCount": 3}},
    )

    async def main() -> Stage:
        async with polling(fail, source=source) as stage:
            stage.send("a")
            await asyncio.sleep(300)
            assert stage.queues.depth(ARN + "dead").visible == 1
        return stage

    stage = virtual_time.run(main())

    assert len(stage.runtime.batches) == 3
    assert stage.empty()


def test_a_batch_over_lambdas_payload_limit_is_handed_over_in_parts():
    """Every message arrives, in order, in events of 6 MB or less."""
    source = queue("orders", properties={"MaximumMessageSize": 1_048_576})

    async def main() -> Stage:
        async with polling(source=source) as stage:
            stage.send(*(str(number) * 1_000_000 for number in range(8)))
            await asyncio.sleep(1)
        return stage

    stage = virtual_time.run(main())

    assert [[body[0] for body in batch] for batch in stage.bodies()] == [list("0123"), list("4567")]
    assert stage.empty()


def test_stopping_the_poller_cancels_its_invocations():
    """None is left behind, and their messages come again in time."""

    async def slow(records: list[dict[str, Any]]) -> None:
        await asyncio.sleep(600)

    async def main() -> Stage:
        async with polling(slow, batch_size=1, concurrency=2) as stage:
            stage.send("a", "b")
            await asyncio.sleep(1)
        return stage

    stage = virtual_time.run(main())

    assert stage.runtime.running == 0
    assert stage.runtime.most_running == 2


def test_a_poller_that_is_halted_ends_its_batches_and_receives_no_more():
    """The batch in flight is acknowledged; what is sent meanwhile waits in the queue, unseen."""

    async def slow(records: list[dict[str, Any]]) -> None:
        await asyncio.sleep(10)

    async def main() -> Stage:
        async with polling(slow) as stage:
            stage.send("a")
            await asyncio.sleep(1)
            stage.poller.halt()
            stage.send("b")
            await asyncio.sleep(5)
            assert not stage.task.done()
            await asyncio.sleep(5)
            assert stage.task.done()
        return stage

    stage = virtual_time.run(main())

    assert stage.bodies() == [["a"]]
    assert (stage.queues.depth(stage.source.arn).total, stage.happened[-1].kind) == (1, "acknowledged")


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_poller_that_waits_is_halted_at_once(concurrency: int):
    """For a message, for a window to close (what it has goes to the function), or for a batch to end."""

    async def main() -> Stage:
        async with polling(concurrency=concurrency) as idle, polling(window_seconds=300) as gathering:
            gathering.send("a")
            await asyncio.sleep(1)
            idle.poller.halt()
            gathering.poller.halt()
            await asyncio.sleep(1)
            assert idle.task.done()
            assert gathering.task.done()
        return gathering

    gathering = virtual_time.run(main())

    assert gathering.bodies() == [["a"]]
    assert gathering.empty()


def test_a_poller_that_was_halted_polls_again():
    """What waited comes first."""

    async def main() -> Stage:
        async with polling() as stage:
            await asyncio.sleep(1)
            stage.poller.halt()
            await asyncio.sleep(1)
            stage.send("a")
            await asyncio.sleep(1)
            assert stage.bodies() == []
            task = asyncio.create_task(stage.poller.run())
            await asyncio.sleep(1)
            stage.send("b")
            await asyncio.sleep(1)
            task.cancel()
        return stage

    assert virtual_time.run(main()).bodies() == [["a"], ["b"]]
