"""Dead letters in the console: grouped by why and where, redriven at a rate, archived and dropped, and none lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from eachonce.journal import State

from eachonce_workbench.console.dead_letters import screen
from eachonce_workbench.console.dead_letters.groups import grouped
from eachonce_workbench.console.dead_letters.job import Job
from eachonce_workbench.operations.dead_letter import DeadLetter
from eachonce_workbench.operations.failure_place import place_in_reason
from eachonce_workbench.operations.journal import Standing
from eachonce_workbench.operations.letter_file import LetterFile
from tests.console.post_office import Answer, Office, hostile_body, opened
from tests.console.served import outcome
from tests.deployed import LETTERS, PARCELS, body_of

FAILED = "it failed 10 times; the last time: the handler failed at app.py:7"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path) as office:
        yield office


def chosen(page: Answer) -> dict[str, Any]:
    """What a form of the page says beside what is ticked."""
    return {"at": page.page.partition('name="at" value="')[2].partition('"')[0]}


def over(office: Office) -> Answer:
    """The page once no job is at work."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        page = office.get("dead-letters")
        if 'value="stop"' not in page.page and "Stopping" not in page.page:
            return office.get("dead-letters")  # it may have ended after its queues were passed over
    raise AssertionError(page.text)


# What is shown


def test_letters_are_grouped_by_reason_and_place(office: Office) -> None:
    """With when they came, and how they stand in the journal now."""
    for number in range(3):
        office.deployed.bury(body_of(f"e-{number}"), reason=FAILED, error="KeyError", attempts="10")
    office.deployed.bury(body_of("e-3"), reason="nobody lives there")
    office.deployed.put_row("letters", "e-0", state=State.REJECTED, redriven_at="2026-01-02T00:00:00Z")
    office.deployed.put_done("letters", body_of("e-1"))

    page = office.get("dead-letters")

    assert page.says("3 of letters at <code>app.py:7</code>", "1 of letters", "nobody lives there", "KeyError")
    assert page.says("1 failed again after a redrive", "1 done since", "2026-01-02T00:00:00Z")
    assert page.says("eachonce dlq redrive --consumer letters --reason 'nobody lives there' --rate 10")


def test_the_record_knows_the_file(office: Office) -> None:
    """Where the handler's trace says it."""
    office.deployed.bury(body_of("e-1"), reason=FAILED)
    office.here.publish("e-1", source="post")
    told = outcome(
        "e-1", function="Letters", request_id="r", verdict="reject", exception='  File "/x/app.py", line 7, in y'
    )
    office.here.happens("log", **told)

    assert office.get("dead-letters").says("/x/app.py:7</code>, <code>y</code>")


def test_a_filter_leaves_out_the_others(office: Office) -> None:
    """By reason, consumer, type and id; a filter that nothing fits says so."""
    office.deployed.bury(body_of("e-1"), reason="too heavy")
    office.deployed.bury(body_of("e-2", event_type="ParcelPosted"), queues=PARCELS, reason="too light")

    assert office.get("dead-letters", reason="HEAVY").says("e-1")
    for query in ({"reason": "heavy"}, {"consumer": "Letters"}, {"type": "LetterPosted"}, {"id": "e-1"}):
        assert "too light" not in office.get("dead-letters", **query).text
    assert office.get("dead-letters", reason="odd").says("None of the 2 dead letters is like that")


def test_nothing_yet_is_said(office: Office) -> None:
    """And nothing can be redriven then."""
    page = office.get("dead-letters")

    assert page.says("No dead letters")
    assert 'value="redrive"' not in page.page


def test_what_is_live_reads_no_queue(office: Office) -> None:
    """Since reading hides letters from others."""
    office.get("dead-letters")

    def forbidden() -> None:
        raise AssertionError("a queue was read")

    office.deployed.before_call = forbidden
    try:
        page = office.get("dead-letters", headers={"x-refresh": "1"})
    finally:
        office.deployed.before_call = lambda: None

    assert page.status == 200


def test_a_letter_is_shown_whole(office: Office) -> None:
    """And one that isn't there any more is said not to be."""
    message_id = office.deployed.bury(body_of("e-1"), reason="nobody lives there", code_version="7")

    page = office.get("dead-letters/letter", id=message_id)

    assert page.says("nobody lives there", "code_version", '"to": "Ada"', f"eachonce dlq show {message_id}")
    assert office.get("dead-letters/letter", id="m-404").status == 404


# What is done


def test_ticked_letters_are_redriven(office: Office) -> None:
    """Those alone, and the page says what was done."""
    ids = [office.deployed.bury(body_of(f"e-{number}"), reason="x") for number in range(3)]
    page = office.get("dead-letters")

    done = office.post("dead-letters", do="redrive", letter=ids[:2], **chosen(page))
    page = over(office)

    assert (done.status, done.location) == (303, "/_eachonce/dead-letters")
    assert page.says("redrove 2 dead letters", "1 of letters")
    assert office.deployed.bodies(LETTERS.url or "") == {body_of("e-0"): 1, body_of("e-1"): 1}


def test_a_group_is_all_of_it_and_only_as_it_was_seen(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that aren't shown one by one, too; a group that may have grown is to be looked at first."""
    monkeypatch.setattr(screen, "MOST_SHOWN", 1)
    for number in range(3):
        office.deployed.bury(body_of(f"e-{number}"), reason="x")
    page = office.get("dead-letters")
    group = page.page.partition('name="group" value="')[2].partition('"')[0]
    before = chosen(page)
    office.get("dead-letters")

    refused = office.post("dead-letters", do="drop", group=group, **before)
    done = office.post("dead-letters", do="drop", group=group, **chosen(office.get("dead-letters")))

    assert page.says("2 more aren", "all 3 of this group")
    assert refused.status == 400
    assert refused.says("choose again")
    assert done.status == 303
    assert over(office).says("dropped 3 dead letters", "No dead letters")


def test_a_redrive_goes_at_its_rate_and_can_be_stopped(office: Office) -> None:
    """Meanwhile nobody else works on that queue, nor reads it; what is left lies where it lay."""
    ids = [office.deployed.bury(body_of(f"e-{number}"), reason="x") for number in range(3)]
    page = office.get("dead-letters")

    office.post("dead-letters", do="redrive", letter=ids, rate="0.01", **chosen(page))
    until(lambda: office.get("dead-letters").says("redrove 1 dead letter;"))
    busy = office.post("dead-letters", do="drop", letter=ids, **chosen(page))
    meanwhile = office.get("dead-letters")
    whole = office.get("dead-letters/letter", id=ids[2])
    office.post("dead-letters", do="stop", job="1")
    page = over(office)

    assert busy.says("job 1 is at work on letters of letters")
    assert meanwhile.says("at 0.01 a second at the most", 'max="3" value="1"')
    assert whole.status == 404
    assert page.says("stopped", "redrove 1 dead letter; 2 left: choose them again", "2 of letters")


def test_letters_are_archived_before_they_are_deleted(office: Office, tmp_path: Path) -> None:
    """Whole, and the page says where they are."""
    letter = office.deployed.bury(body_of("e-1"), reason="x")
    page = office.get("dead-letters")

    office.post("dead-letters", do="archive", letter=letter, **chosen(page))
    page = over(office)

    (file,) = (tmp_path / ".run" / "dead-letters").iterdir()
    (line,) = map(json.loads, file.read_text().splitlines())
    assert page.says("archived 1 dead letter", str(file), "No dead letters")
    assert (line["body"], line["message_id"]) == (body_of("e-1"), letter)
    assert line["attributes"]["reason"]["StringValue"] == "x"


def test_a_letter_that_can_not_be_archived_stays(office: Office, tmp_path: Path) -> None:
    """A disk that refuses it is said."""
    (tmp_path / ".run").write_text("a file where the folder is to be")
    letter = office.deployed.bury(body_of("e-1"), reason="x")

    office.post("dead-letters", do="archive", letter=letter, **chosen(office.get("dead-letters")))

    assert over(office).says("failed", ".run", "1 of letters")


def test_what_makes_no_sense_is_said(office: Office) -> None:
    """And nothing is done."""
    office.deployed.bury(body_of("e-1"), reason="x")
    office.get("dead-letters")

    nothing = office.post("dead-letters", do="redrive", letter="m-404")
    nonsense = office.post("dead-letters", do="burn", letter="m-404")

    assert (nothing.status, nothing.says("Tick the letters")) == (400, True)
    assert (nonsense.status, nonsense.says("Say what is to be done")) == (400, True)


def test_a_rate_is_a_number(office: Office) -> None:
    """Of letters a second; and how far a rate is to rise has to be said."""
    letter = office.deployed.bury(body_of("e-1"), reason="x")
    office.get("dead-letters")

    for rate in ("fast", "0", "-1", "nan", "inf", "1e400"):
        answer = office.post("dead-letters", do="redrive", letter=letter, rate=rate)
        assert (answer.status, answer.says("A rate is a number")) == (400, True), rate
    assert office.post("dead-letters", do="redrive", letter=letter, rising="yes").says("How far is it to rise")


def test_a_console_that_only_reads_does_nothing(tmp_path: Path) -> None:
    """Nor does it offer to; nor does it show what letters hold, where it is not to."""
    with opened(tmp_path, may_change=False, shows_payloads=False) as office:
        letter = office.deployed.bury(body_of("e-1"), reason="x")

        page = office.get("dead-letters")
        refused = office.post("dead-letters", do="drop", letter=letter, **chosen(page))
        whole = office.get("dead-letters/letter", id=letter)

        assert page.says("1 of letters", "only reads")
        assert 'value="drop"' not in page.page
        assert refused.status == 403
        assert "Ada" not in whole.text


def test_a_hostile_letter_is_text(office: Office) -> None:
    """Its body, and all that is noted of it."""
    hostile = "<script>alert(1)</script>\u202e'\"&"
    letter = office.deployed.bury(
        hostile_body().replace("\\ud800", ""), reason=hostile, error=hostile, event_type=hostile, first_seen=hostile
    )

    page = office.get("dead-letters")
    whole = office.get("dead-letters/letter", id=letter)
    filtered = office.get("dead-letters", reason=hostile, type=hostile, id=hostile)

    assert page.says("1 of letters", "<script>alert(1)</script>")
    for each in (page, whole, filtered):
        assert each.status == 200
        assert len(each.page) < 200_000
        assert "<script>alert" not in each.page
    assert "\u202e" not in page.seen + whole.seen


# What it is made of


def letter(message_id: str, reason: str, consumer: str = "letters") -> DeadLetter:
    return DeadLetter(
        consumer=consumer, message_id=message_id, body="", sent_at=datetime(2026, 1, 1, tzinfo=UTC), reason=reason
    )


def test_groups_differ_by_consumer_reason_and_place() -> None:
    """The largest first, and each is called otherwise in a form."""
    letters = [letter("1", "a"), letter("2", FAILED), letter("3", FAILED), letter("4", "a", "parcels")]

    groups = grouped(letters, lambda each: place_in_reason(each.reason), {"2": Standing(done=True)})

    assert [
        (each.consumer, len(each.letters), each.place and each.place.short, each.done_since) for each in groups
    ] == [
        ("letters", 2, "app.py:7", 1),
        ("letters", 1, None, 0),
        ("parcels", 1, None, 0),
    ]
    assert len({each.key for each in groups}) == 3


def test_a_stop_ends_a_job_that_waits() -> None:
    """At once, and it counts as over."""
    waits = threading.Event()
    job = Job(1, "redrive", letters=2, consumers=frozenset({"letters"}))

    def work(job: Job) -> Any:
        yield 1
        waits.set()
        job.sleep(1000)
        yield 1

    job.start(work)
    waits.wait(60)
    job.stop()

    assert job.wait(60)
    assert (job.passed, job.running, job.error) == (1, False, "")


def test_a_job_that_fails_says_so() -> None:
    """Whatever it was."""
    job = Job(1, "drop", letters=1, consumers=frozenset())

    def work(job: Job) -> Any:
        yield 1
        raise RuntimeError("the queue is gone")

    job.start(work)

    assert job.wait(60)
    assert (job.running, job.error) == (False, "the queue is gone")


def test_a_file_of_letters_is_never_written_over(tmp_path: Path) -> None:
    """And isn't there before it has one."""
    path = tmp_path / "a" / "letters.jsonl"
    with LetterFile(path) as file:
        before = path.exists()
        file.keep([letter("1", "a")])
        file.keep([letter("2", "\ud800")])

    assert (before, file.count, len(path.read_bytes().splitlines())) == (False, 2, 2)
    with LetterFile(path) as again, pytest.raises(FileExistsError):
        again.keep([letter("3", "a")])


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
