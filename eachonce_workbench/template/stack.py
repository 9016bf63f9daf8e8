"""One translated template, resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from eachonce_workbench.template import reference, resources
from eachonce_workbench.template.checks import misfits
from eachonce_workbench.template.code import code_path, importable
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.encryption_keys import encryption_keys
from eachonce_workbench.template.identity import STACK, Identities
from eachonce_workbench.template.idle import PAST_RUNTIMES, why_idle
from eachonce_workbench.template.intrinsics import Intrinsics, Unresolved, text
from eachonce_workbench.template.inventions import Inventions
from eachonce_workbench.template.limits import LIMITS
from eachonce_workbench.template.nested import Load, Loaded
from eachonce_workbench.template.others import others
from eachonce_workbench.template.place import Place
from eachonce_workbench.template.policies import Policy, policy_of
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.shape import PassedOver
from eachonce_workbench.template.source import Where
from eachonce_workbench.template.sources import event_sources, topics_of_others
from eachonce_workbench.template.stack_resources import MAPPING, mapping_uuid, stack_resources
from eachonce_workbench.template.stored_values import stored_values
from eachonce_workbench.template.system import Resource, System
from eachonce_workbench.template.topology import Bus, Function, QueueMapping, StreamMapping, Topology
from eachonce_workbench.template.web import Web
from eachonce_workbench.template.web.addresses import brought_here

_FUNCTION = "AWS::Lambda::Function"


class Stack:
    """The resources, conditions and outputs of one template, with the stacks inside it."""

    def __init__(
        self,
        place: Place,
        template: Mapping[str, Any],
        parameters: Mapping[str, str | list[str]],
        root: Path,
        load: Load,
    ) -> None:
        self._place = place
        self._root = root
        self._load = load
        self._outputs: Mapping[str, Any] = template.get("Outputs", {})
        self._inventions = Inventions(place)
        self._loading: set[str] = set()
        self.nested: dict[str, Loaded] = {}
        self.resources: dict[str, Any] = {}
        self._identities = Identities(
            place=place,
            resources=self.resources,
            resolve=self._resolve,
            inventions=self._inventions,
            nested=self._nested_outputs,
        )
        self._intrinsics = Intrinsics(
            parameters={**place.pseudo_parameters(), **parameters},
            conditions=template.get("Conditions", {}),
            mappings=template.get("Mappings", {}),
            references=self._identities,
            inventions=self._inventions,
        )
        for logical_id, resource in template["Resources"].items():
            if self._wanted(resource, ("Resources", logical_id)):
                self.resources[logical_id] = resource
        for logical_id, resource in self.resources.items():
            if resource["Type"] == STACK:
                self._nested_outputs(logical_id)
        self._system = System(
            [self._resource(name, each) for name, each in self.resources.items() if each["Type"] in LIMITS]
        )
        self.layers = dict(self._layers())
        self.idle = dict(self._idle())

    def findings(self) -> tuple[list[Unresolved], list[Where]]:
        """Give what AWS would refuse, and where what is passed over is. Raises Unresolved for what can't be known."""
        faults: list[Unresolved] = []
        places: list[Where] = []
        for resource in self._system.resources:
            properties = resource.properties
            for finding in LIMITS[resource.type].findings(properties.values, properties.where):
                if isinstance(finding, PassedOver):
                    places.append(finding.where)
                else:
                    faults.append(finding)
        if not faults:
            faults = list(misfits(self._system))
        return faults, places

    def topology(self) -> Topology:
        """Give the system, without what is nested in it and what answers over HTTP."""
        functions = tuple(self._functions())
        mappings = tuple(self._mappings(functions))
        queues, buses = others(self._system, self._place)
        return Topology(
            stack=self._place.stack,
            region=self._place.region,
            account_id=self._place.account_id,
            endpoint=self._place.endpoint,
            tables=tuple(resources.table(*each) for each in self._each("AWS::DynamoDB::Table")),
            queues=(*(resources.queue(*each) for each in self._each("AWS::SQS::Queue")), *queues),
            buses=(*self._buses(), *buses),
            archives=tuple(resources.archive(*each) for each in self._each("AWS::Events::Archive")),
            rules=tuple(resources.rule(*each) for each in self._each("AWS::Events::Rule")),
            functions=functions,
            queue_mappings=tuple(each for each in mappings if isinstance(each, QueueMapping)),
            stream_mappings=tuple(each for each in mappings if isinstance(each, StreamMapping)),
            outputs=(outputs := dict(self._local_outputs())),
            exports=dict(self._exports(outputs)),
            stored_values=tuple(stored_values(self.resources, self._resolve, self._identities)),
            encryption_keys=tuple(encryption_keys(self.resources, self._resolve, self._identities)),
            resources=tuple(stack_resources(self._place.stack, self.resources, self._identities)),
            **event_sources(self._each),
        )

    def web(self) -> Web:
        """Give what answers over HTTP."""
        functions = [logical_id for logical_id, *_ in self._each(_FUNCTION) if logical_id not in self.idle]
        names = {self._identities.name(logical_id): logical_id for logical_id in functions}
        return Web(self.resources, self._resolve, names)

    def policies(self) -> dict[str, Policy]:
        """Give what each function's role lets it do, where the role is of this template."""
        roles = {str(self._identities.attribute(name, "Arn", ())): name for name in self._named("AWS::IAM::Role")}
        found = ((each[0], roles.get(each[2].optional_text("Role") or "")) for each in self._each(_FUNCTION))
        return {function: self._policy(role) for function, role in found if role is not None}

    def _policy(self, role: str) -> Policy:
        attached = [
            properties.get("PolicyDocument", {})
            for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
            for name in self._named(kind)
            if self._identities.ref(role, ())
            in _attached(properties := self._resource(name, self.resources[name]).properties)
        ]
        managed = {
            self._identities.ref(name, ()): self._resource(name, self.resources[name]).properties.get(
                "PolicyDocument", {}
            )
            for name in self._named("AWS::IAM::ManagedPolicy")
            if (properties := self._resource(name, self.resources[name]).properties)
        }
        return policy_of(self._resource(role, self.resources[role]).properties.values, attached, managed)

    def _named(self, type_name: str) -> Iterator[str]:
        return (name for name, resource in self.resources.items() if resource["Type"] == type_name)

    def declared(self, logical_id: str, resource: Mapping[str, Any]) -> Declared:
        """Give one of the resources, whatever its type is."""
        found = self._resource(logical_id, resource)
        return Declared(
            logical_id=logical_id,
            type=found.type,
            ref=self._identities.ref(logical_id, found.properties.where),
            arn=found.arn,
            properties=found.properties.values,
            source=logical_id,
            metadata={},
            line=1,
        )

    def said(self) -> Iterator[str]:
        """Tell what is made up, and what is of other stacks."""
        yield from self._inventions.lines
        queues, buses = others(self._system, self._place)
        for kind, found in (("Queue", queues), ("Event bus", buses)):
            yield from (f"{kind} {each.name}: of another stack; there is an empty one here" for each in found)
        yield from (
            f"Topic {each.name}: of another stack; there is an empty one here" for each in topics_of_others(self._each)
        )
        runtimes = {each.get("Runtime") for *_, each in self._each(_FUNCTION)}
        yield from (
            f"Runtime {name}: Lambda makes no function with it any more" for name in sorted(runtimes & PAST_RUNTIMES)
        )
        known = {arn for _, _, each in self._each(_FUNCTION) for arn in resources.layer_arns(each)}
        for arn in sorted(known - self.layers.keys()):
            yield f"Layer {arn}: not here; functions import what is installed"

    def outputs(self) -> dict[str, str]:
        """Give all outputs, made up or not."""
        return {name: text(value, where) for name, value, where in self._each_output()}

    def _resource(self, logical_id: str, resource: Mapping[str, Any]) -> Resource:
        where = ("Resources", logical_id, "Properties")
        return Resource(
            logical_id=logical_id,
            type=resource["Type"],
            arn=self._identities.arn(logical_id),
            properties=Properties.resolved(resource.get("Properties", {}), where, self._resolve),
        )

    def _idle(self) -> Iterator[tuple[str, str]]:
        """Give the functions that aren't run here, and why."""
        for logical_id, _, properties in self._each(_FUNCTION):
            if why := why_idle(properties, self._root):
                yield logical_id, why

    def _functions(self) -> Iterator[Function]:
        settings = dict(resources.event_invoke(each) for *_, each in self._each("AWS::Lambda::EventInvokeConfig"))
        for each in self._each(_FUNCTION):
            if each[0] not in self.idle:
                function = resources.function(*each, layers=self.layers, root=self._root, event_invokes=settings)
                here = {name: brought_here(value, self._place.endpoint) for name, value in function.environment.items()}
                yield replace(function, published=dict(self._published(function.name)), environment=here)

    def _published(self, function: str) -> Iterator[tuple[str, str]]:
        """Give each version and alias of a function, and the version that it stands for."""
        for logical_id, identities, properties in self._each("AWS::Lambda::Version"):
            name, version = reference.parse(identities.ref(logical_id, properties.where))
            if name == function:
                yield version, version
        for _, _, properties in self._each("AWS::Lambda::Alias"):
            if reference.parse(properties.text("FunctionName"))[0] == function:
                yield properties.text("Name"), properties.text("FunctionVersion")

    def _layers(self) -> Iterator[tuple[str, Path]]:
        for loaded in self.nested.values():
            yield from loaded.layers.items()
        for logical_id, identities, properties in self._each("AWS::Lambda::LayerVersion"):
            folder = code_path(properties.get("Content"), self._root)
            if folder is not None and folder.is_dir():
                yield identities.ref(logical_id, properties.where), importable(folder.resolve())

    def _mappings(self, functions: tuple[Function, ...]) -> Iterator[QueueMapping | StreamMapping]:
        logical_ids = {function.name: function.logical_id for function in functions}
        for logical_id, _, properties in self._each(MAPPING):
            if mapping := resources.mapping(logical_ids, properties):
                yield replace(mapping, uuid=mapping_uuid(self._place.stack, logical_id))

    def _local_outputs(self) -> Iterator[tuple[str, str]]:
        """Give the outputs that hold here, too: nothing in them is made up."""
        for name in self._outputs:
            before = self._inventions.count
            found = [(name, text(value, where)) for name, value, where in self._each_output(name)]
            if self._inventions.count == before:
                yield from ((name, brought_here(value, self._place.endpoint)) for name, value in found)

    def _exports(self, outputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Give the name of the output that each export is of."""
        for name in outputs:
            export, where = self._outputs[name].get("Export"), ("Outputs", name, "Export", "Name")
            if isinstance(export, Mapping):
                yield text(self._resolve(export.get("Name"), where), where), name

    def _each_output(self, only: str | None = None) -> Iterator[tuple[str, Any, Where]]:
        for name, output in self._outputs.items():
            if only in (None, name) and self._wanted(output, ("Outputs", name)):
                where = ("Outputs", name, "Value")
                yield name, self._resolve(output.get("Value"), where), where

    def _nested_outputs(self, logical_id: str) -> Mapping[str, str] | None:
        if logical_id in self.nested:
            return self.nested[logical_id].outputs
        where = ("Resources", logical_id, "Properties")
        properties = self.resources[logical_id].get("Properties", {})
        location = self._resolve(properties.get("TemplateURL"), (*where, "TemplateURL"))
        if not isinstance(location, str) or "://" in location or not (self._root / location).is_file():
            return None
        if logical_id in self._loading:
            raise Unresolved(where, f"{logical_id} depends on itself")
        self._loading.add(logical_id)
        given = self._resolve(properties.get("Parameters", {}), (*where, "Parameters")) or {}
        values = {name: _parameter(value, (*where, "Parameters", name)) for name, value in given.items()}
        self.nested[logical_id] = self._load(logical_id, self._root / location, values)
        return self.nested[logical_id].outputs

    def _buses(self) -> Iterator[Bus]:
        yield Bus(logical_id="", name="default", arn=self._place.arn("events", "event-bus/default"))
        yield from (resources.bus(*each) for each in self._each("AWS::Events::EventBus"))

    def _each(self, type_name: str) -> Iterator[tuple[str, Identities, Properties]]:
        for resource in self._system.of_type(type_name):
            yield resource.logical_id, self._identities, resource.properties

    def _wanted(self, part: Mapping[str, Any], where: Where) -> bool:
        condition = part.get("Condition")
        return condition is None or self._intrinsics.holds(condition, (*where, "Condition"))

    def _resolve(self, value: Any, where: Where) -> Any:
        return self._intrinsics.resolve(value, where)


def _attached(policy: Properties) -> list[Any]:
    """Give the names of the roles that a policy is attached to."""
    return [*policy.get("Roles", []), policy.get("RoleName")]


def _parameter(value: Any, where: Where) -> str:
    return ",".join(text(item, where) for item in value) if isinstance(value, list) else text(value, where)
