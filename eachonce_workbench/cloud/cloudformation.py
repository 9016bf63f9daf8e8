"""CloudFormation behind the wire: what the local cloud was built from, as its reading calls tell it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from eachonce_workbench.cloud.query_answer import query_answer
from eachonce_workbench.cloud.refusal import refused
from eachonce_workbench.cloud.request import form_of
from eachonce_workbench.cloud.store.protocol import AwsError, Response
from eachonce_workbench.template.topology import StackResource, Topology

_CREATED = "1970-01-01T00:00:00.000Z"  # as the streams' labels: what the local cloud is made of has no age
_STATUS = "CREATE_COMPLETE"

Form = Mapping[str, str]


class Stacks:
    """The one stack there is.

    It answers to the name that the template was read under, and to the name of its bus: <Name>-<Stage>, which is what
    samconfig.toml calls the stack on AWS. So the same command finds it in both places.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._names = {topology.stack, *(bus.name for bus in topology.buses if bus.logical_id)}
        self._calls: Mapping[str, Callable[[Form], Mapping[str, Any]]] = {
            "DescribeStackResource": self._describe_stack_resource,
            "DescribeStackResources": self._describe_stack_resources,
            "DescribeStacks": self._describe_stacks,
            "GetTemplate": self._get_template,
            "ListExports": self._list_exports,
            "ListStackResources": self._list_stack_resources,
            "ListStacks": self._list_stacks,
        }

    def answer(self, form: bytes) -> Response:
        """Answer one request."""
        try:
            return self._answer(form_of(form))
        except AwsError as error:
            return refused(error, to_form=True)

    def _answer(self, form: Form) -> Response:
        action = form.get("Action", "")
        if action not in self._calls:
            raise AwsError(
                "UnsupportedOperation",
                f"The local cloud has no cloudformation operation {action}: template.yaml describes the system.",
            )
        return query_answer("cloudformation", action, self._calls[action](form))

    def _describe_stacks(self, form: Form) -> Mapping[str, Any]:
        return {"Stacks": [self._described(self._stack(form, default=self._topology.stack))]}

    def _described(self, name: str) -> Mapping[str, Any]:
        exports = {output: export for export, output in self._topology.exports.items()}
        parameters = self._topology.parameters.items()
        return self._summary(name) | {
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters],
            "Outputs": [
                {"OutputKey": key, "OutputValue": value, "ExportName": exports.get(key)}
                for key, value in self._topology.outputs.items()
            ],
        }

    def _summary(self, name: str) -> dict[str, Any]:
        return {"StackName": name, "StackId": self._arn(name), "CreationTime": _CREATED, "StackStatus": _STATUS}

    def _list_stacks(self, _form: Form) -> Mapping[str, Any]:
        return {"StackSummaries": [self._summary(self._topology.stack)]}

    def _list_stack_resources(self, form: Form) -> Mapping[str, Any]:
        self._stack(form)
        return {
            "StackResourceSummaries": [
                _told(each) | {"LastUpdatedTimestamp": _CREATED} for each in listed(self._topology)
            ]
        }

    def _describe_stack_resources(self, form: Form) -> Mapping[str, Any]:
        physical_id, logical_id = form.get("PhysicalResourceId"), form.get("LogicalResourceId")
        name = self._stack(form, default=None if physical_id is None else self._topology.stack)
        chosen = [
            each
            for each in listed(self._topology)
            if physical_id in (None, each.physical_id) and logical_id in (None, each.logical_id)
        ]
        if not chosen:
            raise AwsError("ValidationError", f"Stack for {physical_id or logical_id} does not exist")
        place = {"StackName": name, "StackId": self._arn(name), "Timestamp": _CREATED}
        return {"StackResources": [_told(each) | place for each in chosen]}

    def _describe_stack_resource(self, form: Form) -> Mapping[str, Any]:
        name, wanted = self._stack(form), form.get("LogicalResourceId")
        for each in listed(self._topology):
            if each.logical_id == wanted:
                place = {"StackName": name, "StackId": self._arn(name), "LastUpdatedTimestamp": _CREATED}
                return {"StackResourceDetail": _told(each) | place}
        raise AwsError("ValidationError", f"Resource {wanted} does not exist for stack {name}")

    def _get_template(self, form: Form) -> Mapping[str, Any]:
        self._stack(form)
        return {"TemplateBody": self._topology.template, "StagesAvailable": ["Original"]}

    def _list_exports(self, _form: Form) -> Mapping[str, Any]:
        outputs, stack = self._topology.outputs, self._arn(self._topology.stack)
        return {
            "Exports": [
                {"ExportingStackId": stack, "Name": name, "Value": outputs[output]}
                for name, output in self._topology.exports.items()
            ]
        }

    def _stack(self, form: Form, *, default: str | None = None) -> str:
        given = form.get("StackName") or default
        if given is None:
            message = "1 validation error detected: Value null at 'stackName' failed to satisfy constraint"
            raise AwsError("ValidationError", f"{message}: Member must not be null")
        name = given.removesuffix("/local").rpartition("/")[2]
        if name not in self._names:
            raise AwsError("ValidationError", f"Stack with id {given} does not exist")
        return name

    def _arn(self, name: str) -> str:
        return f"arn:aws:cloudformation:{self._topology.region}:{self._topology.account_id}:stack/{name}/local"


def listed(topology: Topology) -> Iterator[StackResource]:
    """Give the resources of a stack; a topology that was read from no template still has its parts."""
    yield from topology.resources
    known = {each.logical_id for each in topology.resources}
    for part in _parts(topology):
        if part.logical_id and part.logical_id not in known:
            yield part


def _parts(topology: Topology) -> Iterator[StackResource]:
    for queue in topology.queues:
        yield StackResource(logical_id=queue.logical_id, physical_id=queue.url, type="AWS::SQS::Queue")
    for kind, parts in (
        ("AWS::DynamoDB::Table", topology.tables),
        ("AWS::Events::EventBus", topology.buses),
        ("AWS::Events::Rule", topology.rules),
        ("AWS::Lambda::Function", topology.functions),
    ):
        for part in parts:
            yield StackResource(logical_id=part.logical_id, physical_id=part.name, type=kind)


def _told(resource: StackResource) -> dict[str, Any]:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
        "ResourceStatus": _STATUS,
    }
