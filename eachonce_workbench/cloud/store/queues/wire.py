"""SQS's operations over the wire, in both of its protocols: JSON, and the older query protocol.

moto finds the operation, reads the query protocol's parameters and writes the answers.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlparse

from moto.core.request import Request, determine_request_protocol
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import get_service_model
from moto.sqs.exceptions import InvalidAttributeName, MissingParameter, SQSException
from moto.sqs.responses import SQSResponse

from eachonce_workbench.cloud.store.queues import attributes, batch, reading, settings
from eachonce_workbench.cloud.store.queues.attributes import Attributes
from eachonce_workbench.cloud.store.queues.batch import Entry
from eachonce_workbench.cloud.store.queues.limits import check_id
from eachonce_workbench.cloud.store.queues.message import SYSTEM_ATTRIBUTES, Message
from eachonce_workbench.cloud.store.queues.messages import MAX_VISIBILITY_SECONDS
from eachonce_workbench.cloud.store.queues.refusals import invalid, invalid_value, outside
from eachonce_workbench.cloud.store.queues.sqs import MAX_IN_FLIGHT, Sqs, settings_of

_MAX_LISTED = 1000
_MAX_RECEIVED = 10
_MAX_WAIT_SECONDS = 20

_PLACE = re.compile("[0-9]{1,6}")

# The names of the movement tasks' answers in the query protocol, of which moto's model knows nothing.
_MISNAMED = (
    ("MessageMoveTaskResultResult>", "MessageMoveTaskResult>"),
    ("MessageMoveTasksResultResult>", "MessageMoveTasksResult>"),
    ("<Results>", "<ListMessageMoveTasksResultEntry>"),
    ("</Results>", "</ListMessageMoveTasksResultEntry>"),
)


class SqsResponse(SQSResponse):
    """One request, and its answer."""

    @property
    def _sqs(self) -> Sqs:
        backend = self.sqs_backend
        assert isinstance(backend, Sqs)  # noqa: S101 - the store put it there
        return backend

    def _dispatch(self, request: Request, full_url: str | None = None, headers: Any = None) -> Any:
        try:
            self.setup_class(request, full_url, headers)
        except SQSException as refusal:
            return self.serialized(ActionResult(refusal))
        except UnicodeDecodeError as error:
            raise reading.misshapen("The request is not UTF-8.") from error
        return self.call_action()

    def parse_parameters(self, request: Request) -> None:
        """Read what the operation is asked to do."""
        model = get_service_model("sqs")
        shape = model.operation_model(self._get_action()).input_shape
        if determine_request_protocol(model, request.content_type) == "json":
            self.params = reading.parameters(shape, request.data)
            return
        try:
            super().parse_parameters(request)
        except ValueError:
            raise invalid("A parameter has a value of another type.") from None

    def serialized(self, action_result: ActionResult) -> Any:
        """An answer in the request's protocol, as SQS writes it where moto's model of SQS has a gap."""
        status, headers, body = super().serialized(action_result)
        refusal = action_result.result
        if isinstance(refusal, SQSException) and refusal.code == "ResourceNotFoundException":
            status = 404
        if isinstance(body, str) and body.startswith("<"):
            for written, meant in _MISNAMED:
                body = body.replace(written, meant)
        return status, headers, body

    def _determine_resource(self) -> str:
        return "*"  # no policy is enforced

    def _get_queue_name(self) -> str:
        url = self._get_param("QueueUrl")
        name: str = (self.path if url is None else url).rpartition("/")[2]
        if not name and url is None:
            raise MissingParameter("QueueUrl")
        return name

    def create_queue(self) -> Any:
        """CreateQueue."""
        self._required("QueueName")
        return super().create_queue()

    def list_queues(self) -> Any:
        """ListQueues."""
        queues = self._sqs.list_queues(self._get_param("QueueNamePrefix"))
        return self._page("QueueUrls", queues) if queues else EmptyResult()

    def list_dead_letter_source_queues(self) -> Any:
        """ListDeadLetterSourceQueues."""
        return self._page("queueUrls", self._sqs.list_dead_letter_source_queues(self._get_queue_name()))

    def set_queue_attributes(self) -> Any:
        """SetQueueAttributes."""
        self._sqs.set_queue_attributes(self._get_queue_name(), self._required("Attributes"))
        return EmptyResult()

    def tag_queue(self) -> Any:
        """TagQueue."""
        self._sqs.tag_queue(self._get_queue_name(), self._required("Tags"))
        return EmptyResult()

    def send_message(self) -> Any:
        """SendMessage."""
        name = self._get_queue_name()
        return ActionResult(self._sent(name, self.params))

    def send_message_batch(self) -> Any:
        """SendMessageBatch."""
        name, entries = self._batch("SendMessage")
        batch.check_messages(entries, self._sqs.get_queue(name))
        return ActionResult(batch.each(entries, lambda entry: self._sent(name, entry)))

    def receive_message(self) -> Any:
        """ReceiveMessage, which never waits here."""
        name = self._get_queue_name()
        queue = settings_of(self._sqs.get_queue(name))
        limit = self._get_param("MaxNumberOfMessages", 1)
        if not 1 <= limit <= _MAX_RECEIVED:
            raise invalid_value("MaxNumberOfMessages", limit, "Must be between 1 and 10, if provided.")
        wait = self._number("WaitTimeSeconds", queue.receive_message_wait_time_seconds, 0, _MAX_WAIT_SECONDS)
        visibility = self._number("VisibilityTimeout", queue.visibility_timeout, 0, MAX_VISIBILITY_SECONDS)
        check_id("ReceiveRequestAttemptId", self._get_param("ReceiveRequestAttemptId"))
        wanted = self._system_names()
        if not wait and not queue.fifo_queue and self._sqs.depth(name).in_flight >= MAX_IN_FLIGHT:
            raise SQSException("OverLimit", f"The queue has {MAX_IN_FLIGHT} messages in flight, as many as it may.")
        received = self._sqs.take(name, limit, visibility)
        names = self._get_param("MessageAttributeNames", [])
        messages = [_received(message, wanted, names) for message in received]
        return ActionResult({"Messages": messages} if messages else {})

    def delete_message(self) -> Any:
        """DeleteMessage."""
        self._delete(self._get_queue_name(), self.params)
        return EmptyResult()

    def delete_message_batch(self) -> Any:
        """DeleteMessageBatch."""
        name, entries = self._batch("DeleteMessage")
        return ActionResult(batch.each(entries, lambda entry: self._delete(name, entry)))

    def change_message_visibility(self) -> Any:
        """ChangeMessageVisibility."""
        self._change(self._get_queue_name(), self.params)
        return EmptyResult()

    def change_message_visibility_batch(self) -> Any:
        """ChangeMessageVisibilityBatch."""
        name, entries = self._batch("ChangeMessageVisibility")
        return ActionResult(batch.each(entries, lambda entry: self._change(name, entry)))

    def start_message_move_task(self) -> Any:
        """StartMessageMoveTask."""
        move = self._sqs.moves.start(
            self._required("SourceArn"),
            self._get_param("DestinationArn"),
            self._get_param("MaxNumberOfMessagesPerSecond"),
            time.time(),
        )
        return ActionResult({"TaskHandle": move.handle})

    def list_message_move_tasks(self) -> Any:
        """ListMessageMoveTasks."""
        limit = self._get_param("MaxResults", 1)
        moves = self._sqs.moves.recent(self._required("SourceArn"), limit, time.time())
        return ActionResult({"Results": [move.described() for move in moves]})

    def cancel_message_move_task(self) -> Any:
        """CancelMessageMoveTask."""
        move = self._sqs.moves.cancel(self._required("TaskHandle"), time.time())
        return ActionResult({"ApproximateNumberOfMessagesMoved": move.moved})

    def _sent(self, name: str, given: Entry) -> dict[str, Any]:
        sent_attributes = given.get("MessageAttributes") or {}
        system = given.get("MessageSystemAttributes") or {}
        body = given.get("MessageBody") or ""
        message = self._sqs.send(
            name,
            body,
            attributes=sent_attributes,
            system=system,
            delay_seconds=given.get("DelaySeconds"),
            deduplication_id=given.get("MessageDeduplicationId"),
            group_id=given.get("MessageGroupId"),
        )
        answer = {"MessageId": message.id, "MD5OfMessageBody": _md5(body)}
        if sent_attributes:
            answer["MD5OfMessageAttributes"] = attributes.digest(sent_attributes)
        if system:
            answer["MD5OfMessageSystemAttributes"] = attributes.digest(system)
        return answer | ({"SequenceNumber": str(message.sequence)} if message.sequence else {})

    def _delete(self, name: str, given: Entry) -> dict[str, Any]:
        self._sqs.delete(name, _of(given, "ReceiptHandle"))
        return {}

    def _change(self, name: str, given: Entry) -> dict[str, Any]:
        self._sqs.change_visibility(name, _of(given, "ReceiptHandle"), _of(given, "VisibilityTimeout"))
        return {}

    def _batch(self, action: str) -> tuple[str, list[Entry]]:
        name = self._get_queue_name()
        self._sqs.get_queue(name)
        entries: list[Entry] = self._get_param("Entries", [])
        batch.check(entries, action)
        return name, entries

    def _page(self, name: str, queues: Sequence[Any]) -> ActionResult:
        """A list of queues, in pages where a page's length is asked for; the token is where the next one begins."""
        limit = self._number("MaxResults", _MAX_LISTED, 1, _MAX_LISTED)
        token = self._get_param("NextToken", "0")
        if not _PLACE.fullmatch(token):
            raise invalid("Invalid or expired next token.")
        begins, ends = int(token), int(token) + limit
        at = urlparse(self.uri)
        answer: dict[str, Any] = {name: [queue.url(at) for queue in queues[begins:ends]]}
        if ends < len(queues) and self._get_param("MaxResults") is not None:
            answer["NextToken"] = str(ends)
        return ActionResult(answer)

    def _required(self, parameter: str) -> Any:
        return _of(self.params, parameter)

    def _number(self, parameter: str, otherwise: int, lowest: int, highest: int) -> int:
        number: int = self._get_param(parameter, otherwise)
        if not lowest <= number <= highest:
            raise outside(parameter, number, lowest, highest)
        return number

    def _system_names(self) -> set[str]:
        """The system attributes that a receive asks for, by the old parameter or by the new one.

        The old one takes the names of a queue's attributes, too, to no effect.
        """
        names = {*self._get_param("AttributeNames", []), *self._get_param("MessageSystemAttributeNames", [])}
        for name in names:
            if name != "All" and name not in SYSTEM_ATTRIBUTES and name not in settings.NAMES:
                raise InvalidAttributeName(name)
        return set(SYSTEM_ATTRIBUTES) if "All" in names else names


def _received(message: Message, wanted: Collection[str], names: Sequence[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": _md5(message.body),
        "Body": message.body,
    }
    if selected := _selected(message.attributes, names):
        answer |= {"MessageAttributes": selected, "MD5OfMessageAttributes": attributes.digest(selected)}
    if wanted:
        known = message.system_attributes()
        answer["Attributes"] = {name: value for name, value in known.items() if name in wanted}
    return answer


def _selected(held: Attributes, names: Sequence[str]) -> Attributes:
    """The attributes that a receive asks for: by name, by a beginning as `shop.*`, or `All` of them."""
    if not held or "All" in names:
        return held
    beginnings = tuple(name.removesuffix("*").removesuffix(".") for name in names if name.endswith(".*"))
    return {name: value for name, value in held.items() if name in names or name.startswith(beginnings)}


def _of(given: Entry, parameter: str) -> Any:
    if (value := given.get(parameter)) is None:
        raise MissingParameter(parameter)
    return value


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
