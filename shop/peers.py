"""The peers: the shop's consumers written by other means, in place of the bundle's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from eachonce.settings import IN_CLEAR

from eachonce_workbench.simulator.trial import Peer
from eachonce_workbench.template.topology import Function, Queue, Table, Topology

# AWS's advice for queues that Lambda reads:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_MOST_RECEIVES = 5
_TABLE = "Idempotency"


def powertools(folder: Path) -> Peer:
    """Return the consumers in `folder`, which need a table of their own and queues that give a message up."""

    def adapt(topology: Topology) -> Topology:
        read = {mapping.queue_arn for mapping in topology.queue_mappings}
        bus = next(bus.name for bus in topology.buses if bus.logical_id)
        return replace(
            topology,
            tables=(*topology.tables, _table(topology.table("Orders"))),
            functions=tuple(_function(function, folder, bus) for function in topology.functions),
            queues=tuple(_queue(queue) if queue.arn in read else queue for queue in topology.queues),
        )

    # They read the events as they stand on the bus, and have no keys.
    return Peer(name="powertools", adapt=adapt, environment={"PERSONAL_KEY": IN_CLEAR})


def _function(function: Function, folder: Path, bus: str) -> Function:
    code = folder / function.code.name
    if not code.is_dir():
        return function
    environment = {**function.environment, "IDEMPOTENCY_TABLE": _TABLE, "EVENT_BUS": bus}
    return replace(function, code=code, environment=environment)


def _queue(queue: Queue) -> Queue:
    redrive = {**queue.properties["RedrivePolicy"], "maxReceiveCount": _MOST_RECEIVES}
    return replace(queue, max_receive_count=_MOST_RECEIVES, properties={**queue.properties, "RedrivePolicy": redrive})


def _table(like: Table) -> Table:
    """The table as Powertools' documentation has it: hash key `id`, time-to-live attribute `expiration`."""
    properties: dict[str, Any] = {
        "TableName": _TABLE,
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": {"AttributeName": "expiration", "Enabled": True},
    }
    return replace(
        like,
        logical_id=_TABLE,
        name=_TABLE,
        arn=f"{like.arn.rpartition('/')[0]}/{_TABLE}",
        hash_key="id",
        range_key=None,
        key_types={"id": "S"},
        stream_arn=None,
        stream_view=None,
        ttl_attribute="expiration",
        point_in_time_recovery=False,
        properties=properties,
    )
