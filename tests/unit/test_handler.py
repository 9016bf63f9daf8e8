"""Handlers: what can be registered, and what a handler may return."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from eachonce import Consumer, EachonceError, Endpoint, Event, HandlerError, Work
from eachonce.journal import State

from tests.moods import delivered
from tests.parcels import Weighed, weigh, weighed
from tests.records import Context, batch, record, returned
from tests.store import Store

Make = Callable[..., Consumer]


@pytest.mark.parametrize(
    ("reads", "services"), [("ssm", ("ssm",)), (["ssm", "dynamodb"], ("ssm", "dynamodb")), ((), ())]
)
def test_a_handler_says_which_services_it_reads_from(reads: Any, services: tuple[str, ...]) -> None:
    """One or several, as boto3 names them."""
    consumer = Consumer("weigh")

    consumer.on(Weighed, reads=reads)(weigh)

    assert consumer["Weighed"].reads == services


@pytest.mark.parametrize("reads", [True, None, [""], [1], {"ssm": 1}])
def test_what_a_handler_reads_from_is_named(reads: Any) -> None:
    """Else it is refused where it is said."""
    with pytest.raises(HandlerError, match='such as reads="ssm", not'):
        Consumer("weigh").on(Weighed, reads=reads)


async def soon(event: Event[Weighed], work: Work) -> None:
    weigh(event, work)


def lazily(event: Event[Weighed], work: Work) -> Iterator[None]:
    yield weigh(event, work)


async def soon_and_lazily(event: Event[Weighed], work: Work) -> AsyncIterator[None]:
    yield weigh(event, work)


class Soon:
    async def __call__(self, event: Event[Weighed], work: Work) -> None:
        weigh(event, work)

    async def handle(self, event: Event[Weighed], work: Work) -> None:
        weigh(event, work)


class Plain:
    def __call__(self, event: Event[Weighed], work: Work) -> None:
        weigh(event, work)

    def handle(self, event: Event[Weighed], work: Work) -> None:
        weigh(event, work)

    @staticmethod
    def alone(event: Event[Weighed], work: Work) -> None:
        weigh(event, work)


def decorated(handle: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handle)
    def call(*given: Any, **named: Any) -> Any:
        return handle(*given, **named)

    return call


UNDONE: dict[str, Any] = {
    "async": soon,
    "generator": lazily,
    "async generator": soon_and_lazily,
    "partial": functools.partial(soon),
    "partial of a partial": functools.partial(functools.partial(lazily)),
    "object": Soon(),
    "partial of an object": functools.partial(Soon()),
    "method": Soon().handle,
    "decorated": decorated(soon),
    "decorated twice": decorated(decorated(lazily)),
    "partial of a decorated one": functools.partial(decorated(soon_and_lazily)),
    "decorated partial": decorated(functools.partial(soon)),
    "a lambda around one": functools.wraps(soon)(lambda event, work: soon(event, work)),
}


@pytest.mark.parametrize("kind", UNDONE)
@pytest.mark.parametrize("function", [Consumer, Endpoint])
def test_what_would_not_run_when_it_is_called_is_no_handler(function: Any, kind: str) -> None:
    """It would be acknowledged without having run: it is refused where it stands, with a word on what to do."""
    post = function("post")

    with pytest.raises(HandlerError, match="register a plain function"):
        post.on(Weighed)(UNDONE[kind])

    assert post.contracts == ()


@pytest.mark.parametrize(
    "handle",
    [
        lambda: None,
        lambda event: None,
        lambda event, work, more: None,
        lambda event, work, *, more: None,
        functools.partial(weigh, None),
        Plain.handle,
        decorated,
    ],
    ids=["nothing", "an event", "more", "named", "a partial with one too many", "no self", "a decorator"],
)
def test_a_handler_takes_an_event_and_a_work(handle: Any) -> None:
    """Anything else would fail at every event."""
    with pytest.raises(HandlerError, match="an event and a work"):
        Consumer("post").on(Weighed)(handle)


@pytest.mark.parametrize("handle", [None, 5, "weigh", Weighed(parcel="p")], ids=repr)
def test_a_handler_can_be_called(handle: Any) -> None:
    """What can't is no handler."""
    with pytest.raises(HandlerError, match="an event and a work"):
        Consumer("post").on(Weighed)(handle)


@pytest.mark.parametrize("contract", [weigh, dict, None, "Weighed"], ids=["the handler", "a dict", "none", "text"])
def test_a_handler_is_registered_for_a_contract(contract: Any) -> None:
    """A decorator whose brackets were forgotten would register nothing, and say nothing."""
    with pytest.raises(HandlerError, match="contract"):
        Consumer("post").on(contract)


@pytest.mark.parametrize(
    "handle",
    [
        weigh,
        Plain(),
        Plain().handle,
        Plain.alone,
        functools.partial(weigh),
        functools.partial(lambda more, event, work: weigh(event, work), 1),
        lambda event, work, more=None: weigh(event, work),
        lambda *both: weigh(*both),
        decorated(weigh),
        functools.wraps(lambda event, work, more: None)(lambda *both: weigh(*both)),
    ],
    ids=["plain", "object", "method", "static", "partial", "bound", "default", "any", "decorated", "one given more"],
)
def test_whatever_can_be_called_with_both_is_a_handler(
    make_consumer: Make, store: Store, context: Context, handle: Any
) -> None:
    """However it is made; a decorator may call what it decorates with more."""
    assert returned(make_consumer((Weighed, handle))(delivered(1), context)) == []
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_what_does_not_tell_its_signature_is_believed() -> None:
    """As some functions that aren't Python's don't."""
    Consumer("post").on(Weighed)(min)


def future(event: Event[Weighed], work: Work) -> Any:
    return Future()


@pytest.mark.parametrize(
    "handle",
    [
        lambda event, work: soon(event, work),
        lambda event, work: lazily(event, work),
        lambda event, work: soon_and_lazily(event, work),
        lambda event, work: (weigh(event, work) for _ in "a"),
        lambda event, work: map(weigh, [event], [work]),
        future,
    ],
    ids=["coroutine", "generator", "async generator", "generator expression", "map", "future"],
)
@pytest.mark.parametrize("external", [False, True])
def test_work_that_is_left_undone_is_a_failure(
    make_consumer: Make, store: Store, context: Context, handle: Any, external: bool
) -> None:
    """Of that event, and never taken for done; the neighbours don't mind, and the reason says what to do."""
    post = make_consumer((Weighed, handle), external=external)

    assert returned(post(batch(record(weighed(), message_id="m-1")), context)) == ["m-1"]

    row = store.journal("post")
    assert (row["state"], row["attempts"]) == (State.TRIED, 1)
    assert row["errors"][0]["error"] == "HandlerError"
    assert "nothing of it has run" in row["errors"][0]["reason"]
    assert store.items("Weights") == []


@pytest.mark.parametrize("value", [None, 5, "done", {"a": 1}, [1]], ids=repr)
def test_any_other_value_of_a_handler_is_nobodys_business(
    make_consumer: Make, store: Store, context: Context, value: Any
) -> None:
    """What it wants is in the work."""

    def handle(event: Event[Weighed], work: Work) -> Any:
        weigh(event, work)
        return value

    assert returned(make_consumer((Weighed, handle))(delivered(1), context)) == []
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_a_coroutine_may_be_run_to_its_end(make_consumer: Make, store: Store, context: Context) -> None:
    """As the refusal says."""

    def handle(event: Event[Weighed], work: Work) -> None:
        asyncio.run(soon(event, work))

    assert returned(make_consumer((Weighed, handle))(delivered(1), context)) == []
    assert store.item("Weights", parcel="p")["grams"] == 100


def test_a_handlers_error_is_a_type_error() -> None:
    """As Python says it, and the layer's own."""
    assert issubclass(HandlerError, TypeError)
    assert issubclass(HandlerError, EachonceError)
