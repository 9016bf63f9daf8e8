"""Rules for queues that bring events to functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from eachonce_workbench.check.deliveries import Mapped, mapped
from eachonce_workbench.check.reading import group, is_known, number
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.statement import texts

REPORT = "ReportBatchItemFailures"
_CONFIGURING = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"
_SCALING = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_TIMEOUTS = 6
_FEWEST_RECEPTIONS = 5
# Lambda's default, https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
_TIMEOUT_SECONDS = 3
# SQS's default, https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
_VISIBILITY_SECONDS = 30


def reports(mapping: Declared) -> bool:
    """Whether a mapping lets its function say which messages failed."""
    return not is_known(mapping, "FunctionResponseTypes") or REPORT in texts(
        mapping.properties.get("FunctionResponseTypes")
    )


def whole_batches(resources: Resources) -> Iterator[Breach]:
    """Give mappings of queues whose function fails all of a batch or nothing; a batch of one is both."""
    for each in mapped(resources, "sqs"):
        if not reports(each.mapping) and number(each.mapping, 10, "BatchSize") != 1:
            yield Breach(by=each.mapping, what="one message that fails brings its whole batch again")


def short_visibility(resources: Resources) -> Iterator[Breach]:
    """Give queues whose messages come back while they may still be worked on, or held back."""
    for each in mapped(resources, "sqs"):
        if each.queue is None or each.function is None:
            continue
        visible = number(each.queue, _VISIBILITY_SECONDS, "VisibilityTimeout")
        timeout = number(each.function, _TIMEOUT_SECONDS, "Timeout")
        window = number(each.mapping, 0, "MaximumBatchingWindowInSeconds")
        if visible is not None and timeout is not None and window is not None:
            least = _TIMEOUTS * timeout + window
            if visible < least:
                yield Breach(by=each.queue, what=f"VisibilityTimeout is {visible} s, less than {_advised(each, least)}")


def _advised(each: Mapped, least: int) -> str:
    name = "" if each.function is None else each.function.source
    return f"{least} s: six times the timeout of {name}, and the batching window"


def few_receptions(resources: Resources) -> Iterator[Breach]:
    """Give queues that give a message up after receptions that may all have been throttled."""
    for each in mapped(resources, "sqs"):
        if each.queue is not None and is_known(each.queue, "RedrivePolicy"):
            most = number(each.queue, _FEWEST_RECEPTIONS, "RedrivePolicy", "maxReceiveCount")
            if most is not None and most < _FEWEST_RECEPTIONS:
                yield Breach(by=each.queue, what=f"maxReceiveCount is {most}, less than {_FEWEST_RECEPTIONS}")


def above_the_reserve(resources: Resources) -> Iterator[Breach]:
    """Give mappings that together may ask for more invocations at once than their function has reserved."""
    for function, mappings in _of_reserved(resources):
        reserved = number(function, 0, "ReservedConcurrentExecutions")
        limits = [number(each.mapping, 0, "ScalingConfig", "MaximumConcurrency") for each in mappings]
        known = [each for each in limits if each]
        if reserved is not None and len(known) == len(limits) and sum(known) > reserved:
            what = f"MaximumConcurrency is {sum(known)}, and {function.source} has reserved {reserved}"
            yield from (Breach(by=each.mapping, what=what) for each in mappings)


def throttled_by_the_reserve(resources: Resources) -> Iterator[Breach]:
    """Give mappings that nothing but their function's reserved concurrency holds back."""
    for function, mappings in _of_reserved(resources):
        reserved = number(function, 0, "ReservedConcurrentExecutions")
        for each in mappings:
            if is_known(each.mapping, "ScalingConfig") and not group(each.mapping.properties, "ScalingConfig"):
                yield Breach(by=each.mapping, what=f"{function.source} has reserved {reserved}, and it has no limit")


def _of_reserved(resources: Resources) -> Iterator[tuple[Declared, list[Mapped]]]:
    """Give the functions with reserved concurrency, with the mappings of queues that invoke them."""
    found: dict[str, list[Mapped]] = defaultdict(list)
    for each in mapped(resources, "sqs"):
        if each.function is not None and "ReservedConcurrentExecutions" in each.function.properties:
            found[each.function.logical_id].append(each)
    for mappings in found.values():
        function = mappings[0].function
        if function is not None and is_known(function, "ReservedConcurrentExecutions"):
            yield function, mappings


def shared_queues(resources: Resources) -> Iterator[Breach]:
    """Give mappings of a queue that brings each message to one of several functions."""
    by_queue: dict[str, list[Mapped]] = defaultdict(list)
    for each in mapped(resources, "sqs"):
        if each.queue is not None and str(each.mapping.properties.get("Enabled", True)).lower() == "true":
            by_queue[each.source_arn].append(each)
    for mappings in by_queue.values():
        names = sorted({each.function.source if each.function else "another" for each in mappings})
        if len(names) > 1:
            what = f"a message goes to one of {', '.join(names)}, and to whichever is first"
            yield from (Breach(by=each.mapping, what=what) for each in mappings)


RULES = (
    Rule(
        id="whole-batches",
        number=1,
        reason="messages that are done come again beside the one that failed, and may become dead letters",
        mend=f"add FunctionResponseTypes: [{REPORT}], and return batchItemFailures",
        link="https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html",
        breaches=whole_batches,
    ),
    Rule(
        id="short-visibility",
        number=2,
        reason="a message that waits for a throttled function is brought again beside itself, and counts as received",
        mend="set the queue's VisibilityTimeout to six times the function's timeout, plus the batching window",
        link=_CONFIGURING,
        breaches=short_visibility,
    ),
    Rule(
        id="few-receptions",
        number=3,
        reason="throttled invocations count as receptions: a burst makes dead letters of sound messages",
        mend=f"set maxReceiveCount to {_FEWEST_RECEPTIONS} or more",
        link=_CONFIGURING,
        breaches=few_receptions,
    ),
    Rule(
        id="limit-above-reserve",
        number=4,
        reason="Lambda throttles the mapping, and throttled messages count as received",
        mend="reserve at least the sum of what the function's mappings may use, or lower MaximumConcurrency",
        link=_SCALING,
        breaches=above_the_reserve,
    ),
    Rule(
        id="throttled-mapping",
        number=5,
        reason="pollers go on past the reserve; what Lambda throttles counts as received, and ends as a dead letter",
        mend="hold the mapping back by ScalingConfig: {MaximumConcurrency: ...} within the reserve, or without one",
        link=_SCALING,
        breaches=throttled_by_the_reserve,
    ),
    Rule(
        id="shared-queue",
        number=6,
        reason="each function misses what the others get; with filters, what one filters out is deleted for all",
        mend="give each function a queue of its own, which a rule or a topic fills",
        link="https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html",
        breaches=shared_queues,
    ),
)
