"""Which event is which, and whether two are copies of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from eachonce import Consumer, Contract, ContractError, Event, Work
from eachonce.event import RawEvent
from eachonce.identity import derived_id, fingerprint
from eachonce.journal import Mark, read_key, read_mark, row_key
from hypothesis import example, given
from hypothesis import strategies as st

from tests.parcels import Registered, Seen, Weighed, register, see, weigh, weigh_and_announce
from tests.printed import Printed
from tests.records import Context, batch, cloud_event, on_the_bus, record
from tests.store import Store

names = st.text(st.sampled_from("ab#%/é"), min_size=1, max_size=4)


class Paid(Contract, frozen=True, kw_only=True):
    """Money was paid, to as many places as the bank keeps."""

    amount: Decimal


def raw(data: str, *, event_type: str = "Noted", **attributes: Any) -> RawEvent:
    return Event(id="e-1", source="post", type=event_type, data=msgspec.Raw(data.encode()), **attributes)


# Copies


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": [1,2]}', '{"b":[1, 2],\n"a":1}'),
        ('"\\u00e9"', '"é"'),
        ("1", "1.0"),
        ("1", "10e-1"),
        ("0", "-0.0"),
        ("0", "0e7"),
        ("1.5", "1.50"),
        ("100000000000000000000", "1e20"),
        ("1000000000000000000", "1E18"),
        ("-1000000000000000000", "-1000000000000000000.0"),
        ("1e4000", "1" + "0" * 4000),
    ],
)
def test_the_way_json_is_written_does_not_count(one: str, other: str) -> None:
    """A bus may write the same JSON anew: key order, white space, escapes and a number's form are no difference."""
    assert fingerprint(raw(one)) == fingerprint(raw(other))


@pytest.mark.parametrize("other", ['{"a":2}', '{"a":"1"}', '{"b":1}', '{"a":1,"b":null}', "[1]", '{"a":true}'])
def test_other_data_has_another_fingerprint(other: str) -> None:
    """Whatever differs in the data differs in the fingerprint."""
    assert fingerprint(raw(other)) != fingerprint(raw('{"a":1}'))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.1234567890123456781", "0.1234567890123456782"),
        ("9007199254740992.0", "9007199254740993.0"),
        ("100000000000000000000000000000001", "100000000000000000000000000000002"),
        ("1e400", "1e401"),
        ("1e-400", "0"),
        ("0.1", "0.1000000000000000055511151231257827"),
        ("1.5", '"1.5"'),
        ("1e20", '"1E+20"'),
    ],
)
def test_every_digit_of_a_number_counts(one: str, other: str) -> None:
    """Numbers are compared as they are written, not as the nearest double."""
    assert fingerprint(raw(one)) != fingerprint(raw(other))


@given(st.integers(-(10**40), 10**40), st.integers(-40, 40), st.integers(1, 40))
@example(1, 18, 1)
@example(10**18, 0, 18)
def test_a_number_has_one_form_however_it_is_written(digits: int, exponent: int, zeros: int) -> None:
    """Its value is what counts: zeros behind the point, or a larger exponent, add nothing."""
    forms = [f"{digits}.{'0' * zeros}e{exponent}", f"{digits}e{exponent}", f"{digits}e+0{exponent}"]
    forms = forms[: 3 if exponent >= 0 else 2] + ([str(digits)] if exponent == 0 else [])

    assert len({fingerprint(raw(form)) for form in forms}) == 1


def test_the_order_of_an_array_counts() -> None:
    """An array's order is part of what it says."""
    assert fingerprint(raw("[1,2]")) != fingerprint(raw("[2,1]"))


def test_type_tenant_and_subject_are_content_too() -> None:
    """The same data means something else under another type, for another tenant, or about something else."""
    events = [
        raw("{}"),
        raw("{}", event_type="Other"),
        raw("{}", tenant="t"),
        raw("{}", subject="t"),
        raw("{}", tenant=""),
        raw("{}", tenant="t", subject="t"),
        raw("{}", event_type='Noted","t'),
    ]

    assert len({fingerprint(event) for event in events}) == len(events)


@pytest.mark.parametrize(
    "data", ['{"a":1e99999999999999999999}', f'{{"a":{"9" * 5000}}}', "[" * 100_000 + "]" * 100_000]
)
def test_data_that_is_json_but_can_not_be_read_breaks_its_contract(data: str) -> None:
    """A number beyond all numbers, or nesting beyond all depth, is an error of the event's, not of its handler's."""
    with pytest.raises(ContractError):
        fingerprint(raw(data))


def test_a_fingerprint_never_changes() -> None:
    """What a journal of last month holds is found again."""
    event = raw('{"a": 1.50, "b": 12345678901234567890}', tenant="t", subject="s")

    assert fingerprint(event) == "6b7fb55daf0d7c55a7fc4b7b"


# Derived ids


def derived(source: str = "post", event_id: str = "e-1", *, by: str = "post", place: int = 0) -> str:
    return derived_id(source, event_id, by=by, place=place)


def test_derived_ids_differ_by_cause_consumer_and_place() -> None:
    """No two published events share an id, however the names of their causes are put together."""
    ids = [
        derived(),
        derived("bank"),
        derived(event_id="e-2"),
        derived(by="bank"),
        derived(place=1),
        derived("a/b", "c"),
        derived("a", "b/c"),
        derived(event_id="e-1/post", by="x"),
    ]

    assert len(set(ids)) == len(ids)


def test_derived_ids_never_change() -> None:
    """The same cause, consumer and place give the same id in every version: the derivation is pinned."""
    assert derived() == derived() == "4e14da36-1a29-549a-b838-414364fc0994"


# Keys


@given(st.tuples(names, names, names), st.tuples(names, names, names))
@example(("c", "a#b", "c"), ("c", "a", "b#c"))
@example(("c", "a%23b", "c"), ("c", "a#b", "c"))
def test_no_two_events_share_a_row(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Whatever their sources and ids are made of; a consumer's name holds no #."""
    one, other = ((consumer.replace("#", "-"), source, event_id) for consumer, source, event_id in (one, other))

    assert (row_key(*one) == row_key(*other)) == (one == other)
    assert read_key(row_key(*one)) == one


@given(st.tuples(names, names, names))
def test_a_mark_tells_its_event(one: tuple[str, str, str]) -> None:
    """Whatever source and id are made of, and what is no mark tells none."""
    consumer, source, event_id = one[0].replace("#", "-"), one[1], one[2]

    assert read_mark(str(Mark(consumer, source, event_id, "0a1b"))) == (consumer, source, event_id)
    assert read_mark(str(Mark(consumer, source, event_id, ""))) is None


def test_a_mark_from_before_sources_counted_names_none() -> None:
    """As its row does; what has a part too many or too few is none."""
    assert read_mark("post#e%231%25#0a1b") == ("post", None, "e#1%")
    for text in (
        "",
        "Ada",
        "post#e-1",
        "#e-1#0a",
        "post##0a",
        "post##s##0a",
        "post##s#e#",
        "post#s#e#0a#b",
        "##s#e#0a",
    ):
        assert read_mark(text) is None, text


def test_a_key_fits_dynamodb() -> None:
    """Names are up to 256 characters, of up to 4 bytes each, or 3 when they are escaped."""
    longest = [row_key("c" * 64, source, "😀" * 256) for source in ("😀" * 256, "#" * 256, "😀" * 255 + "#")]

    assert max(len(key.encode()) for key in longest) <= 1024
    assert len(set(longest)) == len(longest)


def test_a_row_from_before_sources_counted_names_none() -> None:
    """Whatever its id holds."""
    assert read_key("post#e-1") == ("post", None, "e-1")
    assert read_key("post#a#b") == ("post", None, "a#b")


# At a consumer

PLANS: Mapping[str, tuple[type[Contract], Callable[..., None], dict[str, Any]]] = {
    "create": (Registered, register, {"parcel": "p"}),
    "newer": (Seen, see, {"parcel": "p", "at": 1}),
    "add": (Weighed, weigh, {"parcel": "p"}),
    "add and publish": (Weighed, weigh_and_announce, {"parcel": "p"}),
}


def handled(store: Store, context: Context, plan: str, *attributes: dict[str, Any]) -> None:
    contract, handle, data = PLANS[plan]
    post = Consumer("post", aws=store.aws, settings=store.settings)
    post.on(contract)(handle)
    for each in attributes:
        event = cloud_event(contract.event_type(), data, **each)
        post(batch(record(on_the_bus(event))), context)


@pytest.mark.parametrize("plan", ["add", "add and publish"])
def test_one_id_from_two_sources_is_two_events(store: Store, context: Context, printed: Printed, plan: str) -> None:
    """CloudEvents: producers must ensure that source and id together are unique, not the id alone."""
    handled(store, context, plan, {"source": "till-1"}, {"source": "till-2"}, {"source": "till-1"})

    assert store.item("Weights", parcel="p")["grams"] == 200
    assert printed.counts() == {"Done": 2, "Duplicate": 1}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("attribute", ["tenant", "subject"])
def test_one_id_of_two_tenants_or_subjects_is_no_copy(
    store: Store, context: Context, printed: Printed, plan: str, attribute: str
) -> None:
    """The second is rejected as a reused id, and lies in the dead-letter queue: it is not lost."""
    handled(store, context, plan, {attribute: "a"}, {attribute: "b"}, {attribute: "a"})

    assert printed.counts() == {"Done": 1, "Rejected": 1, "Duplicate": 1}
    (letter,) = store.dead_letters()
    assert "different content" in letter["notes"]["reason"]


def test_amounts_that_are_one_double_are_two_contents(store: Store, context: Context, printed: Printed) -> None:
    """A contract with Decimal sees every digit, and so does the journal."""

    def pay(event: Event[Paid], work: Work) -> None:
        work.add("Weights", {"parcel": "p"}, grams=1)

    bank = Consumer("bank", aws=store.aws, settings=store.settings)
    bank.on(Paid)(pay)
    for amount in ("0.1234567890123456781", "0.1234567890123456782", "0.12345678901234567810"):
        body = msgspec.json.encode(cloud_event("Paid", {"amount": msgspec.Raw(amount.encode())}))
        bank(batch(record(body.decode())), context)

    assert printed.counts() == {"Done": 1, "Rejected": 1, "Duplicate": 1}
