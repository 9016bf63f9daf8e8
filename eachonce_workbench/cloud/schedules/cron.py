"""AWS's cron expressions: six fields, of which one of the two for days says nothing.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html and, where times are in a zone,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_YEARS = range(1970, 2200)
_SATURDAY, _SUNDAY = 6, 7  # as `date.isoweekday` counts

_IsDay = Callable[[date], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """The minutes, hours, months and years of an expression, and which of their days it means."""

    minutes: Sequence[int]
    hours: Sequence[int]
    months: frozenset[int]
    years: frozenset[int]
    is_day: _IsDay

    @classmethod
    def of(cls, fields: str) -> Cron:
        """Read what stands between the brackets of `cron(...)`. Raises ValueError."""
        given = [field.rstrip(",") for field in fields.upper().split()]  # people set fields apart by commas, too
        if len(given) != 6:
            raise ValueError(f"a cron expression has six fields, not {len(given)}")
        minute, hour, day, month, weekday, year = given
        if (day == "?") == (weekday == "?"):
            raise ValueError("one of the day of the month and the day of the week is ?, and the other isn't")
        return cls(
            minutes=sorted(_numbers(minute, range(60))),
            hours=sorted(_numbers(hour, range(24))),
            months=frozenset(_numbers(month, range(1, 13), _MONTHS)),
            years=frozenset(_numbers(year, _YEARS)),
            is_day=_day_of_month(day) if weekday == "?" else _day_of_week(weekday),
        )

    def after(self, moment: datetime, zone: tzinfo) -> datetime | None:
        """The first time after a moment, or None when there is none.

        A time that the zone's clocks leave out in spring is left out, and one that they have twice in autumn counts
        once.
        """
        for day in self._days(moment.astimezone(zone).date()):
            for hour in self.hours:
                for minute in self.minutes:
                    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    found = local.astimezone(UTC)
                    if found > moment and found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                        return found
        return None

    def _days(self, first: date) -> Iterator[date]:
        for year in sorted(year for year in self.years if year >= first.year):
            for month in sorted(self.months):
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= first and self.is_day(day):
                        yield day


def _numbers(field: str, allowed: range, names: Sequence[str] = ()) -> set[int]:
    """The numbers that a field without letters of its own means."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, last = _span(span, allowed, names, open_ended=bool(slash))
        if slash and not (step.isdigit() and int(step) > 0):
            raise ValueError(f"{part} has no step")
        if first > last:  # over the end, such as FRI-MON
            found |= {*range(first, allowed.stop), *range(allowed.start, last + 1)}
        else:
            found |= set(range(first, last + 1, int(step) if slash else 1))
    return found


def _span(text: str, allowed: range, names: Sequence[str], *, open_ended: bool) -> tuple[int, int]:
    if text == "*":
        return allowed.start, allowed.stop - 1
    first, dash, last = text.partition("-")
    begin = _number(first, allowed, names)
    if dash:
        return begin, _number(last, allowed, names)
    return begin, allowed.stop - 1 if open_ended else begin


def _number(text: str, allowed: range, names: Sequence[str]) -> int:
    number = names.index(text) + 1 if text in names else int(text) if text.isdigit() else -1
    if number not in allowed:
        raise ValueError(f"{text or 'nothing'} is not {allowed.start} to {allowed.stop - 1}")
    return number


def _day_of_month(field: str) -> _IsDay:
    if field == "L":
        return lambda day: day.day == _length(day)
    if field == "LW":
        return lambda day: day == _weekday_near(day, _length(day))
    if field.startswith("L-") and field[2:].isdigit():
        before = int(field[2:])
        return lambda day: day.day == _length(day) - before
    if field.endswith("W"):
        number = _number(field[:-1], range(1, 32), ())
        return lambda day: number <= _length(day) and day == _weekday_near(day, number)
    numbers = _numbers(field, range(1, 32))
    return lambda day: day.day in numbers


def _day_of_week(field: str) -> _IsDay:
    if field == "L":
        return lambda day: _weekday(day) == len(_DAYS)
    if field.endswith("L"):
        last = _number(field[:-1], range(1, 8), _DAYS)
        return lambda day: _weekday(day) == last and day.day + 7 > _length(day)
    if "#" in field:
        name, _, which = field.partition("#")
        weekday, nth = _number(name, range(1, 8), _DAYS), _number(which, range(1, 6), ())
        return lambda day: _weekday(day) == weekday and (day.day + 6) // 7 == nth
    numbers = _numbers(field, range(1, 8), _DAYS)
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    """As AWS counts: 1 is Sunday."""
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _weekday_near(day: date, number: int) -> date:
    """The weekday next to a day of a month, and within that month."""
    wanted = day.replace(day=number)
    if wanted.isoweekday() == _SATURDAY:
        return wanted - timedelta(days=1) if number > 1 else wanted + timedelta(days=2)
    if wanted.isoweekday() == _SUNDAY:
        return wanted + timedelta(days=1) if number < _length(day) else wanted - timedelta(days=2)
    return wanted
