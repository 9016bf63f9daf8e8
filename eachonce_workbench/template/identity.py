"""What the resources of a template are called: names, ARNs, and what `Ref` and `Fn::GetAtt` give for them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.template.intrinsics import Unresolved, text
from eachonce_workbench.template.inventions import Inventions
from eachonce_workbench.template.place import Place
from eachonce_workbench.template.source import Where


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One type of resource: the property that names it, and its attributes as formats."""

    name_property: str
    ref: str
    attributes: Mapping[str, str]


def _arn(service: str, resource: str) -> str:
    return f"arn:{{partition}}:{service}:{{region}}:{{account_id}}:{resource}"


_TABLE = _arn("dynamodb", "table/{name}")
_STREAM = f"{_TABLE}/stream/1970-01-01T00:00:00.000"  # AWS's label is the time of creation; here it is known beforehand
_QUEUE_URL = "{endpoint}/{account_id}/{name}"
_FUNCTION = _arn("lambda", "function:{name}")
_ALIAS = _arn("lambda", "function:{FunctionName}:{name}")
_VERSION = _arn("lambda", "function:{FunctionName}:1")  # a template makes one at a time; here each is the first
_LAYER = _arn("lambda", "layer:{name}:1")
_LOGS = _arn("logs", "log-group:{name}:*")
_TOPIC = _arn("sns", "{name}")
_SUBSCRIPTION = _arn("sns", "{name}:00000000-0000-4000-8000-000000000000")
_BUCKET_HOST = "{name}.s3.amazonaws.com"

_API = "{endpoint}/_apis/{logical_id}"
_URL = "{endpoint}/_apis/{logical_id}/"

_KINDS = {
    "AWS::DynamoDB::Table": _Kind(
        name_property="TableName", ref="{name}", attributes={"Arn": _TABLE, "StreamArn": _STREAM}
    ),
    "AWS::SQS::Queue": _Kind(
        name_property="QueueName",
        ref=_QUEUE_URL,
        attributes={"Arn": _arn("sqs", "{name}"), "QueueName": "{name}", "QueueUrl": _QUEUE_URL},
    ),
    "AWS::Events::EventBus": _Kind(
        name_property="Name", ref="{name}", attributes={"Arn": _arn("events", "event-bus/{name}"), "Name": "{name}"}
    ),
    "AWS::Events::Archive": _Kind(
        name_property="ArchiveName",
        ref="{name}",
        attributes={"Arn": _arn("events", "archive/{name}"), "ArchiveName": "{name}"},
    ),
    "AWS::Events::Rule": _Kind(
        name_property="Name", ref="{bus_bar}{name}", attributes={"Arn": _arn("events", "rule/{bus_slash}{name}")}
    ),
    "AWS::Lambda::Function": _Kind(name_property="FunctionName", ref="{name}", attributes={"Arn": _FUNCTION}),
    "AWS::Lambda::Alias": _Kind(name_property="Name", ref=_ALIAS, attributes={"AliasArn": _ALIAS}),
    "AWS::Lambda::Version": _Kind(name_property="", ref=_VERSION, attributes={"FunctionArn": _VERSION, "Version": "1"}),
    "AWS::Lambda::LayerVersion": _Kind(name_property="LayerName", ref=_LAYER, attributes={"LayerVersionArn": _LAYER}),
    "AWS::Lambda::Url": _Kind(
        name_property="",
        ref="{TargetFunctionArn}",
        attributes={"FunctionArn": "{TargetFunctionArn}", "FunctionUrl": _URL},
    ),
    # An API's id is AWS's to choose; here it is the logical id, which the API's own address begins with.
    "AWS::ApiGatewayV2::Api": _Kind(
        name_property="", ref="{logical_id}", attributes={"ApiId": "{logical_id}", "ApiEndpoint": _API}
    ),
    "AWS::ApiGatewayV2::Integration": _Kind(name_property="", ref="{logical_id}", attributes={}),
    "AWS::ApiGatewayV2::Stage": _Kind(name_property="StageName", ref="{name}", attributes={}),
    "AWS::ApiGateway::Deployment": _Kind(name_property="", ref="{logical_id}", attributes={}),
    "AWS::ApiGateway::Resource": _Kind(name_property="", ref="{logical_id}", attributes={"ResourceId": "{logical_id}"}),
    "AWS::ApiGateway::RestApi": _Kind(
        name_property="",
        ref="{logical_id}",
        attributes={"RestApiId": "{logical_id}", "RootResourceId": "{logical_id}-root"},
    ),
    "AWS::ApiGateway::Stage": _Kind(name_property="StageName", ref="{name}", attributes={}),
    "AWS::Logs::LogGroup": _Kind(name_property="LogGroupName", ref="{name}", attributes={"Arn": _LOGS}),
    "AWS::SNS::Topic": _Kind(
        name_property="TopicName", ref=_TOPIC, attributes={"Arn": _TOPIC, "TopicArn": _TOPIC, "TopicName": "{name}"}
    ),
    "AWS::SNS::Subscription": _Kind(name_property="", ref=_SUBSCRIPTION, attributes={"Arn": _SUBSCRIPTION}),
    "AWS::S3::Bucket": _Kind(
        name_property="BucketName",
        ref="{name}",
        attributes={
            "Arn": "arn:{partition}:s3:::{name}",
            "DomainName": _BUCKET_HOST,
            "DualStackDomainName": "{name}.s3.dualstack.{region}.amazonaws.com",
            "RegionalDomainName": "{name}.s3.{region}.amazonaws.com",
            "WebsiteURL": "http://{name}.s3-website-{region}.amazonaws.com",
        },
    ),
    "AWS::Scheduler::Schedule": _Kind(
        name_property="Name", ref="{name}", attributes={"Arn": _arn("scheduler", "schedule/{GroupName}/{name}")}
    ),
    "AWS::Scheduler::ScheduleGroup": _Kind(
        name_property="Name", ref="{name}", attributes={"Arn": _arn("scheduler", "schedule-group/{name}")}
    ),
    "AWS::Pipes::Pipe": _Kind(name_property="Name", ref="{name}", attributes={"Arn": _arn("pipes", "pipe/{name}")}),
}

STACK = "AWS::CloudFormation::Stack"

Resolve = Callable[[Any, Where], Any]
Nested = Callable[[str], Mapping[str, str] | None]
"""Gives the outputs of a nested stack by its logical id; None for one whose template isn't on this machine."""


class Identities:
    """The names of a template's resources; a resource without one is called after its stack and its logical id."""

    def __init__(
        self,
        *,
        place: Place,
        resources: Mapping[str, Mapping[str, Any]],
        resolve: Resolve,
        inventions: Inventions,
        nested: Nested,
    ) -> None:
        """Take the resources that are to be made, and what resolves their properties, which may refer back here."""
        self._place = place
        self._inventions = inventions
        self._nested = nested
        self._resources = resources
        self._resolve = resolve
        self._fields: dict[str, dict[str, str]] = {}
        self._naming: set[str] = set()

    def ref(self, logical_id: str, where: Where) -> str:
        """Give what `Ref` gives."""
        if module := self._module(logical_id):
            return self._inventions.ref(module, f"{self._place.stack}-{logical_id}")
        kind = self._kind(logical_id, where)
        if kind is None:
            return self._inventions.ref(self._resources[logical_id]["Type"], self._name_elsewhere(logical_id))
        return kind.ref.format_map(self._known(logical_id, kind, where))

    def attribute(self, logical_id: str, name: str, where: Where) -> str | list[str]:
        """Give what `Fn::GetAtt` gives."""
        if module := self._module(logical_id):
            return self._inventions.attribute(module, f"{self._place.stack}-{logical_id}", name, where)
        kind = self._kind(logical_id, where)
        if kind is None:
            return self._attribute_elsewhere(logical_id, name, where)
        if name not in kind.attributes:
            raise Unresolved(where, f"{logical_id} has no attribute {name} here")
        if name == "StreamArn" and "StreamSpecification" not in self._properties(logical_id):
            raise Unresolved(where, f"the table {logical_id} has no stream")
        return kind.attributes[name].format_map(self._known(logical_id, kind, where))

    def arn(self, logical_id: str) -> str | None:
        """Give the ARN of a resource; None when its type has none here."""
        kind = _KINDS.get(self._resources[logical_id]["Type"])
        if kind is None or "Arn" not in kind.attributes:
            return None
        return self.known(logical_id, "Arn", ("Resources", logical_id))

    def known(self, logical_id: str, name: str, where: Where) -> str:
        """Give an attribute of a resource whose type the local cloud knows."""
        return text(self.attribute(logical_id, name, where), where)

    def name(self, logical_id: str) -> str:
        """Give the physical name of a resource whose type the local cloud knows."""
        kind = _KINDS[self._resources[logical_id]["Type"]]
        return self._known(logical_id, kind, ("Resources", logical_id))["name"]

    def _module(self, logical_id: str) -> str | None:
        """Give the type of the module that a resource is in; None for a resource of the template itself.

        A module's resources are called after it and after what they are in it:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/modules-ref-resources.html
        """
        if logical_id in self._resources:
            return None
        modules = ((name, each["Type"]) for name, each in self._resources.items() if each["Type"].endswith("::MODULE"))
        return next((kind for name, kind in modules if logical_id.split(".")[0].startswith(name)), None)

    def _kind(self, logical_id: str, where: Where) -> _Kind | None:
        if logical_id not in self._resources:
            raise Unresolved(where, f"no parameter or resource is called {logical_id!r}")
        return _KINDS.get(self._resources[logical_id]["Type"])

    def _attribute_elsewhere(self, logical_id: str, name: str, where: Where) -> str | list[str]:
        type_name = self._resources[logical_id]["Type"]
        if type_name == STACK and name.startswith("Outputs."):
            outputs = self._nested(logical_id)
            output = name.removeprefix("Outputs.")
            if outputs is not None and output not in outputs:
                raise Unresolved(where, f"{logical_id} has no output {output}")
            if outputs is not None:
                return outputs[output]
        return self._inventions.attribute(type_name, self._name_elsewhere(logical_id), name, where)

    def _name_elsewhere(self, logical_id: str) -> str:
        """Give a name for a resource of a type that isn't run here: its own, where a property says it."""
        kind = self._resources[logical_id]["Type"].rpartition("::")[2]
        for name in (f"{kind}Name", "Name"):
            if isinstance(self._properties(logical_id).get(name), str | dict) and logical_id not in self._naming:
                self._naming.add(logical_id)
                value = self._resolve(self._properties(logical_id)[name], ("Resources", logical_id, "Properties", name))
                self._naming.discard(logical_id)
                if isinstance(value, str):
                    return value
        return self._generated_name(logical_id)

    def _known(self, logical_id: str, kind: _Kind, where: Where) -> dict[str, str]:
        if logical_id not in self._fields:
            if logical_id in self._naming:
                raise Unresolved(where, f"the name of {logical_id} depends on itself")
            self._naming.add(logical_id)
            self._fields[logical_id] = self._look_up(logical_id, kind)
            self._naming.discard(logical_id)
        return self._fields[logical_id]

    def _look_up(self, logical_id: str, kind: _Kind) -> dict[str, str]:
        name = self._property(logical_id, kind.name_property) or self._generated_name(logical_id)
        bus = (self._property(logical_id, "EventBusName") or "default").rpartition("/")[2]
        return {
            "name": name,
            "region": self._place.region,
            "account_id": self._place.account_id,
            "partition": self._place.partition,
            "endpoint": self._place.endpoint,
            "bus_bar": "" if bus == "default" else f"{bus}|",
            "bus_slash": "" if bus == "default" else f"{bus}/",
            "FunctionName": self._property(logical_id, "FunctionName") or "",
            "TargetFunctionArn": self._property(logical_id, "TargetFunctionArn") or "",
            "logical_id": logical_id,
            "GroupName": self._property(logical_id, "GroupName") or "default",
        }

    def _generated_name(self, logical_id: str) -> str:
        properties = self._properties(logical_id)
        fifo = any(properties.get(name) in (True, "true") for name in ("FifoQueue", "FifoTopic"))
        name = f"{self._place.stack}-{logical_id}{'.fifo' if fifo else ''}"
        return name.lower() if self._resources[logical_id]["Type"] == "AWS::S3::Bucket" else name

    def _property(self, logical_id: str, name: str) -> str | None:
        where = ("Resources", logical_id, "Properties", name)
        value = self._resolve(self._properties(logical_id).get(name), where)
        return None if value is None else text(value, where)

    def _properties(self, logical_id: str) -> Mapping[str, Any]:
        properties: Mapping[str, Any] = self._resources[logical_id].get("Properties", {})
        return properties
