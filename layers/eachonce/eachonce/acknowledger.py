"""The acknowledger: outcomes to what SQS is told.

A final outcome lets its message go; a rejected message is put in the dead-letter queue first, with its reason. What
can't be put there returns to its queue: a reason may come late, a message is never lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import replace

from eachonce import notes
from eachonce.aws import Aws, aws_errors
from eachonce.backoff import LONGEST_HOLD, Backoff
from eachonce.body import cloud_event
from eachonce.chunks import chunks
from eachonce.lanes import Settled
from eachonce.listener import MAX_BODY_BYTES, Delivery
from eachonce.outcome import Outcome, Verdict
from eachonce.refusal import code_of
from eachonce.settings import Settings

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
_MAX_BATCH = 10
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_GROUP_OR_ID = re.compile("[!-~]{1,128}")


class _Letter(msgspec.Struct, frozen=True):
    """A rejected message on its way to the dead-letter queue, with what is noted beside it."""

    delivery: Delivery
    outcome: Outcome
    notes: dict[str, str]

    @property
    def size_bytes(self) -> int:
        return _body_bytes(self.delivery) + notes.size_bytes(self.notes)


class Acknowledger(msgspec.Struct, frozen=True):
    """Tells SQS what became of a batch: one consumer's, with its own dead-letter queue."""

    aws: Aws
    settings: Settings
    consumer: str
    backoff: Backoff = msgspec.field(default_factory=Backoff)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def bury(self, settled: Sequence[Settled]) -> list[Settled]:
        """Send rejected messages to the dead-letter queue; return the outcomes as they are now.

        What can't be sent there is deferred.
        """
        kept = self._bury([(delivery, outcome) for delivery, outcome in settled if outcome.verdict is Verdict.REJECT])
        return [(delivery, kept.get(delivery.message_id, outcome)) for delivery, outcome in settled]

    def let_go(self, settled: Sequence[Settled]) -> None:
        """Delete the messages that are finished, before the invocation ends: what comes next may kill it.

        One that can't be deleted now is deleted after the invocation, or comes again as a duplicate.
        """
        finished = [delivery for delivery, outcome in settled if outcome.final]
        self._each_ten(finished, "delete_message_batch", lambda _: {})

    def respond(self, settled: Sequence[Settled]) -> dict[str, Any]:
        """Return Lambda's response, which names the messages that come again, and let each come when it should.

        Without the back-off each would wait for its queue's whole visibility timeout; where it fails, each does.
        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        now = self.clock()
        seconds = {
            delivery.message_id: self.backoff.seconds(outcome, delivery.age(now), held=_held(delivery, now))
            for delivery, outcome in settled
            if not outcome.final
        }
        returned = [delivery for delivery, _ in settled if delivery.message_id in seconds]
        self._each_ten(
            returned,
            "change_message_visibility_batch",
            lambda delivery: {"VisibilityTimeout": seconds[delivery.message_id]},
        )
        return {"batchItemFailures": [{"itemIdentifier": delivery.message_id} for delivery in returned]}

    def _each_ten(self, deliveries: Sequence[Delivery], call: str, more: Callable[[Delivery], dict[str, Any]]) -> None:
        if self.settings.queue_url is None:
            return
        deliveries = [delivery for delivery in deliveries if delivery.receipt_handle]
        for chunk in chunks(deliveries, size_bytes=lambda _: 0, max_items=_MAX_BATCH, max_bytes=MAX_BODY_BYTES):
            entries = [
                {"Id": str(place), "ReceiptHandle": delivery.receipt_handle, **more(delivery)}
                for place, delivery in enumerate(chunk)
            ]
            with suppress(*aws_errors()):
                getattr(self.aws.sqs, call)(QueueUrl=self.settings.queue_url, Entries=entries)

    def _bury(self, rejected: Sequence[Settled]) -> dict[str, Outcome]:
        """Return the outcome of each message that could not be put in the dead-letter queue, by its id."""
        if rejected and self.settings.dead_letter_queue_url is None:
            return {
                delivery.message_id: _kept(outcome, "no dead-letter queue is set") for delivery, outcome in rejected
            }
        failed: dict[str, Outcome] = {}
        letters = [self._letter(*settled) for settled in rejected]
        for chunk in chunks(
            letters, size_bytes=lambda letter: letter.size_bytes, max_items=_MAX_BATCH, max_bytes=MAX_BODY_BYTES
        ):
            failed |= self._send(chunk)
        return failed

    def _send(self, chunk: Sequence[_Letter]) -> dict[str, Outcome]:
        fifo = str(self.settings.dead_letter_queue_url).endswith(".fifo")
        entries = [_entry(str(place), letter, fifo=fifo) for place, letter in enumerate(chunk)]
        try:
            response = self.aws.sqs.send_message_batch(QueueUrl=self.settings.dead_letter_queue_url, Entries=entries)
        except (*aws_errors(), UnicodeError) as error:
            answered = not isinstance(error, aws_errors()[1])
            if answered and len(chunk) > 1:  # one message may be to blame for the whole call: each has its own then
                return {message_id: outcome for letter in chunk for message_id, outcome in self._send([letter]).items()}
            refusals = dict.fromkeys(range(len(chunk)), code_of(error))
        else:
            refusals = {int(failure["Id"]): failure["Code"] for failure in response.get("Failed", [])}
        return {chunk[place].delivery.message_id: _kept(chunk[place].outcome, code) for place, code in refusals.items()}

    def _letter(self, delivery: Delivery, outcome: Outcome) -> _Letter:
        known = {
            "reason": outcome.reason,
            "error": outcome.error,
            "consumer": self.consumer,
            "event_id": None if delivery.event is None else delivery.event.id,
            "event_type": _plain_type(delivery),
            "attempts": None if outcome.attempts is None else str(outcome.attempts),
            "first_seen": None if delivery.first_seen is None else delivery.first_seen.isoformat(),
            "code_version": self.settings.code_version,
        }
        return _Letter(delivery, outcome, notes.fitting(known, MAX_BODY_BYTES - _body_bytes(delivery)))


def _entry(entry_id: str, letter: _Letter, *, fifo: bool) -> dict[str, Any]:
    delivery = letter.delivery
    entry: dict[str, Any] = {"Id": entry_id, "MessageBody": delivery.body}
    if letter.notes:
        entry["MessageAttributes"] = notes.attributes(letter.notes)
    if (header := delivery.trace_header) is not None:  # or SQS would note the trace of this very call
        entry["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}
    if fifo:
        group = delivery.message_id if delivery.group_id is None else delivery.group_id
        entry |= {"MessageGroupId": _taken(group), "MessageDeduplicationId": _taken(delivery.message_id)}
    elif isinstance(tenant := delivery.attributes.get("MessageGroupId"), str) and _GROUP_OR_ID.fullmatch(tenant):
        entry["MessageGroupId"] = tenant  # so that it is a tenant's again when it is sent back
    return entry


def _taken(name: str) -> str:
    """Return a name that a FIFO queue takes: it may have come from no queue."""
    return name if _GROUP_OR_ID.fullmatch(name) else blake2b(name.encode(), digest_size=16).hexdigest()


def _held(delivery: Delivery, now: datetime) -> timedelta:
    """Return for how long SQS has counted since this receive, or the most that it may be: nobody says when it was."""
    if delivery.first_seen is None:
        return LONGEST_HOLD
    age = delivery.age(now)
    return age if delivery.receive_count <= 1 else min(age, LONGEST_HOLD)


def _kept(outcome: Outcome, why: str) -> Outcome:
    return replace(outcome, verdict=Verdict.RETRY, reason=f"{outcome.reason} (not yet in the dead-letter queue: {why})")


def _plain_type(delivery: Delivery) -> str | None:
    """Return the type of an event whose body doesn't say it in CloudEvents' words: its contract alone knows."""
    if delivery.event is None or cloud_event(delivery.body.encode()) is not None:
        return None
    return delivery.event.type


def _body_bytes(delivery: Delivery) -> int:
    return len(delivery.body.encode(errors="surrogatepass"))
