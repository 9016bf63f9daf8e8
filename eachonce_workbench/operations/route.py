"""How events reach a consumer: the rules of a bus that lead to its queue, and what they put into it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eachonce_workbench.cloud.bus.entries import EntryError, event_of
from eachonce_workbench.matching.input import TargetInput
from eachonce_workbench.matching.message_group import NoGroupError, group_for
from eachonce_workbench.matching.pattern import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A rule that leads to a queue: which events it chooses, what of them it sends, and in which message group."""

    rule_arn: str
    rule_name: str
    pattern: Pattern
    input: TargetInput
    group_id: str | None = None

    def body(self, event: Mapping[str, Any]) -> str | None:
        """Return the message that an event becomes, None for one that the rule doesn't choose."""
        if not self.pattern.matches(event):
            return None
        return self.input.render(event, rule_arn=self.rule_arn, rule_name=self.rule_name)


def routes(events: Any, bus: str, queue_arn: str) -> list[Route]:
    """Ask EventBridge for the rules of a bus (its name or ARN) that lead to a queue."""
    return [
        route
        for name in _rule_names(events, bus, queue_arn)
        if (route := _route(events, bus, name, queue_arn)) is not None
    ]


def _rule_names(events: Any, bus: str, queue_arn: str) -> Iterator[str]:
    for page in events.get_paginator("list_rule_names_by_target").paginate(TargetArn=queue_arn, EventBusName=bus):
        yield from page["RuleNames"]


def _route(events: Any, bus: str, name: str, queue_arn: str) -> Route | None:
    rule = events.describe_rule(Name=name, EventBusName=bus)
    if not rule.get("EventPattern"):
        return None
    for page in events.get_paginator("list_targets_by_rule").paginate(Rule=name, EventBusName=bus):
        for target in page["Targets"]:
            if target["Arn"] == queue_arn:
                return Route(
                    rule_arn=rule["Arn"],
                    rule_name=name,
                    pattern=Pattern(json.loads(rule["EventPattern"])),
                    input=TargetInput.of(target),
                    group_id=target.get("SqsParameters", {}).get("MessageGroupId"),
                )
    return None


class QueueBus:
    """A bus that ends in one consumer's queue: it makes of an entry what EventBridge does, and no other rule sees it.

    It has PutEvents alone, so that a Publisher can publish on it; an entry that no route chooses is taken, and goes
    nowhere, as on any bus. `sent` is how many messages the queue took.
    """

    def __init__(
        self, sqs: Any, queue_url: str, routes: Sequence[Route], *, place: str, now: Callable[[], datetime]
    ) -> None:
        """Take the queue, what leads to it, and the stack's ARN, which names account and region."""
        self._sqs = sqs
        self.exceptions: Any = sqs.exceptions
        self._url = queue_url
        self._routes = routes
        _, _, _, self._region, self._account, *_ = place.split(":")
        self._now = now
        self.sent = 0

    def put_events(self, **request: Any) -> dict[str, Any]:
        """Put what entries become into the queue; the answer has a result an entry, as EventBridge's has."""
        results: list[dict[str, str]] = [{} for _ in request["Entries"]]
        messages: list[tuple[int, dict[str, Any]]] = []
        for place, entry in enumerate(request["Entries"]):
            try:
                messages += [(place, message) for message in self._messages(entry)]
            except EntryError as error:
                results[place] = error.result()
        for start in range(0, len(messages), 10):
            self._send(messages[start : start + 10], results)
        return {"FailedEntryCount": sum("ErrorCode" in each for each in results), "Entries": results}

    def _messages(self, entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        time = entry.get("Time")
        event_id = str(uuid.uuid4())
        event = event_of(
            {**entry, "Time": None if time is None else time.timestamp()},
            event_id=event_id,
            account=self._account,
            region=self._region,
            now=self._now(),
        )
        for route in self._routes:
            if (body := route.body(event)) is not None:
                message: dict[str, Any] = {"MessageBody": body}
                if (group := self._group(route, event)) is not None:
                    message["MessageGroupId"] = group
                if self._url.endswith(".fifo"):
                    message["MessageDeduplicationId"] = event_id
                yield message

    def _group(self, route: Route, event: Mapping[str, Any]) -> str | None:
        try:
            return group_for(route.group_id, self._url, event)
        except NoGroupError as error:
            raise EntryError(code="InvalidArgument", message=f"MessageGroupId: {error}") from error

    def _send(self, messages: Sequence[tuple[int, dict[str, Any]]], results: list[dict[str, str]]) -> None:
        entries = [{"Id": str(number), **message} for number, (_, message) in enumerate(messages)]
        answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        self.sent += len(answer.get("Successful", []))
        for failure in answer.get("Failed", []):
            place, _ = messages[int(failure["Id"])]
            # Whoever publishes tries again what may go well the next time.
            code = failure["Code"] if failure.get("SenderFault") else "InternalFailure"
            results[place] = {"ErrorCode": code, "ErrorMessage": failure.get("Message", "")}
