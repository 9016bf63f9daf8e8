"""Rules for functions that are invoked asynchronously, for which nobody waits."""

from __future__ import annotations

from collections.abc import Iterator

from eachonce_workbench.check.deliveries import function, notified, subscriptions, targets
from eachonce_workbench.check.reading import group, is_known
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.system import service

_RETAINING = "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"


def asynchronous(resources: Resources) -> Iterator[tuple[Declared, Declared]]:
    """Give the functions that events are brought to asynchronously, each with the resource that brings them."""
    for rule, target in targets(resources):
        if service(str(target.get("Arn"))) == "lambda":
            found = function(resources, target.get("Arn"))
            if found is not None:
                yield found, rule
    for by, properties in subscriptions(resources):
        if properties.get("Protocol") == "lambda":
            found = function(resources, properties.get("Endpoint"))
            if found is not None:
                yield found, by
    for bucket, found in notified(resources):
        yield found, bucket


def without_destination(resources: Resources) -> Iterator[Breach]:
    """Give asynchronous functions whose events are gone after the third failure."""
    told = {
        found.logical_id
        for each in resources.of_type("AWS::Lambda::EventInvokeConfig")
        if group(each.properties, "DestinationConfig", "OnFailure").get("Destination")
        and (found := function(resources, each.properties.get("FunctionName"))) is not None
    }
    seen: set[str] = set()
    for each, by in asynchronous(resources):
        sends = group(each.properties, "DeadLetterConfig").get("TargetArn") or each.logical_id in told
        known = is_known(each, "DeadLetterConfig", "DeadLetterQueue", "EventInvokeConfig", "DestinationConfig")
        if known and not sends and each.logical_id not in seen:
            seen.add(each.logical_id)
            brought = "an event" if by.source == each.source else f"what {by.source} brings"
            yield Breach(by=each, what=f"{brought} is gone when it has failed three times")


def allowed_recursion(resources: Resources) -> Iterator[Breach]:
    """Give functions that Lambda isn't to stop when they call themselves for ever."""
    for each in resources.of_type("AWS::Lambda::Function"):
        if each.properties.get("RecursiveLoop") == "Allow":
            yield Breach(by=each, what="Lambda isn't to end a loop of it")


RULES = (
    Rule(
        id="no-failure-destination",
        number=18,
        reason="Lambda tries an asynchronous event three times, and then drops it",
        mend="give the function a destination OnFailure in its EventInvokeConfig, or a DeadLetterConfig",
        link=_RETAINING,
        breaches=without_destination,
    ),
    Rule(
        id="allowed-recursion",
        number=19,
        reason="a function that invokes itself by a queue, a topic or a bucket does so until somebody sees the bill",
        mend="leave RecursiveLoop at Terminate",
        link="https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html",
        breaches=allowed_recursion,
    ),
)
