"""The message group that a rule gives what it sends to a queue: a fixed one, or a path to it in the event.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_SqsParameters.html. A path is for standard queues, whose
groups are there for fairness; to a FIFO queue its text is the name of the one group. What EventBridge does with an
event in which the path finds nothing is written nowhere: here it does the worst that it may, and delivers nothing.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from eachonce_workbench.matching.json_path import JsonPath
from eachonce_workbench.matching.reading import to_json


class NoGroupError(ValueError):
    """An event without the text or number that was to be its group."""


def group_for(given: str | None, target_arn: str, event: Any) -> str | None:
    """Return an event's group at a target, None where no group is asked for. Raises NoGroupError."""
    path = None if given is None or target_arn.endswith(".fifo") else _path(given)
    if path is None:
        return given
    found = path.find(event)
    if isinstance(found, str):
        return found
    if isinstance(found, bool | int | float | Decimal):
        return to_json(found)
    raise NoGroupError(f"{given} finds neither a text nor a number in the event")


@lru_cache(maxsize=1024)
def _path(given: str) -> JsonPath | None:
    try:
        return JsonPath.of(given)
    except ValueError:
        return None  # a name like any other
