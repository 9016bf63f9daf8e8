"""An event's story: its way, where it failed, what it caused, what it wrote, and why a rule did not choose it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eachonce.journal import Mark, State

from eachonce_workbench.console.known import Handling, KnownEvent, Step
from eachonce_workbench.console.story.rules import rules_of
from eachonce_workbench.console.story.waterfall import WIDTH, waterfall
from eachonce_workbench.operations.failure_place import place_in_reason, place_in_trace
from tests.console.post_office import HOSTILE, Office, hostile_body, opened, town
from tests.console.served import bus_event, outcome
from tests.deployed import body_of
from tests.topologies import arn

TRACE = """Traceback (most recent call last):
  File "/post/layers/eachonce/eachonce/handler.py", line 53, in run
  File "/post/functions/letters/app.py", line 7, in count
  File "/post/functions/letters/stamps.py", line 3, in stamp
  File "/usr/lib/python3.11/json/decoder.py", line 337, in decode
KeyError

the cause of KeyError:
Traceback (most recent call last):
  File "/post/functions/letters/other.py", line 99, in before
ValueError
"""


@pytest.fixture
def office() -> Iterator[Office]:
    with opened() as office:
        yield office


def delivered(office: Office, event_id: str, **named: Any) -> None:
    """A letter is posted, and lies in the consumer's queue."""
    office.here.publish(event_id, event_type="LetterPosted", source="post", **named)
    bus_id = f"bus-{event_id}"
    office.here.happens("matched", event_id=bus_id, rule="to-letters")
    office.here.happens(
        "delivered", event_id=bus_id, rule="to-letters", target_arn=arn("sqs", "letters"), message_id=f"m-{event_id}"
    )


def handled(office: Office, event_id: str, verdict: str = "done", request_id: str = "r-1", **told: Any) -> None:
    office.here.happens("invoked", function="Letters", request_id=request_id)
    told = outcome(event_id, function="Letters", request_id=request_id, verdict=verdict, **told)
    office.here.happens("log", **told)


# The page


def test_a_story_goes_from_the_publication_to_the_commit(office: Office) -> None:
    """Who had it, how it ended there, in which batch, and what came of it."""
    delivered(office, "e-1", causationid="e-0")
    handled(office, "e-1")
    office.here.publish("e-2", event_type="LetterCounted", source="post", causationid="e-1")

    page = office.get("story", source="post", id="e-1")

    assert page.status == 200
    assert page.says("Published once on town", "to-letters", "Letters", "done", "events/batch?request=r-1")
    assert page.says("Caused by", "id=e-0", "LetterCounted e-2", "/_eachonce/story?source=post&id=e-2")


def test_an_attempt_says_where_it_failed(office: Office) -> None:
    """In the handler's own code, with the traceback."""
    delivered(office, "e-3")
    handled(office, "e-3", "retry", error="KeyError", reason="the handler failed", exception=TRACE, attempts=2)

    page = office.get("story", source="post", id="e-3")

    assert page.says("KeyError", "/post/functions/letters/stamps.py:3", "stamp", "failed 2 times", "other.py")


def test_a_rule_that_did_not_choose_it_says_why(office: Office) -> None:
    """Field by field; one that is disabled says so."""
    delivered(office, "e-4")

    page = office.get("story", source="post", id="e-4")

    assert page.says("to-parcels</strong> did not choose it", '"ParcelPosted"', '"LetterPosted"')
    assert page.says("It is disabled")


def test_the_journal_and_the_rows_tell_of_it(office: Office) -> None:
    """By its mark, whoever wrote it; another event's rows aren't its own."""
    delivered(office, "e-5")
    office.deployed.put_row("letters", "e-5", state=State.DONE, fingerprint="f", done_at="2026-01-01T00:00:00Z")
    office.put("counts", to="Ada", count=1, written_by=str(Mark("letters", "post", "e-5", "f")))
    office.put("counts", to="Barnaby", count=1, written_by=str(Mark("letters", "post", "e-55", "f")))

    page = office.get("story", source="post", id="e-5")

    assert page.says("DONE", "2026-01-01T00:00:00Z", "written_by", "Ada")
    assert "Barnaby" not in page.text


def test_dead_letters_are_read_on_demand(office: Office) -> None:
    """Since that hides them from others for a while."""
    delivered(office, "e-6")
    office.deployed.bury(body_of("e-6"), reason="nobody lives there")

    unasked = office.get("story", source="post", id="e-6")
    asked = office.get("story", source="post", id="e-6", letters="yes")

    assert "nobody lives there" not in unasked.text
    assert unasked.says("Look into the dead-letter queues")
    assert asked.says("nobody lives there", "dead-letters/letter?id=")


def test_what_is_live_asks_nobody(office: Office) -> None:
    """A page that stands already is told what has happened, and the stack isn't asked again."""
    delivered(office, "e-7")

    def forbidden() -> None:
        raise AssertionError("the stack was asked")

    office.deployed.before_call = forbidden
    try:
        page = office.get("story", source="post", id="e-7", headers={"x-refresh": "1"})
    finally:
        office.deployed.before_call = lambda: None

    assert page.status == 200
    assert page.says("Published once")
    assert "In the journal" not in page.text


def test_an_event_that_nobody_knows_has_a_page_that_helps(office: Office) -> None:
    """And one that is known by its id alone has its own."""
    nobody = office.get("story", source="post", id="e-404")
    delivered(office, "e-8")
    by_id = office.get("story", id="e-8")
    nothing = office.get("story")

    assert nobody.status == 404
    assert nobody.says(
        "Nothing is known of an event e-404 of post", 'value="e-404"', "eachonce why e-404 --source post"
    )
    assert by_id.says("Published once")
    assert nothing.status == 200


def test_a_story_that_only_the_journal_knows_is_told(office: Office) -> None:
    """As on AWS."""
    office.deployed.put_row("letters", "e-9", state=State.REJECTED, reason="too heavy", rejected_at="2026-01-02")

    page = office.get("story", source="post", id="e-9")

    assert page.status == 200
    assert page.says("REJECTED", "too heavy")
    assert "From publication to commit" not in page.text


def test_payloads_are_shown_only_where_they_may_be() -> None:
    """Neither in the event nor in what a rule compares nor in rows."""
    with opened(shows_payloads=False) as office:
        delivered(office, "e-1", data={"to": "Ada's secret"})
        office.put("counts", to="x", note="Bo's secret", written_by=str(Mark("letters", "post", "e-1", "f")))

        page = office.get("story", source="post", id="e-1")

        assert page.says("Published once", "written_by", "hidden")
        assert "secret" not in page.text


def test_a_hostile_event_is_text(office: Office) -> None:
    """Its id, its reasons, its trace, and what it holds."""
    event = bus_event("odd", event_type=HOSTILE, subject=HOSTILE, data={"much": "x" * 1_000_000})
    event["detail"]["id"] = '<img src=x onerror="alert(1)">/?#&'
    event["detail"]["source"] = "<b>"
    office.here.happens("published", event_id="bus-odd", bus="town", event=without_halves(event))
    told = outcome(
        event["detail"]["id"], function="Letters", request_id="r<", verdict="retry", reason="<i>", error="<u>"
    )
    office.here.happens("log", **told)

    page = office.get("story", source="<b>", id=event["detail"]["id"])

    assert page.status == 200
    assert len(page.page) < 200_000
    for tag in ("<script>alert", "<img src", "<i>", "<u>", "<b>"):
        assert tag not in page.page
    assert "\x00" not in page.page
    assert "\u202e" not in page.page
    assert r"\u202e" in page.page


def test_an_id_that_no_address_can_hold_is_told_by_its_number(office: Office) -> None:
    """What caused it leads to it, and neither page is as long as it is."""
    delivered(office, "e-1")
    office.here.publish("x" * 1_000_000, source="post", causationid="e-1")

    cause = office.get("story", source="post", id="e-1")
    (link,) = re.findall(r'href="/_eachonce/(story\?number=\d+)"', cause.page)
    effect = office.get(link)

    assert effect.says("Published once", "Caused by")
    assert len(cause.page) + len(effect.page) < 200_000


def test_a_hostile_letter_is_text_in_a_story(office: Office) -> None:
    """Whatever its body and its notes say."""
    office.deployed.bury(hostile_body("odd-2").replace("\\ud800", ""), reason="<script>alert(2)</script>")

    page = office.get("story", source="post", id="odd-2", letters="yes")

    assert page.status == 200
    assert "<script>alert" not in page.page
    assert page.says("<script>alert(2)</script>")


def without_halves(event: Any) -> Any:
    """The bus takes no half of a character: it isn't UTF-8."""
    if isinstance(event, dict):
        return {key: without_halves(value) for key, value in event.items()}
    return event.replace("\ud800", "") if isinstance(event, str) else event


# What it is made of


def known(**named: Any) -> KnownEvent:
    told: dict[str, Any] = {"number": 1, "at": 100.0, "event_id": "e", "source": "post", "type": "LetterPosted"}
    return KnownEvent(**(told | named))


def handling(outcome: str, began: float, ended: float) -> Handling:
    return Handling(consumer="Letters", request_id="r", began=began, ended=ended, outcome=outcome)


def test_the_waterfall_tells_waiting_from_working() -> None:
    """From the delivery, or the try before, to the invocation, and from there to the outcome."""
    event = known(
        steps=[
            Step(at=100.0, kind="published", who="town"),
            Step(at=100.0, kind="matched", who="to-letters"),
            Step(at=101.0, kind="delivered", who="letters", told="to-letters"),
            Step(at=103.0, kind="retry", who="Letters"),
            Step(at=110.0, kind="done", who="Letters"),
        ],
        handlings=[handling("retry", 102.0, 103.0), handling("done", 108.0, 110.0)],
        outcomes={"Letters": "done"},
    )

    bars = waterfall(event, {"Letters": {"letters"}}, now=200.0)

    assert [(bar.what, bar.since, bar.began, bar.ended) for bar in bars] == [
        ("published", 0.0, 0.0, 0.0),
        ("delivered", 1.0, 1.0, 1.0),
        ("retry", 1.0, 2.0, 3.0),
        ("done", 3.0, 8.0, 10.0),
    ]
    assert (bars[-1].idle, bars[-1].busy) == ((300.0, 500.0), (800.0, 200.0))


def test_what_is_under_way_waits_until_now() -> None:
    """And nothing is drawn outside of the drawing."""
    event = known(steps=[Step(at=101.0, kind="delivered", who="letters")], outcomes={"Letters": "waiting"})

    *_, last = bars = waterfall(event, {"Letters": ["letters"]}, now=105.0)

    assert (last.what, last.since, last.began) == ("waiting", 1.0, 5.0)
    for bar in bars:
        for x, width in filter(None, (bar.idle, bar.busy)):
            assert 0 <= x <= x + width <= WIDTH


def test_what_was_sent_to_a_function_directly_begins_with_it() -> None:
    """It is heard of at its outcome, a while after it began."""
    event = known(handlings=[handling("done", 98.0, 100.0)], outcomes={"Letters": "done"})

    (bar,) = waterfall(event, {}, now=200.0)

    assert (bar.since, bar.began, bar.ended, bar.busy) == (0.0, 0.0, 2.0, (0.0, WIDTH))


def test_an_event_that_nothing_happened_to_has_no_bars() -> None:
    """Rather than a failure."""
    assert waterfall(known(), {}, now=100.0) == []


def test_the_place_of_a_failure_is_in_the_handlers_own_code() -> None:
    """The innermost of it: neither the layer nor a library, and not in what came before the last exception."""
    own = place_in_trace(TRACE, [Path("/post/functions/letters")])
    outside = place_in_trace(TRACE.replace("/post/functions", "/elsewhere"), [Path("/post/functions/letters")])
    library = place_in_trace('  File "/x/site-packages/y.py", line 1, in z\n')

    assert (str(own), outside and str(outside), library) == (
        "/post/functions/letters/stamps.py:3",
        "/elsewhere/letters/stamps.py:3",
        None,
    )
    assert place_in_reason("nobody lives there at app.py:7") is None


def test_rules_are_told_with_the_nearest_first() -> None:
    """After those that chose it."""
    told = rules_of(town(), "town", ["to-parcels"], {"source": "post", "detail-type": "LetterPosted"})

    assert [(rule.name, rule.chose) for rule in told] == [
        ("to-parcels", True),
        ("to-nobody", False),
        ("to-letters", False),
    ]
    assert "wants the event" in told[-1].said
    assert "disabled" in told[1].said
