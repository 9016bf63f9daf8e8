"""Isolation: whose event it is, and that its handler touches nobody else's items."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from eachonce.errors import Reject, WorkError
from eachonce.work import Address

# What SQS takes as a message group, in which a queue is fair to tenants.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
MAX_TENANT = 128
_TENANT = re.compile(f"[!-~]{{1,{MAX_TENANT}}}")

NO_TENANT = f"a tenant is 1 to {MAX_TENANT} of ASCII's letters, digits and punctuation"


def is_tenant(text: str) -> bool:
    """Whether a tenant of this name could have a message group of its own."""
    return _TENANT.fullmatch(text) is not None


def scope_of(tenant: str | None) -> str | None:
    """Return whose rows an event's row is among; None where a tenant can't be told from others by a key."""
    return tenant if tenant is not None and is_tenant(tenant) and "#" not in tenant else None


class Isolation(msgspec.Struct, frozen=True):
    """A consumer's rows and items are each one tenant's: `attribute` is the part of a key that says whose.

    The tenant has no `#`, which is what stands behind it in keys: so no tenant's keys begin as another's do.
    """

    attribute: str

    def __post_init__(self) -> None:
        """Raise ValueError for what is no attribute's name."""
        if not isinstance(self.attribute, str) or not self.attribute:
            raise ValueError("isolated_by is the name of a part of the tables' keys")

    def require_tenant(self, tenant: str | None) -> str:
        """Return the tenant; raises Reject where an event has none that can be isolated."""
        if tenant is None:
            raise Reject("the event has no tenant, and this consumer keeps tenants apart")
        if scope_of(tenant) is None:
            raise Reject(f"the event's tenant can't be kept apart from others: {NO_TENANT}, and no #")
        return tenant

    def require_own(self, address: Address, tenant: str) -> None:
        """Raise WorkError where a key isn't the tenant's: its attribute is it, or a text begins with it and #."""
        key = dict(address.key)
        if self.attribute in key:
            own = key[self.attribute] == tenant
        else:
            own = any(isinstance(value, str) and value.startswith(f"{tenant}#") for value in key.values())
        if not own:
            raise WorkError(
                f"{address.table} by {', '.join(key)}: the key is not of the event's tenant, which is to be its "
                f"{self.attribute}, or to stand before a # at the beginning of a part of it"
            )


def require_same_tenant(data: Any, event_type: str, tenant: str | None) -> None:
    """Raise WorkError where what is published says by a field of its own that it is another tenant's than its cause."""
    said = getattr(data, "tenant", None)
    if tenant is None or said is None or callable(said) or str(said) == tenant:
        return
    raise WorkError(f"a published {event_type} says that it is another tenant's than the event that causes it")
