"""Hostile patterns, events and templates: each is refused in AWS's words, or answered, in work that is bounded."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from eachonce_workbench.cloud.topics.admission import admits
from eachonce_workbench.cloud.topics.message import Message
from eachonce_workbench.matching import fields
from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.matching.input import InvalidInput, TargetInput
from eachonce_workbench.matching.pattern import InvalidPattern, Pattern
from eachonce_workbench.matching.pipe_template import PipeTemplate
from eachonce_workbench.matching.reading import read_json
from eachonce_workbench.template.event_sources import Subscription
from tests import hostile_matching as hostile
from tests.effort import calls_of

INPUTS = 10_000  # in all
TARGETS = 4_000
SEEDS = range(4)
# Some thousand calls read any pattern and look at any event of this size; twice as large ones take twice as many.
CALLS, CALLS_A_CHARACTER = 20_000, 40


def read(text: str) -> Any:
    """Read an event; None where it is no JSON object, and the bus would not take it."""
    try:
        event = read_json(text)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def match(pattern: str, event: str) -> bool | None:
    """Ask all that knows patterns; None where it is none."""
    try:
        known = Pattern(pattern)
        filters = Filters.of({"Filters": [{"Pattern": pattern}]})
    except InvalidPattern:
        return None
    about = {"logical_id": "S", "arn": "s", "topic_arn": "t", "protocol": "sqs", "endpoint": "q", "filter": known}
    message = Message(id="m", topic_arn="t", text=event, published_at=0, attributes=said(event))
    for scope in ("MessageAttributes", "MessageBody"):
        assert admits(Subscription(**about, filter_scope=scope), message) in (True, False)  # type: ignore[arg-type]
    assert filters.admit_sqs({"body": event}) in (True, False)
    seen = read(event)
    if seen is None:
        return None
    assert filters.admit_dynamodb(seen) is known.matches(seen)
    return known.matches(seen)


def said(event: str) -> dict[str, Any]:
    kinds = ("String", "String.Array", "Number", "Number.x")
    return {kind: {"DataType": kind, "StringValue": event} for kind in kinds} | {"b": {"DataType": "Binary"}}


def fill(target: Any, event: str) -> str | None:
    """Ask for what a target is sent; None where AWS would not take the target."""
    try:
        known = TargetInput.of(target)
    except InvalidInput:
        return None
    seen = read(event)
    return None if seen is None else known.render(seen, rule_arn="r", rule_name="n")


def fill_pipe(template: str, event: str) -> str | None:
    try:
        known = PipeTemplate.of(template)
    except ValueError:
        return None
    return known.fill({"body": event, "more": read(event)}, {"aws.pipes.pipe-name": "p"})


@pytest.mark.parametrize("seed", SEEDS)
def test_no_pattern_and_no_event_is_more_than_the_matcher_can_take(seed: int) -> None:
    """It answers, or refuses the pattern; each tenth is counted, and takes calls in proportion to its size."""
    answers = {True: 0, False: 0, None: 0}
    for number in range(INPUTS // len(SEEDS)):
        random = Random(f"{seed}/{number}")
        pattern, event = hostile.pattern(random), hostile.event(random)
        answers[match(pattern, event)] += 1
        if number % 10 == 0:
            counted = calls_of(lambda pattern=pattern, event=event: match(pattern, event))  # type: ignore[misc]
            size = len(pattern) + len(event)
            assert counted <= CALLS + CALLS_A_CHARACTER * size, (pattern, event)

    assert all(count > 20 for count in answers.values()), answers


@pytest.mark.parametrize("seed", SEEDS)
def test_no_template_and_no_event_is_more_than_a_target_can_take(seed: int) -> None:
    """What it is sent is text that can be written, and no longer than its variables can make it."""
    filled = 0
    for number in range(TARGETS // len(SEEDS)):
        random = Random(f"{seed}/{number}/target")
        target, template, event = hostile.target(random), hostile.template(random), hostile.event(random)
        for text in (fill(target, event), fill_pipe(template, event)):
            if text is not None:
                filled += 1
                most = (2 + max(template.count("<"), json.dumps(target).count("<"))) * (len(event) * 2 + 10_000)
                assert len(text.encode()) <= most, (target, template, event)

    assert filled > TARGETS // len(SEEDS) // 2


# What was found, and is mended: the least that showed it.


def test_a_template_that_nests_too_deeply_is_refused() -> None:
    """As any other that is no JSON."""
    deep = "[" * 4000 + "]" * 4000

    with pytest.raises(InvalidInput, match="nested too deeply"):
        TargetInput.of({"InputTransformer": {"InputTemplate": deep}})


@pytest.mark.parametrize("paths", [[1], "a", 7, True])
def test_paths_that_are_no_object_are_refused(paths: Any) -> None:
    """Whatever else they are."""
    with pytest.raises(InvalidInput, match="must be an object"):
        TargetInput.of({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": "1"}})


@pytest.mark.parametrize("filters", [7, "a", True, {"Pattern": "{}"}])
def test_filters_that_are_no_array_are_refused(filters: Any) -> None:
    """Whatever else they are."""
    with pytest.raises(InvalidPattern, match="array"):
        Filters.of({"Filters": filters})


def knot(size: int) -> Any:
    """Return an event that names an array again, so that each element of one goes with each of the other."""
    end = '{"c":1},{"d":1}'
    arrays = [",".join([*(f'{{"{name}":{number}}}' for number in range(size)), end]) for name in "ab"]
    return read_json("{" + ",".join(f'"a":[{array}]' for array in (*arrays, end)) + "}")


def test_all_alternatives_share_the_rows_that_an_event_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them might tie a knot of its own: 15 KB of event took minutes."""
    monkeypatch.setattr(fields, "MOST_ROWS_OF_ALL", 5000)
    options = [{"a": {"a": [{"anything-but": [-1 - number]}]}} for number in range(40)]
    rest = {f"a.{name}": [{"exists": True}] for name in "bcd"} | {"a.z": [{"exists": False}]}
    pattern = Pattern({"$or": options, **rest}, longest=10_000)
    event = knot(40)

    assert calls_of(lambda: pattern.matches(event)) < 100_000
