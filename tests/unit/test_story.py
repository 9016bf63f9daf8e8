"""An event's story is told from what each consumer's journal row, and the dead letters, say of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from eachonce.journal import State

from eachonce_workbench.operations.story import Chapter, Publisher, Story, tell
from tests.deployed import PARCELS, STACK, Deployed, body_of, outbox

POSTED = {"id": "e-1", "type": "LetterPosted", "causationid": "536365"}


@pytest.fixture
def deployed() -> Deployed:
    return Deployed()


def story_of(deployed: Deployed, event_id: str, **options: Any) -> Story:
    letters = deployed.look(some_id=event_id).letters
    return tell("post", event_id, stack=STACK, journal=deployed.journal, letters=letters, **options)


def chapter(story: Story, consumer: str) -> Chapter:
    (found,) = (chapter for chapter in story.chapters if chapter.consumer == consumer)
    return found


def test_each_consumer_has_a_chapter(deployed: Deployed) -> None:
    """In the stack's order, whether it knows the event or not."""
    deployed.put_row("parcels", "e-1", state=State.DONE, done_at="2026-01-02T03:04:05+00:00")

    story = story_of(deployed, "e-1")

    assert [(each.consumer, each.state) for each in story.chapters] == [("letters", None), ("parcels", "DONE")]
    assert chapter(story, "parcels").facts == {"done_at": "2026-01-02T03:04:05+00:00"}


def test_a_rejected_event_has_the_history_of_its_tries(deployed: Deployed) -> None:
    """Everything that a person asks for, in JSON's terms, and nothing of the layer's own affairs."""
    errors = [{"at": "2026-01-01T00:00:00+00:00", "error": "KeyError", "reason": "the handler failed"}]
    deployed.put_row(
        "letters",
        "e-1",
        state=State.REJECTED,
        type="LetterPosted",
        fingerprint="f",
        fence="a-fence",
        expires_at=1,
        first_seen="2026-01-01T00:00:00+00:00",
        attempts=10,
        begun={"1-f", "2-f", "3-f"},
        errors=errors,
        uncertain=True,
        lease_until=Decimal(1_767_323_045_000),
        reason="it failed 10 times",
        rejected_at="2026-01-01T01:00:00+00:00",
        redriven_at="2026-01-01T00:30:00+00:00",
    )

    story = story_of(deployed, "e-1")

    assert chapter(story, "letters").as_dict() == {
        "consumer": "letters",
        "state": "REJECTED",
        "first_seen": "2026-01-01T00:00:00+00:00",
        "attempts": 10,
        "errors": errors,
        "starts": 3,
        "lease_until": "2026-01-02T03:04:05.000+00:00",
        "uncertain": True,
        "reason": "it failed 10 times",
        "rejected_at": "2026-01-01T01:00:00+00:00",
        "redriven_at": "2026-01-01T00:30:00+00:00",
        "published": [],
        "dead_letters": [],
    }
    assert story.event_type == "LetterPosted"


def test_it_says_what_followed_from_the_event(deployed: Deployed) -> None:
    """By id and type, so that the story can be followed; not what the events hold."""
    followed = [{"id": f"e-{number}", "type": "LetterStamped"} for number in (2, 3)]
    deployed.put_row("letters", "e-1", state=State.DONE, outbox=outbox(*followed))

    assert list(chapter(story_of(deployed, "e-1"), "letters").published) == followed


def test_it_says_where_the_event_lies_dead_now(deployed: Deployed) -> None:
    """In which consumer's queue, and why."""
    deployed.bury(body_of("e-1"), queues=PARCELS, reason="it is too heavy")
    deployed.bury(body_of("e-2"), queues=PARCELS, reason="it is too heavy")

    story = story_of(deployed, "e-1")

    assert [letter.reason for letter in chapter(story, "parcels").dead_letters] == ["it is too heavy"]
    assert chapter(story, "letters").dead_letters == ()
    assert story.event_type == "LetterPosted"


def test_a_dead_letter_leads_to_its_publisher(deployed: Deployed) -> None:
    """Its cause is in its envelope, and the cause's row has the event in its outbox."""
    deployed.put_row("place-order", "536365", state=State.DONE, outbox=outbox(POSTED))
    deployed.put_row("letters", "536365", state=State.DONE, outbox=outbox({"id": "e-7", "type": "Other"}))
    deployed.bury(body_of("e-1", causationid="536365"), reason="the address is unknown")

    assert story_of(deployed, "e-1").publisher == Publisher(name="place-order", event_id="536365")


def test_a_cause_that_did_not_publish_the_event_is_not_accused(deployed: Deployed) -> None:
    """Anybody may write an envelope; the outbox is the proof."""
    deployed.put_row("place-order", "536365", state=State.DONE, outbox=outbox({"id": "e-7", "type": "Other"}))
    deployed.bury(body_of("e-1", causationid="536365"))

    assert story_of(deployed, "e-1").publisher is None


def test_a_thorough_story_reads_the_whole_journal(deployed: Deployed) -> None:
    """Where no dead letter leads to the publisher, and only if asked for; large outboxes are compressed ones."""
    many = [{"id": f"x-{number}", "type": "LetterStamped"} for number in range(100)]
    deployed.put_row("letters", "e-0", state=State.DONE, outbox=outbox(*many, POSTED))

    assert story_of(deployed, "e-1").publisher is None
    thorough = story_of(deployed, "e-1", thoroughly=True)
    assert thorough.publisher == Publisher(name="letters", event_id="e-0")
    assert thorough.event_type == "LetterPosted"


def test_an_endpoint_has_a_chapter_for_its_requests(deployed: Deployed) -> None:
    """Under the request's own id; of other events it knows nothing, and says nothing."""
    deployed.put_row("place-order", "536365", state=State.DONE, outbox=outbox(POSTED))

    assert [each.consumer for each in story_of(deployed, "536365").chapters] == ["place-order", "letters", "parcels"]
    assert [each.consumer for each in story_of(deployed, "e-1").chapters] == ["letters", "parcels"]


def test_an_event_that_nobody_knows_has_no_story(deployed: Deployed) -> None:
    """Neither a row, nor a dead letter, nor a publisher."""
    assert not story_of(deployed, "e-404").known
    deployed.put_row("letters", "e-1", state=State.TRIED)
    assert story_of(deployed, "e-1").known


def test_a_story_is_one_json_object(deployed: Deployed) -> None:
    """With its publisher, if it is known."""
    deployed.put_row("place-order", "536365", state=State.DONE, outbox=outbox(POSTED))

    document = story_of(deployed, "e-1", thoroughly=True).as_dict()

    assert document["publisher"] == {"name": "place-order", "event_id": "536365"}
    assert (document["event_id"], document["type"]) == ("e-1", "LetterPosted")
    assert [each["consumer"] for each in document["consumers"]] == ["letters", "parcels"]
