"""What consumers do, and leave undone, is held against what happened to them: each promise can fail, and holds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from eachonce.journal import RETENTION
from msgspec.structs import replace

from eachonce_workbench.simulator.conduct import Conduct
from eachonce_workbench.simulator.letter import SIMULATED
from eachonce_workbench.simulator.row import Row

PK = "post##town#e-1"
BODY = json.dumps({"detail": {"specversion": "1.0", "id": "e-1", "source": "town", "type": "Sent"}})
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST_RECEIVED_MS = int((NOW - timedelta(minutes=3)).timestamp() * 1000)
ERROR = (SIMULATED, "the handler failed")

SOON = Row(
    pk=PK, state="TRIED", fingerprint="f", first_seen=NOW.isoformat(), expires_at=int((NOW + RETENTION).timestamp())
)
FAILED = replace(SOON, attempts=1, errors=(ERROR,))
STARTED = replace(
    SOON, state="STARTED", fence="1-a", begun=frozenset({"1-a"}), lease_until=int(NOW.timestamp() + 15) * 1000
)
DONE = replace(SOON, state="DONE", done_at=NOW.isoformat())


class Post(Conduct):
    """The conduct of a post office's workers, with the promises that they have broken."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        super().__init__(lambda promise, _: self.broken.append(promise))

    def given(
        self, worker: str, *, external: bool = False, receive_count: int = 1, copies: int = 1, begins: bool = True
    ) -> None:
        """Let a worker be given an event, and begin it."""
        attributes = {
            "ApproximateReceiveCount": str(receive_count),
            "ApproximateFirstReceiveTimestamp": str(FIRST_RECEIVED_MS),
        }
        record = {"eventSource": "aws:sqs", "eventSourceARN": "a queue", "body": BODY, "attributes": attributes}
        records = [{**record, "messageId": f"m-{n}", "receiptHandle": f"{worker}-{n}"} for n in range(copies)]
        self.invoked(worker, "Post", {"Records": records}, deadline=time.time() + 10)
        if begins:
            self.begins_again(worker, external=external)

    def begins_again(self, worker: str, *, pk: str = PK, external: bool = False) -> None:
        """Let a worker begin an event that it was given."""
        event_id = pk.rpartition("#")[2]
        self.begins(worker, event_id, pk, consumer="post", most_attempts=3, most_starts=3, external=external)

    def returns(self, worker: str, *, again: bool = True) -> None:
        """Let a worker end well; the message comes again, or is acknowledged."""
        self.ended(worker, {"batchItemFailures": [{"itemIdentifier": "m-0"}] if again else []}, well=True)

    def buries(self, worker: str, **notes: str) -> None:
        """Let a worker send the message to the dead-letter queue."""
        first_seen = datetime.fromtimestamp(FIRST_RECEIVED_MS / 1000, UTC).isoformat()
        said = {"event_id": "e-1", "consumer": "post", "first_seen": first_seen, **notes}
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in said.items() if text}
        self.buried(worker, [{"Id": "0", "MessageBody": BODY, "MessageAttributes": attributes}])


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def post() -> Post:
    return Post()


def test_a_failure_is_counted(post: Post) -> None:
    """By the time that the invocation ends well."""
    post.given("Post-1")
    post.failed("Post-1", PK, counts=True)
    post.written("Post-1", None, FAILED)
    post.returns("Post-1")
    assert post.broken == []

    post.given("Post-2")
    post.failed("Post-2", PK, counts=True)
    post.returns("Post-2")

    assert post.broken == ["every failure of the handler is counted"]


def test_who_is_killed_owes_nothing(post: Post) -> None:
    """Nor who could not tell, and has nobody whose word was taken."""
    post.given("Post-1")
    post.failed("Post-1", PK, counts=True)
    post.ended("Post-1", None, well=False)
    post.given("Post-2")
    post.failed("Post-2", PK, counts=True)
    post.called("Post-2", "ledger.failed UpdateItem", [PK], faulty=True)
    post.returns("Post-2")

    assert post.broken == []


def test_what_is_told_at_the_second_try_is_told(post: Post) -> None:
    """A fault is no excuse once the same call has succeeded."""
    post.given("Post-1")
    post.failed("Post-1", PK, counts=True)
    for faulty in (True, False):
        post.called("Post-1", "ledger.failed UpdateItem", [PK], faulty=faulty)
    post.returns("Post-1")

    assert post.broken == ["every failure of the handler is counted"]


def test_who_fails_too_often_is_buried(post: Post) -> None:
    """At once, unless the dead-letter queue didn't take it."""
    post.written(None, None, replace(FAILED, attempts=2, errors=(ERROR,) * 2))
    third = replace(FAILED, attempts=3, errors=(ERROR,) * 3)
    for worker, faulty in (("Post-1", True), ("Post-2", False)):
        post.given(worker)
        post.failed(worker, PK, counts=True)
        post.written(worker, replace(FAILED, attempts=2, errors=(ERROR,) * 2), third)
        post.called(worker, "acknowledger._send SendMessageBatch", [], faulty=faulty)
        post.returns(worker)

    assert post.broken == ["who has failed too often is rejected"]


@pytest.mark.parametrize(
    ("row", "receive_count", "broken"),
    [
        (replace(STARTED, begun=frozenset({"1-a", "2-b", "3-c"})), 2, ["who has died too often is rejected"]),
        (replace(STARTED, begun=frozenset({"1-a", "2-b"})), 2, []),
        (replace(STARTED, begun=frozenset({"1-a", "2-b", f"{2**60}-c"})), 2, []),
        (replace(SOON, begun=frozenset({"1-a", "2-b", "3-c"})), 2, []),
        (replace(STARTED, begun=frozenset({"1-a", "2-b", "3-c"})), 1, []),
    ],
    ids=["three deaths", "two", "one is alive", "the last start ended otherwise", "nobody has read the row"],
)
def test_who_dies_too_often_begins_no_more(post: Post, row: Row, receive_count: int, broken: list[str]) -> None:
    """As far as the row says so that whoever gets it again reads; a start of its own is none of them."""
    post.written(None, None, row)
    post.given("Post-1", receive_count=receive_count)
    assert post.broken == broken

    noted = Post()
    noted.written(None, None, row)
    noted.given("Post-1", receive_count=receive_count, begins=False)
    noted.written("Post-1", row, replace(row, state="STARTED", fence="9-z", begun=row.begun | {"9-z"}))
    noted.begins_again("Post-1")

    assert noted.broken == broken


def test_a_start_counts_only_of_who_runs_alone(post: Post) -> None:
    """Else whoever dies accuses its neighbours; one that could not tell its end is not to blame."""
    other = "post##town#e-2"
    for worker, trouble in (("Post-1", True), ("Post-2", False)):
        post.given(worker)
        post.written(worker, None, replace(STARTED, fence=f"1-{worker}", begun=frozenset({f"1-{worker}"})))
        if trouble:
            post.called(worker, "committer.commit PutItem", [PK], faulty=True)
        post.begins_again(worker, pk=other)
        assert post.broken == ([] if trouble else ["a start counts only of who runs alone"])


def test_an_effect_outside_has_a_claim(post: Post) -> None:
    """Its own, and not another's."""
    with at_it(post):
        assert post.broken == []
        post.has_effect("Post-2", PK)
    unclaimed = Post()
    unclaimed.given("Post-1", external=True)
    unclaimed.has_effect("Post-1", PK)

    assert post.broken == unclaimed.broken == ["an effect outside is one worker's at a time"]


def test_a_start_ends_with_a_word(post: Post) -> None:
    """Or it would be taken for a death."""
    post.given("Post-1")
    post.written("Post-1", None, STARTED)
    post.written("Post-1", STARTED, replace(STARTED, state="TRIED", fence=None, begun=frozenset()))
    post.returns("Post-1")
    assert post.broken == []

    post.given("Post-2")
    post.written("Post-2", SOON, STARTED)
    post.returns("Post-2")

    assert post.broken == ["a start that ended with a word is no death"]


@pytest.mark.parametrize("row", [None, SOON, STARTED])
def test_what_is_not_settled_stays_in_its_queue(post: Post, row: Row | None) -> None:
    """Whatever its row says but that it is done, or rejected."""
    if row is not None:
        post.written(None, None, row)
    post.given("Post-1")

    post.returns("Post-1", again=False)

    assert post.broken == ["nothing leaves its queue before it is settled"]


def test_what_is_done_leaves_its_queue(post: Post) -> None:
    """And what has no row, since its one write tells it."""
    post.given("Post-1")
    post.written("Post-1", None, DONE)
    post.returns("Post-1", again=False)
    other = Post()
    other.given("Post-1")
    other.plans(PK, journaled=False)
    other.let_go("Post-1", ["Post-1-0"])

    assert (post.broken, other.broken) == ([], [])


def test_what_is_done_stays_done(post: Post) -> None:
    """Nobody makes anything else of it, and its effect outside is not had again."""
    post.given("Post-1", external=True)
    post.written("Post-1", DONE, replace(DONE, state="REJECTED"))
    post.written("Post-1", None, DONE)
    post.has_effect("Post-1", PK)

    assert post.broken.count("what is done stays done") == 2


@contextmanager
def at_it(post: Post) -> Iterator[None]:
    """While the first worker is at an effect outside, and the second has the same event."""
    post.given("Post-1", external=True)
    post.written("Post-1", None, STARTED)
    post.has_effect("Post-1", PK)
    post.given("Post-2", external=True)
    yield


def test_nobody_takes_a_claim_from_the_living(post: Post) -> None:
    """From the dead, anybody may."""
    taken = replace(STARTED, fence="2-b", begun=frozenset({"1-a", "2-b"}))
    with at_it(post):
        post.written("Post-2", STARTED, taken)
    heir = Post()
    with at_it(heir):
        heir.ended("Post-1", None, well=False)
        heir.written("Post-2", STARTED, taken)

    assert post.broken == ["an effect outside is one worker's at a time"]
    assert heir.broken == []


def test_a_claim_lasts_as_long_as_its_worker(post: Post) -> None:
    """Or another would have it too early."""
    post.given("Post-1", external=True)

    post.written("Post-1", None, replace(STARTED, lease_until=int(NOW.timestamp() + 9) * 1000))

    assert post.broken == ["an effect outside is one worker's at a time"]


def test_who_was_replaced_ends_and_commits_nothing(post: Post) -> None:
    """Though its call comes late, and the row is not done."""
    post.given("Post-1")
    post.written("Post-1", None, STARTED)
    replaced = replace(STARTED, fence="2-b")

    post.written("Post-1", replaced, FAILED)
    post.written("Post-1", replaced, DONE)

    assert post.broken == ["an effect outside is one worker's at a time"] * 2


def test_what_may_have_happened_is_uncertain(post: Post) -> None:
    """Who does it again says so."""
    second = replace(STARTED, fence="2-b", begun=frozenset({"1-a", "2-b"}))
    for uncertain in (True, False):
        heir = Post()
        with at_it(heir):
            heir.ended("Post-1", None, well=False)
            heir.written("Post-2", STARTED, second)
            heir.written("Post-2", second, replace(DONE, uncertain=uncertain))
        post.broken += heir.broken

    assert post.broken == ["the journal tells the truth"]


@pytest.mark.parametrize(
    "row",
    [
        replace(FAILED, errors=()),
        replace(FAILED, errors=((SIMULATED, ""),)),
        replace(FAILED, errors=(("Error", "the handler failed"),)),
        replace(FAILED, first_seen=(NOW - timedelta(hours=1)).isoformat()),
        replace(FAILED, expires_at=int((NOW + timedelta(days=1)).timestamp())),
        replace(FAILED, state="REJECTED", reason="nobody was told", rejected_at=NOW.isoformat()),
    ],
    ids=["no errors", "no reason", "another name", "seen by nobody", "forgotten", "in no dead-letter queue"],
)
def test_a_row_says_what_was(post: Post, row: Row) -> None:
    """Of failures, of times, and of its end."""
    post.given("Post-1")
    post.failed("Post-1", PK, counts=True)

    post.written("Post-1", None, row)

    assert post.broken == ["the journal tells the truth"]


def test_who_was_given_it_again_keeps_what_was(post: Post) -> None:
    """Attempts, errors and the first time: whoever came for the first time has not read them."""
    kept = replace(DONE, attempts=1, errors=(ERROR,))
    for receive_count, row in ((1, DONE), (2, kept), (2, DONE)):
        post.given(f"Post-{receive_count}", receive_count=receive_count)
        post.written(f"Post-{receive_count}", FAILED, row)
        post.returns(f"Post-{receive_count}", again=False)

    assert post.broken == ["the journal tells the truth"]


@pytest.mark.parametrize(
    "notes",
    [
        {"reason": ""},
        {"reason": "it failed 3 times: it failed", "error": SIMULATED, "attempts": "4"},
        {"reason": "it failed 2 times: it failed", "error": SIMULATED, "attempts": "2"},
        {"reason": "it failed", "error": SIMULATED, "attempts": "3"},
        {"reason": "its handler ended without a word 2 times"},
        {"reason": "no", "first_seen": NOW.isoformat()},
        {"reason": "no", "event_id": "m-0"},
        {"reason": "no", "consumer": "bank"},
    ],
)
def test_a_letter_says_what_was(post: Post, notes: dict[str, str]) -> None:
    """The same letter without its mistake is in order."""
    for worker in ("Post-1", "Post-2", "Post-3"):
        post.given(worker)
        post.failed(worker, PK, counts=True)

    post.buries("Post-3", reason="it failed 3 times: it failed", error=SIMULATED, attempts="3")
    assert post.broken == []
    post.buries("Post-3", **notes)

    assert set(post.broken) == {"a dead letter tells the truth"}


def test_a_dead_letter_is_in_the_journal(post: Post) -> None:
    """With the same reason."""
    rejected = replace(SOON, state="REJECTED", rejected_at=NOW.isoformat(), reason="no")
    for worker, old, row in (("Post-1", None, rejected), ("Post-2", rejected, SOON)):
        post.given(worker)
        post.buries(worker, reason="no")
        post.written(worker, old, row)
        post.returns(worker, again=False)

    assert post.broken == ["the journal tells the truth"]


def test_only_who_has_a_row_knows_an_id_again(post: Post) -> None:
    """A single write is known by its item, for as long as nothing newer has come."""
    post.given("Post-1")
    post.written("Post-1", None, DONE)
    assert list(post.reused({"e-1", "e-2"})) == [("e-1", "Post")]

    post.plans(PK, journaled=False)

    assert list(post.reused({"e-1"})) == []


def test_what_a_row_says_is_read_as_the_store_has_it() -> None:
    """Whatever kind of attribute it is."""

    def attribute(value: Any) -> SimpleNamespace:
        return SimpleNamespace(value=value)

    item = {
        "pk": attribute(PK),
        "fingerprint": attribute("f"),
        "attempts": attribute("1"),
        "errors": attribute([attribute({"error": attribute(SIMULATED), "reason": attribute("no")})]),
        "begun": attribute(["1-a"]),
    }

    row = Row.of(SimpleNamespace(attrs=item))

    assert row == Row(pk=PK, fingerprint="f", attempts=1, errors=((SIMULATED, "no"),), begun=frozenset({"1-a"}))
    assert row is not None
    assert (row.consumer, row.event_id) == ("post", "e-1")
