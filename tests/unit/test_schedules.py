"""Schedules fire by the clock, in the local cloud of a person who waits for them."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.post import Post
from eachonce_workbench.cloud.schedules.schedules import Schedules
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.simulator import clock
from eachonce_workbench.template.event_sources import Schedule, ScheduleTarget
from tests.topologies import arn, function, topology

WORKER = function("Worker")


def schedule(name: str, expression: str, **changes: Any) -> Schedule:
    values: dict[str, Any] = {
        "logical_id": name,
        "name": name,
        "arn": arn("scheduler", f"schedule/default/{name}"),
        "kind": "schedule",
        "expression": expression,
        "targets": (ScheduleTarget(arn=WORKER.arn, input=f'"{name}"'),),
    }
    return Schedule(**(values | changes))


def play(seconds: float, *schedules: Schedule) -> list[tuple[float, str]]:
    """Let time pass; give the second of each invocation, and what it was begun with."""
    begun: list[tuple[float, str]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        system = topology(functions=(WORKER,), schedules=schedules)
        history = History()
        kinds: list[Happening] = []
        history.subscribe(kinds.append)
        kept = Schedules(
            system,
            post=Post(Store(system).queues, start=lambda _, payload: begun.append((loop.time(), payload.decode()))),
            fire_rule=lambda rule_arn: begun.append((loop.time(), rule_arn)) or "",
            history=history,
            clock=lambda: datetime.now(UTC),
        )
        kept.start()
        await asyncio.sleep(seconds)
        await kept.stop()
        await asyncio.sleep(seconds)
        assert [each.kind for each in kinds if each.kind == "fired"] == ["fired"] * len(begun)

    clock.run(main())
    return begun


def test_a_schedule_fires_at_each_of_its_times() -> None:
    """Until it is stopped; the clock begins at midnight."""
    begun = play(
        4 * 3600 + 1,
        schedule("hourly", "rate(1 hour)", end="2026-01-01T02:30:00Z"),
        schedule("at-two", "cron(0 2 * * ? *)"),
        schedule("once", "at(2026-01-01T03:00:00)"),
        schedule("over", "at(2025-01-01T00:00:00)"),
        schedule("berlin", "cron(0 5 * * ? *)", timezone="Europe/Berlin"),
    )

    assert sorted(begun) == [
        (3600, '"hourly"'),
        (7200, '"at-two"'),
        (7200, '"hourly"'),
        (10800, '"once"'),
        (14400, '"berlin"'),
    ]


def test_a_disabled_schedule_does_not_fire() -> None:
    """By the clock."""
    assert play(3600, schedule("off", "rate(1 minute)", enabled=False)) == []


def test_a_scheduled_rule_fires_as_a_rule() -> None:
    """Its bus knows its targets."""
    rule = schedule("nightly", "rate(1 hour)", kind="rule", targets=(), arn=arn("events", "rule/nightly"))

    assert play(3601, rule) == [(3600, rule.arn)]
