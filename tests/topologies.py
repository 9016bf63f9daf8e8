"""Small systems to run, part by part, with AWS's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eachonce_workbench.matching.input import TargetInput
from eachonce_workbench.matching.pattern import Pattern
from eachonce_workbench.template.event_sources import Subscription, Topic
from eachonce_workbench.template.topology import Archive, Bus, Function, Queue, Rule, Table, Target, Topology

ACCOUNT = "123456789012"
REGION = "eu-west-1"


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def topology(**parts: Any) -> Topology:
    """A system of these parts (`tables`, `queues`, `buses`, `rules`, `functions`) and no others."""
    none: dict[str, Any] = {
        "tables": (),
        "queues": (),
        "buses": (),
        "rules": (),
        "functions": (),
        "queue_mappings": (),
        "stream_mappings": (),
        "outputs": {},
    }
    return Topology(stack="test", region=REGION, account_id=ACCOUNT, **(none | parts))


def archive(name: str, bus_name: str, *, retention_days: int = 5, pattern: Any = None) -> Archive:
    return Archive(
        logical_id=name,
        name=name,
        arn=arn("events", f"archive/{name}"),
        bus_arn=arn("events", f"event-bus/{bus_name}"),
        pattern=None if pattern is None else Pattern(pattern),
        retention_days=retention_days,
    )


def table(
    name: str,
    *,
    hash_key: str = "pk",
    range_key: str | None = None,
    stream_view: str | None = None,
    ttl_attribute: str | None = None,
    properties: Mapping[str, Any] | None = None,
) -> Table:
    keys = {"HASH": hash_key} | ({} if range_key is None else {"RANGE": range_key})
    stream = {} if stream_view is None else {"StreamSpecification": {"StreamViewType": stream_view}}
    table_arn = arn("dynamodb", f"table/{name}")
    return Table(
        logical_id=name,
        name=name,
        arn=table_arn,
        hash_key=hash_key,
        range_key=range_key,
        key_types=dict.fromkeys(keys.values(), "S"),
        stream_arn=None if stream_view is None else f"{table_arn}/stream/2026-01-01T00:00:00.000",
        stream_view=stream_view,
        ttl_attribute=ttl_attribute,
        point_in_time_recovery=True,
        properties={
            "KeySchema": [{"AttributeName": key, "KeyType": kind} for kind, key in keys.items()],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys.values()],
            "BillingMode": "PAY_PER_REQUEST",
            **stream,
            **(properties or {}),
        },
    )


def queue(
    name: str,
    *,
    visibility_seconds: int = 30,
    dead_letters: Queue | None = None,
    max_receives: int = 3,
    properties: Mapping[str, Any] | None = None,
) -> Queue:
    redrive = {} if dead_letters is None else {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": max_receives}
    return Queue(
        logical_id=name,
        name=name,
        arn=arn("sqs", name),
        url=f"http://127.0.0.1:4566/{ACCOUNT}/{name}",
        fifo=name.endswith(".fifo"),
        visibility_timeout_seconds=visibility_seconds,
        retention_seconds=1_209_600,
        dead_letter_arn=redrive.get("deadLetterTargetArn"),
        max_receive_count=redrive.get("maxReceiveCount"),
        properties=({"RedrivePolicy": redrive} if redrive else {}) | dict(properties or {}),
    )


def bus(name: str) -> Bus:
    return Bus(logical_id=name, name=name, arn=arn("events", f"event-bus/{name}"))


def rule(name: str, pattern: Mapping[str, Any], *targets: Target, bus_name: str = "shop", enabled: bool = True) -> Rule:
    return Rule(
        logical_id=name,
        name=name,
        arn=arn("events", f"rule/{bus_name}/{name}"),
        bus_name=bus_name,
        enabled=enabled,
        pattern=Pattern(pattern),
        targets=targets,
    )


def target(to: Queue | Function, *, dead_letters: Queue | None = None, **changes: Any) -> Target:
    values: dict[str, Any] = {
        "id": to.name,
        "arn": to.arn,
        "input": TargetInput(),
        "max_attempts": 185,
        "max_age_seconds": 86_400,
        "dead_letter_arn": None if dead_letters is None else dead_letters.arn,
        "message_group_id": None,
    }
    return Target(**(values | changes))


def function(name: str) -> Function:
    return Function(
        logical_id=name,
        name=f"test-{name}",
        arn=arn("lambda", f"function:test-{name}"),
        handler="app.handler",
        runtime="python3.11",
        code=Path("functions"),
        layers=(),
        timeout_seconds=3,
        memory_mb=128,
        environment={},
        reserved_concurrency=None,
    )


def topic(name: str, **changes: Any) -> Topic:
    values: dict[str, Any] = {"logical_id": name, "name": name, "arn": arn("sns", name), "fifo": name.endswith(".fifo")}
    return Topic(**(values | changes))


def subscription(of: Topic, to: Queue | Function, **changes: Any) -> Subscription:
    values: dict[str, Any] = {
        "logical_id": f"{of.name}-{to.name}",
        "arn": f"{of.arn}:{to.name}",
        "topic_arn": of.arn,
        "protocol": "sqs" if isinstance(to, Queue) else "lambda",
        "endpoint": to.arn,
    }
    return Subscription(**(values | changes))
