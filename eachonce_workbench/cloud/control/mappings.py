"""Lambda's event source mappings, as its reading calls tell of them.

https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eachonce_workbench.template.topology import QueueMapping, StreamMapping, Topology

_FOR_EVER = -1
_NEVER_CHANGED = 0.0

Told = dict[str, Any]


def mappings(topology: Topology) -> Iterator[Told]:
    """Give each mapping of a topology as a configuration."""
    for queue in topology.queue_mappings:
        yield _shared(topology, queue, queue.queue_arn) | _scaling(queue)
    for stream in topology.stream_mappings:
        yield _shared(topology, stream, stream.stream_arn) | _reading(stream)


def _shared(topology: Topology, mapping: QueueMapping | StreamMapping, source_arn: str) -> Told:
    identity = f"event-source-mapping:{mapping.uuid}"
    return {
        "UUID": mapping.uuid,
        "EventSourceMappingArn": f"arn:aws:lambda:{topology.region}:{topology.account_id}:{identity}",
        "EventSourceArn": source_arn,
        "FunctionArn": topology.function(mapping.function).arn,
        "State": "Enabled" if mapping.enabled else "Disabled",
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
