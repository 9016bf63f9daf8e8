"""The publisher: events to the bus, and the names of those that did not get there."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Barrier, current_thread, main_thread
from threading import Event as Flag
from typing import Any

import msgspec
import pytest
from botocore.exceptions import NoCredentialsError
from eachonce import Event, HandlerError, Publisher, PublishError
from eachonce.deadline import Deadline
from eachonce.publisher import MAX_BYTES, size_bytes
from eachonce.refusal import THROTTLES

from tests import faults as wire
from tests.faults import Faults
from tests.parcels import Arrived, Registered
from tests.store import BUS, Store


@dataclass
class Press:
    """A publisher whose naps are counted, and the queue that gets what is on its bus."""

    store: Store
    queue: str
    naps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.publisher = Publisher(self.store.aws.events, BUS, sleep=self.naps.append, jitter=lambda: 1.0)

    def ids(self) -> list[str]:
        return [event["id"] for event in self.store.on_the_bus(self.queue)]


@pytest.fixture
def press(store: Store, bus: str) -> Press:
    return Press(store, bus)


def events(count: int, *, start: int = 0) -> list[Event[Arrived]]:
    return [event(str(number)) for number in range(start, start + count)]


def about_one(count: int) -> list[Event[Arrived]]:
    """Return events of one subject, whose calls are made one after the other."""
    return [msgspec.structs.replace(each, subject="p") for each in events(count)]


def event(event_id: str) -> Event[Arrived]:
    return Event(id=event_id, source="post", type="Arrived", data=Arrived(parcel="p"))


def large(event_id: str, size: int) -> Event[Registered]:
    """Return an event of so many bytes as the bus counts them."""
    empty = Event(id=event_id, source="post", type="Registered", data=Registered(parcel="p", sender=""))
    sender = "x" * (size - size_bytes(empty))
    return msgspec.structs.replace(empty, data=Registered(parcel="p", sender=sender))


PLAIN = {"specversion": "1.0", "id": "e-1", "source": "post", "type": "Bare", "data": {}, "eachonceform": "plain"}


def plain(**attributes: Any) -> bytes:
    """Return an event as an outbox keeps it that is to be published plain."""
    return json.dumps(PLAIN | attributes).encode()


def test_an_event_arrives_as_a_cloudevents_object_in_the_detail(press: Press, store: Store) -> None:
    """Source and type are on the envelope, too, where rules look for them."""
    press.publisher.publish(events(1))

    (message,) = store.messages(press.queue)
    envelope = json.loads(message["Body"])
    assert (envelope["source"], envelope["detail-type"]) == ("post", "Arrived")
    assert envelope["detail"] == {
        "specversion": "1.0",
        "id": "0",
        "source": "post",
        "type": "Arrived",
        "data": {"parcel": "p"},
    }


def test_written_events_are_published_as_they_are(press: Press, store: Store) -> None:
    """The relay has text, and needn't know the contracts."""
    press.publisher.publish([event("0").encode()])

    assert store.on_the_bus(press.queue)[0] == json.loads(event("0").encode())


def test_an_events_size_is_that_of_all_the_bus_counts() -> None:
    """Its source, its type and its text, in bytes."""
    wide = Event(id="1", source="été", type="Noté", data=msgspec.Raw(b"1"))

    assert size_bytes(wide) == 5 + 5 + len(wide.encode())


def test_nothing_to_publish_is_no_call(press: Press, faults: Faults) -> None:
    """Nor a nap."""
    press.publisher.publish([])

    assert (faults.calls, press.naps) == ([], [])


def test_what_goes_well_is_not_waited_for(press: Press) -> None:
    """Naps are for failures."""
    press.publisher.publish(events(3))

    assert press.naps == []


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (10, 1), (11, 2), (30, 3)])
def test_ten_events_share_a_call(press: Press, faults: Faults, count: int, calls: int) -> None:
    """As many as PutEvents takes."""
    press.publisher.publish(events(count))

    assert faults.calls == ["PutEvents"] * calls
    assert sorted(press.ids(), key=int) == [str(number) for number in range(count)]


def test_large_events_share_fewer_calls(press: Press, faults: Faults) -> None:
    """All entries of a call have less than 1 MB together."""
    press.publisher.publish([large(str(number), 400_000) for number in range(5)])

    sizes = [len(request["Entries"]) for operation, request in faults.requests if operation == "PutEvents"]
    assert sorted(sizes) == [1, 2, 2]


def test_an_event_over_the_limit_is_named_and_the_others_go(press: Press) -> None:
    """It is no reason to hold back its neighbours."""
    with pytest.raises(PublishError, match=r"1 entries .* EntryTooLarge: the entry has 1,000,001 bytes") as raised:
        press.publisher.publish([event("0"), large("1", MAX_BYTES + 1), event("2")])

    assert [(unsent.place, unsent.code) for unsent in raised.value.unsent] == [(1, "EntryTooLarge")]
    assert sorted(press.ids()) == ["0", "2"]


def test_an_event_may_have_all_that_the_bus_takes(press: Press) -> None:
    """To the byte."""
    press.publisher.publish([large("1", MAX_BYTES)])

    assert press.ids() == ["1"]


def test_text_that_is_no_event_is_named_and_the_others_go(press: Press) -> None:
    """One spoilt outbox must not stop all others."""
    with pytest.raises(PublishError) as raised:
        press.publisher.publish([event("0").encode(), b'{"no": "event"}', b"nonsense", event("3").encode()])

    assert [(unsent.place, unsent.code) for unsent in raised.value.unsent] == [
        (1, "MalformedEvent"),
        (2, "MalformedEvent"),
    ]
    assert sorted(press.ids()) == ["0", "3"]


@pytest.mark.parametrize(
    ("time", "told"),
    [
        ("2010-12-01T08:26:00Z", datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
        ("2010-12-01T08:26:00", None),
        (None, None),
    ],
)
def test_a_plain_event_has_its_time_beside_it(
    press: Press, faults: Faults, time: str | None, told: datetime | None
) -> None:
    """One without a zone is no moment."""
    press.publisher.publish([plain(time=time)])

    ((_, request),) = [request for request in faults.requests if request[0] == "PutEvents"]
    assert request["Entries"][0].get("Time") == (None if told is None else told.timestamp())


@pytest.mark.parametrize(("time", "more"), [("2010-12-01T08:26:00Z", 14), (None, 0)])
def test_a_plain_event_may_have_all_that_the_bus_takes(press: Press, time: str | None, more: int) -> None:
    """Its time counts, where it has one."""
    room = MAX_BYTES - len("post") - len("Bare") - len('{"x": ""}') - more

    press.publisher.publish([plain(time=time, data={"x": "x" * room})])
    with pytest.raises(PublishError, match="EntryTooLarge"):
        press.publisher.publish([plain(time=time, data={"x": "x" * (room + 1)})])


def test_a_plain_event_that_fails_is_named_by_its_place(press: Press) -> None:
    """As any other, whether it is the bus that refuses it or nobody could tell it."""
    too_large = plain(data={"x": "x" * MAX_BYTES})

    with pytest.raises(PublishError) as raised:
        press.publisher.publish([event("0"), too_large, plain(data=[])])

    assert [(unsent.place, unsent.code) for unsent in raised.value.unsent] == [
        (1, "EntryTooLarge"),
        (2, "MalformedEvent"),
    ]
    assert "a plain event's detail is an object, and its data is none" in raised.value.unsent[1].message


def test_what_only_speaks_of_plain_events_is_none(press: Press, store: Store) -> None:
    """The word in its data makes it no such thing."""
    said = json.dumps({**PLAIN, "data": {"eachonceform": "plain"}, "eachonceform": None}).encode()

    press.publisher.publish([said])

    (arrived,) = store.on_the_bus(press.queue)
    assert arrived["id"] == "e-1"


@pytest.mark.parametrize("code", ["InternalFailure", "InternalException", "ThrottlingException", "ServiceUnavailable"])
def test_only_the_entries_that_failed_are_sent_again(press: Press, faults: Faults, code: str) -> None:
    """After a nap that doubles."""
    faults.next("PutEvents", wire.entries_fail(1, 3, code=code))
    faults.next("PutEvents", wire.entries_fail(0, code=code))

    press.publisher.publish(events(5))

    sent = [request["Entries"] for operation, request in faults.requests if operation == "PutEvents"]
    assert [[json.loads(entry["Detail"])["id"] for entry in entries] for entries in sent] == [
        ["0", "1", "2", "3", "4"],
        ["1", "3"],
        ["1"],
    ]
    assert press.naps == [0.2, 0.4]
    assert sorted(press.ids()) == ["0", "1", "2", "3", "4"]


def test_naps_are_spread(store: Store, bus: str, faults: Faults) -> None:
    """Two publishers that met don't meet again."""
    naps: list[float] = []
    faults.next("PutEvents", wire.never_sent, times=2)

    Publisher(store.aws.events, BUS, sleep=naps.append, jitter=iter([0.5, 0.25]).__next__).publish(events(1))

    assert naps == [0.1, 0.1]


def test_who_counts_no_naps_takes_them(press: Press, store: Store, faults: Faults) -> None:
    """By the clock; here they take no time."""
    faults.next("PutEvents", wire.never_sent)

    Publisher(store.aws.events, BUS, base_seconds=0).publish(events(1))

    assert press.ids() == ["0"]


def test_an_entry_that_fails_for_good_is_named_at_once(press: Press, faults: Faults) -> None:
    """Sending it again would change nothing."""
    faults.next("PutEvents", wire.entries_fail(1, code="NotAuthorizedForSource"))

    with pytest.raises(PublishError, match="NotAuthorizedForSource of a test") as raised:
        press.publisher.publish(events(3))

    assert [unsent.place for unsent in raised.value.unsent] == [1]
    assert (faults.calls, press.naps) == (["PutEvents"], [])


def test_tries_are_bounded(press: Press, faults: Faults) -> None:
    """Four, and then the caller decides."""
    faults.next("PutEvents", wire.entries_fail(0, code="ThrottlingException"), times=4)

    with pytest.raises(PublishError) as raised:
        press.publisher.publish(events(2))

    assert [(unsent.place, unsent.code) for unsent in raised.value.unsent] == [(0, "ThrottlingException")]
    assert press.naps == [0.2, 0.4, 0.8]
    assert press.ids() == ["1"]


class Hours:
    """A clock that moves while somebody naps, and a little with each call that is made."""

    def __init__(self, faults: Faults, *, call_seconds: float = 0.0) -> None:
        self.naps: list[float] = []
        self._faults = faults
        self._call_seconds = call_seconds

    def nap(self, seconds: float) -> None:
        self.naps.append(seconds)

    @property
    def elapsed(self) -> timedelta:
        return timedelta(seconds=sum(self.naps) + self._call_seconds * len(self._faults.calls))

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + self.elapsed

    def deadline(self, seconds: float, *, reserve: float = 0.0) -> Deadline:
        return Deadline(lambda: timedelta(seconds=seconds) - self.elapsed, timedelta(seconds=reserve))

    def publisher(self, store: Store, **options: Any) -> Publisher:
        return Publisher(
            store.aws.events, BUS, sleep=self.nap, jitter=lambda: 1.0, clock=self.now, **{"tries": 10, **options}
        )


def throttled(request: Any, send: Any) -> Any:
    """Throttle every entry of a call."""
    entries = json.loads(request.body)["Entries"]
    return wire.entries_fail(*range(len(entries)), code="ThrottlingException")(request, send)


def said(raised: pytest.ExceptionInfo[PublishError]) -> dict[int, str]:
    return {unsent.place: unsent.code for unsent in raised.value.unsent}


def test_a_throttle_slows_down_the_calls_that_follow_it(press: Press, faults: Faults) -> None:
    """Though they send other events, and one at a time; the first that goes well ends that."""
    faults.next("PutEvents", wire.entries_fail(0, code="ThrottlingException"), times=5)

    press.publisher.publish(events(80))

    assert press.naps == [0.2, 0.4, 0.2]  # before the fifth call and the sixth, and before the five events go again
    assert len(press.ids()) == 80


def test_four_calls_are_under_way_at_once(press: Press, faults: Faults) -> None:
    """Each of them waits for the three others; the fifth goes after them."""
    meeting = Barrier(4, timeout=20)

    def meet(_: Any, send: Any) -> Any:
        meeting.wait()
        return send()

    faults.next("PutEvents", meet, times=4)

    press.publisher.publish(events(50))

    assert faults.calls == ["PutEvents"] * 5
    assert len(press.ids()) == 50


def test_events_of_one_subject_are_published_in_order(press: Press, faults: Faults) -> None:
    """However long a call of theirs takes, no other of theirs overtakes it."""
    began, overtaken = Flag(), []

    def late(_: Any, send: Any) -> Any:
        overtaken.append(began.wait(0.2))
        return send()

    def begin(_: Any, send: Any) -> Any:
        began.set()
        return send()

    faults.next("PutEvents", late)
    faults.next("PutEvents", begin, times=2)

    press.publisher.publish(about_one(25))

    assert overtaken == [False]
    assert press.ids() == [str(number) for number in range(25)]


def test_a_subject_waits_for_every_call_under_way(press: Press, faults: Faults) -> None:
    """Not for the last alone: the third call is about what the first is about, and the second about nothing."""
    alone = []

    def note(_: Any, send: Any) -> Any:
        alone.append(current_thread() is main_thread())  # as a call is made that is the only one
        return send()

    faults.next("PutEvents", note, times=3)

    press.publisher.publish([*about_one(10), *events(20)[10:], *about_one(25)[20:]])

    assert alone == [False, False, True]


def test_another_failure_slows_down_only_what_failed(press: Press, faults: Faults) -> None:
    """The bus didn't ask for more."""
    faults.next("PutEvents", wire.entries_fail(0))

    press.publisher.publish(events(20))

    assert press.naps == [0.2]


def test_naps_grow_up_to_a_limit(store: Store, bus: str, faults: Faults) -> None:
    """A longer one would help nobody."""
    hours = Hours(faults)
    faults.next("PutEvents", throttled, times=9)

    hours.publisher(store).publish(events(1))

    assert hours.naps == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("call_seconds", "naps"), [(0.0, [0.2, 0.4, 0.8]), (1.0, [0.2])], ids=["for naps", "for calls, too"]
)
def test_patience_is_bounded(store: Store, bus: str, faults: Faults, call_seconds: float, naps: list[float]) -> None:
    """Whatever is to be tried again then, and whatever was not tried yet, is told."""
    hours = Hours(faults, call_seconds=call_seconds)
    faults.next("PutEvents", throttled, times=len(naps) + 1)

    with pytest.raises(PublishError) as raised:
        hours.publisher(store, patience=2).publish(events(1))

    assert said(raised) == {0: "ThrottlingException"}
    assert hours.naps == naps


def test_what_there_was_no_time_to_send_is_told_from_what_the_bus_refused(
    store: Store, bus: str, faults: Faults
) -> None:
    """The one went nowhere, and the other may be anywhere."""
    hours = Hours(faults)
    faults.next("PutEvents", wire.answer_lost)
    faults.next("PutEvents", throttled, times=4)

    with pytest.raises(PublishError) as raised:
        hours.publisher(store, patience=timedelta(seconds=0.5)).publish(events(75))

    codes = said(raised)
    assert Counter(codes[place] for place in range(50)) == {"ServiceUnavailable": 10, "ThrottlingException": 40}
    assert {codes[place] for place in range(50, 75)} == {"NotSent"}
    assert "there was no time to send it" in {unsent.message for unsent in raised.value.unsent}


@pytest.mark.parametrize("code", sorted(THROTTLES))
def test_a_call_that_is_throttled_whole_is_made_again(press: Press, faults: Faults, code: str) -> None:
    """By whatever name; botocore's own tries come before."""
    faults.next("PutEvents", wire.refused(code), times=3)

    press.publisher.publish(events(2))

    assert sorted(press.ids()) == ["0", "1"]
    assert press.naps


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_call_that_fails_for_no_fault_of_its_events_is_made_again(press: Press, faults: Faults, status: int) -> None:
    """Though nothing says so but its status."""
    faults.next("PutEvents", wire.refused("Whatever", status=status), times=3)

    press.publisher.publish(events(2))

    assert sorted(press.ids()) == ["0", "1"]


@pytest.mark.parametrize(
    ("seconds", "reserve", "naps", "code"),
    [
        (1.0, 0.0, [0.2, 0.4], "ThrottlingException"),
        (5.0, 4.0, [0.2, 0.4], "ThrottlingException"),
        (1.0, 1.0, [], "NotSent"),
    ],
    ids=["the time", "but for its reserve", "no time at all"],
)
def test_no_nap_goes_beyond_the_deadline(
    store: Store, bus: str, faults: Faults, seconds: float, reserve: float, naps: list[float], code: str
) -> None:
    """A function that is stopped in its sleep has told nobody what it sent; after it, nothing begins."""
    hours = Hours(faults)
    faults.next("PutEvents", throttled, times=len(naps) + 1 if naps else 0)

    with pytest.raises(PublishError) as raised:
        hours.publisher(store).publish(events(1), deadline=hours.deadline(seconds, reserve=reserve))

    assert said(raised) == {0: code}
    assert hours.naps == naps


def test_a_patience_is_a_time() -> None:
    """And nothing else is taken for one."""
    with pytest.raises(HandlerError, match="patience is a timedelta"):
        Publisher(None, BUS, patience="long")  # type: ignore[arg-type]


def test_failures_are_named_in_order_across_calls(press: Press, faults: Faults) -> None:
    """The place is the event's among those given, whenever it failed."""
    faults.next("PutEvents", wire.entries_fail(0, 9, code="InternalFailure"))
    faults.next("PutEvents", wire.entries_fail(1, code="MalformedDetail"))
    faults.next("PutEvents", wire.entries_fail(0, 1, code="MalformedDetail"))

    with pytest.raises(PublishError) as raised:
        press.publisher.publish([*about_one(12), large("12", MAX_BYTES + 1)])

    assert [unsent.place for unsent in raised.value.unsent] == [0, 9, 11, 12]


@pytest.mark.parametrize(
    ("fault", "copies"), [(wire.answer_lost, 2), (wire.never_sent, 1), (wire.refused_after("InternalFailure"), 2)]
)
def test_a_call_without_an_answer_is_made_again(press: Press, faults: Faults, fault: wire.Fault, copies: int) -> None:
    """It may have happened: copies have the same event id, so they change nothing downstream."""
    faults.next("PutEvents", fault)

    press.publisher.publish(events(2))

    assert sorted(press.ids()) == sorted(["0", "1"] * copies)


def unsigned(request: Any, send: Any) -> Any:
    """Fail as botocore does where there is nothing to sign a request with."""
    raise NoCredentialsError


@pytest.mark.parametrize(
    ("fault", "name"), [(wire.never_sent, "ConnectionClosedError"), (unsigned, "NoCredentialsError")]
)
def test_a_bus_that_stays_away_is_said_of_every_event(
    press: Press, faults: Faults, fault: wire.Fault, name: str
) -> None:
    """With why."""
    faults.next("PutEvents", fault, times=4)

    with pytest.raises(PublishError) as raised:
        press.publisher.publish(events(2))

    assert [(unsent.place, unsent.code, unsent.message) for unsent in raised.value.unsent] == [
        (0, "ServiceUnavailable", f"no response: {name}"),
        (1, "ServiceUnavailable", f"no response: {name}"),
    ]


def answering(*entries: dict[str, str]) -> wire.Fault:
    return lambda request, send: wire.edited(request, send, lambda _: {"FailedEntryCount": 1, "Entries": entries})


def test_a_refusal_without_words_is_told_by_its_code(press: Press, faults: Faults) -> None:
    """The bus need not say more."""
    faults.next("PutEvents", answering({"ErrorCode": "NotAuthorizedForSource"}))

    with pytest.raises(PublishError) as raised:
        press.publisher.publish(events(1))

    assert [(unsent.code, unsent.message) for unsent in raised.value.unsent] == [("NotAuthorizedForSource", "")]


def test_what_nobody_answered_for_is_not_taken_for_published(press: Press, faults: Faults) -> None:
    """Each entry has an answer, in its place: with one too few nobody knows whose they are."""
    faults.next("PutEvents", answering({"EventId": "b-1"}))

    with pytest.raises(ValueError, match="shorter"):
        press.publisher.publish(events(2))


def test_a_refused_call_is_said_of_its_events_only(press: Press, faults: Faults) -> None:
    """The other calls go on."""
    faults.next("PutEvents", wire.refused("AccessDeniedException"))

    with pytest.raises(PublishError) as raised:
        press.publisher.publish(about_one(12))

    assert [unsent.place for unsent in raised.value.unsent] == list(range(10))
    said = {(unsent.code, unsent.message) for unsent in raised.value.unsent}
    assert said == {("AccessDeniedException", "AccessDeniedException of a test")}
    assert sorted(press.ids()) == ["10", "11"]


FORMS = pytest.mark.parametrize("form", [Event.encode, lambda event: event], ids=["text", "event"])


@FORMS
@pytest.mark.parametrize("data", ['"Peru\uffff"', '"\ufffe"', '{"\uffff":1}', r'"\uFFFf"', r'"\\\ufffe"'])
def test_an_event_that_no_queue_takes_is_not_published(press: Press, form: Any, data: str) -> None:
    """SQS refuses U+FFFE and U+FFFF, so that it would reach neither a queue nor a dead-letter queue."""
    odd = Event(id="odd", source="post", type="Noted", data=msgspec.Raw(data.encode()))

    with pytest.raises(PublishError) as raised:
        press.publisher.publish([event("1"), form(odd), event("2")])

    (unsent,) = raised.value.unsent
    assert (unsent.place, unsent.code) == (1, "MalformedEvent")
    assert "U+FFFE" in unsent.message
    assert press.ids() == ["1", "2"]


@FORMS
@pytest.mark.parametrize("data", [r'"\\uffff"', '"\ufffd"', r'"\u0000\u001f"', '"\x7f\u0085\U0001ffff"', '"\ue000"'])
def test_any_other_character_is_published(press: Press, form: Any, data: str) -> None:
    """What SQS takes, and what JSON escapes in any case."""
    press.publisher.publish([form(Event(id="odd", source="post", type="Noted", data=msgspec.Raw(data.encode())))])

    assert press.ids() == ["odd"]


@FORMS
def test_an_event_too_deep_for_any_consumer_is_not_published(press: Press, form: Any) -> None:
    """The bus wraps it once, and no consumer reads more than 64 levels; its neighbours are published."""
    deep: Any = "the last"
    for _ in range(63):
        deep = [deep]
    odd = Event(id="odd", source="post", type="Deep", data=msgspec.Raw(msgspec.json.encode(deep)))

    with pytest.raises(PublishError) as raised:
        press.publisher.publish([event("1"), form(odd), event("2")])

    (unsent,) = raised.value.unsent
    assert (unsent.place, unsent.code) == (1, "MalformedEvent")
    assert unsent.message == "it is no event: it nests more than 63 levels deep"
    assert press.ids() == ["1", "2"]
