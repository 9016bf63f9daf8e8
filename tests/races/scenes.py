"""The scenes: what the layer's threads share, and what must hold of it whoever goes on when."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from types import ModuleType
from typing import Any, cast
from unittest.mock import patch

from aws_lambda_powertools.utilities.circuit_breaker.persistence import base as persistence
from aws_lambda_powertools.utilities.parameters import base as parameters
from eachonce import (
    Breaker,
    Consumer,
    Event,
    KeptSigningKey,
    Keyring,
    VerifyingKeys,
    Work,
    breaker,
    circuit_store,
    circuits,
    consumer,
    execution,
    group_commit,
    keyring,
    keys,
    lanes,
    ledger,
)
from eachonce import aws as aws_module
from eachonce import circuit as circuit_module
from eachonce.aws import Aws
from eachonce.circuits import Circuits
from eachonce.deadline import Deadline
from eachonce.event import RawEvent, decode
from eachonce.execution import Execution
from eachonce.group_commit import GroupCommit
from eachonce.journal import State
from eachonce.keys import read_keys
from eachonce.lanes import Lanes, Settled
from eachonce.listener import Delivery, listen
from eachonce.outcome import Outcome, Verdict
from eachonce.report import Report
from eachonce.task import Try

from tests.parcels import Arrived, Weighed, weighed
from tests.races.cloud import SETTINGS, Cloud
from tests.races.exploration import Play, Scene
from tests.records import Context, batch, record, returned

NAME = "post"
DONE = Outcome(verdict=Verdict.DONE)
FAILED = Outcome(verdict=Verdict.RETRY, cause=TimeoutError(), counted=True)
IN_TIME = Deadline(lambda: timedelta(seconds=30))


class Heard:
    """A report that says nothing, and remembers what it was told."""

    def __init__(self) -> None:
        self.outcomes: dict[str, list[Outcome]] = {}
        self.warned: list[str] = []

    def log(self, outcome: Outcome, event: object, *, message_id: str, **_: object) -> None:
        self.outcomes.setdefault(message_id, []).append(outcome)

    def count(self, outcomes: Iterable[Outcome]) -> None:
        list(outcomes)

    def warn(self, message: str, **_: str) -> None:
        self.warned.append(message)

    def verdicts(self) -> dict[str, list[Verdict]]:
        return {name: [one.verdict for one in outcomes] for name, outcomes in self.outcomes.items()}


def freight(*parcels: str, subjects: str | None = None, **data: Any) -> dict[str, Any]:
    """Return a batch of parcels that were weighed, each another event; a letter of `subjects` is its lane."""
    of = parcels if subjects is None else subjects
    bodies = [weighed(parcel, event_id=f"e-{n}", **data) | {"subject": of[n]} for n, parcel in enumerate(parcels)]
    return batch(*[record(body, message_id=f"m-{n}") for n, body in enumerate(bodies)])


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


class ClientsPlay(Play):
    """Two threads that need clients at once, of one service and of another."""

    def __init__(self) -> None:
        self._aws = Aws()
        self._making = self._most = 0
        self._made: list[str] = []
        self._had: list[object] = []

    def _client(self, service: str) -> object:
        self._making += 1
        self._most = max(self._most, self._making)
        self._made.append(service)
        self._making -= 1
        return object()

    def threads(self) -> Sequence[Callable[[], object]]:
        return [partial(self._ask, "kms"), partial(self._ask, "kms", "ssm")]

    def around(self) -> AbstractContextManager[object]:
        return patch.object(aws_module, "_client", self._client)

    def _ask(self, *services: str) -> None:
        self._had += [getattr(self._aws, service) for service in services]

    def broken(self) -> Iterator[str]:
        if sorted(self._made) != ["kms", "ssm"] or len(set(map(id, self._had))) != 2:
            yield f"clients are made anew: {self._made}"
        if self._most > 1:
            yield "two are made at once, and boto3's session isn't made for that"


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


class SigningPlay(Play):
    """Two threads that sign with a key that nobody has asked for yet."""

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._signer = KeptSigningKey(self._cloud.aws, "a secret", announce_below="/keys")
        self._signed: list[RawEvent] = []

    def threads(self) -> Sequence[Callable[[], object]]:
        return [partial(self._sign, name) for name in ("e-0", "e-1")]

    def _sign(self, name: str) -> None:
        event: Event[Any] = Event(id=name, source="post", type="Weighed", data={})
        self._signed.append(decode(self._signer.sign(event).encode()))

    def broken(self) -> Iterator[str]:
        if len(self._cloud.parameters) != 1:
            yield f"its key is announced as {list(self._cloud.parameters)}"
        below = {name.removeprefix("/keys/"): value for name, value in self._cloud.parameters.items()}
        known = VerifyingKeys(read_keys("/keys", below))
        for event in self._signed:
            known.verify(event, received=datetime.now(UTC))


class KeyringPlay(Play):
    """Two threads that encrypt for somebody who has no key yet."""

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._ring = Keyring(aws=self._cloud.aws, settings=SETTINGS)
        self._keys: list[Any] = []

    def threads(self) -> Sequence[Callable[[], object]]:
        return [self._ask, self._ask]

    def _ask(self) -> None:
        self._keys.append(self._ring.of_subject(None, "Ada"))

    def broken(self) -> Iterator[str]:
        rows = {row["pk"]: row for row in self._cloud.items("Keys")}
        if len(rows) != 2:
            yield f"a subject has {len(rows)} rows"
        if len({(key.id, key.secret) for key in self._keys}) != 1:
            yield "two events of a subject are encrypted by two keys"
        fresh = Keyring(aws=self._cloud.aws, settings=SETTINGS).by_id(self._keys[0].id)
        if fresh is None or fresh.secret != self._keys[0].secret:
            yield "what is encrypted can't be decrypted"


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


def _scene(name: str, play: Callable[[], Play], *watched: ModuleType, preemptions: int = 2) -> Scene:
    return Scene(name=name, play=play, watched=(*watched, sys.modules[__name__]), preemptions=preemptions)


SCENES = {
    scene.name: scene
    for scene in (
        _scene("lanes", LanesPlay, lanes),
        _scene("a lane that breaks", BrokenLanesPlay, lanes),
        _scene("group", GroupPlay, group_commit),
        _scene("readers in a group", ReadersPlay, group_commit),
        _scene("copies in a group", CopiesPlay, group_commit),
        _scene("claim", ClaimPlay, execution, ledger),
        _scene("breaker opens", BreakerPlay, circuit_module, circuit_store, persistence),
        _scene("breaker counts", OpeningPlay, circuit_module, breaker),
        _scene("breaker closes", TriedPlay, circuit_module, circuit_store, persistence),
        _scene("breaker can't be read", UnreadableBreakerPlay, circuits, circuit_module, circuit_store),
        _scene("clients", ClientsPlay, aws_module),
        _scene("keyring", KeyringPlay, keyring),
        _scene("signing key", SigningPlay, keys, parameters),
        _scene("invocation", InvocationPlay, consumer, lanes, group_commit, execution, preemptions=1),
    )
}
