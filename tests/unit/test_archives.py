"""An archive keeps what was put on its bus, and replays a span of it to the rules that are named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from eachonce_workbench.cloud.bus import archive as limits
from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.store.kept import Kept
from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.store import Store
from tests.topologies import archive, arn, bus, queue, rule, target, topology

LETTERS, PARCELS = queue("letters"), queue("parcels")
NOON = 1_767_268_800.0
BUS = arn("events", "event-bus/post")
ARCHIVE = arn("events", "archive/all")


class Post:
    """A bus with two queues and an archive; `later` are the calls that wait."""

    def __init__(self, *archives: Any) -> None:
        everything = {"source": [{"prefix": ""}]}
        system = topology(
            queues=(LETTERS, PARCELS),
            buses=(bus("post"), bus("other")),
            rules=(
                rule("letters", everything, target(LETTERS), bus_name="post"),
                rule("parcels", everything, target(PARCELS), bus_name="post"),
            ),
            archives=archives or (archive("all", "post"),),
        )
        store = Store(system)
        store.create()
        self.queues = store.queues
        self.later: list[Callable[[], None]] = []
        self.bus = Bus(system, store.queues, History(), after=lambda _, call: self.later.append(call))
        self.rule_arn = system.rules[0].arn

    def put(self, *names: str, bus_name: str = "post", **changes: Any) -> None:
        for name in names:
            entry = {"EventBusName": bus_name, "Source": "post", "DetailType": "Posted", **changes}
            self.bus.put_events([{**entry, "Detail": json.dumps({"name": name})}])

    def pass_all(self) -> None:
        while self.later:
            self.later.pop(0)()

    def ask(self, operation: str, **params: Any) -> Any:
        assert self.bus.archives.answers(operation)
        return self.bus.archives.answer(operation, params)

    def replay(self, name: str = "r", **changes: Any) -> Any:
        asked: dict[str, Any] = {
            "ReplayName": name,
            "EventSourceArn": ARCHIVE,
            "EventStartTime": NOON - 60,
            "EventEndTime": NOON + 60,
            "Destination": {"Arn": BUS, "FilterArns": [self.rule_arn]},
        }
        return self.ask("StartReplay", **asked | changes)

    def taken(self, of: Any) -> list[dict[str, Any]]:
        return [json.loads(record["body"]) for record in self.queues.receive(of.arn, max_messages=1000)]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(AwsError) as error:
        call()
    return error.value.code


def test_a_replay_comes_to_the_named_rules_alone() -> None:
    """As the event was, with the replay's name; nobody else gets anything."""
    post = Post()
    post.put("a", "b")
    (first, _), _ = post.taken(LETTERS), post.taken(PARCELS)

    started = post.replay()
    states = [started["State"], post.ask("DescribeReplay", ReplayName="r")["State"]]
    pending = post.bus.pending
    post.pass_all()

    again = post.taken(LETTERS)
    assert (states, pending) == (["STARTING", "STARTING"], 1)
    assert [event["detail"]["name"] for event in again] == ["a", "b"]
    assert again[0] == first | {"replay-name": "r"}
    assert post.taken(PARCELS) == []
    assert post.ask("DescribeReplay", ReplayName="r")["State"] == "COMPLETED"
    assert post.bus.pending == 0


def test_what_is_replayed_is_not_archived_again() -> None:
    """The archive is the same before and after."""
    post = Post()
    post.put("a")

    post.replay()
    post.pass_all()

    assert post.ask("DescribeArchive", ArchiveName="all")["EventCount"] == 1


def test_without_rules_a_replay_comes_to_all(clock: time_machine.Traveller) -> None:
    """Of the archive's own bus."""
    post = Post()
    post.put("a")
    post.taken(LETTERS), post.taken(PARCELS)

    post.replay(Destination={"Arn": BUS})
    post.pass_all()

    assert [len(post.taken(each)) for each in (LETTERS, PARCELS)] == [1, 1]


def test_only_the_span_is_replayed() -> None:
    """By the time that each event says."""
    post = Post()
    for name, moment in (("early", -61), ("first", -60), ("last", 60), ("late", 61)):
        post.put(name, Time=NOON + moment)
    post.taken(LETTERS)

    post.replay()
    post.pass_all()

    assert [event["detail"]["name"] for event in post.taken(LETTERS)] == ["first", "last"]
    assert post.ask("DescribeReplay", ReplayName="r")["EventLastReplayedTime"] == NOON + 60


def test_an_archive_keeps_what_its_pattern_chooses_of_its_own_bus() -> None:
    """And nothing of another."""
    post = Post(archive("all", "post", pattern={"detail": {"name": ["a"]}}))

    post.put("a", "b")
    post.put("a", bus_name="other")

    assert post.ask("DescribeArchive", ArchiveName="all")["EventCount"] == 1


@pytest.mark.parametrize(("days", "left"), [(1, 0), (2, 1), (0, 1)])
def test_an_archive_keeps_for_as_long_as_it_says(clock: time_machine.Traveller, days: int, left: int) -> None:
    """No days are for ever."""
    post = Post(archive("all", "post", retention_days=days))
    post.put("a")

    clock.shift(86_400 + 1)

    assert post.ask("DescribeArchive", ArchiveName="all")["EventCount"] == left


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest give way."""
    monkeypatch.setattr(limits, "MAX_ARCHIVE_BYTES", 1000)
    post = Post()

    post.put(*(str(number) for number in range(50)))
    post.taken(LETTERS)
    told = post.ask("DescribeArchive", ArchiveName="all")
    post.replay()
    post.pass_all()

    names = [event["detail"]["name"] for event in post.taken(LETTERS)]
    assert told["SizeBytes"] <= 1000
    assert names == [str(number) for number in range(50 - len(names), 50)]
    assert len(names) == told["EventCount"] > 0


def test_a_replay_that_is_cancelled_ends_where_it_is() -> None:
    """It can't be cancelled twice, nor when it is over."""
    post = Post()
    post.put(*(str(number) for number in range(250)))
    post.taken(LETTERS)
    post.replay()
    post.later.pop(0)()

    cancelled = post.ask("CancelReplay", ReplayName="r")
    post.pass_all()

    assert cancelled["State"] == "CANCELLING"
    assert len(post.taken(LETTERS)) == 100
    assert post.ask("ListReplays", State="CANCELLED")["Replays"][0]["ReplayName"] == "r"
    assert refused(lambda: post.ask("CancelReplay", ReplayName="r")) == "IllegalStatusException"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"EventSourceArn": arn("events", "archive/none")}, "ResourceNotFoundException"),
        ({"Destination": {"Arn": arn("events", "event-bus/other")}}, "ValidationException"),
        ({"EventStartTime": NOON + 60}, "ValidationException"),
        ({"name": "taken"}, "ResourceAlreadyExistsException"),
    ],
)
def test_what_eventbridge_refuses_is_refused(changes: dict[str, Any], code: str) -> None:
    """By its own errors, and nothing is replayed."""
    post = Post()
    post.replay("taken")

    assert refused(lambda: post.replay(**changes)) == code
    assert len(post.ask("ListReplays")["Replays"]) == 1


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DescribeArchive", {"ArchiveName": "none"}),
        ("DescribeReplay", {"ReplayName": "none"}),
        ("CancelReplay", {"ReplayName": "none"}),
    ],
)
def test_what_is_not_there_is_not_found(operation: str, params: dict[str, str]) -> None:
    """By EventBridge's own error."""
    assert refused(lambda: Post().ask(operation, **params)) == "ResourceNotFoundException"


def test_an_archive_is_kept_for_the_next_local_cloud() -> None:
    """As bytes; one that there is no more is told of."""
    before, after, without = Post(), Post(), Post(archive("new", "post"))
    before.put("a")
    kept = Kept.decoded(Kept(archives=before.bus.archives.keep()).encoded()).archives

    assert list(after.bus.archives.take_back(kept)) == []
    assert list(without.bus.archives.take_back(kept)) == [
        "archive all: it is no more in the template, and its 1 events are gone"
    ]

    after.replay()
    after.pass_all()
    assert [event["detail"]["name"] for event in after.taken(LETTERS)] == ["a"]
