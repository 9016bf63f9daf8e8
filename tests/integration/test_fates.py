"""Each event has its own fate: a batch of ten, and what becomes of one of them is no business of the other nine."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.ending import Ending
from tests.town import NINE, NINE_ONCE, Town, batch, errand, play


def untouched(ended: Ending) -> bool:
    """Whether nine neighbours were handled once, took effect once and have no story."""
    return all(
        ended.times_run[name] == ended.effects.get(name) == 1
        and ended.outcomes[name] == ["done"]
        and "attempts" not in ended.journal[name]
        for name in NINE_ONCE
    )


def test_ten_events_are_done_in_one_go(tmp_path: Path) -> None:
    """The happy path: one invocation, every effect once, and not a call of AWS but the one commit of all."""
    ended = play(batch(errand("tenth"), *NINE), tmp_path)

    assert ended.invocations == ["ok"]
    assert ended.effects == {**NINE_ONCE, "tenth": 1}
    assert untouched(ended)
    assert ended.requests == {"TransactWriteItems": 1}


def test_a_permanent_error_is_a_dead_letter_after_one_delivery(tmp_path: Path) -> None:
    """`Reject` is final: the message is in the dead-letter queue at once, whole and with its reason."""
    hopeless = errand("hopeless", does="reject")

    ended = play(batch(hopeless, *NINE), tmp_path)

    assert untouched(ended)
    assert ended.invocations == ["ok"]
    assert ended.times_run["hopeless"] == 1
    (letter,) = ended.dead_letters.values()
    assert letter.event["id"] == "hopeless"
    assert letter.event["data"] == {"does": "reject"}
    assert letter.notes["reason"] == "there is no such street"
    assert letter.notes["consumer"] == "errands"
    assert letter.notes["event_id"] == "hopeless"
    assert ended.journal["hopeless"]["state"] == "REJECTED"
    assert ended.journal["hopeless"]["reason"] == "there is no such street"


def test_a_transient_error_is_tried_again_after_a_pause_and_then_done(tmp_path: Path) -> None:
    """Exceptions return the message alone, for up to a second at first and then for up to two: exponential back-off.

    The journal counts both failures and keeps what they were.
    """
    ended = play(batch(errand("unlucky", does="fail", times=2), *NINE), tmp_path, pause_seconds=1)

    assert untouched(ended)
    assert ended.outcomes["unlucky"] == ["retry", "retry", "done"]
    assert ended.effects["unlucky"] == 1
    assert ended.pauses == [1, 2]
    row = ended.journal["unlucky"]
    assert (row["state"], row["attempts"]) == ("DONE", 2)
    assert [error["error"] for error in row["errors"]] == ["ConnectionError", "ConnectionError"]
    assert ended.dead_letters == {}


def test_an_event_that_fails_every_time_is_rejected_after_its_attempts(tmp_path: Path) -> None:
    """`max_attempts` failures of the handler itself, and no more: then a dead letter that tells the last of them."""
    ended = play(batch(errand("doomed", does="fail"), *NINE), tmp_path, max_attempts=2)

    assert untouched(ended)
    assert ended.times_run["doomed"] == 2
    notes = ended.dead_letters["doomed"].notes
    assert notes["reason"].startswith("it failed 2 times")
    assert notes["error"] == "ConnectionError"
    assert notes["attempts"] == "2"
    assert len(ended.journal["doomed"]["errors"]) == 2


def test_a_handler_says_when_its_event_is_to_come_again(tmp_path: Path) -> None:
    """`Retry(after=...)` is taken at its word, and uncounted where the event is not to blame."""
    ended = play(batch(errand("later", does="come back", times=1, seconds=1), *NINE), tmp_path)

    assert untouched(ended)
    first, second = (run.at for run in ended.runs if run.errand == "later")
    assert second - first >= 1
    assert ended.pauses == [1]
    assert "attempts" not in ended.journal["later"]


def test_an_early_event_waits_for_what_it_needs_and_is_done(tmp_path: Path) -> None:
    """`Wait` costs no attempt, however often the event comes too early."""

    async def story(town: Town) -> None:
        await town.publish(errand("early", does="wait", after="late", seconds=60), *NINE)
        await town.until(lambda: town.happened("returned") >= 2)
        await town.publish(errand("late"))
        await town.cloud.settle()

    ended = play(story, tmp_path)

    assert untouched(ended)
    assert ended.outcomes["early"][:2] == ["wait", "wait"]
    assert ended.outcomes["early"][-1] == "done"
    assert ended.effects["early"] == ended.effects["late"] == 1
    assert "attempts" not in ended.journal["early"]
    assert ended.dead_letters == {}


def test_an_event_that_has_waited_in_vain_is_rejected(tmp_path: Path) -> None:
    """What it needs never came, `up_to` is over, and the reason says what was missing."""

    async def story(town: Town) -> None:
        await town.publish(errand("forlorn", does="wait", after="nothing", seconds=600), *NINE)
        await town.until(lambda: town.happened("returned") >= 2)
        town.make_older(timedelta(minutes=10))
        await town.cloud.settle()

    ended = play(story, tmp_path)

    assert untouched(ended)
    assert ended.outcomes["forlorn"][0] == "wait"
    assert ended.dead_letters["forlorn"].notes["reason"].startswith("waits for the errand before it")
    assert "attempts" not in ended.journal["forlorn"]


def test_a_rejected_event_waits_while_the_dead_letter_queue_cannot_be_reached(tmp_path: Path) -> None:
    """It is deferred, neither lost nor done, and is a dead letter with its own reason once the queue is back."""

    async def story(town: Town) -> None:
        town.wire.unreachable = town.dead_letter_queue.url
        await town.publish(errand("hopeless", does="reject"), *NINE)
        await town.until(lambda: town.wire.refused >= 2)
        town.wire.unreachable = None
        await town.cloud.settle()

    ended = play(story, tmp_path)

    assert untouched(ended)
    assert ended.outcomes["hopeless"][:2] == ["retry", "retry"]
    assert ended.outcomes["hopeless"][-1] == "reject"
    assert ended.dead_letters["hopeless"].notes["reason"] == "there is no such street"
