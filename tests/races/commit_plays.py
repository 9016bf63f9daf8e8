"""Works that are committed together, and effects outside of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from eachonce import (
    Consumer,
    Event,
    Work,
    group_commit,
)
from eachonce.execution import Execution
from eachonce.group_commit import GroupCommit
from eachonce.journal import State
from eachonce.listener import Delivery, listen
from eachonce.outcome import Outcome, Verdict
from eachonce.task import Try

from tests.parcels import Arrived, Weighed, weighed
from tests.races.cloud import SETTINGS, Cloud
from tests.races.exploration import Play
from tests.races.outcomes import IN_TIME, NAME, freight
from tests.records import batch, record


class _Weighing(Play):
    """Works of one batch, and the rows that they leave."""

    def __init__(self) -> None:
        self.cloud = Cloud()
        self.execution = Execution(NAME, self.cloud.aws, SETTINGS)
        self.consumer = Consumer(NAME, aws=self.cloud.aws, settings=SETTINGS)
        self.consumer.on(Weighed)(self.weigh)
        self.together = GroupCommit(self.execution, IN_TIME, sparing="calls")
        self.read: dict[str, int] = {}
        self.outcomes: dict[str, Outcome] = {}

    def weigh(self, event: Event[Weighed], work: Work) -> None:
        work.add("Weights", {"parcel": event.data.parcel}, grams=event.data.grams)

    def deliver(self, delivery: Delivery) -> None:
        event = delivery.event
        assert event is not None
        handler = self.consumer[event.type]
        attempt = Try(id=delivery.message_id)
        self.outcomes[delivery.message_id] = self.together.run(handler, delivery, event, attempt)

    def flush(self) -> None:
        self.together.flush()

    def grams(self) -> dict[str, int]:
        return {item["parcel"]: int(item["grams"]) for item in self.cloud.items("Weights")}

    def unsettled(self, names: Iterable[str]) -> Iterator[str]:
        """Yield whose outcome isn't known: it is its own, or its group's."""
        for name in names:
            if self.together.outcomes.get(name, self.outcomes[name]) is group_commit.HELD:
                yield f"{name} has no outcome but a promise"
            row = self.cloud.row(NAME, name.replace("m", "e"))
            if row.get("state") != State.DONE:
                yield f"{name} was never committed"


class GroupPlay(_Weighing):
    """Two lanes, and who waits for them and commits meanwhile what is ready."""

    def __init__(self) -> None:
        super().__init__()
        self._deliveries = listen(freight(*"pp", subjects="ab"))

    def threads(self) -> Sequence[Callable[[], object]]:
        return [*[partial(self.deliver, one) for one in self._deliveries], self.flush]

    def broken(self) -> Iterator[str]:
        self.flush()
        yield from self.unsettled(["m-0", "m-1"])
        if self.grams() != {"p": 200}:
            yield f"the sums are {self.grams()}"


class ReadersPlay(_Weighing):
    """Two events of one lane that read and write one item, and a neighbour that adds to it."""

    def __init__(self) -> None:
        super().__init__()
        self._deliveries = listen(freight(*"ppp", subjects="aab"))

    def weigh(self, event: Event[Weighed], work: Work) -> None:
        if event.subject == "b":
            super().weigh(event, work)
            return
        known = work.read("Weights", {"parcel": "p"}) or {"grams": 0}
        work.put("Weights", {"parcel": "p"}, grams=int(known["grams"]) + event.data.grams, last=event.id)

    def threads(self) -> Sequence[Callable[[], object]]:
        first, second, neighbour = self._deliveries

        def lane() -> None:
            self.deliver(first)
            self.deliver(second)

        return [lane, partial(self.deliver, neighbour)]

    def broken(self) -> Iterator[str]:
        self.flush()
        yield from self.unsettled(["m-0", "m-1", "m-2"])
        (item,) = self.cloud.items("Weights")
        if int(item["grams"]) != 300:
            yield f"an addition is lost, or there twice: {item['grams']} of 300"
        if item["last"] != "e-1":
            yield "the lane's second event was committed before its first"


class CopiesPlay(_Weighing):
    """Two copies of one event in lanes of their own: both are handled, and one is a duplicate."""

    def threads(self) -> Sequence[Callable[[], object]]:
        copies = listen(batch(*[record(weighed("p", event_id="e-0"), message_id=f"m-{n}") for n in range(2)]))
        return [partial(self.deliver, one) for one in copies]

    def broken(self) -> Iterator[str]:
        self.flush()
        verdicts = [self.together.outcomes.get(name, self.outcomes[name]).verdict for name in ("m-0", "m-1")]
        if sorted(verdicts) != [Verdict.DONE, Verdict.DUPLICATE] or self.grams() != {"p": 100}:
            yield f"two copies are {verdicts}, and the sum is {self.grams()}"


class ClaimPlay(Play):
    """Two copies of an event with an effect outside the commit, which two threads begin at once."""

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._execution = Execution(NAME, self._cloud.aws, SETTINGS)
        self._running = self._most = self._effects = 0
        self._outcomes: list[Outcome] = []
        mailing = Consumer(NAME, aws=self._cloud.aws, settings=SETTINGS)
        mailing.on(Weighed, external=True)(self._send)
        self._handler = mailing["Weighed"]

    def _send(self, event: Event[Weighed], work: Work) -> None:
        self._running += 1
        self._most = max(self._most, self._running)
        self._effects += 1
        self._running -= 1
        work.publish(Arrived(parcel=event.data.parcel))

    def threads(self) -> Sequence[Callable[[], object]]:
        return [partial(self._deliver, name) for name in ("m-0", "m-1")]

    def _deliver(self, name: str) -> None:
        (delivery,) = listen(batch(record(weighed(event_id="e-0"), message_id=name)))
        assert delivery.event is not None
        self._outcomes.append(self._execution.run(self._handler, delivery.event, Try(id=name), deadline=IN_TIME))

    def broken(self) -> Iterator[str]:
        verdicts = sorted(outcome.verdict for outcome in self._outcomes)
        if self._most > 1 or self._effects != 1:
            yield f"the effect is there {self._effects} times, {self._most} at once"
        if verdicts not in ([Verdict.DONE, Verdict.DUPLICATE], [Verdict.DONE, Verdict.RETRY]):
            yield f"the copies end as {verdicts}"
