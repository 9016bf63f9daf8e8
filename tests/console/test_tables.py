"""Tables in the console: rows with their marks, the journal as what it is, and what the bus has not had."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from eachonce.journal import Mark, State

from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.console import record
from eachonce_workbench.console.tables import screen
from eachonce_workbench.console.tables.outbox import missing, outbox_of, unread_outboxes
from eachonce_workbench.console.tables.rows import journal_row, shown_row
from eachonce_workbench.operations.tables import KeyTextError, Tables, marks_of
from tests.console.post_office import HOSTILE, Office, opened
from tests.console.served import bus_event
from tests.deployed import outbox

MARK = str(Mark("letters", "post", "e/1", "0a1b"))
PUBLISHED = outbox({"id": "e-2", "type": "LetterCounted"})


@pytest.fixture
def office() -> Iterator[Office]:
    with opened() as office:
        yield office


# The pages


def test_tables_are_counted(office: Office) -> None:
    """Those of the template, the journal among them."""
    office.put("counts", to="Ada", count=1)

    page = office.get("tables")

    assert page.says("tables/counts", "tables/journal", "(the journal)", '<td class="number">1</td>')


def test_a_row_has_its_marks(office: Office) -> None:
    """Each a link to the story of the event that left it."""
    office.put("counts", to="Ada", count=Decimal("7.5"), note="n", written_by=MARK, note_by=MARK, made_by="hand")

    page = office.get("tables/counts")

    assert page.says("7.5", "written_by", "note_by", "letters, ", "story?source=post&id=e%2F1", "made_by</code> hand")


def test_rows_come_page_by_page(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row once."""
    monkeypatch.setattr(screen, "PAGE", 2)
    for number in range(5):
        office.put("counts", to=f"person-{number}")

    seen: list[str] = []
    query: dict[str, str] = {}
    while True:
        page = office.get("tables/counts", **query)
        seen += [f"person-{number}" for number in range(5) if f"person-{number}</th>" in page.page]
        link = page.page.partition('href="/_eachonce/tables/counts?after=')[2].partition('"')[0]
        if not link:
            break
        query = {"after": parse_qs(urlsplit(f"?after={unescape(link)}").query)["after"][0]}

    assert sorted(seen) == [f"person-{number}" for number in range(5)]


def test_an_item_is_looked_up_by_its_key(office: Office) -> None:
    """One that isn't there is said not to be, and what is no key is told what one is."""
    office.put("counts", to="Ada", count=1)
    office.put("counts", to="Bartholomew")

    found = office.get("tables/counts", key="Ada")

    assert found.says("Ada</th>")
    assert "Bartholomew" not in found.text
    assert office.get("tables/counts", key="Cy").says("There is no item with this key")
    assert office.get("tables/counts", after="nonsense").says("not one that this table gave")
    assert office.get("tables/nowhere").status == 404


def test_the_journal_is_shown_as_what_it_is(office: Office) -> None:
    """State, event, outbox; a breaker's row is no event's."""
    office.deployed.put_row("letters", "e-1", state=State.DONE, done_at="2026-01-01T00:00:00Z", outbox=PUBLISHED)
    office.put("journal", pk="letters###breaker/mail", state="OPEN")

    page = office.get("tables/journal")

    assert page.says("DONE", "story?source=post&id=e-1", "LetterCounted e-2", "story?source=post&id=e-2")
    assert page.says("letters###breaker/mail")


def test_the_journal_is_looked_through_on_demand(office: Office) -> None:
    """For rows whose events the bus has not had, as far as the console can know."""
    office.deployed.put_row("letters", "e-1", state=State.DONE, done_at="2999-01-01T00:00:00Z", outbox=PUBLISHED)
    office.deployed.put_row("letters", "e-0", state=State.DONE, done_at="2000-01-01T00:00:00Z", outbox=PUBLISHED)

    unasked, page = office.get("tables"), office.get("tables", search="yes")

    assert unasked.says("Look through the journal")
    assert "LetterCounted" not in unasked.text
    assert page.says("LetterCounted e-2", "story?source=post&id=e-1", "2 rows were looked at")
    assert "id=e-0" not in page.text


def test_the_journal_is_looked_through_within_bounds(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the page says that there is more."""
    monkeypatch.setattr(screen, "MOST_JOURNAL_ROWS", 2)
    for number in range(3):
        office.deployed.put_row("letters", f"e-{number}", state=State.DONE)

    assert office.get("tables", search="yes").says("2 rows were looked at, not all")


def test_values_are_shown_only_where_they_may_be() -> None:
    """A key may be one; the marks tell rows apart, and stay, and so does what the journal says."""
    with opened(shows_payloads=False) as office:
        office.put("counts", to="Ada", note="secret", written_by=MARK)
        office.deployed.put_row("letters", "e-1", state=State.DONE, result='"secret"')

        rows, journal = office.get("tables/counts"), office.get("tables/journal")

        assert rows.says("(text)</th>", "note</code> (text)", "written_by")
        assert journal.says("DONE", "e-1")
        assert "secret" not in rows.text + journal.text
        assert "Ada" not in rows.text


def test_a_hostile_row_is_text(office: Office) -> None:
    """Its key, its attributes' names and values, and marks that are none."""
    odd = HOSTILE.replace("\ud800", "")
    office.put(
        "counts", **{"to": odd, odd: [odd, {odd: b"\xff"}], "much": "x" * 300_000, "written_by": f"a##b#{odd}#c"}
    )
    office.put("journal", pk=f"{odd}##{odd}#{odd}", state=odd, outbox=b"neither", reason=odd)

    for name in ("counts", "journal"):
        page = office.get(f"tables/{name}")
        assert page.status == 200
        assert len(page.page) < 100_000
        assert "<script>alert" not in page.page
        assert "\u202e" not in page.seen
        assert "\x00" not in page.page
    assert office.get("tables/journal").says("the outbox can't be read")


# What they are made of


def test_marks_are_told_from_texts() -> None:
    """Of today, and from before sources counted; and what only ends in _by is none."""
    item = {"written_by": MARK, "created_by": "letters#e%231#0a", "stood_by": "Ada", "paid_by": "a#b", "number_by": 7}

    assert [(mark.attribute, mark.consumer, mark.source, mark.event_id) for mark in marks_of(item)] == [
        ("written_by", "letters", "post", "e/1"),
        ("created_by", "letters", None, "e#1"),
    ]


def test_an_outbox_that_can_not_be_read_is_said() -> None:
    """Rather than passed over."""
    row = {"pk": "letters##post#e-1", "done_at": "2026-01-01T00:00:00Z"}

    spoilt = [outbox_of({**row, "outbox": packed}) for packed in (b"", b"neither", b"[1]", b'[{"id": 1}]')]

    assert [each is not None and each.flaw != "" and each.events == () for each in spoilt] == [True] * 4
    assert outbox_of(row) is None


def test_what_the_stream_has_left_is_an_outbox() -> None:
    """As Lambda hands the records over; changes without events aren't told."""
    image = {"pk": {"S": "letters##post#e-1"}, "outbox": {"B": base64.b64encode(PUBLISHED).decode()}}
    records = [{"dynamodb": {"NewImage": image}}, {"dynamodb": {"NewImage": {"pk": {"S": "x"}}}}, {"dynamodb": {}}]

    (found,) = unread_outboxes(records)

    assert (found.consumer, found.event_id, found.events[0].id) == ("letters", "e-1", "e-2")


def test_only_what_could_have_been_seen_is_missing() -> None:
    """Rows that were done before the console listened are left out, and so is what the bus has had."""
    rows = [
        {"pk": f"letters##post#{name}", "done_at": at, "outbox": outbox({"id": f"from-{name}", "type": "T"})}
        for name, at in (
            ("old", "1970-01-01T00:00:01Z"),
            ("had", "1970-01-01T00:01:00Z"),
            ("new", "1970-01-01T00:01:00Z"),
        )
    ]

    found = missing(rows, lambda _, event_id: event_id == "from-had", since=30.0)

    assert [each.event_id for each in found] == ["new"]


def test_what_was_let_go_of_is_known_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its beginning a record knows all that was published, and then what came after the oldest that it keeps."""
    monkeypatch.setattr(record, "MOST_EVENTS", 2)
    clock = iter(range(100, 1000))
    known = record.Record(now=lambda: float(next(clock)))
    begun = known.knows_since

    for name in ("a", "b", "c"):
        event = bus_event(name)
        known(Happening("published", {"event_id": event["id"], "bus": "town", "event": event}))

    assert (begun, known.since) == (100.0, 100.0)
    assert known.knows_since == next(iter(known.events.values())).at > 101.0


def test_a_binary_key_is_written_in_hexadecimal_digits(office: Office) -> None:
    """And what begins a page is as the page before gave it."""
    tables = Tables(office.deployed.client)
    facts = tables.facts("counts")

    assert dict(facts.keys) == {"to": "S"}
    with pytest.raises(KeyTextError, match="hexadecimal"):
        tables.item(type(facts)(name="counts", count=0, size_bytes=0, keys={"to": "B"}), ["xyz"])


def test_rows_say_what_they_hold() -> None:
    """Numbers as they are, and kinds alone where values are hidden."""
    item = {"to": "Ada", "count": Decimal("1.50"), "on": True, "names": {"a"}, "none": None}

    hidden = shown_row(item, ["to"], values=False)

    assert hidden.key == {"to": "(text)"}
    assert hidden.attributes == {"count": "(number)", "names": "(set)", "none": "(null)", "on": "(true or false)"}
    assert journal_row({"pk": "letters##post#e-1", "attempts": Decimal(3)}, values=True).attributes == {"attempts": "3"}
