"""SQS's operations on messages: parameters in, a result out, whatever protocol they came by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from moto.sqs.exceptions import InvalidAttributeName, MissingParameter, SQSException

from eachonce_workbench.cloud.store.queues import attributes, batch, settings
from eachonce_workbench.cloud.store.queues.attributes import Attributes
from eachonce_workbench.cloud.store.queues.batch import Entry
from eachonce_workbench.cloud.store.queues.limits import check_id
from eachonce_workbench.cloud.store.queues.message import SYSTEM_ATTRIBUTES, Message
from eachonce_workbench.cloud.store.queues.messages import MAX_VISIBILITY_SECONDS
from eachonce_workbench.cloud.store.queues.refusals import invalid_value, outside
from eachonce_workbench.cloud.store.queues.sqs import MAX_IN_FLIGHT, Sqs, settings_of

Params = Mapping[str, Any]
Result = dict[str, Any]

_MAX_RECEIVED = 10
_MAX_WAIT_SECONDS = 20


class MessageOperations:
    """Sends, receives, deletes and hides the messages of one region's queues."""

    def __init__(self, sqs: Sqs) -> None:
        self._sqs = sqs
        self._operations: Mapping[str, Callable[[str, Params], Result]] = {
            "ChangeMessageVisibility": self._change,
            "ChangeMessageVisibilityBatch": self._change_batch,
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._delete_batch,
            "ReceiveMessage": self._receive,
            "SendMessage": self._sent,
            "SendMessageBatch": self._send_batch,
        }

    def answers(self, operation: str) -> bool:
        """Whether this is an operation on messages."""
        return operation in self._operations

    def answer(self, operation: str, params: Params, path: str) -> Result:
        """Perform an operation on the queue that its parameters name, or the URL's path.

        Raises `SQSException` as SQS would refuse it.
        """
        return self._operations[operation](queue_name(params, path), params)

    def _sent(self, name: str, given: Entry) -> Result:
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

    def _send_batch(self, name: str, params: Params) -> Result:
        entries = self._entries(name, params, "SendMessage")
        batch.check_messages(entries, self._sqs.get_queue(name))
        return batch.each(entries, lambda entry: self._sent(name, entry))

    def _receive(self, name: str, params: Params) -> Result:
        """Take what is visible now; waiting is for whoever asked."""
        queue = settings_of(self._sqs.get_queue(name))
        limit = params.get("MaxNumberOfMessages", 1)
        if not 1 <= limit <= _MAX_RECEIVED:
            raise invalid_value("MaxNumberOfMessages", limit, "Must be between 1 and 10, if provided.")
        wait = number(params, "WaitTimeSeconds", queue.receive_message_wait_time_seconds, 0, _MAX_WAIT_SECONDS)
        visibility = number(params, "VisibilityTimeout", queue.visibility_timeout, 0, MAX_VISIBILITY_SECONDS)
        check_id("ReceiveRequestAttemptId", params.get("ReceiveRequestAttemptId"))
        wanted = _system_names(params)
        if not wait and not queue.fifo_queue and self._sqs.depth(name).in_flight >= MAX_IN_FLIGHT:
            raise SQSException("OverLimit", f"The queue has {MAX_IN_FLIGHT} messages in flight, as many as it may.")
        received = self._sqs.take(name, limit, visibility)
        names = params.get("MessageAttributeNames", [])
        messages = [_received(message, wanted, names) for message in received]
        return {"Messages": messages} if messages else {}

    def _delete(self, name: str, given: Entry) -> Result:
        self._sqs.delete(name, required(given, "ReceiptHandle"))
        return {}

    def _delete_batch(self, name: str, params: Params) -> Result:
        entries = self._entries(name, params, "DeleteMessage")
        return batch.each(entries, lambda entry: self._delete(name, entry))

    def _change(self, name: str, given: Entry) -> Result:
        self._sqs.change_visibility(name, required(given, "ReceiptHandle"), required(given, "VisibilityTimeout"))
        return {}

    def _change_batch(self, name: str, params: Params) -> Result:
        entries = self._entries(name, params, "ChangeMessageVisibility")
        return batch.each(entries, lambda entry: self._change(name, entry))

    def _entries(self, name: str, params: Params, action: str) -> Sequence[Entry]:
        self._sqs.get_queue(name)
        entries: Sequence[Entry] = params.get("Entries", [])
        batch.check(entries, action)
        return entries


def queue_name(params: Params, path: str) -> str:
    """The queue that a request is about: its parameter's, or where there is none that of its own URL.

    Raises `SQSException` where neither names one.
    """
    url = params.get("QueueUrl")
    name: str = (path if url is None else url).rpartition("/")[2]
    if not name and url is None:
        raise MissingParameter("QueueUrl")
    return name


def required(given: Params, parameter: str) -> Any:
    """A parameter. Raises `SQSException` when it is missing."""
    if (value := given.get(parameter)) is None:
        raise MissingParameter(parameter)
    return value


def number(given: Params, parameter: str, otherwise: int, lowest: int, highest: int) -> int:
    """A number, or what it is otherwise. Raises `SQSException` when it is outside its limits."""
    value: int = given.get(parameter, otherwise)
    if not lowest <= value <= highest:
        raise outside(parameter, value, lowest, highest)
    return value


def _system_names(params: Params) -> set[str]:
    """The system attributes that a receive asks for, by the old parameter or by the new one.

    The old one takes the names of a queue's attributes, too, to no effect.
    """
    names = {*params.get("AttributeNames", ()), *params.get("MessageSystemAttributeNames", ())}
    for name in names:
        if name != "All" and name not in SYSTEM_ATTRIBUTES and name not in settings.NAMES:
            raise InvalidAttributeName(name)
    return set(SYSTEM_ATTRIBUTES) if "All" in names else names


def _received(message: Message, wanted: Collection[str], names: Sequence[str]) -> Result:
    answer: Result = {
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


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
