"""Lambda's event source mappings, as its calls tell of them, turn them on and turn them off.

https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from eachonce_workbench.cloud.mappings.switch import State
from eachonce_workbench.cloud.request import Request
from eachonce_workbench.cloud.store.protocol import AwsError, decoded
from eachonce_workbench.template.topology import QueueMapping, StreamMapping, Topology

_FOR_EVER = -1
_NEVER_CHANGED = 0.0

Told = dict[str, Any]


class Switches(Protocol):
    """What turns mappings on and off, each by its UUID."""

    def state(self, uuid: str) -> State | None:
        """What a mapping does now; None when there is none."""

    def turn(self, uuid: str, *, on: bool) -> None:
        """Turn a mapping on or off. Raises KeyError when there is none."""


class Flags:
    """The switches of mappings that nothing runs: each is what it was turned to, at once."""

    def __init__(self, topology: Topology) -> None:
        every: list[QueueMapping | StreamMapping] = [*topology.queue_mappings, *topology.stream_mappings]
        self._on = {mapping.uuid: mapping.enabled for mapping in every}

    def state(self, uuid: str) -> State | None:
        """What a mapping does now; None when there is none."""
        if uuid not in self._on:
            return None
        return "Enabled" if self._on[uuid] else "Disabled"

    def turn(self, uuid: str, *, on: bool) -> None:
        """Turn a mapping on or off. Raises KeyError when there is none."""
        if uuid not in self._on:
            raise KeyError(uuid)
        self._on[uuid] = on


def mappings(topology: Topology, switches: Switches) -> Iterator[Told]:
    """Give each mapping of a topology as a configuration."""
    for queue in topology.queue_mappings:
        yield _shared(topology, queue, queue.queue_arn, switches) | _scaling(queue)
    for stream in topology.stream_mappings:
        yield _shared(topology, stream, stream.stream_arn, switches) | _reading(stream)


def asked(request: Request) -> bool | None:
    """Return whether a mapping is to be on; None for what asks for anything else, which the template says.

    Raises `AwsError` SerializationException.
    """
    params = decoded(request.body or b"{}")
    if params.keys() - {"FunctionName"} != {"Enabled"}:
        return None
    if not isinstance(params["Enabled"], bool):
        raise AwsError("SerializationException", "Enabled is not a boolean", Type="User")
    return params["Enabled"]


def update(told: Told, *, on: bool, switches: Switches) -> Told:
    """Turn a mapping on or off, and give it as it is on its way there.

    Raises `AwsError` ResourceInUseException while it is on its way already.
    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
    """
    if told["State"] == "Disabling":
        message = "Cannot update the event source mapping because it is in use."
        raise AwsError("ResourceInUseException", message, Type="User")
    if on == (told["State"] == "Enabled"):
        return told
    switches.turn(told["UUID"], on=on)
    return told | {"State": "Enabling" if on else "Disabling"}


def _shared(topology: Topology, mapping: QueueMapping | StreamMapping, source_arn: str, switches: Switches) -> Told:
    identity = f"event-source-mapping:{mapping.uuid}"
    return {
        "UUID": mapping.uuid,
        "EventSourceMappingArn": f"arn:aws:lambda:{topology.region}:{topology.account_id}:{identity}",
        "EventSourceArn": source_arn,
        "FunctionArn": topology.function(mapping.function).arn,
        "State": switches.state(mapping.uuid),
        "StateTransitionReason": "USER_INITIATED",
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.window_seconds,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if mapping.report_failures else [],
        "LastModified": _NEVER_CHANGED,
    }


def _scaling(mapping: QueueMapping) -> Told:
    return {} if mapping.max_concurrency is None else {"ScalingConfig": {"MaximumConcurrency": mapping.max_concurrency}}


def _reading(mapping: StreamMapping) -> Told:
    destination = {} if mapping.on_failure_arn is None else {"OnFailure": {"Destination": mapping.on_failure_arn}}
    return {
        "StartingPosition": mapping.starting_position,
        "MaximumRetryAttempts": _FOR_EVER if mapping.max_retries is None else mapping.max_retries,
        "MaximumRecordAgeInSeconds": _FOR_EVER if mapping.max_age_seconds is None else mapping.max_age_seconds,
        "BisectBatchOnFunctionError": mapping.bisect,
        "ParallelizationFactor": mapping.parallelization,
        "DestinationConfig": destination,
    }
