"""The cases of SQS: calls about a queue, of which the last is asked for its answer, or the first that is refused.

`Queue` says which of a case's queues, and a text `@1` is the receipt of the first message that call 1 has received.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.stores.cases import Call

QUEUES: Mapping[str, Mapping[str, str]] = {
    "plain": {"VisibilityTimeout": "30"},
    "groups.fifo": {"FifoQueue": "true"},
    "contents.fifo": {"FifoQueue": "true", "ContentBasedDeduplication": "true"},
}
"""The queues of each case, with their attributes."""

_PLAIN, _GROUPS, _CONTENTS = ({"Queue": name} for name in QUEUES)
_FOR_ALL = {"MaxNumberOfMessages": 10}


def _send(body: str = "a", queue: Mapping[str, str] = _PLAIN, **more: Any) -> Call:
    return "SendMessage", {**queue, "MessageBody": body, **more}


def _in_group(body: str, group: str = "g", name: str | None = None, queue: Mapping[str, str] = _GROUPS) -> Call:
    return _send(body, queue, MessageGroupId=group, MessageDeduplicationId=body if name is None else name)


def _receive(queue: Mapping[str, str] = _PLAIN, **more: Any) -> Call:
    return "ReceiveMessage", {**queue, **_FOR_ALL, **more}


def _delete(receipt: str, queue: Mapping[str, str] = _PLAIN) -> Call:
    return "DeleteMessage", {**queue, "ReceiptHandle": receipt}


def _hide(receipt: str, seconds: Any, queue: Mapping[str, str] = _PLAIN) -> Call:
    return "ChangeMessageVisibility", {**queue, "ReceiptHandle": receipt, "VisibilityTimeout": seconds}


def _sends(*entries: Mapping[str, Any], queue: Mapping[str, str] = _PLAIN) -> Call:
    return "SendMessageBatch", {**queue, "Entries": list(entries)}


def _entry(name: str, body: str = "a", **more: Any) -> dict[str, Any]:
    return {"Id": name, "MessageBody": body, **more}


def _attribute(kind: str, **value: str) -> dict[str, Any]:
    return {"MessageAttributes": {"n": {"DataType": kind, **value}}}


def _cases() -> Iterator[tuple[str, Sequence[Call]]]:
    yield "send and receive", [_send("ü\n"), _receive()]
    yield "receive nothing", [_receive()]
    yield "send no body", [("SendMessage", dict(_PLAIN))]
    yield "send an empty body", [_send("")]
    yield "send a body of 1 MiB", [_send("x" * 1024 * 1024)]
    yield "send a body of more than 1 MiB", [_send("x" * (1024 * 1024 + 1))]
    yield "send a character that XML lacks", [_send("\x00")]
    yield "send with a delay of 900", [_send(DelaySeconds=900), _receive()]
    yield "send with a delay of 901", [_send(DelaySeconds=901)]
    yield "send with a delay of -1", [_send(DelaySeconds=-1)]
    yield "send into no queue", [("SendMessage", {"Queue": "none", "MessageBody": "a"})]
    yield "send an attribute", [_send(**_attribute("String", StringValue="x")), _receive(MessageAttributeNames=["All"])]
    yield "send a number", [_send(**_attribute("Number", StringValue="1.5")), _receive(MessageAttributeNames=["n"])]
    yield "send an attribute that is not asked for", [_send(**_attribute("String", StringValue="x")), _receive()]
    yield "send a number that is none", [_send(**_attribute("Number", StringValue="x"))]
    yield "send an attribute of another type", [_send(**_attribute("Truth", StringValue="x"))]
    yield "send an attribute without a value", [_send(**_attribute("String"))]
    yield "send an empty attribute", [_send(**_attribute("String", StringValue=""))]
    yield (
        "send 11 attributes",
        [_send(MessageAttributes={f"n{place}": {"DataType": "String", "StringValue": "x"} for place in range(11)})],
    )
    yield (
        "send an attribute of AWS's name",
        [_send(MessageAttributes={"AWS.n": {"DataType": "String", "StringValue": "x"}})],
    )
    for many in (0, 1, 10, 11):
        yield f"receive {many}", [_sends(_entry("1"), _entry("2")), _receive(MaxNumberOfMessages=many)]
    for seconds in (-1, 21):
        yield f"wait {seconds}", [_receive(WaitTimeSeconds=seconds)]
    for seconds in (-1, 43_200, 43_201):
        yield f"receive for {seconds}", [_send(), _receive(VisibilityTimeout=seconds)]
    yield "receive again what is hidden", [_send(), _receive(), _receive()]
    counted: dict[str, Any] = {"AttributeNames": ["ApproximateReceiveCount"]}
    yield "receive again what is shown", [_send(), _receive(VisibilityTimeout=0), _receive(**counted)]
    yield "show what is hidden", [_send(), _receive(), _hide("@1", 0), _receive(**counted)]
    yield "delete", [_send(), _receive(VisibilityTimeout=0), _delete("@1"), _receive()]
    yield "delete twice", [_send(), _receive(), _delete("@1"), _delete("@1")]
    yield "delete by an older receipt", [_send(), _receive(VisibilityTimeout=0), _receive(), _delete("@1"), _receive()]
    yield "delete by no receipt", [_delete("nothing")]
    yield "delete without a receipt", [("DeleteMessage", dict(_PLAIN))]
    for hidden in (-1, 43_100, 43_201, "x"):
        yield f"hide for {hidden}", [_send(), _receive(), _hide("@1", hidden)]
    yield "hide what is deleted", [_send(), _receive(), _delete("@1"), _hide("@1", 10)]
    yield "hide what is not received", [_send(), _receive(VisibilityTimeout=0), _hide("@1", 10)]
    yield "hide by no receipt", [_hide("nothing", 10)]
    yield "purge", [_send(), ("PurgeQueue", dict(_PLAIN)), _receive()]
    yield from _batches()
    yield from _in_order()


def _batches() -> Iterator[tuple[str, Sequence[Call]]]:
    yield "send a batch", [_sends(_entry("1", "a"), _entry("2", "b"))]
    yield "send a batch of 10", [_sends(*[_entry(str(place)) for place in range(10)])]
    yield "send a batch of 11", [_sends(*[_entry(str(place)) for place in range(11)])]
    yield "send a batch of none", [_sends()]
    yield "send a batch with a name twice", [_sends(_entry("1"), _entry("1"))]
    yield "send a batch with a name that is none", [_sends(_entry("a b"))]
    yield "send a batch with a name of 81", [_sends(_entry("x" * 81))]
    yield "send a batch of more than 1 MiB", [_sends(*[_entry(str(n), "x" * 600 * 1024) for n in range(2)])]
    yield "send a batch with an odd one", [_sends(_entry("1"), _entry("2", "\x00"))]
    yield "send a batch with an empty one", [_sends(_entry("1"), _entry("2", ""))]
    yield "send a batch with a late one", [_sends(_entry("1"), _entry("2", DelaySeconds=901))]
    entries = [{"Id": "1", "ReceiptHandle": "@1"}, {"Id": "2", "ReceiptHandle": "nothing"}]
    yield "delete a batch", [_send(), _receive(), ("DeleteMessageBatch", {**_PLAIN, "Entries": entries})]
    shown = [{**entry, "VisibilityTimeout": 0} for entry in entries]
    yield "show a batch", [_send(), _receive(), ("ChangeMessageVisibilityBatch", {**_PLAIN, "Entries": shown})]
    late = [{**entries[0], "VisibilityTimeout": 43_201}]
    yield "hide a batch for long", [_send(), _receive(), ("ChangeMessageVisibilityBatch", {**_PLAIN, "Entries": late})]
    yield "delete a batch of none", [("DeleteMessageBatch", {**_PLAIN, "Entries": []})]
    yield "delete a batch with a name twice", [("DeleteMessageBatch", {**_PLAIN, "Entries": [entries[1], entries[1]]})]


def _in_order() -> Iterator[tuple[str, Sequence[Call]]]:
    yield "a group in order", [_in_group("1"), _in_group("2"), _receive(_GROUPS)]
    yield (
        "a group that is held",
        [_in_group("1"), _in_group("2"), _receive(_GROUPS, MaxNumberOfMessages=1), _receive(_GROUPS)],
    )
    yield (
        "another group beside one that is held",
        [
            *[_in_group("1"), _in_group("2", "h"), _receive(_GROUPS, MaxNumberOfMessages=1)],
            _receive(_GROUPS),
        ],
    )
    yield (
        "a group that goes on",
        [
            *[_in_group("1"), _in_group("2"), _receive(_GROUPS, MaxNumberOfMessages=1), _delete("@2", _GROUPS)],
            _receive(_GROUPS),
        ],
    )
    yield (
        "a group that is shown again",
        [
            *[_in_group("1"), _in_group("2"), _receive(_GROUPS, MaxNumberOfMessages=1), _hide("@2", 0, _GROUPS)],
            _receive(_GROUPS),
        ],
    )
    yield "a copy by its name", [_in_group("1", name="n"), _in_group("2", name="n"), _receive(_GROUPS)]
    yield "a copy in another group", [_in_group("1", name="n"), _in_group("2", "h", name="n"), _receive(_GROUPS)]
    yield (
        "a copy of what is deleted",
        [
            *[_in_group("1"), _receive(_GROUPS), _delete("@1", _GROUPS), _in_group("1")],
            _receive(_GROUPS),
        ],
    )
    content: dict[str, Any] = {"queue": _CONTENTS, "MessageGroupId": "g"}
    yield (
        "a copy by its content",
        [_send("1", **content), _send("1", **content), _send("2", **content), _receive(_CONTENTS)],
    )
    named: dict[str, Any] = {**content, "MessageDeduplicationId": "other"}
    yield "a copy by its content under a name", [_send("1", **content), _send("1", **named), _receive(_CONTENTS)]
    yield "in order without a group", [_send("1", _GROUPS, MessageDeduplicationId="n")]
    yield "in order without a name", [_send("1", _GROUPS, MessageGroupId="g")]
    yield "in order with a delay", [_send("1", _GROUPS, MessageGroupId="g", MessageDeduplicationId="n", DelaySeconds=5)]
    yield "in order with a group of 129", [_in_group("1", "g" * 129)]
    yield "in order with a group with a space", [_in_group("1", "g g")]
    yield "a name in a queue without an order", [_send(MessageDeduplicationId="n")]
    yield (
        "a group in a queue without an order",
        [_send(MessageGroupId="g"), _receive(AttributeNames=["MessageGroupId"])],
    )
    entries = [_entry("1", "1", MessageGroupId="g", MessageDeduplicationId="1"), _entry("2", "2", MessageGroupId="g")]
    yield "a batch in order with one without a name", [_sends(*entries, queue=_GROUPS)]


QUEUE_CASES: Mapping[str, Sequence[Call]] = dict(_cases())
"""By name: the calls, in order."""
