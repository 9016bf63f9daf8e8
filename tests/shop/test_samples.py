"""Each sample input fed to its function: a real process, in the local cloud."""

import asyncio
import json
from pathlib import Path
from typing import Any

from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.local_cloud import LocalCloud
from tests.shop.place import ROOT, TEMPLATE

SAMPLES = sorted((ROOT / "events").glob("*/*.json"))


def function_of(sample: Path) -> str:
    return sample.parent.name.title().replace("_", "")


async def feed(mail: Path) -> tuple[dict[str, Invocation], dict[str, list[dict[str, Any]]]]:
    """Return how each sample ended, by its path, and what lies in each function's dead-letter queue then."""
    async with LocalCloud(TEMPLATE, parameters={"MailDirectory": str(mail)}) as cloud:
        ended = {
            str(sample.relative_to(ROOT / "events")): await cloud.invoke(
                function_of(sample), cloud.seal.payload(function_of(sample), sample.read_bytes())
            )
            for sample in SAMPLES
        }
        queues = {queue.logical_id: queue.arn for queue in cloud.topology.queues if queue.name.endswith("-dlq")}
        dead = {name: cloud.store.queues.receive(arn, max_messages=10) for name, arn in queues.items()}
    return ended, dead


def test_every_function_takes_its_samples(tmp_path: Path) -> None:
    """Orders are accepted, batches leave nothing behind, and what is malformed is a dead letter with its reason."""
    ended, dead = asyncio.run(feed(tmp_path))

    answers = {path: json.loads(invocation.payload) for path, invocation in ended.items()}
    assert {path for path, invocation in ended.items() if not invocation.ok} == set()
    assert answers.pop("place_order/direct.json")["outcome"] == "done"
    assert answers.pop("place_order/http.json")["statusCode"] == 200, "the same invoice again"
    assert all(answer == {"batchItemFailures": []} for answer in answers.values()), answers
    assert {name: len(messages) for name, messages in dead.items() if messages} == {
        f"{function_of(sample)}DeadLetterQueue": 1 for sample in SAMPLES if sample.stem == "malformed"
    }
    for messages in dead.values():
        for message in messages:
            assert message["body"] == '{"not": "an event"'
            assert message["messageAttributes"]["reason"]["stringValue"].startswith("the body is not JSON")
