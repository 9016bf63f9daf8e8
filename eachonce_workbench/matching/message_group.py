"""The message group that a rule gives what it sends to a queue: a fixed one, or a path to it in the event.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_SqsParameters.html. A path is for standard queues, whose
groups are there for fairness; to a FIFO queue its text is the name of the one group. What EventBridge does with an
event in which the path finds nothing is written nowhere: here the event goes without a group, which SQS takes, too.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from eachonce_workbench.matching.json_path import JsonPath, Missing
from eachonce_workbench.matching.reading import to_json


class NoGroupError(ValueError):
    """An event in which something else stands where its group was to be."""


def group_for(given: str | None, target_arn: str, event: Any) -> str | None:
    """Return an event's group at a target, None where it has none. Raises NoGroupError."""
    path = None if given is None or target_arn.endswith(".fifo") else _path(given)
    if path is None:
        return given
    found = path.find(event)
    if found is None or found is Missing.MISSING:
        return None
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
