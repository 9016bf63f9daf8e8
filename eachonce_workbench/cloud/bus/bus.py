"""The event buses: an entry becomes an event, rules choose it, their targets get it."""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from eachonce_workbench.cloud.bus.delivery import Courier, Delivery
from eachonce_workbench.cloud.bus.entries import (
    MAX_REQUEST_BYTES,
    Entry,
    EntryError,
    check_request,
    event_of,
    trace_header_of,
)
from eachonce_workbench.cloud.bus.replays import Archives
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.post import After, Publish, Start
from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.cloud.store.queues.queues import Queues
from eachonce_workbench.matching.pattern import InvalidPattern, Pattern
from eachonce_workbench.matching.reading import read_json
from eachonce_workbench.template.topology import Rule, Topology


class Bus:
    """All buses of one topology. Delivers while it is called; only retries wait, by `after`."""

    def __init__(
        self,
        topology: Topology,
        queues: Queues,
        history: History,
        *,
        after: After,
        disorder: Disorder | None = None,
        start: Start | None = None,
        publish: Publish | None = None,
    ) -> None:
        self._topology = topology
        self._history = history
        self._disorder = Disorder(0) if disorder is None else disorder
        self._courier = Courier(queues, history, after=after, forward=self._receive, start=start, publish=publish)
        self.archives = Archives(topology, publish=self._replay, after=after, clock=time.time)
        self._names = {"default", *(bus.name for bus in topology.buses)}
        self._rules: dict[str, list[Rule]] = defaultdict(list)
        for rule in topology.rules:
            if rule.enabled:
                self._rules[rule.bus_name].append(rule)

    @property
    def pending(self) -> int:
        """How many deliveries wait to be tried again; a replay that is under way is one more."""
        return self._courier.waiting + self.archives.replaying

    def put_events(self, entries: Any) -> dict[str, Any]:
        """Publish entries in their order; the answer has a result an entry, an id or an error.

        Raises `AwsError` when the request fails as a whole, and nothing is published.
        """
        check_request(entries)
        results = [self._put(entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def test_event_pattern(self, pattern: Any, event: Any) -> bool:
        """Whether an event (JSON text) matches a pattern (JSON text).

        Raises `AwsError` InvalidEventPatternException, ValidationException for what is no event, SerializationException
        for what is no text.
        """
        for name, text in (("EventPattern", pattern), ("Event", event)):
            if not isinstance(text, str):
                raise _no_text(name, text)
        if len(pattern) > LONGEST_PATTERN:
            raise _refused("at 'eventPattern'", f"Member must have length less than or equal to {LONGEST_PATTERN}")
        try:
            return Pattern(pattern).matches(_event(event))
        except InvalidPattern as error:
            raise AwsError("InvalidEventPatternException", str(error)) from error

    def _put(self, entry: Entry) -> dict[str, str]:
        try:
            event = self._event(entry)
        except EntryError as error:
            return error.result()
        bus_name = _bus_name(entry)
        if bus_name in self._names:
            self._publish(event, bus_name, trace_header=trace_header_of(entry))
        else:
            # EventBridge takes it, says so, and drops it (https://github.com/aws/aws-cli/issues/9186).
            self._history.record("lost", event_id=event["id"], bus=bus_name, event=event)
        return {"EventId": event["id"]}

    def announce(self, source: str, detail_type: str, detail: dict[str, Any], *, resources: list[str]) -> None:
        """Publish an event of a service of AWS's own, which goes to the default bus."""
        self._publish(self._made(source, detail_type, detail, resources), "default")

    def fire(self, rule_arn: str) -> str:
        """Send a rule's scheduled event to its targets; returns the event's id. Raises KeyError when there is none.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
        """
        for rule in self._topology.rules:
            if rule.arn == rule_arn:
                event = self._made("aws.events", "Scheduled Event", {}, [rule_arn])
                self._follow(rule, event)
                return str(event["id"])
        raise KeyError(rule_arn)

    def _made(self, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self._topology.account_id,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._topology.region,
            "resources": resources,
            "detail": detail,
        }

    def _receive(self, event: dict[str, Any], bus_arn: str) -> None:
        """Take an event from another bus."""
        name = bus_arn.rpartition("event-bus/")[2]
        if name not in self._names:
            raise KeyError(bus_arn)
        self._publish(event, name, forwarded=True)

    def _replay(self, event: dict[str, Any], bus_name: str, rule_arns: Collection[str]) -> None:
        """Publish an event of an archive again, to these rules alone; to all, where none is named."""
        self._publish(event, bus_name, only=rule_arns)

    def _publish(
        self,
        event: dict[str, Any],
        bus_name: str,
        *,
        forwarded: bool = False,
        trace_header: str | None = None,
        only: Collection[str] = (),
    ) -> None:
        self._history.record("published", event_id=event["id"], bus=bus_name, event=event)
        self.archives.offer(event, bus_name)
        for rule in self._rules[bus_name]:
            if only and rule.arn not in only:
                continue
            if rule.pattern is not None and rule.pattern.matches(event):
                self._follow(rule, event, forwarded=forwarded, trace_header=trace_header)

    def _event(self, entry: Entry) -> dict[str, Any]:
        return event_of(
            entry,
            event_id=str(uuid.uuid4()),
            account=self._topology.account_id,
            region=self._topology.region,
            now=datetime.now(UTC),
        )

    def _follow(
        self, rule: Rule, event: dict[str, Any], *, forwarded: bool = False, trace_header: str | None = None
    ) -> None:
        self._history.record("matched", event_id=event["id"], rule=rule.name)
        for target in rule.targets:
            body = target.input.render(event, rule_arn=rule.arn, rule_name=rule.name)
            first = Delivery(
                rule=rule, target=target, event=event, body=body, begun_at=time.time(), trace_header=trace_header
            )
            if forwarded and ":events:" in target.arn:
                # What came from another bus reaches no third one, and so can't go round for ever.
                # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
                self._courier.give_up(first, "INVALID_PARAMETER", "The event came from another bus already")
                continue
            for copy in range(self._disorder.copies(target.arn, body)):
                delivery = replace(first) if copy else first  # each is tried by itself
                self._courier.deliver(delivery, in_seconds=self._disorder.delay_seconds(target.arn, body))


def _bus_name(entry: Entry) -> str:
    # A name, or the ARN that ends in it.
    return (entry.get("EventBusName") or "default").rpartition("event-bus/")[2]


LONGEST_PATTERN = 4096
"""Characters that TestEventPattern takes (its page); a pattern has a limit of its own, which is lower."""

# Of those that https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html calls mandatory,
# EventBridge in fact does without `resources`.
_EVENT_FIELDS = {"id", "account", "source", "time", "region", "detail-type"}


def _event(text: str) -> dict[str, Any]:
    try:
        event = read_json(text) if len(text) <= MAX_REQUEST_BYTES else None
    except ValueError:
        event = None
    if not isinstance(event, dict) or not event.keys() >= _EVENT_FIELDS:
        raise AwsError("ValidationException", "Parameter Event is not valid.")
    return event


def _no_text(name: str, value: Any) -> AwsError:
    if value is not None:
        return AwsError("SerializationException", f"{name} is not a string")
    return _refused(f"null at '{name[0].lower()}{name[1:]}'", "Member must not be null")


def _refused(value: str, constraint: str) -> AwsError:
    message = f"1 validation error detected: Value {value} failed to satisfy constraint: {constraint}"
    return AwsError("ValidationException", message)
