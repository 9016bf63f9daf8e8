"""A consumer that keeps tenants apart: each event has one, and touches nothing of another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import msgspec
import pytest
from eachonce import Consumer, Contract, Event, Work
from eachonce.journal import breaker_key, read_key, row_key, unpack_outbox
from hypothesis import given
from hypothesis import strategies as st

from eachonce_workbench.operations.journal import Journal, Renewal, Sought
from tests.parcels import Arrived, Weighed, weighed
from tests.records import Context, batch, record, returned
from tests.store import Store

names = st.text(min_size=1, max_size=40)
tenants = st.from_regex(r"[!-\"$-~]{1,128}", fullmatch=True)


def rooms(event: Event[Weighed], work: Work) -> None:
    """Add to an item whose key is what the event says."""
    work.add("Weights", {"parcel": event.data.parcel}, grams=event.data.grams)


@dataclass
class Warehouse:
    """A consumer that keeps tenants apart."""

    store: Store
    context: Context

    def handle(self, handle: Callable[[Event[Weighed], Work], None] = rooms, *bodies: Any, **options: Any) -> list[str]:
        options = {"isolated_by": "tenant", **options}
        consumer = Consumer("warehouse", aws=self.store.aws, settings=self.store.settings, **options)
        consumer.on(Weighed)(handle)
        return returned(consumer(batch(*[record(body) for body in bodies]), self.context))

    def reasons(self) -> list[str]:
        return [letter["notes"]["reason"] for letter in self.store.dead_letters()]

    def rows(self) -> list[str]:
        return sorted(row["pk"] for row in self.store.items("Journal"))


@pytest.fixture
def warehouse(store: Store, context: Context) -> Warehouse:
    return Warehouse(store, context)


def of(tenant: Any, parcel: str = "p", **more: Any) -> dict[str, Any]:
    return weighed(parcel, **more) | {"tenant": tenant}


def test_an_event_changes_its_tenants_item(warehouse: Warehouse) -> None:
    """A part of the key begins with the tenant."""
    warehouse.handle(rooms, of("acme", "acme#p"))

    assert warehouse.store.item("Weights", parcel="acme#p")["grams"] == 100
    assert warehouse.reasons() == []


@pytest.mark.parametrize("parcel", ["p", "b#p", "acme", "acmes#p", "acm#p", "p#acme#"])
@pytest.mark.parametrize(
    "do",
    [
        lambda work, key: work.add("Weights", key, grams=1),
        lambda work, key: work.create("Parcels", key, sender="Ada"),
        lambda work, key: work.put("Places", key, newer_than="at", at=1),
        lambda work, key: work.read("Weights", key),
    ],
    ids=["add", "create", "put", "read"],
)
def test_no_event_touches_anothers_item(warehouse: Warehouse, parcel: str, do: Callable[[Work, Any], Any]) -> None:
    """Nothing is written, its own item neither, and the event is rejected with the reason."""

    def handle(event: Event[Weighed], work: Work) -> None:
        work.add("Weights", {"parcel": "acme#own"}, grams=1)
        do(work, {"parcel": event.data.parcel})

    warehouse.handle(handle, of("acme", parcel))

    (reason,) = warehouse.reasons()
    assert "by parcel: the key is not of the event's tenant" in reason
    assert "acme" not in reason
    assert [warehouse.store.items(table) for table in ("Weights", "Parcels", "Places")] == [[], [], []]


@pytest.mark.parametrize(
    ("key", "own"),
    [
        ({"tenant": "acme", "parcel": "p"}, True),
        ({"tenant": "acme"}, True),
        ({"tenant": "b", "parcel": "acme#p"}, False),
        ({"tenant": "acme#p"}, False),
        ({"pk": "shelf", "sk": "acme#p"}, True),
        ({"pk": 7, "sk": b"acme#p"}, False),
    ],
    ids=["its part", "alone", "another's, whatever else", "only as it is", "any part", "no text"],
)
def test_the_part_of_the_key_that_is_named_decides(warehouse: Warehouse, key: dict[str, Any], own: bool) -> None:
    """Where the key has it; else a text in it may begin with the tenant."""
    touched = []

    def handle(_: Event[Weighed], work: Work) -> None:
        work.add("Parcels", key, n=1)
        touched.append(key)
        work.writes.clear()

    warehouse.handle(handle, of("acme"))

    assert bool(touched) == own


@pytest.mark.parametrize("tenant", [None, "acme", "acme/west", "#acme"])
@pytest.mark.parametrize("name", ["mail", "mail/acme", "m" * 128])
def test_a_breakers_row_is_its_consumers_and_no_tenants(name: str, tenant: str | None) -> None:
    """The function's role reaches it, and what may reach a tenant's rows alone can open no breaker."""
    key = breaker_key("charge-customer", name, tenant)

    assert fnmatchcase(key, "charge-customer#*")
    assert not key.startswith("charge-customer####")


def test_no_tenant_of_one_breaker_is_called_as_one_of_anothers() -> None:
    """Both may have a slash in their names."""
    tenants = [("mail", "acme/x"), ("mail/acme", "x"), ("mail", "acme")]
    said = [*tenants, ("mail", None), ("mail/acme", None), ("mail/acme/x", None)]

    assert len({breaker_key("post", *each) for each in said}) == len(said)


@pytest.mark.parametrize("tenant", [None, "", "a b", "a#b", "Bücher", "x" * 129])
def test_an_event_without_a_tenant_is_rejected(warehouse: Warehouse, tenant: str | None) -> None:
    """Or with one that no key could tell from others; its handler isn't asked."""
    asked: list[Any] = []

    warehouse.handle(lambda event, _: asked.append(event), of(tenant, "p"))

    (reason,) = warehouse.reasons()
    assert "tenant" in reason
    assert not asked
    assert tenant is None or not tenant.strip() or tenant not in reason


def test_a_tenants_rows_stand_together(warehouse: Warehouse) -> None:
    """So that a role's right (`dynamodb:LeadingKeys`) or a sweep can be a tenant's; the function's own fits, too."""
    warehouse.handle(rooms, of("acme", "acme#p"), of("b", "b#p"), max_attempts=1)
    warehouse.handle(lambda *_: 1 / 0, of("acme", "acme#p", event_id="e-2"), max_attempts=1)

    rows = [row for row in warehouse.rows() if not row.startswith("warehouse####b#")]
    assert rows == ["warehouse####acme#post#e-1", "warehouse####acme#post#e-2"]


def test_the_same_event_of_two_tenants_is_two(warehouse: Warehouse) -> None:
    """No tenant can take another's event ids, or learn which it has used."""
    warehouse.handle(rooms, of("acme", "acme#p"), of("b", "b#p"))

    assert [item["grams"] for item in warehouse.store.items("Weights")] == [100, 100]
    assert warehouse.reasons() == []


def test_a_copy_is_known_by_its_tenants_row(warehouse: Warehouse) -> None:
    """Isolation changes where the row is, and nothing else."""
    for _ in range(2):
        warehouse.handle(lambda event, work: work.add("Weights", {"parcel": "acme#p"}, grams=1), of("acme"))

    assert warehouse.store.item("Weights", parcel="acme#p")["grams"] == 1


def test_a_suspect_is_known_by_its_tenants_row(warehouse: Warehouse) -> None:
    """Its mark is where its end will be looked for; once it is done, its handler isn't asked again."""
    consumer = Consumer("warehouse", aws=warehouse.store.aws, settings=warehouse.store.settings, isolated_by="tenant")
    asked: list[str] = []

    @consumer.on(Weighed)
    def handle(event: Event[Weighed], work: Work) -> None:
        asked.append(event.id)
        rooms(event, work)

    for count in (2, 3):
        consumer(batch(record(of("acme", "acme#p"), receive_count=count)), warehouse.context)

    assert asked == ["e-1"]
    assert warehouse.rows() == ["warehouse####acme#post#e-1"]
    assert warehouse.store.item("Weights", parcel="acme#p")["grams"] == 100


@pytest.mark.parametrize("isolated_by", ["", True, 7])
def test_what_tells_tenants_apart_is_a_part_of_keys(isolated_by: Any) -> None:
    """By name."""
    with pytest.raises(ValueError, match="isolated_by"):
        Consumer("warehouse", isolated_by=isolated_by)


def test_without_isolation_nothing_changes(warehouse: Warehouse) -> None:
    """Neither the rows' keys, nor what a work may touch."""
    warehouse.handle(rooms, of("acme", "p"), isolated_by=None)

    assert warehouse.rows() == ["warehouse##post#e-1"]


@given(names, names, names, tenants)
def test_a_tenants_row_is_told_from_all_others(consumer: str, source: str, event_id: str, tenant: str) -> None:
    """And its key still says whose it is."""
    consumer = consumer.replace("#", "-")
    scoped = row_key(consumer, source, event_id, tenant=tenant)

    assert scoped.startswith(f"{consumer}####{tenant}#")
    assert scoped != row_key(consumer, source, event_id)
    assert read_key(scoped) == (consumer, source, event_id)


def test_a_tenants_longest_key_fits_dynamodb() -> None:
    """By a digest of what doesn't fit, which is still among the tenant's."""
    longest = row_key("c" * 64, "😀" * 256, "😀" * 256, tenant="t" * 128)

    assert len(longest.encode()) <= 1024
    assert longest.startswith("c" * 64 + "####" + "t" * 128 + "##")


@pytest.mark.parametrize("isolated_by", ["tenant", None])
def test_operators_find_a_tenants_row_and_let_it_count_afresh(warehouse: Warehouse, isolated_by: str | None) -> None:
    """Whether or not the consumer keeps tenants apart: only the tables know."""
    warehouse.handle(lambda *_: 1 / 0, of("acme", "acme#p"), max_attempts=1, isolated_by=isolated_by)
    store = warehouse.store
    journal = Journal(store.aws.dynamodb, store.settings.table("Journal"), clock=lambda: datetime.now(UTC))
    sought = Sought(
        consumer="warehouse", source="post", event_id="e-1", fingerprint="", former_fingerprint=None, tenant="acme"
    )

    assert journal.foresee(sought) is Renewal.RENEWED
    assert journal.renew(sought) is Renewal.RENEWED

    row = journal.row("warehouse", "post", "e-1", tenant="acme")
    assert row is not None
    assert (row["state"], row["attempts"]) == ("TRIED", 0)
    assert len(warehouse.rows()) == 1


# Publishing


class Moved(Contract, frozen=True, kw_only=True):
    """Says whose it is in a field of its own."""

    tenant: str | int | None = None


@dataclass(frozen=True)
class Left:
    """As a class that is no Contract may."""

    tenant: str


def test_published_events_are_their_causes_tenants(warehouse: Warehouse) -> None:
    """Nobody has to say so."""
    warehouse.handle(lambda _, work: work.publish(Arrived(parcel="p")), of("acme"), isolated_by=None)

    (event,) = outbox(warehouse.store)
    assert event["tenant"] == "acme"


@pytest.mark.parametrize(
    ("tenant", "data", "taken"),
    [
        ("acme", Moved(tenant="acme"), True),
        ("acme", Moved(tenant="b"), False),
        ("acme", Left(tenant="b"), False),
        ("7", Moved(tenant=7), True),
        ("acme", Moved(), True),
        (None, Moved(tenant="b"), True),
    ],
    ids=["the same", "another", "another, no Contract", "a number", "none", "a cause without"],
)
def test_no_handler_publishes_for_another_tenant(
    warehouse: Warehouse, tenant: str | None, data: Any, taken: bool
) -> None:
    """What says so by a field of its own is refused before anything is committed."""
    body = weighed() if tenant is None else of(tenant)

    warehouse.handle(lambda _, work: work.publish(data), body, isolated_by=None)

    reasons = warehouse.reasons()
    assert [bool(reasons), bool(outbox(warehouse.store))] == [not taken, taken]
    assert all(f"a published {type(data).__name__} " in reason for reason in reasons)


def outbox(store: Store) -> list[Any]:
    rows = [row for row in store.items("Journal") if "outbox" in row]
    return [msgspec.json.decode(event) for row in rows for event in unpack_outbox(bytes(row["outbox"]))]


@pytest.mark.parametrize("tenant", ["", "a b", "Bücher", "x" * 129])
def test_a_tenant_that_no_queue_could_tell_is_not_published(warehouse: Warehouse, tenant: str) -> None:
    """Its events would reach nobody: no message group has such a name."""
    warehouse.handle(lambda _, work: work.publish(Arrived(parcel="p")), of(tenant), isolated_by=None)

    (reason,) = warehouse.reasons()
    assert "ASCII" in reason
    assert outbox(warehouse.store) == []


def test_a_dead_letter_keeps_its_group(warehouse: Warehouse) -> None:
    """Sent back, it is a tenant's again, in a queue that is fair to tenants."""
    consumer = Consumer("warehouse", aws=warehouse.store.aws, settings=warehouse.store.settings)

    consumer(batch(record("no JSON", group="acme"), record("no JSON", group="a b")), warehouse.context)

    groups = [letter["Attributes"].get("MessageGroupId") for letter in warehouse.store.dead_letters()]
    assert groups == ["acme", None]
