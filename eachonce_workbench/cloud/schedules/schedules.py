"""The schedules of one local cloud: what is sent when a time comes, or when a person says that it has.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html. A flexible window spreads
invocations over itself; here each comes at its beginning. On AWS a rate begins when its schedule is made; here all is
made whenever the local cloud starts, so the first time is one period later.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.post import Post, UndeliverableError
from eachonce_workbench.cloud.schedules.expression import next_time
from eachonce_workbench.template.event_sources import Schedule, ScheduleTarget
from eachonce_workbench.template.topology import Topology

# A timer may be late by more than a clock is set; look again this often.
_LONGEST_SLEEP_SECONDS = 3600.0


class Schedules:
    """Fires schedules: by the clock between `start` and `stop`, and by name at any time."""

    def __init__(
        self,
        topology: Topology,
        *,
        post: Post,
        fire_rule: Callable[[str], str],
        history: History,
        clock: Callable[[], datetime],
    ) -> None:
        """Take the topology's schedules, what reaches targets, and what sends a rule's event to its targets."""
        self._topology = topology
        self._post = post
        self._fire_rule = fire_rule
        self._history = history
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    def fire(self, name: str) -> Schedule:
        """Fire a schedule (its logical id, name or ARN) now, though it be disabled. Raises KeyError for none."""
        schedule = self._topology.schedule(name)
        self._fire(schedule, self._clock())
        return schedule

    def start(self) -> None:
        """Fire by the clock from now on."""
        enabled = [schedule for schedule in self._topology.schedules if schedule.enabled]
        self._tasks = [asyncio.create_task(self._keep(each), name=f"schedule {each.name}") for each in enabled]

    async def stop(self) -> None:
        """Fire no more by the clock; idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, schedule: Schedule) -> None:
        moment = self._clock()
        while (due := _next(schedule, moment)) is not None:
            while (left := (due - self._clock()).total_seconds()) > 0:
                await asyncio.sleep(min(left, _LONGEST_SLEEP_SECONDS))
            self._fire(schedule, due)
            moment = due

    def _fire(self, schedule: Schedule, at: datetime) -> None:
        if schedule.kind == "rule":
            self._history.record("fired", schedule=schedule.name, event_id="")
            self._fire_rule(schedule.arn)
            return
        execution_id = str(uuid.uuid4())
        self._history.record("fired", schedule=schedule.name, event_id=execution_id)
        for target in schedule.targets:
            self._send(schedule, target, at, execution_id)

    def _send(self, schedule: Schedule, target: ScheduleTarget, at: datetime, execution_id: str) -> None:
        body = self._input(schedule, target, at, execution_id)
        about: dict[str, Any] = {"event_id": execution_id, "schedule": schedule.name, "target_arn": target.arn}
        try:
            if ":events:" in target.arn:
                self._post.put(_entry(target, body, schedule))
            else:
                self._post.send(target.arn, body, group_id=target.message_group_id)
        except UndeliverableError as error:
            kept = self._keep_letter(schedule, target, body, error)
            self._history.record("undelivered", **about, reason=error.code, message=error.message, dead_letter_arn=kept)
        else:
            self._history.record("delivered", **about)

    def _input(self, schedule: Schedule, target: ScheduleTarget, at: datetime, execution_id: str) -> str:
        if target.input is None:
            return json.dumps(self._default_event(schedule, at, execution_id))
        # https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
        context = {
            "schedule-arn": schedule.arn,
            "scheduled-time": _time(at),
            "execution-id": execution_id,
            "attempt-number": "1",
        }
        body = target.input
        for name, value in context.items():
            body = body.replace(f"<aws.scheduler.{name}>", value)
        return body

    def _default_event(self, schedule: Schedule, at: datetime, execution_id: str) -> dict[str, Any]:
        return {
            "version": "0",
            "id": execution_id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": self._topology.account_id,
            "time": _time(at),
            "region": self._topology.region,
            "resources": [schedule.arn],
            "detail": "{}",
        }

    def _keep_letter(
        self, schedule: Schedule, target: ScheduleTarget, body: str, error: UndeliverableError
    ) -> str | None:
        if target.dead_letter_arn is None:
            return None
        attributes = {
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message,
            "SCHEDULE_ARN": schedule.arn,
            "TARGET_ARN": target.arn,
        }
        try:
            self._post.send(target.dead_letter_arn, body, attributes=attributes)
        except UndeliverableError:
            return None
        return target.dead_letter_arn


def _next(schedule: Schedule, moment: datetime) -> datetime | None:
    return next_time(
        schedule.expression,
        moment,
        timezone=schedule.timezone,
        since=_moment(schedule.start),
        until=_moment(schedule.end),
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _entry(target: ScheduleTarget, body: str, schedule: Schedule) -> dict[str, Any]:
    return {
        "EventBusName": target.arn,
        "Source": target.source or "",
        "DetailType": target.detail_type or "",
        "Resources": [schedule.arn],
        "Detail": body,
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
