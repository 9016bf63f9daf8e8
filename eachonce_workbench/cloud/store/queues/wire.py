"""SQS's operations over the wire, in both of its protocols: JSON, and the older query protocol.

moto finds the operation, reads the query protocol's parameters and writes the answers. Operations on messages come
here by the query protocol alone: JSON has a shorter way, `json_protocol.py`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlparse

from moto.core.request import Request, determine_request_protocol
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import get_service_model
from moto.sqs.exceptions import SQSException
from moto.sqs.responses import SQSResponse

from eachonce_workbench.cloud.store.queues import reading
from eachonce_workbench.cloud.store.queues.message_operations import MessageOperations, number, queue_name, required
from eachonce_workbench.cloud.store.queues.refusals import invalid
from eachonce_workbench.cloud.store.queues.sqs import Sqs

_MAX_LISTED = 1000

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
        return queue_name(self.params, self.path)

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
        return self._answered("SendMessage")

    def send_message_batch(self) -> Any:
        """SendMessageBatch."""
        return self._answered("SendMessageBatch")

    def receive_message(self) -> Any:
        """ReceiveMessage, which never waits here."""
        return self._answered("ReceiveMessage")

    def delete_message(self) -> Any:
        """DeleteMessage."""
        return self._answered("DeleteMessage")

    def delete_message_batch(self) -> Any:
        """DeleteMessageBatch."""
        return self._answered("DeleteMessageBatch")

    def change_message_visibility(self) -> Any:
        """ChangeMessageVisibility."""
        return self._answered("ChangeMessageVisibility")

    def change_message_visibility_batch(self) -> Any:
        """ChangeMessageVisibilityBatch."""
        return self._answered("ChangeMessageVisibilityBatch")

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

    def _answered(self, operation: str) -> ActionResult:
        return ActionResult(MessageOperations(self._sqs).answer(operation, self.params, self.path))

    def _page(self, name: str, queues: Sequence[Any]) -> ActionResult:
        """A list of queues, in pages where a page's length is asked for; the token is where the next one begins."""
        limit = number(self.params, "MaxResults", _MAX_LISTED, 1, _MAX_LISTED)
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
        return required(self.params, parameter)
