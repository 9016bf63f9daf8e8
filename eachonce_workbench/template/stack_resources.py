"""The resources of a stack as CloudFormation lists them: their logical and physical ids, and their types."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from eachonce_workbench.template.identity import Identities
from eachonce_workbench.template.topology import StackResource

MAPPING = "AWS::Lambda::EventSourceMapping"


def stack_resources(
    stack: str, resources: Mapping[str, Mapping[str, Any]], identities: Identities
) -> Iterator[StackResource]:
    """Give each resource that the translated template makes, whether or not it has a local counterpart.

    A physical id is what `Ref` gives, which is so for every type that the local cloud runs.
    """
    for logical_id, resource in resources.items():
        yield StackResource(
            logical_id=logical_id,
            physical_id=_physical_id(stack, logical_id, resource["Type"], identities),
            type=resource["Type"],
        )


def mapping_uuid(stack: str, logical_id: str) -> str:
    """Give the UUID of an event source mapping: the same each time that the template is read."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{stack}/{logical_id}"))


def _physical_id(stack: str, logical_id: str, type_name: str, identities: Identities) -> str:
    if type_name == MAPPING:
        return mapping_uuid(stack, logical_id)
    return identities.ref(logical_id, ("Resources", logical_id))
