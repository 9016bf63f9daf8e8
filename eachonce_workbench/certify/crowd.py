"""Crowds: events to be delivered in every order, such that some meet in the same rows and some don't."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Self

import msgspec
from eachonce import Contract, Event
from eachonce.description import Description, description_of
from eachonce.handler import Handler
from eachonce.model import encode, subject_of
from eachonce.request import NO_REQUEST
from hypothesis import strategies as st

from eachonce_workbench.certify.drawing import drawn
from eachonce_workbench.certify.identity import distinct
from eachonce_workbench.certify.requests import Routed
from eachonce_workbench.certify.sample import Pool, samples
from eachonce_workbench.simulator.clock import START

_LETTERS = "abcdefghij"
# Of a consumer that keeps tenants apart: half of the crowds are one tenant's, whose events can meet in a row.
TENANTS = ("acme", "beta")

Crowd = tuple[Event[Any], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """Events of one type: the contract of their data, and what they are called and whose they are.

    The `contract` of requests says what their paths name, too.
    """

    contract: type[Any]
    description: Description
    routed: Routed | None = None

    @classmethod
    def of(cls, told: type[Any] | Handler) -> Self:
        """Return the kind of a contract's events, as it is described or as a handler takes them."""
        if isinstance(told, Routed):
            return cls(told.asked, told.description, told)
        if isinstance(told, Handler):
            return cls(told.contract, told.description)
        return cls(told, description_of(told))

    @property
    def type(self) -> str:
        """What they are called."""
        return self.description.type

    def event(self, place: int, data: Any, *, tie: bool = False, tenant: str | None = None) -> Event[Any]:
        """Return the event at a place of a crowd; it is the tenant's that its data name, where they do."""
        event_id, request = f"e{place + 1}", NO_REQUEST
        if self.routed is not None:
            request, data = self.routed.request(data, event_id), self.routed.body(data)
        named = None if tenant is None else getattr(data, "tenant", None)
        return Event(
            id=event_id,
            source=self.description.source or "certified",
            type=self.type,
            data=data,
            time=START - timedelta(minutes=place // 2 if tie else place),
            subject=subject_of(data),
            tenant=named if isinstance(named, str) else tenant,
            request=request,
        )


def crowds(
    types: Sequence[type[Any] | Handler], *, size: int, count: int, chosen_by: int, isolated: bool = False
) -> list[Crowd]:
    """Return about `count` crowds of `size` events of these types, the same ones for the same seed `chosen_by`.

    In the first all data are of one place and differ in number, in the second each event is at a place of its own, and
    the others are drawn from two places. Where they are `isolated` each event has a tenant. Raises NoSampleError.
    """
    kinds = [Kind.of(types[place % len(types)]) for place in range(size)]
    near = [samples(kind.contract, Pool(("a",), turn=place)) for place, kind in enumerate(kinds)]
    apart = [samples(kind.contract, Pool((_LETTERS[place],))) for place, kind in enumerate(kinds)]
    mixed = [samples(kind.contract, Pool(("a", "b"))) for kind in kinds]
    data = [
        *_drawn(near, 1, chosen_by),
        *_drawn(apart, 1, chosen_by),
        *_drawn(mixed, max(0, count - 2), chosen_by),
    ]
    return [
        _crowd(
            kinds,
            list(distinct((kind.description, one) for kind, one in zip(kinds, some, strict=True))),
            tie=number % 2 == 1,
            tenants=_tenants(number) if isolated else (),
        )
        for number, some in enumerate(_unlike(data))
    ]


def renamed(event: Event[Any], event_id: str, time: datetime | None) -> Event[Any]:
    """Return an event under another id, at another time; a request's id is its key."""
    request = event.request
    if request.key is not None:
        headers = {**request.headers, "idempotency-key": event_id}
        request = msgspec.structs.replace(request, key=event_id, headers=headers)
    return msgspec.structs.replace(event, id=event_id, time=time, request=request)


def _tenants(number: int) -> Sequence[str]:
    return TENANTS if number % 2 else TENANTS[:1]


def crowd(data: Iterable[Any], handlers: Iterable[Handler] = (), *, isolated: bool = False) -> Crowd:
    """Return events around data, e1 and so on, each a minute older than the one before; all one tenant's, if any's.

    Whoever handles a contract's data says what its events are called; else the contract does.
    """
    known = {handler.contract: Kind.of(handler) for handler in handlers}
    given = tuple(data)
    return _crowd(
        [known.get(type(one), Kind.of(type(one))) for one in given], given, tenants=_tenants(0) if isolated else ()
    )


def _crowd(kinds: Sequence[Kind], data: Sequence[Any], *, tie: bool = False, tenants: Sequence[str] = ()) -> Crowd:
    """Return events around data; with a `tie`, two of them are always of the same time."""
    return tuple(
        kind.event(place, one, tie=tie, tenant=tenants[place % len(tenants)] if tenants else None)
        for place, (kind, one) in enumerate(zip(kinds, data, strict=True))
    )


def _drawn(strategies: Sequence[st.SearchStrategy[Any]], count: int, chosen_by: int) -> list[tuple[Contract, ...]]:
    if count == 0:
        return []
    return list(islice(_unlike(drawn(st.tuples(*strategies), count * 4, chosen_by)), count))


def _unlike(found: Iterable[tuple[Contract, ...]]) -> Iterator[tuple[Contract, ...]]:
    seen: set[bytes] = set()
    for data in found:
        text = msgspec.json.encode(data, enc_hook=encode)
        if text not in seen:
            seen.add(text)
            yield data
