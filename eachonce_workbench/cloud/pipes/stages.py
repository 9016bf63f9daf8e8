"""The stages of a pipe behind its source: the enrichment, and the target.

They are to a queue's poller and a stream's reader what a function is: handed a batch, they succeed, fail, or fail in
part. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html and
pipes-enrichment.html, eb-pipes-error-troubleshooting.html
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from eachonce_workbench.cloud.functions.runtime import Invocation, Runtime
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.post import Post, UndeliverableError
from eachonce_workbench.matching.json_path import JsonPath, Missing
from eachonce_workbench.matching.pipe_template import PipeTemplate, with_read_body
from eachonce_workbench.matching.reading import read_json, to_json
from eachonce_workbench.template.event_sources import Pipe, PipeStage

_EMPTY: tuple[Any, ...] = (None, "", {}, [])


class Stages:
    """The enrichment and the target of one pipe; a `Runtime`."""

    def __init__(self, pipe: Pipe, *, runtime: Runtime, post: Post, history: History) -> None:
        """Take the pipe, what invokes functions, and what reaches other targets. Raises ValueError for a template."""
        self._pipe = pipe
        self._runtime = runtime
        self._post = post
        self._history = history
        stages = [stage for stage in (pipe.enrichment, pipe.target) if stage is not None]
        texts = [stage.input_template for stage in stages if stage.input_template is not None]
        self._templates = {text: PipeTemplate.of(text) for text in texts}

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:  # noqa: ARG002 - a Runtime
        """Take a batch of records through the stages."""
        records: list[Any] = read_json(payload.decode())["Records"]
        items: Sequence[Any] = records
        if self._pipe.enrichment is not None:
            enriched = await self._runtime.invoke(
                _function(self._pipe.enrichment.arn), self._array(self._pipe.enrichment, records)
            )
            if not enriched.ok:
                return enriched
            answer = read_json(enriched.payload.decode() or "null")
            if answer in _EMPTY:
                return Invocation(status="ok", payload=b"")
            items = answer if isinstance(answer, list) else [answer]
        return await self._hand_over(self._pipe.target, items, records)

    async def stop(self) -> None:
        """Nothing was started."""

    async def _hand_over(self, target: PipeStage, items: Sequence[Any], records: Sequence[Any]) -> Invocation:
        if ":lambda:" not in target.arn:
            return self._send_each(target, items, records)
        payload = self._array(target, items)
        mode = target.parameters.get("LambdaFunctionParameters", {}).get("InvocationType", "REQUEST_RESPONSE")
        if mode == "REQUEST_RESPONSE":
            ended = await self._runtime.invoke(_function(target.arn), payload)
            if ended.ok:
                self._tell_delivered(records)
            return ended
        return self._sent(lambda: self._post.send(target.arn, payload.decode()), records)

    def _send_each(self, target: PipeStage, items: Sequence[Any], records: Sequence[Any]) -> Invocation:
        """Send one by one; where an item is a record as it came, only those that weren't taken come again."""
        failed: list[int] = []
        for number, item in enumerate(items):
            if not self._sent(lambda item=item: self._send(target, item), records).ok:
                failed.append(number)
        if not failed:
            return Invocation(status="ok", payload=b"")
        if self._pipe.enrichment is not None or len(failed) == len(items):
            return Invocation(status="error", payload=b"", error_type="Pipes.TargetFailed")
        report = {"batchItemFailures": [{"itemIdentifier": _identifier(records[number])} for number in failed]}
        return Invocation(status="ok", payload=msgspec.json.encode(report))

    def _sent(self, send: Any, records: Sequence[Any]) -> Invocation:
        try:
            send()
        except UndeliverableError as error:
            self._history.record(
                "undelivered",
                event_id=_identifier(records[0]),
                pipe=self._pipe.name,
                target_arn=self._pipe.target.arn,
                reason=error.code,
                message=error.message,
            )
            return Invocation(status="error", payload=b"", error_type=error.code)
        self._tell_delivered(records)
        return Invocation(status="ok", payload=b"")

    def _tell_delivered(self, records: Sequence[Any]) -> None:
        self._history.record(
            "delivered", event_id=_identifier(records[0]), pipe=self._pipe.name, target_arn=self._pipe.target.arn
        )

    def _send(self, target: PipeStage, item: Any) -> None:
        text = self._text(target, item)
        if ":events:" in target.arn:
            self._post.put(self._entry(target, item, text))
            return
        queue = target.parameters.get("SqsQueueParameters", {})
        self._post.send(
            target.arn,
            text,
            group_id=_dynamic(queue.get("MessageGroupId"), item),
            deduplication_id=_dynamic(queue.get("MessageDeduplicationId"), item),
        )

    def _entry(self, target: PipeStage, item: Any, text: str) -> dict[str, Any]:
        given = target.parameters.get("EventBridgeEventBusParameters", {})
        source = "aws:sqs" if ":sqs:" in self._pipe.source_arn else "aws:dynamodb"
        return {
            "EventBusName": target.arn,
            "Source": _dynamic(given.get("Source"), item) or f"Pipe {self._pipe.name}",
            "DetailType": _dynamic(given.get("DetailType"), item) or f"Event from {source}",
            "Resources": [str(_dynamic(each, item)) for each in given.get("Resources", [])],
            "Detail": text,
        }

    def _array(self, stage: PipeStage, items: Sequence[Any]) -> bytes:
        """A JSON array of what each item becomes; what is no JSON is a string in it."""
        return to_json([_value(self._text(stage, item)) for item in items]).encode()

    def _text(self, stage: PipeStage, item: Any) -> str:
        if stage.input_template is None:
            return item if isinstance(item, str) else to_json(item)
        return self._templates[stage.input_template].fill(item, self._reserved())

    def _reserved(self) -> dict[str, str]:
        enrichment = self._pipe.enrichment
        return {
            "aws.pipes.pipe-arn": self._pipe.arn,
            "aws.pipes.pipe-name": self._pipe.name,
            "aws.pipes.source-arn": self._pipe.source_arn,
            "aws.pipes.enrichment-arn": "" if enrichment is None else enrichment.arn,
            "aws.pipes.target-arn": self._pipe.target.arn,
            "aws.pipes.event.ingestion-time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }


def _dynamic(given: Any, item: Any) -> str | None:
    """A parameter's value; one that is a path is what it finds in the item."""
    if not isinstance(given, str) or not given.startswith("$"):
        return None if given is None else str(given)
    found = JsonPath.of(given).find(with_read_body(item))
    return None if found is Missing.MISSING else str(found)


def _value(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        return text


def _function(arn: str) -> str:
    """A function's ARN without its version or alias."""
    return ":".join(arn.split(":")[:7])


def _identifier(record: Any) -> str:
    """What a partial batch response calls a record."""
    return str(record["messageId"] if "messageId" in record else record["dynamodb"]["SequenceNumber"])
