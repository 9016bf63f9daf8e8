"""An answer of the query protocol: a result as XML, in the form that the service's own model gives it.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#response-serialization
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.utils import get_service_model

from eachonce_workbench.cloud.refusal import as_xml
from eachonce_workbench.cloud.store.protocol import Response


def query_answer(service: str, action: str, result: Mapping[str, Any]) -> Response:
    """Give the response to an action of a service that takes forms; what its model doesn't know is left out."""
    model = get_service_model(service)
    shape = model.operation_model(action).output_shape
    answer = Element(f"{action}Response", xmlns=model.metadata["xmlNamespace"])
    inner = SubElement(answer, f"{action}Result")
    if isinstance(shape, StructureShape):
        _members(inner, shape, result)
    SubElement(SubElement(answer, "ResponseMetadata"), "RequestId").text = "local"
    return 200, {"content-type": "text/xml"}, tostring(answer, encoding="utf-8")


def _members(parent: Element, shape: StructureShape, values: Mapping[str, Any]) -> None:
    for name, member in shape.members.items():
        if values.get(name) is not None:
            _fill(SubElement(parent, member.serialization.get("name", name)), member, values[name])


def _fill(element: Element, shape: Shape, value: Any) -> None:
    if isinstance(shape, StructureShape):
        _members(element, shape, value)
    elif isinstance(shape, ListShape):
        for item in value:
            _fill(SubElement(element, shape.member.serialization.get("name", "member")), shape.member, item)
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            entry = SubElement(element, "entry")
            SubElement(entry, "key").text = as_xml(str(key))
            _fill(SubElement(entry, "value"), shape.value, item)
    else:
        element.text = as_xml(str(value).lower() if isinstance(value, bool) else str(value))
