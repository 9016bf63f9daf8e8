"""What must fit together in a function, and where what it could not do may go."""

from __future__ import annotations

import re
from collections.abc import Iterator

from eachonce_workbench.template.intrinsics import Unresolved, text
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.system import Resource, System, is_fifo

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_MOST_VARIABLES_BYTES = 4_096
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)


def misfits(function: Resource, _system: System) -> Iterator[Unresolved]:
    """Give what AWS would refuse."""
    properties = function.properties
    yield from _variables(properties.group("Environment").group("Variables"))
    # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    yield from _standard(properties.group("DeadLetterConfig"), "TargetArn")


def misfits_of_destinations(config: Resource, _system: System) -> Iterator[Unresolved]:
    """Give what AWS would refuse of an EventInvokeConfig."""
    destinations = config.properties.group("DestinationConfig")
    for name in ("OnFailure", "OnSuccess"):
        yield from _standard(destinations.group(name), "Destination")


def _standard(properties: Properties, name: str) -> Iterator[Unresolved]:
    if is_fifo(properties.optional_text(name) or ""):
        yield Unresolved(properties.at(name), f"{name} is a standard queue, not a FIFO queue")


def _variables(variables: Properties) -> Iterator[Unresolved]:
    for name in variables.values:
        if name in _RESERVED:
            yield Unresolved(variables.at(name), f"the variable {name} is Lambda's own")
        elif not _VARIABLE.fullmatch(name):
            yield Unresolved(
                variables.at(name),
                f"a variable's name is a letter, then letters, digits and underscores; {name!r} isn't",
            )
    texts = [(name, text(value, variables.at(name))) for name, value in variables.values.items()]
    size_bytes = sum(len(name.encode()) + len(value.encode()) for name, value in texts)
    if size_bytes > _MOST_VARIABLES_BYTES:
        yield Unresolved(
            variables.where, f"Variables have {_MOST_VARIABLES_BYTES} bytes at most, names and values, not {size_bytes}"
        )
