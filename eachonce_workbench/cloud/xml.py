"""Answers of AWS's query protocol, as XML.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from eachonce_workbench.cloud.refusal import as_xml
from eachonce_workbench.cloud.store.protocol import Response


def answer(action: str, result: Mapping[str, Any] | None, *, namespace: str) -> Response:
    """The answer of an action: a list's items are called member, and a map (a `Pairs`) has entries."""
    root = Element(f"{action}Response", xmlns=namespace)
    if result is not None:
        _fill(SubElement(root, f"{action}Result"), result)
    SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = "local"
    return 200, {"content-type": "text/xml"}, tostring(root, encoding="utf-8")


class Pairs(dict[str, str]):
    """A map, which the protocol writes as entries of a key and a value."""


def _fill(parent: Element, value: Any) -> None:
    if isinstance(value, Pairs):
        for key, each in value.items():
            _fill(SubElement(parent, "entry"), {"key": key, "value": each})
    elif isinstance(value, Mapping):
        for name, each in value.items():
            if each is not None:
                _fill(SubElement(parent, name), each)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            _fill(SubElement(parent, "member"), each)
    else:
        parent.text = as_xml(str(value))
