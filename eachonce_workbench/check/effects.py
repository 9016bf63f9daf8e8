"""A rule for effects: an event is marked before them, or with them, and not afterwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from eachonce_workbench.check.code import codes
from eachonce_workbench.check.feeds import Feeds
from eachonce_workbench.check.syntax import argument, called, calls, text
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule

# Calls of boto3's that have their effect again each time that they are made.
_EFFECTS = frozenset(
    {
        "invoke",
        "publish",
        "put_events",
        "put_record",
        "put_records",
        "send_bulk_email",
        "send_email",
        "send_message",
        "send_message_batch",
        "send_raw_email",
        "send_templated_email",
    }
)
_NAMED = frozenset({"MessageDeduplicationId", "ClientToken", "ClientRequestToken"})


def unmarked_effects(resources: Resources) -> Iterator[Breach]:
    """Give effects that come before the mark which says that the event was handled."""
    feeds = Feeds(resources)
    for code in codes(resources):
        if feeds.again(code.function):
            for module in code.modules:
                for definition in module.definitions():
                    for effect in _too_early(definition):
                        what = f"{called(effect)} comes before the mark that the event is done"
                        yield code.breach(module, effect, what)


def _too_early(definition: ast.AST) -> Iterator[ast.Call]:
    for block in _blocks(definition):
        for place, statement in enumerate(block):
            effect = _effect(statement)
            if effect is not None and _is_marked_after(block[:place], block[place + 1 :]):
                yield effect


def _blocks(node: ast.AST) -> Iterator[Sequence[ast.stmt]]:
    for each in ast.walk(node):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(each, name, None)
            if isinstance(block, list) and not (each is not node and isinstance(each, ast.FunctionDef)):
                yield block


def _effect(statement: ast.stmt) -> ast.Call | None:
    """Return the effect that a statement has for sure."""
    if not isinstance(statement, ast.Expr | ast.Assign):
        return None
    return next(
        (
            each
            for each in calls(statement, *_EFFECTS)
            if isinstance(each.func, ast.Attribute) and _NAMED.isdisjoint(part.arg for part in each.keywords)
        ),
        None,
    )


def _is_marked_after(before: Sequence[ast.stmt], after: Sequence[ast.stmt]) -> bool:
    """Whether a put follows that is refused if the item is there, or one of an item that was looked for before."""
    puts = [
        call for each in after if isinstance(each, ast.Expr | ast.Assign | ast.Try) for call in calls(each, "put_item")
    ]
    if any("attribute_not_exists" in text(argument(call, "ConditionExpression")) for call in puts):
        return True
    looked = {_receiver(call) for each in before for call in calls(each, "get_item")}
    guarded = any(isinstance(each, ast.If) and isinstance(each.body[-1], ast.Return | ast.Continue) for each in before)
    return guarded and any(_receiver(call) in looked for call in puts)


def _receiver(call: ast.Call) -> str:
    """Return what a call is made on, and the table that it names."""
    table = argument(call, "TableName")
    on = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    return on if table is None else f"{on} {ast.unparse(table)}"


RULES = (
    Rule(
        id="unmarked-effect",
        number=33,
        reason="a function that ends between the two, or another one beside it, has the effect twice",
        mend="claim the event first, by a put with attribute_not_exists, and have the effect under a key of its own",
        link="https://docs.aws.amazon.com/lambda/latest/dg/concepts-event-driven-architectures.html",
        breaches=unmarked_effects,
    ),
)
