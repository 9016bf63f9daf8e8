"""When a schedule's time comes next: AWS's three kinds of expression, its letters in cron, and time zones."""

from datetime import UTC, datetime

import pytest

from eachonce_workbench.cloud.schedules.expression import next_time


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("rate(1 minute)", "2026-01-02T03:04:05", "2026-01-02T03:05:05"),
        ("rate(5 minutes)", "2026-01-02T03:04:05", "2026-01-02T03:09:05"),
        ("rate(12 hours)", "2026-01-02T03:04:05", "2026-01-02T15:04:05"),
        ("rate(7 days)", "2026-01-02T03:04:05", "2026-01-09T03:04:05"),
        ("at(2026-03-04T05:06:07)", "2026-01-02T03:04:05", "2026-03-04T05:06:07"),
        ("cron(0 12 * * ? *)", "2026-01-02T12:00:00", "2026-01-03T12:00:00"),
        ("cron(0/15 * * * ? *)", "2026-01-02T03:04:05", "2026-01-02T03:15:00"),
        ("cron(*/20 9-17 ? * MON-FRI *)", "2026-01-02T17:40:00", "2026-01-05T09:00:00"),
        ("cron(10,5 8 1 * ? *)", "2026-01-02T00:00:00", "2026-02-01T08:05:00"),
        ("cron(0 0 ? * FRI-MON *)", "2026-01-05T00:00:00", "2026-01-09T00:00:00"),
        ("cron(0 0 ? * 1 *)", "2026-01-02T00:00:00", "2026-01-04T00:00:00"),
        ("cron(0 0 1 JAN-MAR/2 ? 2027-2028)", "2026-01-02T00:00:00", "2027-01-01T00:00:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-02T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 0 L * ? *)", "2026-02-01T00:00:00", "2026-02-28T00:00:00"),
        ("cron(0 0 L-2 * ? *)", "2026-02-01T00:00:00", "2026-02-26T00:00:00"),
        ("cron(0 0 LW * ? *)", "2026-02-01T00:00:00", "2026-02-27T00:00:00"),
        ("cron(0 0 15W * ? *)", "2026-02-01T00:00:00", "2026-02-16T00:00:00"),
        ("cron(0 0 1W * ? *)", "2026-07-31T00:00:00", "2026-08-03T00:00:00"),
        ("cron(0 0 31W * ? *)", "2026-02-01T00:00:00", "2026-03-31T00:00:00"),
        ("cron(0 0 ? * 6L *)", "2026-01-02T00:00:00", "2026-01-30T00:00:00"),
        ("cron(0 0 ? * L *)", "2026-01-02T00:00:00", "2026-01-03T00:00:00"),
        ("cron(0 0 ? * 3#2 *)", "2026-01-02T00:00:00", "2026-01-13T00:00:00"),
        ("cron(0 0 ? * FRI#5 *)", "2026-02-01T00:00:00", "2026-05-29T00:00:00"),
        ("cron(5, 0, 1, *, ?, *)", "2026-01-02T00:00:00", "2026-02-01T00:05:00"),
        ("cron(0 10 ? * mon *)", "2026-01-02T00:00:00", "2026-01-05T10:00:00"),
    ],
)
def test_the_next_time_is_the_first_after_the_moment(expression: str, after: str, expected: str) -> None:
    """1 is Sunday; L is the last, W the nearest weekday of the same month, # which of the month."""
    assert next_time(expression, moment(after)) == moment(expected)


@pytest.mark.parametrize("expression", ["at(2025-01-01T00:00:00)", "cron(0 0 1 1 ? 1999)", "cron(0 0 30 2 ? *)"])
def test_a_schedule_can_have_no_time_left(expression: str) -> None:
    """Its time is over, or no calendar has it."""
    assert next_time(expression, moment("2026-01-02T00:00:00")) is None


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("cron(30 9 * * ? *)", "Europe/Berlin", "2026-01-02T00:00:00", "2026-01-02T08:30:00"),
        ("cron(30 9 * * ? *)", "Europe/Berlin", "2026-07-02T00:00:00", "2026-07-02T07:30:00"),
        ("cron(0 0 1 * ? *)", "America/New_York", "2026-01-02T00:00:00", "2026-02-01T05:00:00"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28T12:00:00", "2026-03-30T00:30:00"),
        ("cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-25T00:30:00", "2026-10-26T01:30:00"),
        ("at(2026-07-01T12:00:00)", "Asia/Tokyo", "2026-01-01T00:00:00", "2026-07-01T03:00:00"),
    ],
)
def test_times_are_those_of_the_schedules_zone(expression: str, zone: str, after: str, expected: str) -> None:
    """An hour that clocks leave out in spring is left out, and one that they repeat in autumn counts once."""
    assert next_time(expression, moment(after), timezone=zone) == moment(expected)


def test_a_rates_times_are_counted_from_its_start() -> None:
    """Which itself is the first, however late one asks."""
    start = moment("2026-01-02T00:10:00")

    asked = [moment("2026-01-01T00:00:00"), start, moment("2026-01-02T03:11:00")]

    assert [next_time("rate(1 hour)", each, since=start) for each in asked] == [
        start,
        moment("2026-01-02T01:10:00"),
        moment("2026-01-02T04:10:00"),
    ]


def test_no_time_is_before_the_start_or_after_the_end() -> None:
    """Of a cron, too, whose time at the start counts."""
    window = {"since": moment("2026-01-05T12:00:00"), "until": moment("2026-01-06T00:00:00")}

    assert next_time("cron(0 12 * * ? *)", moment("2026-01-01T00:00:00"), **window) == window["since"]
    assert next_time("cron(0 12 * * ? *)", window["since"], **window) is None


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("every day", "is not rate"),
        ("rate(0 minutes)", "not a number of minutes"),
        ("rate(2 weeks)", "not a number of minutes"),
        ("cron(0 12 * * ?)", "six fields"),
        ("cron(0 12 * * * *)", "is ?, and the other"),
        ("cron(0 12 ? * ? *)", "is ?, and the other"),
        ("cron(60 12 * * ? *)", "60 is not 0 to 59"),
        ("cron(0 24 * * ? *)", "24 is not 0 to 23"),
        ("cron(0 12 0 * ? *)", "0 is not 1 to 31"),
        ("cron(0 12 * FOO ? *)", "FOO is not 1 to 12"),
        ("cron(0 12 ? * 8 *)", "8 is not 1 to 7"),
        ("cron(0 12 ? * 3#6 *)", "6 is not 1 to 5"),
        ("cron(0/0 12 * * ? *)", "no step"),
    ],
)
def test_what_is_no_expression_is_refused(expression: str, reason: str) -> None:
    """With what is wrong in it."""
    with pytest.raises(ValueError, match=reason.replace("?", r"\?")):
        next_time(expression, moment("2026-01-02T00:00:00"))


def test_a_time_zone_that_is_none_is_refused() -> None:
    """By its name."""
    with pytest.raises(ValueError, match="no time zone Mars/Olympus"):
        next_time("rate(1 hour)", moment("2026-01-02T00:00:00"), timezone="Mars/Olympus")
