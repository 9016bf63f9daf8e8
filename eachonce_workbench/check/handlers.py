"""Rules for handlers: what Lambda is told of a batch."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from eachonce_workbench.check.code import Definition, codes
from eachonce_workbench.check.feeds import Feeds
from eachonce_workbench.check.mappings import REPORT
from eachonce_workbench.check.syntax import called, entries
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.statement import texts

_FAILURES = "batchItemFailures"
_ERRORS = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html"
_SAYS = frozenset({"print", "print_exc", "exception", "error", "warning", "warn", "info", "debug", "critical", "log"})
_ANY_ERROR = frozenset({"Exception", "BaseException"})


def asynchronous_handlers(resources: Resources) -> Iterator[Breach]:
    """Give handlers that are coroutines, which Lambda's runtime for Python doesn't wait for."""
    for code in codes(resources):
        if isinstance(code.handler, ast.AsyncFunctionDef) and not code.handler.decorator_list:
            yield code.breach(code.main, code.handler, f"{code.handler.name} is a coroutine, and nobody awaits it")


def swallowed_errors(resources: Resources) -> Iterator[Breach]:
    """Give handlers of batches that write a failure to the log, and say that all is done."""
    feeds = Feeds(resources)
    for code in codes(resources):
        if code.handler is not None and feeds.batches(code.function):
            for each in _swallowing(code.handler):
                yield code.breach(code.main, each, "an error of a record is caught, and the record counts as done")


def _swallowing(handler: Definition) -> Iterator[ast.ExceptHandler]:
    for loop in ast.walk(handler):
        if isinstance(loop, ast.For) and _is_over_records(loop) and isinstance(loop.body[-1], ast.Try):
            yield from _silent(loop.body[-1], ())
    for statement in handler.body:
        if isinstance(statement, ast.Try) and any(
            isinstance(each, ast.For) and _is_over_records(each) for part in statement.body for each in ast.walk(part)
        ):
            yield from _silent(statement, (ast.Return,))


def _is_over_records(loop: ast.For) -> bool:
    return any(isinstance(each, ast.Constant) and each.value == "Records" for each in ast.walk(loop.iter))


def _silent(attempt: ast.Try, also: tuple[type[ast.stmt], ...]) -> Iterator[ast.ExceptHandler]:
    """Give the handlers of any error that do nothing but say so, where nothing else is done about it afterwards."""
    for each in attempt.handlers:
        if _is_of_any(each) and not attempt.finalbody and all(_only_says(part, also) for part in each.body):
            yield each


def _is_of_any(handler: ast.ExceptHandler) -> bool:
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or (isinstance(each, ast.Name) and each.id in _ANY_ERROR) for each in named)


def _only_says(statement: ast.stmt, also: tuple[type[ast.stmt], ...]) -> bool:
    if isinstance(statement, ast.Return) and ast.Return in also:
        return _tells_nothing(statement.value)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) or called(statement.value) in _SAYS
    return isinstance(statement, ast.Pass | ast.Continue)


def _tells_nothing(value: ast.expr | None) -> bool:
    """Whether what is returned surely names no failures."""
    if isinstance(value, ast.Dict):
        return None not in value.keys and _FAILURES not in dict(entries(value))
    return value is None or isinstance(value, ast.Constant)


def unreported_failures(resources: Resources) -> Iterator[Breach]:
    """Give handlers whose mapping waits for the failures of a batch, and that never name one."""
    feeds = Feeds(resources)
    for code in codes(resources):
        waits = any(
            REPORT in texts(each.mapping.properties.get("FunctionResponseTypes"))
            for each in feeds.batches(code.function)
        )
        handler = code.handler
        if not waits or not isinstance(handler, ast.FunctionDef) or handler.decorator_list:
            continue
        if all(_tells_nothing(each.value) for each in _returns(handler.body)):
            yield code.breach(code.main, handler, f"{handler.name} never returns {_FAILURES}")


def _returns(body: Sequence[ast.AST]) -> Iterator[ast.Return]:
    """Give what a function returns, but not what functions within it do."""
    for each in body:
        if isinstance(each, ast.Return):
            yield each
        elif not isinstance(each, Definition | ast.Lambda | ast.ClassDef):
            yield from _returns(list(ast.iter_child_nodes(each)))


RULES = (
    Rule(
        id="asynchronous-handler",
        number=27,
        reason="Lambda calls the handler and gets a coroutine: its code never runs",
        mend="make the handler a plain def, which runs a coroutine by asyncio.run",
        link="https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html",
        breaches=asynchronous_handlers,
    ),
    Rule(
        id="swallowed-error",
        number=28,
        reason="what a handler doesn't raise and doesn't name as failed, Lambda deletes: the event is lost",
        mend=f"let the error go on, or collect the record's id for {_FAILURES}",
        link=_ERRORS,
        breaches=swallowed_errors,
    ),
    Rule(
        id="unreported-failures",
        number=29,
        reason="an answer without them says that all is done, and an error that the whole batch failed",
        mend=f"catch each record's error, and return {_FAILURES} with the ids of those that failed",
        link=_ERRORS,
        breaches=unreported_failures,
    ),
)
