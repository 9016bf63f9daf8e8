"""The stages of a pipe, and what each is handed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.pipes.stages import Stages
from eachonce_workbench.cloud.post import Post
from eachonce_workbench.template.event_sources import Pipe, PipeStage

WORKER = "arn:aws:lambda:eu-west-1:123456789012:function:worker"
NO_QUEUES: Any = None


class Echo:
    """A runtime that answers with what it is handed."""

    def __init__(self) -> None:
        self.handed: list[Any] = []

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        self.handed.append(json.loads(payload))
        return Invocation(status="ok", payload=payload)

    async def stop(self) -> None:
        """Nothing runs."""


def test_one_function_may_enrich_and_be_the_target() -> None:
    """Each time it is handed what that stage's template makes of a record."""
    runtime = Echo()
    pipe = Pipe(
        logical_id="Pipe",
        name="pipe",
        arn="arn:aws:pipes:eu-west-1:123456789012:pipe/pipe",
        source_arn="arn:aws:sqs:eu-west-1:123456789012:source",
        enrichment=PipeStage(arn=WORKER, input_template='{"first": <$.body>}'),
        target=PipeStage(arn=WORKER, input_template='{"then": <$.first>}'),
    )
    stages = Stages(pipe, runtime=runtime, post=Post(NO_QUEUES), history=History())
    batch = json.dumps({"Records": [{"messageId": "1", "body": "7"}]}).encode()

    asyncio.run(stages.invoke("Pipe", batch))

    assert runtime.handed == [[{"first": "7"}], [{"then": "7"}]]
