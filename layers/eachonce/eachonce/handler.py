"""Handlers: which function handles which type of event, and one event's way through it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from eachonce.aws import Aws
from eachonce.committer import Committer
from eachonce.contract import Contract
from eachonce.errors import ContractError, LostRaceError, Reject, Retry, WorkError, WorkTooLargeError
from eachonce.event import Event, RawEvent, fingerprint
from eachonce.journal import Mark
from eachonce.outcome import Outcome, Verdict
from eachonce.publisher import MAX_BYTES, size_bytes
from eachonce.settings import Settings
from eachonce.work import Work

# Under contention someone always wins, so a handful of runs suffices; then the event gives way to its neighbours.
_RUNS = 8

C = TypeVar("C", bound=Contract)

Handle = Callable[[Event[C], Work], None]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function from an event to a unit of work, the contract of its events, and whether it has effects of its own."""

    contract: type[Contract]
    handle: Handle[Any]
    external: bool = False


class Handlers:
    """The handlers of one consumer, by event type."""

    def __init__(self) -> None:
        self._by_type: dict[str, Handler] = {}

    def on(self, contract: type[C], *, external: bool = False) -> Callable[[Handle[C]], Handle[C]]:
        """Register the decorated function for events of `contract`.

        With `external` the function may have an effect outside the work (an e-mail, a payment): the event is claimed
        before it runs, so that no two workers run it at once, and `work.idempotency_key` is for the receiver.
        """

        def register(handle: Handle[C]) -> Handle[C]:
            if contract.event_type() in self._by_type:
                raise ValueError(f"{contract.event_type()} has a handler already")
            self._by_type[contract.event_type()] = Handler(contract, handle, external)
            return handle

        return register

    def find(self, event_type: str) -> Handler | None:
        """Return the handler of a type of event, or None."""
        return self._by_type.get(event_type)

    def __getitem__(self, event_type: str) -> Handler:
        """Return the handler of a type of event; raises KeyError."""
        return self._by_type[event_type]

    @property
    def contracts(self) -> tuple[type[Contract], ...]:
        """The contracts that have a handler, in order of registration."""
        return tuple(handler.contract for handler in self._by_type.values())


class Execution:
    """Runs handlers and commits what they want, for one consumer."""

    def __init__(
        self, consumer: str, aws: Aws, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._consumer = consumer
        self._settings = settings
        self._clock = clock
        self._committer = Committer(aws, settings, clock=clock)

    def run(self, handler: Handler, event: RawEvent, *, lease: timedelta) -> Outcome:
        """Handle one event and return what became of it; a failure of the handler is an outcome, too.

        `lease` is how long an effect outside the commit may take at most.
        """
        try:
            mark = Mark(self._consumer, event.id, fingerprint(event))
            typed = event.with_data(handler.contract.decode(event.data))
            return (
                self._run_claimed(handler, typed, mark, lease) if handler.external else self._run(handler, typed, mark)
            )
        except (Reject, WorkError, ContractError) as error:
            name = None if isinstance(error, Reject) else type(error).__name__
            return Outcome(verdict=Verdict.REJECT, reason=str(error), error=name)
        except Retry as retry:
            return Outcome(verdict=Verdict.RETRY, reason=retry.reason)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is this event's affair, not its neighbours'
            return Outcome(verdict=Verdict.RETRY, reason="the handler failed", error=type(error).__name__, cause=error)

    def _run_claimed(self, handler: Handler, event: Event[Any], mark: Mark, lease: timedelta) -> Outcome:
        fence = uuid.uuid4().hex
        finished = self._committer.claim(mark, fence=fence, lease=lease)
        if finished is not None:
            return finished
        try:
            return self._run(handler, event, mark, fence)
        except Exception:
            self._committer.release(mark, fence=fence)
            raise

    def _run(self, handler: Handler, event: Event[Any], mark: Mark, fence: str | None = None) -> Outcome:
        for _ in range(_RUNS):
            work = Work(self._committer.fetch, idempotency_key=mark.pk)
            handler.handle(event, work)
            try:
                return self._committer.commit(work, mark, self._outbox(event, work), fence=fence)
            except LostRaceError:
                if fence is not None:
                    raise Retry("what the handler read has changed, and its effect can't be run again here") from None
        raise Retry(f"what the handler read changed during each of {_RUNS} runs")

    def _outbox(self, cause: Event[Any], work: Work) -> list[Event[Any]]:
        if not work.published:
            return []
        source, time = self._settings.required_source(), self._clock()
        outbox = [
            cause.causes(data, by=self._consumer, place=place, source=source, time=time)
            for place, data in enumerate(work.published)
        ]
        _check_sizes(outbox)
        return outbox


def _check_sizes(outbox: Sequence[Event[Any]]) -> None:
    """Refuse what the bus would refuse: once it is committed, nobody could publish it."""
    for event in outbox:
        if (size := size_bytes(event)) > MAX_BYTES:
            raise WorkTooLargeError(
                f"a published {event.type} has {size:,} bytes and the bus takes {MAX_BYTES:,}: split the event"
            )
