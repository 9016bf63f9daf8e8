"""CloudFormation behind the wire: what the local cloud was built from, as DescribeStacks tells it.

CloudFormation speaks AWS's query protocol: parameters as a form, answers as XML.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from eachonce_workbench.cloud.refusal import as_xml, refused
from eachonce_workbench.cloud.request import form_of
from eachonce_workbench.cloud.store.protocol import AwsError, Response
from eachonce_workbench.template.topology import Topology

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
_CREATED = "1970-01-01T00:00:00.000Z"  # as the streams' labels: what the local cloud is made of has no age


class Stacks:
    """The one stack there is.

    It answers to the name that the template was read under, and to the name of its bus: <Name>-<Stage>, which is what
    samconfig.toml calls the stack on AWS. So the same command finds it in both places.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._names = {topology.stack, *(bus.name for bus in topology.buses if bus.logical_id)}

    def answer(self, form: bytes) -> Response:
        """Answer one request."""
        try:
            return self._answer(form_of(form))
        except AwsError as error:
            return refused(error, to_form=True)

    def _answer(self, form: Mapping[str, str]) -> Response:
        action = form.get("Action", "")
        if action != "DescribeStacks":
            raise AwsError(
                "UnsupportedOperation",
                f"The local cloud has no cloudformation operation {action}: template.yaml describes the system.",
            )
        given = form.get("StackName") or self._topology.stack
        name = given.removesuffix("/local").rpartition("/")[2]
        if name not in self._names:
            raise AwsError("ValidationError", f"Stack with id {given} does not exist")
        return _success(action, lambda result: self._describe(result, name))

    def _describe(self, result: Element, name: str) -> None:
        place = f"{self._topology.region}:{self._topology.account_id}"
        stack = SubElement(SubElement(result, "Stacks"), "member")
        _texts(
            stack,
            {
                "StackName": name,
                "StackId": f"arn:aws:cloudformation:{place}:stack/{name}/local",
                "CreationTime": _CREATED,
                "StackStatus": "CREATE_COMPLETE",
            },
        )
        outputs = SubElement(stack, "Outputs")
        for key, value in self._topology.outputs.items():
            _texts(SubElement(outputs, "member"), {"OutputKey": key, "OutputValue": value})


def _success(action: str, fill: Callable[[Element], None]) -> Response:
    answer = Element(f"{action}Response", xmlns=_NAMESPACE)
    fill(SubElement(answer, f"{action}Result"))
    _texts(SubElement(answer, "ResponseMetadata"), {"RequestId": "local"})
    return 200, {"content-type": "text/xml"}, tostring(answer, encoding="utf-8")


def _texts(parent: Element, texts: Mapping[str, str]) -> None:
    for name, value in texts.items():
        SubElement(parent, name).text = as_xml(value)
