"""Message movement tasks: dead letters on their way back, at a rate.

A task goes on whenever anybody looks, as far as it would be by then.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from eachonce_workbench.cloud.store.queues.message import Message
from eachonce_workbench.cloud.store.queues.refusals import invalid, invalid_value, not_found

if TYPE_CHECKING:
    from eachonce_workbench.cloud.store.queues.sqs import Sqs

MAX_PER_SECOND = 500
MAX_RESULTS = 10

# SQS works through a task beside the request that starts it: a client sees it run, and can't start another at once.
_LEAST_SECONDS = 1

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/troubleshooting-dlq-redrive.html
_MISSING = "AWS.SimpleQueueService.NonExistentQueue"
_UNKNOWN = "CouldNotDetermineMessageSource"

_ARN = re.compile("arn:[^:]+:[^:]+:[^:]*:[^:]*:[^:]+")


@dataclass(slots=True, kw_only=True)
class Move:
    """One task; `per_second` None moves all at once, `destination_arn` None moves each to where it came from."""

    id: str
    source_arn: str
    destination_arn: str | None
    per_second: int | None
    started_at: float
    to_move: int
    moved: int = 0
    status: Literal["RUNNING", "COMPLETED", "CANCELLED", "FAILED"] = "RUNNING"
    failure: str | None = None

    @property
    def handle(self) -> str:
        """What names the task to a client."""
        return base64.b64encode(json.dumps({"taskId": self.id, "sourceArn": self.source_arn}).encode()).decode()

    def due(self, now: float) -> int:
        """How many messages are to have been moved by now."""
        if self.per_second is None:
            return self.to_move
        return min(self.to_move, 1 + int((now - self.started_at) * self.per_second))

    def next_due(self) -> float:
        """When the next message is to be moved, or the task is over."""
        if self.per_second is None or self.moved == self.to_move:
            return self.started_at + _LEAST_SECONDS
        return self.started_at + self.moved / self.per_second

    def described(self) -> dict[str, Any]:
        """The task as ListMessageMoveTasks answers it."""
        told = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source_arn,
            "DestinationArn": self.destination_arn,
            "MaxNumberOfMessagesPerSecond": self.per_second,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure,
            "StartedTimestamp": int(self.started_at * 1000),
        }
        return {name: value for name, value in told.items() if value is not None}


class Moves:
    """The tasks of all queues; each source has one that runs, and remembers its last ten."""

    def __init__(self, sqs: Sqs) -> None:
        self._sqs = sqs
        self._tasks: dict[str, deque[Move]] = {}
        self._running: list[Move] = []

    def start(self, source_arn: str, destination_arn: str | None, per_second: int | None, now: float) -> Move:
        """Begin to move all that is visible in a dead-letter queue; raises `SQSException` as SQS refuses it."""
        source = self._named("SourceArn", source_arn)
        if per_second is not None and not 1 <= per_second <= MAX_PER_SECOND:
            raise invalid(
                "Value for parameter MaxNumberOfMessagesPerSecond is invalid. "
                f"Reason: You must enter a number that's between 1 and {MAX_PER_SECOND}."
            )
        readers = [queue for queue in self._sqs.queues.values() if self._sqs.dead_letters_of(queue) is source]
        if not readers:
            raise invalid("Source queue must be configured as a Dead Letter Queue.")
        if destination_arn is not None:
            readers = [self._destination(source, destination_arn)]
        self.advance(now)
        if any(move.source_arn == source_arn for move in self._running):
            raise invalid(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given "
                "time."
            )
        move = Move(
            id=str(uuid.uuid4()),
            source_arn=source_arn,
            destination_arn=destination_arn,
            per_second=per_second,
            started_at=now,
            to_move=self._sqs.depth(source.name).visible,
        )
        self._tasks.setdefault(source_arn, deque(maxlen=MAX_RESULTS)).appendleft(move)
        self._running.append(move)
        self.advance(now)
        for queue in readers:
            self._sqs.wake(queue.name)  # whoever waits there is to ask again when the next message comes
        return move

    def recent(self, source_arn: str, limit: int, now: float) -> list[Move]:
        """A queue's last tasks, the newest first; raises `SQSException` as SQS refuses to list them."""
        self._named("SourceArn", source_arn)
        if not 1 <= limit <= MAX_RESULTS:
            raise invalid_value("MaxResults", limit, f"Must be >= 1 and <= {MAX_RESULTS}, if provided.")
        self.advance(now)
        return list(self._tasks.get(source_arn, ()))[:limit]

    def cancel(self, handle: str, now: float) -> Move:
        """Move no more; raises `SQSException` for a task that is not there, or runs no longer."""
        task_id, source_arn = _read(handle)
        self._named("SourceArn", source_arn)
        self.advance(now)
        for move in self._tasks.get(source_arn, ()):
            if move.id == task_id:
                if move.status != "RUNNING":
                    raise invalid("Only active tasks can be cancelled.")
                self._end(move, "CANCELLED")
                return move
        raise not_found("Task does not exist.")

    def advance(self, now: float) -> None:
        """Move what is to have been moved by now."""
        reached = {name for move in tuple(self._running) for name in self._go_on(move, now)}
        for name in sorted(reached):
            self._sqs.wake(name)

    def next_due(self) -> float | None:
        """When the next message of any task is to be moved, None when no task runs."""
        return min((move.next_due() for move in self._running), default=None)

    def _go_on(self, move: Move, now: float) -> list[str]:
        """Move what one task is to move, and return the names of the queues that it went to."""
        source = self._sqs.queue_at(move.source_arn)
        if source is None:
            self._end(move, "FAILED", _MISSING)
            return []
        messages = self._sqs.contents[source.name]
        reached: list[str] = []
        while move.moved < move.due(now) and move.status == "RUNNING":
            message = messages.withdraw(now, retention_seconds=source.message_retention_period)
            if message is None:
                move.to_move = move.moved  # the rest was received or deleted meanwhile
                break
            destination = self._sqs.queue_at(move.destination_arn or message.source_arn)
            if destination is None:
                messages.restore(message)
                self._end(move, "FAILED", _MISSING if move.destination_arn or message.source_arn else _UNKNOWN)
                break
            self._sqs.contents[destination.name].enqueue(_anew(message), now)
            move.moved += 1
            reached.append(destination.name)
        if move.status == "RUNNING" and move.moved == move.to_move and now >= move.started_at + _LEAST_SECONDS:
            self._end(move, "COMPLETED")
        return reached

    def _end(self, move: Move, status: Literal["COMPLETED", "CANCELLED", "FAILED"], failure: str | None = None) -> None:
        move.status, move.failure = status, failure
        self._running.remove(move)

    def _destination(self, source: Any, destination_arn: str) -> Any:
        destination = self._named("DestinationArn", destination_arn)
        if destination is source:
            raise invalid("Source queue arn and destination queue arn cannot be the same.")
        if destination.fifo_queue != source.fifo_queue:
            raise invalid("The source queue and destination queue must be of the same queue type.")
        return destination

    def _named(self, parameter: str, arn: str) -> Any:
        if not _ARN.fullmatch(arn):
            raise invalid(
                f"You must use this format to specify the {parameter}: "
                "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
            )
        if (queue := self._sqs.queue_at(arn)) is None:
            raise not_found(f"The resource that you specified for the {parameter} parameter doesn't exist.")
        return queue


def _anew(message: Message) -> Message:
    """A dead letter as the new message that it becomes.

    .../SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    return Message(
        id=str(uuid.uuid4()),
        body=message.body,
        attributes=message.attributes,
        system=message.system,
        group_id=message.group_id,
        deduplication_id=message.deduplication_id,
    )


def _read(handle: str) -> tuple[str, str]:
    try:
        told = json.loads(base64.b64decode(handle, validate=True))
        return str(told["taskId"]), str(told["sourceArn"])
    except (binascii.Error, ValueError, TypeError, KeyError, RecursionError):
        raise invalid("Value for parameter TaskHandle is invalid.") from None
