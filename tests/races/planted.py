"""The layer with a race: a lock taken away, or a look before an act that belong together. Each is to be found."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple
from unittest.mock import patch

from eachonce import lanes
from eachonce.aws import Aws
from eachonce.circuit import Circuit
from eachonce.circuits import Circuits
from eachonce.group_commit import GroupCommit
from eachonce.keyring import Keyring
from eachonce.ledger import Ledger
from eachonce.plan import Operation
from msgspec.structs import replace


def _without(kind: type, lock: str) -> Callable[[], AbstractContextManager[object]]:
    """Let objects of a kind have a lock that locks nobody out."""

    @contextmanager
    def planted() -> Iterator[None]:
        make = kind.__init__  # type: ignore[misc]

        def unlocked(one: Any, *arguments: Any, **options: Any) -> None:
            make(one, *arguments, **options)
            setattr(one, lock, nullcontext())

        with patch.object(kind, "__init__", unlocked):
            yield

    return planted


class _ByPlace:
    """What a thread takes from, by a place that it looks at before it moves it."""

    def __init__(self, members: Any) -> None:
        self._members = list(members)
        self._place = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        place = self._place
        if place >= len(self._members):
            raise StopIteration
        self._place = place + 1
        return self._members[place]


def lanes_are_taken_by_place() -> AbstractContextManager[object]:
    """Two threads take the same lane."""
    return patch.object(lanes, "iter", _ByPlace, create=True)


def flushes_and_goes() -> AbstractContextManager[object]:
    """Who finds a commit under way doesn't wait for it."""
    flush = GroupCommit.flush

    def hasty(self: GroupCommit) -> None:
        if not self._turn.locked():
            flush(self)

    return patch.object(GroupCommit, "flush", hasty)


def claims_of_others_are_taken_over() -> AbstractContextManager[object]:
    """Whoever comes second begins as well."""
    begin = Ledger.begin

    def rude(self: Ledger, *arguments: Any, claim: bool, **options: Any) -> Any:
        return begin(self, *arguments, claim=False, **options)

    return patch.object(Ledger, "begin", rude)


def keys_are_made_after_a_look() -> AbstractContextManager[object]:
    """Whoever sees no key of a subject writes one."""
    put = Keyring._put

    def blind(self: Keyring, row: Any) -> Operation:
        operation = put(self, row)
        request = {name: value for name, value in operation.request.items() if name != "ConditionExpression"}
        return replace(operation, request=request)

    return patch.object(Keyring, "_put", blind)


def clients_are_made_by_each() -> AbstractContextManager[object]:
    """As functools' cached property does it since Python 3.12."""
    stack = ExitStack()
    for service in ("kms", "ssm"):
        plain = functools.cached_property(Aws.__dict__[service].func)
        plain.__set_name__(Aws, service)
        stack.enter_context(patch.object(Aws, service, plain))
    return stack


class Planted(NamedTuple):
    """What is planted, the scene that shows it, and how often a thread must be stopped for that."""

    plant: Callable[[], AbstractContextManager[object]]
    scene: str
    preemptions: int = 1


PLANTED = {
    "lanes are taken by place": Planted(lanes_are_taken_by_place, "lanes"),
    "a group without its lock": Planted(_without(GroupCommit, "_state"), "group"),
    "a group without its turn": Planted(_without(GroupCommit, "_turn"), "readers in a group"),
    "who flushes doesn't wait": Planted(flushes_and_goes, "readers in a group"),
    "claims are taken over": Planted(claims_of_others_are_taken_over, "claim"),
    "a breaker without its lock": Planted(_without(Circuit, "_lock"), "breaker counts", preemptions=2),
    "a breaker without its turn": Planted(_without(Circuit, "_turn"), "breaker opens"),
    "circuits without their lock": Planted(_without(Circuits, "_telling"), "breaker can't be read"),
    "clients are made by each": Planted(clients_are_made_by_each, "clients"),
    "keys are made after a look": Planted(keys_are_made_after_a_look, "keyring"),
}
