"""The tables of the bench, by the names that environments give them."""

from __future__ import annotations

from collections.abc import Mapping

from eachonce_workbench.template.topology import Topology
from tests.topologies import REGION, table, topology

JOURNAL, CUSTOMERS, ORDERS, IDEMPOTENCY = "bench-journal", "bench-customers", "bench-orders", "bench-idempotency"
BUS = "bench-bus"

ENVIRONMENT: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "TABLE_JOURNAL": JOURNAL,
    "TABLE_CUSTOMERS": CUSTOMERS,
    "TABLE_ORDERS": ORDERS,
    "IDEMPOTENCY_TABLE": IDEMPOTENCY,
    "EVENT_BUS": BUS,
    "EVENT_SOURCE": "bench",
    "JOURNAL_FORMER_ROWS": "none",  # as in a new bundle
    "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/bench",
    "POWERTOOLS_SERVICE_NAME": "bench",
}


def tables() -> Topology:
    """Return what holds the state of every system: each writes those that it needs."""
    return topology(
        tables=(
            table(JOURNAL, stream_view="NEW_IMAGE", ttl_attribute="expires_at"),
            table(CUSTOMERS, hash_key="customer"),
            table(ORDERS, hash_key="order_id"),
            table(IDEMPOTENCY, hash_key="id", ttl_attribute="expiration"),
        )
    )
