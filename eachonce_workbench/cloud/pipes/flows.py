"""A pipe as a flow: its source is read as an event source mapping of a function's would be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from eachonce_workbench.cloud.mappings.mappings import Flow
from eachonce_workbench.cloud.pipes.stages import Stages
from eachonce_workbench.template.event_sources import Pipe
from eachonce_workbench.template.topology import QueueMapping, StreamMapping, Topology

if TYPE_CHECKING:
    from eachonce_workbench.cloud.functions.runtime import Runtime
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.post import Post


def flows_of(topology: Topology, *, runtime: Runtime, post: Post, history: History) -> Iterator[Flow]:
    """Give the pipes that run."""
    for pipe in topology.pipes:
        if pipe.enabled:
            stages = Stages(pipe, runtime=runtime, post=post, history=history)
            yield Flow(mapping=_mapping(pipe), arn=pipe.arn, runtime=stages)


def _mapping(pipe: Pipe) -> QueueMapping | StreamMapping:
    if ":sqs:" in pipe.source_arn:
        return QueueMapping(
            function=pipe.logical_id,
            queue_arn=pipe.source_arn,
            enabled=True,
            batch_size=pipe.batch_size,
            window_seconds=pipe.window_seconds,
            max_concurrency=None,
            report_failures=True,
            filters=pipe.filters,
        )
    return StreamMapping(
        function=pipe.logical_id,
        table_name=pipe.source_arn.split("/")[1],
        stream_arn=pipe.source_arn,
        enabled=True,
        starting_position=pipe.starting_position,
        batch_size=pipe.batch_size,
        window_seconds=pipe.window_seconds,
        max_retries=pipe.max_retries,
        max_age_seconds=pipe.max_age_seconds,
        bisect=pipe.bisect,
        parallelization=pipe.parallelization,
        report_failures=True,
        on_failure_arn=pipe.on_failure_arn,
        filters=pipe.filters,
    )
