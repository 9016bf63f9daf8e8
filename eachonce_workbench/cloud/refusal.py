"""What a client is told that asked for what can't be, in the form of the protocol that it speaks."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from eachonce_workbench.cloud.store.protocol import AwsError, Response

# https://www.w3.org/TR/xml/#charsets: what XML can't say, however it is written.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_UNICODE = re.compile("[\ud800-\udfff]")


def refused(error: AwsError, *, to_form: bool) -> Response:
    """The response that says so: XML to a form, as in the query protocol, and JSON to all others."""
    if not to_form:
        message = _NOT_UNICODE.sub("\ufffd", error.message)
        return AwsError(error.code, message, status=error.status, **error.fields).response()
    answer = Element("ErrorResponse")
    details = SubElement(answer, "Error")
    for name, value in (("Type", "Sender"), ("Code", error.code), ("Message", error.message)):
        SubElement(details, name).text = as_xml(value)
    SubElement(answer, "RequestId").text = "local"
    return error.status, {"content-type": "text/xml"}, tostring(answer, encoding="utf-8")


def as_xml(text: str) -> str:
    """A text as XML can say it."""
    return _NOT_XML.sub("\ufffd", text)
