"""The consumer: a Lambda function on an SQS queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext

from eachonce.acknowledger import Acknowledger
from eachonce.aws import Aws
from eachonce.backoff import Backoff
from eachonce.circuits import Circuits
from eachonce.deadline import Deadline
from eachonce.errors import AwsError, EachonceError, duration
from eachonce.execution import Execution
from eachonce.function import Function
from eachonce.gate import Gate
from eachonce.gathering import Gathering, finished, messages
from eachonce.group_commit import GroupCommit
from eachonce.isolation import Isolation
from eachonce.keyring import Keyring
from eachonce.lanes import BEHIND, TOO_LATE, Lanes, Settled, lane_of
from eachonce.listener import MAX_BODY_BYTES, Delivery, listen
from eachonce.outcome import Outcome, Verdict
from eachonce.rate import Buckets, Rate
from eachonce.settings import GroupCommits, Settings
from eachonce.task import Try
from eachonce.triage import Triage, triage
from eachonce.wording import short

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from eachonce.signing import Signer, Verifier
    from eachonce.spans import Spans


class Consumer(Function):
    """The handlers of one queue, as a Lambda function: each event by itself, its effect once.

    ::

        consumer = Consumer("reserve-stock")

        @consumer.on(OrderPlaced)
        def reserve(event: Event[OrderPlaced], work: Work) -> None:
            ...

        handler = consumer

    - `name`: the consumer's identity in the journal; another name handles every event anew
    - `unknown`: whether an event of a type without a handler is rejected, or acknowledged ("ignore")
    - `max_attempts`: after so many failures of its handler an event is rejected
    - `max_starts`: after so many starts that ended without a word (a crash, a time-out) an event is rejected
    - `concurrency`: how many lanes of a batch run side by side, in threads
    - `ordered`: whether the later events of a subject wait when an earlier one of the batch is deferred
    - `first_pause`, `longest_pause`: the back-off of deferred messages, up to 12 hours
    - `reserve`: nothing begins or commits within this last part of the function's time; a number of any of these times
      is seconds
    - `max_body_bytes`: a larger message is rejected
    - `group_commit`: what the works of a batch are committed together for: where that costs no more "write units", or
      wherever it makes fewer "calls"; with "off" each is committed by itself. Unless it is given, GROUP_COMMIT says it
    - `rate`: how many events begin in a time, over all workers; what is over it is put off, uncounted
    - `tracer`: an OpenTelemetry tracer, which gets a span for each event that a handler takes
    - `isolated_by`: the part of the tables' keys that says whose tenant's an item is. Then an event needs a tenant, its
      journal row is among the tenant's, and a work may touch the tenant's items alone: their key's part of this name is
      the tenant, or, where the key has no such part, a part of it begins with the tenant and `#`. It is for a new
      consumer: one that changes looks for its rows elsewhere
    - `decrypt_with`: the keys with which its handlers read personal fields; unless it is given, they are HIDDEN
    - `sign_with`: the key that signs what its handlers publish; unless it is given, SIGNING_SECRET names its secret
    - `verify`: the keys of which an event must be signed with one, or it is rejected before anything else; unless they
      are given, VERIFYING_KEYS names the path of their parameters
    """

    def __init__(
        self,
        name: str,
        *,
        unknown: Literal["reject", "ignore"] = "reject",
        max_attempts: int = 10,
        max_starts: int = 3,
        concurrency: int = 4,
        ordered: bool = False,
        first_pause: timedelta | float = timedelta(seconds=2),
        longest_pause: timedelta | float = timedelta(minutes=15),
        reserve: timedelta | float = timedelta(seconds=1),
        max_body_bytes: int = MAX_BODY_BYTES,
        group_commit: GroupCommits | None = None,
        rate: Rate | None = None,
        tracer: Tracer | None = None,
        isolated_by: str | None = None,
        decrypt_with: Keyring | None = None,
        sign_with: Signer | None = None,
        verify: Verifier | None = None,
        aws: Aws | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__(name, sign_with=sign_with, aws=aws, settings=settings)
        self._unknown = unknown
        self._max_attempts = max_attempts
        self._max_starts = max_starts
        self._lanes = Lanes(concurrency=concurrency, ordered=ordered)
        self._ordered = ordered
        self._backoff = Backoff(
            first=duration("first_pause", first_pause), longest=duration("longest_pause", longest_pause)
        )
        self._reserve = duration("reserve", reserve)
        self._max_body_bytes = max_body_bytes
        self._group_commit = group_commit
        self._rate = rate
        self._tracer = tracer
        self._isolation = None if isolated_by is None else Isolation(isolated_by)
        self._decrypt_with = decrypt_with
        self._verify = verify

    def __call__(self, batch: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Handle one batch of an SQS event source mapping, and name the messages that are to come again.

        Raises EachonceError when `batch` isn't an SQS event. One with a record that has no message id raises it, too,
        after all others have had their fate and those that are finished were deleted: Lambda keeps what is left.
        """
        deliveries = self._authentic(listen(batch, known=self, max_body_bytes=self._max_body_bytes))
        settled, told = self._settle(deliveries, Deadline.of(context, reserve=self._reserve))
        response = self._acknowledger.respond(messages(settled))
        self._tell([one for one in settled if one[0].message_id not in told])
        if sum(delivery.begins for delivery in deliveries) < len(batch["Records"]):
            self._acknowledger.let_go(messages(settled))
            raise EachonceError("a record has no messageId: neither its end nor its return can be told")
        return response

    def _authentic(self, deliveries: list[Delivery]) -> list[Delivery]:
        verifier = self.verifier
        if verifier is None:
            return deliveries
        from eachonce.authenticity import authentic  # only where somebody verifies

        return authentic(deliveries, verifier, received=datetime.now(UTC))

    def _settle(self, deliveries: Sequence[Delivery], deadline: Deadline) -> tuple[list[Settled], set[str]]:
        """Handle the harmless first, then each suspect alone, after all that is finished has left the queue.

        Returns the outcomes in the order of the batch, and the message ids of those that operators were told of.
        """
        late = deadline.near  # then nothing will begin, and nothing is to be marked as begun
        gate = None if late else self._gate
        admitted, held = (deliveries, []) if gate is None else gate.admit(deliveries, deadline.lease)
        sorted_out = (
            Triage(admitted)
            if late
            else triage(admitted, self, self.execution, lease=deadline.usable, ordered=self._ordered)
        )

        spans = self._spans()

        together = self._together(sorted_out, deadline)
        free = set() if together is None else self._lanes.nobody_waits_for(sorted_out.harmless)

        def handle(delivery: Delivery, *, suspect: bool = False) -> Outcome:
            joined = together if delivery.message_id in free else None
            run = partial(self._handle, delivery, sorted_out, deadline, joined, suspect=suspect)
            if spans is None or delivery.event is None:
                return run()
            return spans.around(delivery, delivery.event, run)

        gathering = Gathering(deliveries)
        handled = self._lanes.run(sorted_out.harmless, handle, meanwhile=None if together is None else together.flush)
        if together is not None:
            together.flush()
            handled = [(one, together.outcomes.get(one.message_id, outcome)) for one, outcome in handled]
        settled = self._bury(gathering.ready([*handled, *held]))
        self._take_back(handled, sorted_out)
        told = self._let_go(settled) if sorted_out.suspects else set()
        stopped = {lane_of(delivery) for delivery, outcome in handled if not outcome.final}
        for lane in sorted_out.suspects:
            for one in self._lanes.walk(lane, partial(handle, suspect=True), behind=lane_of(lane[0]) in stopped):
                buried = self._bury(gathering.ready([one]))
                told |= self._let_go(buried)
                settled += buried
        if gate is not None:
            gate.end()
        places = {delivery.message_id: place for place, delivery in enumerate(deliveries)}
        return sorted(settled, key=lambda one: places[one[0].message_id]), told

    def _together(self, sorted_out: Triage, deadline: Deadline) -> GroupCommit | None:
        """Return what commits a batch's works together; None where each is to be committed by itself."""
        sparing = self.settings.group_commit if self._group_commit is None else self._group_commit
        if sparing == "off" or len(sorted_out.harmless) < 2 or self._tracer is not None:
            return None
        return GroupCommit(self.execution, deadline, sparing=sparing)

    def _let_go(self, settled: Sequence[Settled]) -> set[str]:
        """Finish with what is final, to the last word of it: what comes next may kill the process."""
        final = finished(settled)
        self._acknowledger.let_go(messages(final))
        self._tell(final)
        return {delivery.message_id for delivery, _ in final}

    def _take_back(self, settled: Sequence[Settled], sorted_out: Triage) -> None:
        """Release the marks of what was to begin and then didn't, so that nobody suspects it."""
        for delivery, outcome in settled:
            begins = outcome.held is None and outcome is not BEHIND and outcome is not TOO_LATE
            if delivery.event is None or begins:
                continue
            event = delivery.event
            begun = sorted_out.begun.get(self.execution.row_key(event))
            if begun is not None:
                with suppress(EachonceError):
                    self.execution.ledger.release(self.execution.mark(delivery.event), begun)

    def _tell(self, settled: Sequence[Settled]) -> None:
        for delivery, outcome in settled:
            self.report.log(outcome, delivery.event, message_id=delivery.whole, receive_count=delivery.receive_count)
        self.report.count(outcome for _, outcome in settled)

    def _handle(
        self,
        delivery: Delivery,
        sorted_out: Triage,
        deadline: Deadline,
        together: GroupCommit | None,
        *,
        suspect: bool,
    ) -> Outcome:
        event = delivery.event
        if event is None and not delivery.unknown:
            return _of_no_event(delivery)
        handler = None if event is None else self.find(event.type, event.source)
        if event is None or handler is None:
            reason = f"{self.name} has no handler for events of this type"
            ignored = Outcome(verdict=Verdict.IGNORED)
            return ignored if self._unknown == "ignore" else Outcome(verdict=Verdict.REJECT, reason=reason)
        if (error := sorted_out.unread.get(delivery.message_id)) is not None:
            return _later("the journal could not be asked about earlier deliveries", error)
        if deadline.near:
            return TOO_LATE
        pk = self.execution.row_key(event) if sorted_out.rows or sorted_out.begun else ""
        attempt = Try(
            id=f"{delivery.message_id}/{delivery.receive_count}",
            age=delivery.age(datetime.now(UTC)),
            row=sorted_out.rows.get(pk, {}),
            former=sorted_out.former,
            begun=sorted_out.begun.get(pk),
            suspect=suspect,
        )
        if handler.needs is None or self._gate is None:
            if together is None or handler.external or delivery.receive_count > 1:
                return self.execution.run(handler, event, attempt, deadline=deadline)
            return together.run(handler, delivery, event, attempt)
        return self._gate.run(delivery, attempt, partial(self.execution.run, handler, event, deadline=deadline))

    def _bury(self, handled: Sequence[Settled]) -> list[Settled]:
        """Put what is rejected into the dead-letter queue, and only then tell the journal."""
        settled = self._acknowledger.bury(handled)
        for delivery, outcome in settled:
            if outcome.verdict is Verdict.REJECT and delivery.event is not None:
                with suppress(EachonceError):
                    mark = self.execution.mark(delivery.event)
                    self.execution.ledger.rejected(mark, outcome, event_type=delivery.event.type)
        return settled

    @cached_property
    def execution(self) -> Execution:
        """What runs the handlers, with this consumer's limits."""
        return Execution(
            self.name,
            self._aws,
            self.settings,
            max_attempts=self._max_attempts,
            max_starts=self._max_starts,
            in_spans=self._tracer is not None,
            isolation=self._isolation,
            keyring=self._decrypt_with,
            reads=self._decrypt_with is not None,
            signer=self.signer,
        )

    def _spans(self) -> Spans | None:
        if self._tracer is None:
            return None
        from eachonce.spans import Spans

        return Spans(self._tracer, self.name, self.settings.queue_url)

    @cached_property
    def _gate(self) -> Gate | None:
        rate, buckets = self._rate, None
        if rate is None and all(handler.needs is None for handler in self.handlers):
            return None
        if rate is not None:
            workers = self.settings.required_maximum_concurrency() if rate.workers is None else rate.workers
            buckets = Buckets(rate, workers=workers)
        circuits = Circuits(self.name, self._aws, self.settings, self.report)
        return Gate(self, buckets, circuits, ordered=self._ordered)

    @cached_property
    def verifier(self) -> Verifier | None:
        """What tells whether events are authentic, if anything does."""
        path = self.settings.verifying_keys
        if self._verify is not None or path is None:
            return self._verify
        from eachonce.keys import KeptVerifyingKeys  # likewise

        return KeptVerifyingKeys(self._aws, path)

    @cached_property
    def _acknowledger(self) -> Acknowledger:
        return Acknowledger(self._aws, self.settings, self.name, self._backoff)


def _of_no_event(delivery: Delivery) -> Outcome:
    if delivery.nothing is not None:
        return Outcome(verdict=Verdict.IGNORED, reason=delivery.nothing)
    if delivery.later is not None:
        return _later("nobody can say now whether the event is authentic", delivery.later)
    return Outcome(verdict=Verdict.REJECT, reason=delivery.flaw, error=delivery.flaw_kind)


def _later(reason: str, error: Exception) -> Outcome:
    name = error.code if isinstance(error, AwsError) else type(error).__name__
    return Outcome(verdict=Verdict.RETRY, reason=short(f"{reason}: {error}"), error=name)
