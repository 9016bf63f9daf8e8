"""Lanes, and the whole invocation that they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from eachonce import (
    Consumer,
    Event,
    Work,
)
from eachonce.lanes import Lanes, Settled
from eachonce.listener import Delivery, listen
from eachonce.outcome import Outcome, Verdict
from eachonce.report import Report

from tests.parcels import Weighed, weighed
from tests.races.cloud import SETTINGS, Cloud
from tests.races.exploration import Play
from tests.races.outcomes import DONE, NAME, Heard, freight
from tests.records import Context, batch, record, returned


class LanesPlay(Play):
    """Four deliveries of three subjects in two threads."""

    def __init__(self) -> None:
        self._deliveries = listen(freight(*"abca"))
        self._settled: list[Settled] = []
        self._told: list[tuple[str, str]] = []

    def threads(self) -> Sequence[Callable[[], object]]:
        return [self._run]

    def _run(self) -> None:
        self._settled = Lanes(concurrency=2, ordered=True).run(
            self._deliveries, self._handle, meanwhile=self._meanwhile
        )

    def _handle(self, delivery: Delivery) -> Outcome:
        self._told.append(("begins", delivery.message_id))
        self._told.append(("ends", delivery.message_id))
        return DONE

    def _meanwhile(self) -> None:
        """Nothing is ready."""

    def broken(self) -> Iterator[str]:
        if sorted(one.message_id for one, _ in self._settled) != ["m-0", "m-1", "m-2", "m-3"]:
            yield f"not one outcome each: {[one.message_id for one, _ in self._settled]}"
        if sorted(self._told) != sorted((word, f"m-{n}") for n in range(4) for word in ("begins", "ends")):
            yield f"not each is handled once: {self._told}"
        if self._told.index(("ends", "m-0")) > self._told.index(("begins", "m-3")):
            yield "two of one lane are handled at once, or in another order"


class BrokenLanesPlay(Play):
    """A process that ends in the midst of a lane, as by `sys.exit`."""

    def __init__(self) -> None:
        self._began: list[str] = []
        self._left: BaseException | None = None
        self._began_after = 0

    def threads(self) -> Sequence[Callable[[], object]]:
        return [self._run]

    def _run(self) -> None:
        try:
            Lanes(concurrency=2, ordered=False).run(listen(freight(*"abcd")), self._handle)
        except SystemExit as error:
            self._left = error

    def _handle(self, delivery: Delivery) -> Outcome:
        self._began.append(delivery.message_id)
        if delivery.message_id == "m-0":
            raise SystemExit
        return DONE

    def broken(self) -> Iterator[str]:
        if self._left is None:
            yield "the end of a lane is nobody's"
        if len(self._began) != len(set(self._began)):
            yield f"a delivery is handled twice: {self._began}"


class InvocationPlay(Play):
    """A whole batch: two lanes, one of two events, a neighbour that fails, and a copy."""

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._heard = Heard()
        self._consumer = Consumer(NAME, aws=self._cloud.aws, settings=SETTINGS, concurrency=2)
        self._consumer.report = cast("Report", self._heard)
        self._consumer.on(Weighed)(self._weigh)
        self._response: Mapping[str, Any] = {}

    def _weigh(self, event: Event[Weighed], work: Work) -> None:
        if event.data.parcel == "fails":
            raise ValueError("the scales are broken")
        work.add("Weights", {"parcel": event.data.parcel}, grams=event.data.grams)

    def threads(self) -> Sequence[Callable[[], object]]:
        return [self._invoke]

    def _invoke(self) -> None:
        copies = [record(weighed("p", event_id="e-0"), message_id=name) for name in ("m-0", "m-3")]
        others = freight("-", "fails", "p", subjects="-aa")["Records"][1:]
        self._response = self._consumer(batch(copies[0], *others, copies[1]), cast("Any", Context()))

    def broken(self) -> Iterator[str]:
        verdicts = self._heard.verdicts()
        if sorted(verdicts) != ["m-0", "m-1", "m-2", "m-3"] or any(len(each) != 1 for each in verdicts.values()):
            yield f"not one outcome each: {verdicts}"
        elif sorted([*verdicts["m-0"], *verdicts["m-3"]]) != [Verdict.DONE, Verdict.DUPLICATE]:
            yield f"the copies end as {verdicts['m-0']} and {verdicts['m-3']}"
        elif (verdicts["m-1"], verdicts["m-2"]) != ([Verdict.RETRY], [Verdict.DONE]):
            yield f"neighbours decide about each other: {verdicts}"
        if returned(self._response) != ["m-1"]:
            yield f"these come again: {returned(self._response)}"
        if [int(item["grams"]) for item in self._cloud.items("Weights")] != [200]:
            yield f"the sum isn't 200: {self._cloud.items('Weights')}"
        if self._cloud.row(NAME, "e-1").get("attempts") != 1:
            yield "a failure isn't counted once"
