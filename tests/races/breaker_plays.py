"""Breakers, which a batch's threads see fail and ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

from eachonce import (
    Breaker,
)
from eachonce.circuits import Circuits
from eachonce.report import Report

from tests.races.cloud import SETTINGS, Cloud
from tests.races.exploration import Play
from tests.races.outcomes import DONE, FAILED, NAME, Heard


class BreakerPlay(Play):
    """Two handlers that fail and open a breaker, while a third asks whether it may begin."""

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._heard = Heard()
        made = Circuits(NAME, self._cloud.aws, SETTINGS, cast("Report", self._heard))
        self._circuit = made.of(Breaker("mail", failures=2, open_for=30), None)

    def threads(self) -> Sequence[Callable[[], object]]:
        return [
            *[partial(self._circuit.saw, name, FAILED) for name in ("m-0", "m-1")],
            partial(self._circuit.hold, "m-2"),
        ]

    def broken(self) -> Iterator[str]:
        states = [row["state"] for row in self._cloud.items("Journal")]
        if states != ["OPEN"] or self._heard.warned != ["the breaker mail is open"]:
            yield f"it is {states}, and operators heard {self._heard.warned}"
        if self._circuit.hold("m-3") is None:
            yield "it is open, and the worker that opened it lets events begin"


class OpeningPlay(BreakerPlay):
    """Two handlers that fail, and nobody beside them."""

    def threads(self) -> Sequence[Callable[[], object]]:
        return list(super().threads())[:2]


class TriedPlay(Play):
    """A try that closes a breaker, while others that it holds back ask for it."""

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._heard = Heard()
        made = Circuits(NAME, self._cloud.aws, SETTINGS, cast("Report", self._heard))
        self._circuit = made.of(Breaker("mail", failures=1, open_for=1), None)
        self._circuit.saw("m-0", FAILED)
        self._circuit._clock = lambda: datetime.now(UTC) + timedelta(seconds=2)  # its time has come
        self._tries = self._circuit.admit("m-1", timedelta(seconds=30)) is None

    def threads(self) -> Sequence[Callable[[], object]]:
        return [partial(self._circuit.saw, "m-1", DONE), partial(self._circuit.hold, "m-2")]

    def broken(self) -> Iterator[str]:
        if not self._tries:
            yield "nobody tries"
        states = [row["state"] for row in self._cloud.items("Journal")]
        if states != ["CLOSED"] or self._heard.warned != ["the breaker mail is open", "the breaker mail is closed"]:
            yield f"it is {states}, and operators heard {self._heard.warned}"
        if self._circuit.hold("m-3") is not None:
            yield "it is closed, and the worker that closed it holds events back"


class UnreadableBreakerPlay(Play):
    """Two threads that find out together that a breaker's state can't be read."""

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._cloud.refused.add("BatchGetItem")
        self._heard = Heard()
        made = Circuits(NAME, self._cloud.aws, SETTINGS, cast("Report", self._heard))
        self._circuits = [made.of(Breaker(name), None) for name in ("mail", "bank")]

    def threads(self) -> Sequence[Callable[[], object]]:
        return [partial(each.hold, "m-0") for each in self._circuits]

    def broken(self) -> Iterator[str]:
        if len(self._heard.warned) != 1:
            yield f"operators hear it {len(self._heard.warned)} times"
