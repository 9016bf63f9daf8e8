"""The execution: one event's way through its handler to an outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from eachonce.aws import Aws
from eachonce.committer import Committer, judge_row
from eachonce.deadline import Deadline
from eachonce.depth import TooDeepError
from eachonce.encryption import Encryption
from eachonce.errors import (
    EachonceError,
    LostRaceError,
    MalformedMessageError,
    Reject,
    Retry,
    WorkError,
    WorkTooLargeError,
)
from eachonce.event import Event, RawEvent
from eachonce.failure import TooLateError, outcome_of
from eachonce.former import former_marks, former_row, former_rows, judge_former
from eachonce.handler import Handler
from eachonce.identity import fingerprint
from eachonce.isolation import Isolation, require_same_tenant, scope_of
from eachonce.journal import Mark, State, row_key
from eachonce.keyring import Keyring
from eachonce.ledger import Begun, Ledger, require_deaths_below, story_of
from eachonce.outcome import Outcome, Verdict
from eachonce.publisher import MAX_BYTES, size_bytes
from eachonce.settings import Settings
from eachonce.task import Fetch, Prepared, Task, Try
from eachonce.wording import MAX_NAME, short
from eachonce.work import Admit, Item, Work
from eachonce.writer import Writer

if TYPE_CHECKING:
    from eachonce.signing import Signer

# Under contention someone always wins, so a handful of runs suffices; then the event gives way to its neighbours.
_RUNS = 8

# From event to event: a loop of consumers ends here, and what people build has a dozen at most.
MAX_HOPS = 32


class Execution:
    """Runs handlers and commits what they want, for one consumer. Thread-safe."""

    def __init__(
        self,
        consumer: str,
        aws: Aws,
        settings: Settings,
        *,
        max_attempts: int = 10,
        max_starts: int = 3,
        in_spans: bool = False,
        isolation: Isolation | None = None,
        keyring: Keyring | None = None,
        reads: bool = True,
        signer: Signer | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`keyring` has the keys of personal fields, which the handlers may read or not."""
        self._consumer = consumer
        self._settings = settings
        self._clock = clock
        self._max_attempts = max_attempts
        self._max_starts = max_starts
        self._in_spans = in_spans
        self._isolation = isolation
        self._signer = signer
        self.writer = Writer(aws, settings)
        self._committer = Committer(self.writer, clock=clock)
        self.ledger = Ledger(self.writer, clock=clock)
        ring = Keyring() if keyring is None else keyring
        self.encryption = Encryption(ring.within(aws, settings), reads=reads)

    def mark(self, event: RawEvent) -> Mark:
        """Return what this consumer's journal knows the event by; raises ContractError when its data can't be read."""
        former = partial(former_marks, self._consumer, event)
        return Mark(self._consumer, event.source, event.id, fingerprint(event), former, self._scope(event))

    def row_key(self, event: RawEvent) -> str:
        """Return the key of the event's journal row."""
        return row_key(self._consumer, event.source, event.id, tenant=self._scope(event))

    def _scope(self, event: RawEvent) -> str | None:
        return None if self._isolation is None else scope_of(event.tenant)

    def former(self, events: Iterable[RawEvent]) -> dict[str, Item]:
        """Return what the journal said of up to 100 events before sources counted, by its rows' keys."""
        return former_rows(self.writer, self._consumer, events) if self._settings.former_rows else {}

    def run(self, handler: Handler, event: RawEvent, attempt: Try, *, deadline: Deadline) -> Outcome:
        """Handle one event and return what became of it; a failure of the handler is an outcome, too."""
        prepared = self.prepare(handler, event, attempt, deadline=deadline)
        return prepared if isinstance(prepared, Outcome) else self.finish(prepared, deadline=deadline)

    def prepare(
        self, handler: Handler, event: RawEvent, attempt: Try, *, deadline: Deadline, fetch: Fetch | None = None
    ) -> Prepared | Outcome:
        """Run the event's handler, and return what is to be committed, or what became of the event without that.

        The handler reads through `fetch`, where it is given.
        """
        try:
            _require_near(event)
            admit = self._admission(event)
            mark = self.mark(event)
            rows = self.former([event]) if attempt.former is None else attempt.former
            former = former_row(rows, self._consumer, event)
            begun = self._begin(handler, event, mark, attempt, former, deadline)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this event's affair, not its neighbours'
            return _outcome(error, attempt)
        if isinstance(begun, Outcome):
            return begun
        try:
            # A contract runs its user's code, too.
            typed = event.with_data(self.encryption.decoded(event, handler.contract))
            key = former["pk"] if former else mark.pk  # a receiver must know it again
            task = Task(handler, typed, mark, attempt, begun, _story(event, attempt, begun), key, admit)
            return self._handled(task, self.writer.fetch if fetch is None else fetch)
        except Exception as error:  # noqa: BLE001 - likewise whatever a handler raises
            return self._end(_outcome(error, attempt), event.type, mark, attempt, begun)

    def finish(self, prepared: Prepared, *, deadline: Deadline, outdated: bool = False) -> Outcome:
        """Commit what is prepared, and return what became of its event.

        The handler runs again where what it read is `outdated`, or turns out to be.
        """
        task = prepared.task
        try:
            return self._finish(prepared, deadline, outdated=outdated)
        except Exception as error:  # noqa: BLE001 - the handler runs again in there
            return self._end(_outcome(error, task.attempt), task.event.type, task.mark, task.attempt, task.begun)

    def _admission(self, event: RawEvent) -> Admit | None:
        """Return what refuses keys that aren't the event's tenant's; raises Reject where it has none."""
        if self._isolation is None:
            return None
        return partial(self._isolation.require_own, tenant=self._isolation.require_tenant(event.tenant))

    def _begin(
        self, handler: Handler, event: RawEvent, mark: Mark, attempt: Try, former: Item, deadline: Deadline
    ) -> Begun | Outcome | None:
        """Note the beginning where it must be known: of a suspect, and of an effect outside the commit."""
        if attempt.row.get("state") == State.DONE:
            return judge_row(attempt.row, mark)
        if (known := judge_former(former, now=self._clock())) is not None:
            return known
        if attempt.begun is not None or not (handler.external or attempt.suspect):
            return attempt.begun
        require_deaths_below(self._max_starts, attempt.row, now=self._clock())
        lease = deadline.lease if handler.external else deadline.usable
        begun = self.ledger.begin(mark, event_type=event.type, lease=lease, claim=handler.external)
        uncertain = isinstance(begun, Begun) and (begun.starts > 1 or former.get("state") == State.STARTED)
        if isinstance(begun, Outcome) or not (handler.external and uncertain):
            return begun
        self.ledger.doubt(mark)
        if handler.uncertain == "reject":
            self.ledger.release(mark, begun)
            raise Reject("its effect is uncertain: an earlier try ended without a word")
        return replace(begun, story={**begun.story, "uncertain": True})

    def _handled(self, task: Task, fetch: Fetch) -> Prepared:
        work = Work(fetch, idempotency_key=task.key, admit=task.admit)
        task.handler.run(task.event, work)
        outbox = self._outbox(task.event, work)
        return Prepared(task, work, self._committer.plan(work, task.mark, outbox, fence=task.fence, story=task.story))

    def _finish(self, prepared: Prepared, deadline: Deadline, *, outdated: bool) -> Outcome:
        task = prepared.task
        for run in range(_RUNS):
            if run or outdated:
                prepared = self._handled(task, self.writer.fetch)
            if deadline.near and not task.handler.external:
                raise TooLateError
            try:
                outcome = self._committer.commit(prepared.plan, task.mark, result=prepared.work.result)
            except LostRaceError:
                if task.handler.external:
                    reason = "what it read has changed, and its effect can't be run again here"
                    raise Retry(reason, counted=False) from None
            else:
                self._close(outcome, task)
                return outcome
        raise Retry(f"what it read changed during each of {_RUNS} runs", counted=False)

    def _close(self, outcome: Outcome, task: Task) -> None:
        """Tell the journal that a begun event is done where only the item of an earlier commit knew it."""
        if task.fence is not None and outcome.verdict is Verdict.DUPLICATE:
            with suppress(EachonceError):
                nothing = Work(self.writer.fetch)
                row = self._committer.plan(nothing, task.mark, (), fence=task.fence, story=task.story)
                self._committer.commit(row, task.mark)

    def _end(self, outcome: Outcome, event_type: str, mark: Mark, attempt: Try, begun: Begun | None) -> Outcome:
        """Tell the journal how a try ended that did not commit; an event that has failed too often is rejected."""
        with suppress(EachonceError):  # what can't be told now is only not counted
            if outcome.verdict is Verdict.ABANDONED and attempt.id is not None:
                if begun is None:  # it is to run alone next time
                    self.ledger.begin_all([(mark, event_type)], lease=timedelta())
                return outcome
            if outcome.counted and attempt.id is not None:
                row = self.ledger.failed(mark, outcome, event_type=event_type, try_id=attempt.id, begun=begun)
                return self._weighed(outcome, int(row.get("attempts", 0)))
            if begun is not None:
                self.ledger.release(mark, begun)
        return outcome

    def _weighed(self, outcome: Outcome, attempts: int) -> Outcome:
        if attempts < self._max_attempts:
            return replace(outcome, attempts=attempts)
        reason = f"it failed {attempts} times; the last time: {outcome.reason}"
        return replace(outcome, verdict=Verdict.REJECT, reason=reason, attempts=attempts)

    def _outbox(self, cause: Event[Any], work: Work) -> list[Event[Any]]:
        if not work.published:
            return []
        for data in work.published:
            require_same_tenant(data, type(data).__name__, cause.tenant)
        source, time = self._settings.required_source(), self._clock()
        caused = [
            (cause.causes(data, by=self._consumer, place=place, source=source, time=time), data)
            for place, data in enumerate(work.published)
        ]
        outbox = [self.encryption.encrypted(event, data) for event, data in caused]
        if self._in_spans:
            from eachonce.spans import carrying

            outbox = list(map(carrying, outbox))
        if self._signer is not None:
            outbox = [self._signer.sign(event) for event in outbox]
        _require_publishable(outbox)
        return outbox


def _require_near(event: RawEvent) -> None:
    """Raise Reject when an event is too far from its first cause, and tell the chain as far as the event knows it."""
    if event.hops > MAX_HOPS:
        cause = "an event that it doesn't name" if event.causationid is None else short(event.causationid, MAX_NAME)
        first = "" if event.correlationid is None else f", and all of it by {short(event.correlationid, MAX_NAME)}"
        raise Reject(
            f"it is more than {MAX_HOPS} hops from its first cause: do consumers answer each other for ever? "
            f"{event.id} was caused by {cause}{first}"
        )


def _story(event: RawEvent, attempt: Try, begun: Begun | None) -> dict[str, Any]:
    traced = {} if event.traceparent is None else {"trace_id": event.trace_id}
    return {**story_of(attempt.row), **({} if begun is None else begun.story), **traced}


def _outcome(error: Exception, attempt: Try) -> Outcome:
    return outcome_of(error, age=attempt.age, failures=attempt.failures)


def _require_publishable(outbox: Sequence[Event[Any]]) -> None:
    """Refuse what can't travel to every consumer: once it is committed, nobody could publish it."""
    for event in outbox:
        try:
            size = size_bytes(event)
        except (MalformedMessageError, TooDeepError) as error:
            raise WorkError(f"a published {event.type} would reach nobody: {error}") from None
        if size > MAX_BYTES:
            raise WorkTooLargeError(
                f"a published {event.type} has {size:,} bytes and the bus takes {MAX_BYTES:,}: split the event"
            )
