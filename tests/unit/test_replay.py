"""Events of a span come to one consumer again, from the journal or from an archive, as the bus would bring them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from eachonce.event import Event
from eachonce.journal import RETENTION, State, pack_outbox

from eachonce_workbench.matching.input import TargetInput
from eachonce_workbench.matching.pattern import Pattern
from eachonce_workbench.operations.replay import (
    Archive,
    ArchiveReplay,
    Progress,
    Replayed,
    ReplayError,
    Span,
    from_journal,
)
from eachonce_workbench.operations.route import QueueBus, Route
from tests.deployed import LETTERS, ORDERED, Deployed

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SPAN = Span(start=NOON, end=NOON + timedelta(hours=1))
PLACE = "arn:aws:cloudformation:eu-west-1:123456789012:stack/test/1"
ROUTE = Route(
    rule_arn="arn:aws:events:eu-west-1:123456789012:rule/post/letters",
    rule_name="letters",
    pattern=Pattern({"detail-type": ["LetterPosted"]}),
    input=TargetInput(),
)


def event(event_id: str, *, minutes: float = 1, event_type: str = "LetterPosted", **changes: Any) -> Event[Any]:
    return Event(
        id=event_id,
        source="post",
        type=event_type,
        data={"to": "Ada"},
        time=NOON + timedelta(minutes=minutes),
        **changes,
    )


def bus(deployed: Deployed, *routes: Route, url: str | None = LETTERS.url) -> QueueBus:
    return QueueBus(deployed.sqs, str(url), routes or [ROUTE], place=PLACE, now=lambda: NOON)


def replay(deployed: Deployed, to: QueueBus) -> Replayed:
    done = Replayed()
    counts = list(from_journal(deployed.journal, SPAN, to, done, sleep=lambda _: None))
    assert sum(counts) == done.found
    return done


def bodies(deployed: Deployed, url: str | None = LETTERS.url) -> list[dict[str, Any]]:
    return [json.loads(message["Body"]) for message in deployed.waiting(str(url))]


def publish(deployed: Deployed, name: str, *events: Event[Any]) -> None:
    """Write the row of a cause that published these."""
    deployed.put_row("place-order", name, state=State.DONE, outbox=pack_outbox(list(events)))


@pytest.fixture
def deployed() -> Deployed:
    return Deployed()


def test_what_rows_of_the_span_published_comes_as_the_bus_brought_it(deployed: Deployed) -> None:
    """With the same event id, which is what makes it a duplicate to whoever has done it."""
    publish(deployed, "o-1", event("e-1"), event("e-2"))
    publish(deployed, "o-2", event("e-3"))
    deployed.put_row("letters", "e-9", state=State.DONE)

    done = replay(deployed, bus(deployed))

    came = bodies(deployed)
    assert (done.found, done.sent, done.failed) == (3, 3, 0)
    assert {body["detail"]["id"] for body in came} == {"e-1", "e-2", "e-3"}
    assert {(body["source"], body["detail-type"], body["account"]) for body in came} == {
        ("post", "LetterPosted", "123456789012")
    }


@pytest.mark.parametrize(("minutes", "found"), [(-0.1, 0), (0, 1), (59.9, 1), (60, 0)])
def test_only_the_span_comes_again(deployed: Deployed, minutes: float, found: int) -> None:
    """From its first moment on, and before its end."""
    publish(deployed, "o-1", event("e-1", minutes=minutes))

    assert replay(deployed, bus(deployed)).sent == found


def test_what_the_rule_does_not_choose_goes_nowhere(deployed: Deployed) -> None:
    """It is no failure: the consumer never had it."""
    publish(deployed, "o-1", event("e-1"), event("e-2", event_type="ParcelPosted"))

    done = replay(deployed, bus(deployed))

    assert (done.found, done.sent, done.failed) == (2, 1, 0)


def test_a_plain_event_comes_plain(deployed: Deployed) -> None:
    """Its detail is its data alone, and the envelope has its time."""
    publish(deployed, "o-1", event("e-1", form="plain"))

    replay(deployed, bus(deployed))

    (body,) = bodies(deployed)
    assert (body["detail"], body["time"]) == ({"to": "Ada"}, "2026-01-02T12:01:00Z")


def test_a_target_that_gets_a_part_gets_that_part(deployed: Deployed) -> None:
    """As the rule says."""
    publish(deployed, "o-1", event("e-1"))
    part = Route(
        rule_arn=ROUTE.rule_arn,
        rule_name="letters",
        pattern=ROUTE.pattern,
        input=TargetInput.of({"InputPath": "$.detail.data"}),
    )

    replay(deployed, bus(deployed, part))

    assert bodies(deployed) == [{"to": "Ada"}]


def test_a_fifo_queue_gets_the_rules_group(deployed: Deployed) -> None:
    """And every event, since no two have one deduplication id."""
    publish(deployed, "o-1", event("e-1"), event("e-2"))
    grouped = Route(
        rule_arn=ROUTE.rule_arn, rule_name="letters", pattern=ROUTE.pattern, input=TargetInput(), group_id="all"
    )

    assert replay(deployed, bus(deployed, grouped, url=ORDERED.url)).sent == 2


def test_a_standard_queue_gets_the_group_that_the_event_names(deployed: Deployed) -> None:
    """One that names none goes without a group, as on the bus."""
    publish(deployed, "o-1", event("e-1", tenant="t-1"), event("e-2"))
    fair = Route(
        rule_arn=ROUTE.rule_arn,
        rule_name="letters",
        pattern=ROUTE.pattern,
        input=TargetInput(),
        group_id="$.detail.tenant",
    )

    done = replay(deployed, bus(deployed, fair))

    groups = [message["Attributes"].get("MessageGroupId") for message in deployed.waiting(str(LETTERS.url))]
    assert (done.sent, done.failed) == (2, 0)
    assert sorted(groups, key=str) == [None, "t-1"]


def test_what_the_queue_refuses_is_counted(deployed: Deployed) -> None:
    """The others come."""
    deployed.sqs.set_queue_attributes(QueueUrl=LETTERS.url, Attributes={"MaximumMessageSize": "1024"})
    publish(deployed, "o-1", *(event(f"e-{number}") for number in range(3)))
    taken = Refusing(deployed.sqs, "e-1")
    to = QueueBus(taken, str(LETTERS.url), [ROUTE], place=PLACE, now=lambda: NOON)

    done = replay(deployed, to)

    assert (done.found, done.sent, done.failed) == (3, 2, 1)


class Refusing:
    """A client of SQS's whose queue refuses one event."""

    def __init__(self, sqs: Any, event_id: str) -> None:
        self._sqs = sqs
        self._event_id = event_id
        self.exceptions = sqs.exceptions

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, Any]]) -> Any:  # noqa: N803
        refused = [entry for entry in Entries if json.loads(entry["MessageBody"])["detail"]["id"] == self._event_id]
        others = [entry for entry in Entries if entry not in refused]
        answer = self._sqs.send_message_batch(QueueUrl=QueueUrl, Entries=others)
        failed = [{"Id": entry["Id"], "Code": "InvalidMessageContents", "SenderFault": True} for entry in refused]
        return {**answer, "Failed": failed}


def test_a_span_is_remembered_for_as_long_as_the_journal_keeps_rows() -> None:
    """From its start: what came later lasts longer."""
    assert SPAN.remembered(NOON + RETENTION)
    assert not SPAN.remembered(NOON + RETENTION + timedelta(seconds=1))


# From an archive


class EventBridge:
    """EventBridge as it replays: its states in turn, the last for ever; `asked` are the calls that change something."""

    class exceptions:  # noqa: N801 - as botocore's clients have it
        class ResourceNotFoundException(Exception):  # noqa: N818
            pass

        class ResourceAlreadyExistsException(Exception):  # noqa: N818
            pass

    def __init__(self, *states: str, start: Exception | None = None) -> None:
        self._states = list(states)
        self._start = start
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def start_replay(self, **request: Any) -> None:
        self.asked.append(("start", request))
        if self._start is not None:
            raise self._start

    def describe_replay(self, *, ReplayName: str) -> dict[str, Any]:  # noqa: N803
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return {"ReplayName": ReplayName, "State": state}

    def cancel_replay(self, **request: Any) -> None:
        self.asked.append(("cancel", request))

    def describe_archive(self, **_: Any) -> None:
        raise self.exceptions.ResourceNotFoundException


ARCHIVE = Archive(arn="arn:aws:events:eu-west-1:1:archive/all", bus_arn="arn:aws:events:eu-west-1:1:event-bus/post")


def replaying(events: EventBridge) -> list[Progress]:
    return list(ArchiveReplay(events, ARCHIVE, name="letters-1", sleep=lambda _: None)(SPAN, [ROUTE.rule_arn]))


@pytest.mark.parametrize("end", ["COMPLETED", "FAILED", "CANCELLED"])
def test_a_replay_is_started_for_the_consumers_rules_alone_and_followed(end: str) -> None:
    """To its end, whichever it is; then there is nothing to cancel."""
    events = EventBridge("STARTING", "RUNNING", end)

    progress = replaying(events)

    ((name, request),) = events.asked
    assert [each.state for each in progress] == ["STARTING", "RUNNING", end]
    assert (name, request["EventSourceArn"]) == ("start", ARCHIVE.arn)
    assert request["Destination"] == {"Arn": ARCHIVE.bus_arn, "FilterArns": [ROUTE.rule_arn]}


def test_a_replay_that_is_left_is_cancelled() -> None:
    """As by Ctrl-C."""
    events = EventBridge("RUNNING")
    following = ArchiveReplay(events, ARCHIVE, name="letters-1", sleep=lambda _: None)(SPAN, [ROUTE.rule_arn])
    next(following)

    following.close()

    assert events.asked[-1] == ("cancel", {"ReplayName": "letters-1"})


def test_a_lost_answer_to_the_start_is_no_failure() -> None:
    """The name was this replay's own."""
    events = EventBridge("COMPLETED", start=EventBridge.exceptions.ResourceAlreadyExistsException())

    assert [each.state for each in replaying(events)] == ["COMPLETED"]


def test_what_eventbridge_refuses_is_told() -> None:
    """In its own words."""
    refusal = ClientError({"Error": {"Code": "ValidationException", "Message": "too far"}}, "StartReplay")

    with pytest.raises(ReplayError, match="EventBridge doesn't replay: too far"):
        replaying(EventBridge("FAILED", start=refusal))


def test_an_archive_that_is_not_there_is_told() -> None:
    """By its name."""
    with pytest.raises(ReplayError, match="there is no archive all"):
        Archive.ask(EventBridge("FAILED"), "all")
