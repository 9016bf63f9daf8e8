"""How AWS's services hand a message to each other: to a queue, a function, a topic or a bus, by its ARN."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.queues.queues import MessageRefusedError, QueueError, QueueMissing, Queues

After = Callable[[float, Callable[[], None]], Any]
"""Calls something in so many seconds."""

Start = Callable[[str, bytes], object]
"""Begins an invocation of the function with this ARN, without waiting for it; raises KeyError when there is none."""

PutEvents = Callable[[list[Mapping[str, Any]]], dict[str, Any]]
"""Publishes entries on buses, as PutEvents does."""


class Publish(Protocol):
    """Publishes a message on a topic; raises `AwsError` for what SNS would refuse."""

    def __call__(
        self,
        topic_arn: str,
        message: str,
        /,
        *,
        attributes: Mapping[str, str | int] | None = ...,
        group_id: str | None = ...,
        deduplication_id: str | None = ...,
    ) -> object:
        """Give the message's id."""
        ...


class UndeliverableError(Exception):
    """A message was not taken; `code` says why as EventBridge would, and `retriable` whether that may change."""

    def __init__(self, code: str, message: str, *, retriable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retriable = retriable


class Post:
    """Hands over at once, or not at all."""

    def __init__(
        self,
        queues: Queues,
        *,
        start: Start | None = None,
        publish: Publish | None = None,
        put_events: PutEvents | None = None,
    ) -> None:
        """Take the queues, and what reaches functions, topics and buses; one that isn't given has none."""
        self._queues = queues
        self._start = start
        self._publish = publish
        self._put_events = put_events

    def send(
        self,
        arn: str,
        body: str,
        *,
        attributes: Mapping[str, str | int] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        trace_header: str | None = None,
    ) -> str | None:
        """Hand a message to the queue, function or topic with this ARN. Raises UndeliverableError.

        Returns the id that a queue gave it.

        A queue's message carries its trace in X-Ray's form.
        """
        attributes = {} if attributes is None else attributes
        service = (arn.split(":") + [""] * 3)[2]
        try:
            if service == "sqs":
                return self._queues.send(
                    arn,
                    body,
                    attributes=attributes,
                    group_id=group_id,
                    deduplication_id=deduplication_id,
                    trace_header=trace_header,
                )
            if service == "lambda" and self._start is not None:
                self._start(arn, body.encode())
            elif service == "sns" and self._publish is not None:
                self._publish(arn, body, attributes=attributes, group_id=group_id, deduplication_id=deduplication_id)
            else:
                raise UndeliverableError("NO_RESOURCE", f"The target does not exist: {arn}")
        except (QueueMissing, KeyError) as error:
            # "... a target resource that no longer exists, no retry attempts will happen until action is taken"
            raise UndeliverableError("NO_RESOURCE", f"The target does not exist: {error}") from error
        except MessageRefusedError as error:
            raise UndeliverableError("INVALID_PARAMETER", str(error)) from error
        except QueueError as error:
            raise UndeliverableError(
                "CONNECTION_FAILURE", f"The target cannot be reached: {error}", retriable=True
            ) from error
        except AwsError as error:
            code = "NO_RESOURCE" if error.code == "NotFound" else "INVALID_PARAMETER"
            raise UndeliverableError(code, error.message) from error
        return None

    def put(self, entry: Mapping[str, Any]) -> None:
        """Publish an entry on a bus. Raises UndeliverableError."""
        if self._put_events is None:
            raise UndeliverableError("NO_RESOURCE", f"There is no bus {entry.get('EventBusName')}")
        try:
            (result,) = self._put_events([entry])["Entries"]
        except AwsError as error:
            raise UndeliverableError("INVALID_PARAMETER", error.message) from error
        if "ErrorCode" in result:
            raise UndeliverableError("INVALID_PARAMETER", result["ErrorMessage"])
