"""Rules for idempotency keys: by what an event is known again, and for how long."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from eachonce_workbench.check.code import Module, codes
from eachonce_workbench.check.deliveries import queue
from eachonce_workbench.check.feeds import Feeds
from eachonce_workbench.check.queues import retention_seconds
from eachonce_workbench.check.reading import group, groups
from eachonce_workbench.check.syntax import argument, assigned, called, calls, entries, names_message, text, whole
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.declared import Declared

_IDEMPOTENCY = "https://docs.aws.amazon.com/lambda/latest/dg/powertools-for-lambda.html"
_AT_LEAST_ONCE = "https://docs.aws.amazon.com/lambda/latest/dg/concepts-event-driven-architectures.html"
# https://docs.powertools.aws.dev/lambda/python/latest/utilities/idempotency/, "expires_after_seconds"
_EXPIRES_SECONDS = 3_600
_UNLIKE = frozenset({"uuid1", "uuid4", "token_hex", "token_urlsafe", "getrandbits"})
_EVENT_ID = "id"


def delivery_keys(resources: Resources) -> Iterator[Breach]:
    """Give idempotency keys that are of one delivery: SQS's id of a message, EventBridge's of an event."""
    feeds = Feeds(resources)
    for code in codes(resources):
        queued = any(feeds.mappings(code.function, "sqs"))
        ruled = feeds.by_rule(code.function)
        for module in code.modules:
            for call in calls(module.tree, "IdempotencyConfig"):
                key = text(argument(call, "event_key_jmespath"))
                if queued and "messageId" in key:
                    yield code.breach(module, call, "the key is the messageId, which each copy has another one of")
                if ruled and _EVENT_ID in re.split(r"[\[\], ]+", key):
                    yield code.breach(module, call, "the key is EventBridge's id, which each copy has another one of")
            if queued:
                yield from (
                    code.breach(module, call, "the key is the messageId, which each copy has another one of")
                    for call in _marks_of_messages(module)
                )


def _marks_of_messages(module: Module) -> Iterator[ast.Call]:
    """Give the conditional puts of items that are known by a message's id."""
    for definition in module.definitions():
        for call in calls(definition, "put_item"):
            first = text(argument(call, "ConditionExpression"))
            named = re.findall(r"attribute_not_exists\s*\(\s*([\w]+)", first)
            for name, value in entries(argument(call, "Item")):
                if name in named and names_message(value, definition):
                    yield call


def random_keys(resources: Resources) -> Iterator[Breach]:
    """Give items of a table that are put under another key each time that the event comes."""
    feeds, keys = Feeds(resources), set(_table_keys(resources))
    for code in codes(resources):
        if feeds.again(code.function) and not any("idempoten" in each.text.lower() for each in code.modules):
            for module in code.modules:
                yield from (
                    code.breach(module, call, f"the item's {name} is drawn by chance")
                    for call, name in _drawn(module, keys)
                )


def _drawn(module: Module, keys: set[str]) -> Iterator[tuple[ast.Call, str]]:
    for definition in module.definitions():
        for call in calls(definition, "put_item"):
            for name, value in entries(argument(call, "Item")):
                origin = assigned(definition, value.id) if isinstance(value, ast.Name) else value
                if name in keys and origin is not None and any(called(each) in _UNLIKE for each in ast.walk(origin)):
                    yield call, name


def _table_keys(resources: Resources) -> Iterator[str]:
    for table in resources.of_type("AWS::DynamoDB::Table"):
        yield from (str(each.get("AttributeName")) for each in groups(table.properties.get("KeySchema")))


def short_memories(resources: Resources) -> Iterator[Breach]:
    """Give idempotency records that are forgotten while their message may still come again."""
    feeds = Feeds(resources)
    for code in codes(resources):
        lives = [_horizon_seconds(resources, each.queue) for each in feeds.mappings(code.function, "sqs") if each.queue]
        horizon = max((each for each in lives if each is not None), default=None)
        if horizon is None:
            continue
        for module in code.modules:
            for call, kept in _memories(module):
                if kept < horizon:
                    what = f"its records live for {kept} s, and a message for up to {horizon} s"
                    yield code.breach(module, call, what)


def _horizon_seconds(resources: Resources, queue_: Declared) -> int | None:
    """Return how long a message may be there: in its queue, and in the dead-letter queue that it is sent back from."""
    end = queue(resources, group(queue_.properties, "RedrivePolicy").get("deadLetterTargetArn"))
    kept, after = retention_seconds(queue_), 0 if end is None else retention_seconds(end)
    return None if kept is None else kept + (after or 0)


def _memories(module: Module) -> Iterator[tuple[ast.Call, int]]:
    """Give the places where Powertools is told how long a record lives, or is left to its own hour."""
    for call in calls(module.tree, "IdempotencyConfig"):
        given = argument(call, "expires_after_seconds")
        seconds = _EXPIRES_SECONDS if given is None else whole(given)
        if seconds is None and isinstance(given, ast.Name):
            seconds = whole(assigned(module.tree, given.id))
        if seconds is not None and not any(each.arg is None for each in call.keywords):
            yield call, seconds
    for call in calls(module.tree, "idempotent", "idempotent_function"):
        if argument(call, "config") is None and argument(call, "persistence_store") is not None:
            yield call, _EXPIRES_SECONDS


RULES = (
    Rule(
        id="delivery-key",
        number=30,
        reason="an event that is sent again, from a dead-letter queue or by its publisher, has another id",
        mend="take a key from what the event says, such as an order's number, or an id that its publisher gives it",
        link=_IDEMPOTENCY,
        breaches=delivery_keys,
    ),
    Rule(
        id="random-key",
        number=31,
        reason="an event that comes again makes another item",
        mend="make the key of what the event says, and put it if it isn't there",
        link=_AT_LEAST_ONCE,
        breaches=random_keys,
    ),
    Rule(
        id="short-memory",
        number=32,
        reason="a message that comes when its record is gone is done again",
        mend="let records live as long as a message can: in its queue and, when it is sent back, in the one behind it",
        link=_IDEMPOTENCY,
        breaches=short_memories,
    ),
)
