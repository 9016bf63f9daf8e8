"""When a schedule's time comes next: rate(...), cron(...) and at(...).

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from eachonce_workbench.cloud.schedules.cron import Cron

_EXPRESSION = re.compile(r"(rate|cron|at)\((.*)\)")
_RATE = re.compile(r"(\d+) (minute|hour|day)s?")


def next_time(
    expression: str,
    after: datetime,
    *,
    timezone: str = "UTC",
    since: datetime | None = None,
    until: datetime | None = None,
) -> datetime | None:
    """The first time of an expression after a moment, or None when there is none any more.

    Times are from `since` on and not after `until`. A rate's are whole periods after `since`, which itself is one; with
    no `since` the first is one period after the moment. Raises ValueError for what is no expression, or no time zone.
    """
    found = _EXPRESSION.fullmatch(expression)
    if found is None:
        raise ValueError(f"{expression!r} is not rate(...), cron(...) or at(...)")
    kind, inside = found.groups()
    zone = _zone(timezone)
    time: datetime | None
    if kind == "rate":
        time = _rate(inside, after, since)
    elif kind == "cron":
        start = after if since is None else max(after, since - timedelta(seconds=1))
        time = Cron.of(inside).after(start, zone)
    else:
        at = datetime.fromisoformat(inside).replace(tzinfo=zone).astimezone(UTC)
        time = at if at > after else None
    return None if time is None or (until is not None and time > until) else time


def _rate(inside: str, after: datetime, since: datetime | None) -> datetime:
    found = _RATE.fullmatch(inside)
    if found is None or int(found[1]) == 0:
        raise ValueError(f"rate({inside}) is not a number of minutes, hours or days")
    period = timedelta(**{f"{found[2]}s": int(found[1])})
    if since is None:
        return after + period
    return since if since > after else since + ((after - since) // period + 1) * period


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"there is no time zone {name}") from error
