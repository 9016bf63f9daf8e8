"""Reads template.yaml, the only description of the system, into a topology."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from eachonce_workbench.template import reference, resources
from eachonce_workbench.template.checks import misfits
from eachonce_workbench.template.identity import Identities, Place
from eachonce_workbench.template.intrinsics import Elsewhere, Intrinsics, Unresolved, text
from eachonce_workbench.template.limits import LIMITS
from eachonce_workbench.template.outline import check_outline
from eachonce_workbench.template.parameters import values
from eachonce_workbench.template.passed_over import passed_over
from eachonce_workbench.template.properties import Properties
from eachonce_workbench.template.remembered import translated
from eachonce_workbench.template.shape import PassedOver
from eachonce_workbench.template.source import Source, TemplateError, Where
from eachonce_workbench.template.stack_resources import mapping_uuid, stack_resources
from eachonce_workbench.template.system import Resource, System
from eachonce_workbench.template.topology import Bus, Function, QueueMapping, StreamMapping, Topology
from eachonce_workbench.template.translation import origin, owned

__all__ = ["TemplateError", "load"]


def load(
    path: Path,
    *,
    parameters: Mapping[str, str] | None = None,
    stack: str = "eachonce",
    region: str = "eu-west-1",
    account_id: str = "123456789012",
    endpoint: str = "http://127.0.0.1:4566",
) -> Topology:
    """Give the system that a SAM template describes, as it would be deployed with these parameters.

    `endpoint` is what queue URLs begin with. Functions and layers are the folders that the template names. What has no
    local counterpart (APIs, alarms, dashboards, roles, policies, log groups, archives) is passed over, and the topology
    says so; an output that names it is left out. Raises TemplateError, which names the lines, for what can't be
    resolved, what AWS refuses, and what can't run here.
    """
    source = Source.read(path)
    check_outline(source)
    try:
        place = Place(stack=stack, region=region, account_id=account_id, endpoint=endpoint)
        given = values(source.document, parameters or {})
        built = _Stack(place, translated(source, given, region), given, path.parent)
        faults, places = built.findings()
        if faults:
            raise source.errors((origin(source, fault.where), _reason(source, fault)) for fault in faults)
        return replace(
            built.topology(),
            passed_over=passed_over(source, built.resources, places),
            parameters={name: _shown(source.document, name, value) for name, value in given.items()},
            template=path.read_text(encoding="utf-8"),
        )
    except Unresolved as error:
        raise source.error(origin(source, error.where), error.reason) from error


def _shown(document: Mapping[str, Any], name: str, value: str | list[str]) -> str:
    """Give a parameter's value as a description of the stack shows it, with "NoEcho" masked."""
    if str(document["Parameters"][name].get("NoEcho", False)).lower() == "true":
        return "****"
    return ",".join(value) if isinstance(value, list) else value


def _reason(source: Source, fault: Unresolved) -> str:
    return f"{owned(source, fault.where)[1]}: {fault.reason}"


class _Stack:
    """One translated template, resolved."""

    def __init__(
        self, place: Place, template: Mapping[str, Any], parameters: Mapping[str, str | list[str]], root: Path
    ) -> None:
        self._place = place
        self._root = root
        self._outputs: Mapping[str, Any] = template.get("Outputs", {})
        self.resources: dict[str, Any] = {}
        self._identities = Identities(place=place, resources=self.resources, resolve=self._resolve)
        self._intrinsics = Intrinsics(
            parameters={**place.pseudo_parameters(), **parameters},
            conditions=template.get("Conditions", {}),
            mappings=template.get("Mappings", {}),
            references=self._identities,
        )
        for logical_id, resource in template["Resources"].items():
            if self._wanted(resource, ("Resources", logical_id)):
                self.resources[logical_id] = resource

    def findings(self) -> tuple[list[Unresolved], list[Where]]:
        """Give what AWS would refuse, and where what is passed over is. Raises Unresolved for what can't be known."""
        runs = {name: resource for name, resource in self.resources.items() if resource["Type"] in LIMITS}
        system = System([self._resource(name, resource) for name, resource in runs.items()])
        faults: list[Unresolved] = []
        places: list[Where] = []
        for resource in system.resources:
            limits, properties = LIMITS[resource.type], resource.properties
            places += [properties.at(name) for name in properties.elsewhere if limits.matters(name)]
            for finding in limits.findings(properties.values, properties.where):
                if isinstance(finding, PassedOver):
                    places.append(finding.where)
                else:
                    faults.append(finding)
        if not faults:
            faults = list(misfits(system))
            places += system.rules_elsewhere()
        return faults, places

    def _resource(self, logical_id: str, resource: Mapping[str, Any]) -> Resource:
        where = ("Resources", logical_id, "Properties")
        return Resource(
            logical_id=logical_id,
            type=resource["Type"],
            arn=self._identities.arn(logical_id),
            properties=Properties.resolved(resource.get("Properties", {}), where, self._resolve),
        )

    def topology(self) -> Topology:
        """Give the whole system."""
        functions = tuple(self._functions())
        mappings = tuple(self._mappings(functions))
        return Topology(
            stack=self._place.stack,
            region=self._place.region,
            account_id=self._place.account_id,
            tables=tuple(resources.table(*each) for each in self._each("AWS::DynamoDB::Table")),
            queues=tuple(resources.queue(*each) for each in self._each("AWS::SQS::Queue")),
            buses=(self._default_bus(), *(resources.bus(*each) for each in self._each("AWS::Events::EventBus"))),
            rules=tuple(rule for each in self._each("AWS::Events::Rule") if (rule := resources.rule(*each))),
            functions=functions,
            queue_mappings=tuple(each for each in mappings if isinstance(each, QueueMapping)),
            stream_mappings=tuple(each for each in mappings if isinstance(each, StreamMapping)),
            outputs=(outputs := dict(self._local_outputs())),
            exports=dict(self._exports(outputs)),
            resources=tuple(stack_resources(self._place.stack, self.resources, self._identities)),
        )

    def _functions(self) -> Iterator[Function]:
        layers = dict(self._layers())
        settings = dict(resources.event_invoke(each) for *_, each in self._each("AWS::Lambda::EventInvokeConfig"))
        for each in self._each("AWS::Lambda::Function"):
            function = resources.function(*each, layers=layers, root=self._root, event_invokes=settings)
            yield replace(function, published=dict(self._published(function.name)))

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
        for logical_id, identities, properties in self._each("AWS::Lambda::LayerVersion"):
            folder = resources.code_folder(properties, "Content", self._root)
            yield identities.ref(logical_id, properties.where), resources.importable(folder)

    def _mappings(self, functions: tuple[Function, ...]) -> Iterator[QueueMapping | StreamMapping]:
        logical_ids = {function.name: function.logical_id for function in functions}
        for logical_id, _, properties in self._each("AWS::Lambda::EventSourceMapping"):
            mapping = resources.mapping(logical_ids, properties)
            yield replace(mapping, uuid=mapping_uuid(self._place.stack, logical_id))

    def _local_outputs(self) -> Iterator[tuple[str, str]]:
        for name, output in self._outputs.items():
            where = ("Outputs", name, "Value")
            try:
                if self._wanted(output, ("Outputs", name)):
                    yield name, text(self._resolve(output.get("Value"), where), where)
            except Elsewhere:
                continue

    def _exports(self, outputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Give the name of the output that each export is of."""
        for name in outputs:
            export, where = self._outputs[name].get("Export"), ("Outputs", name, "Export", "Name")
            if isinstance(export, Mapping):
                yield text(self._resolve(export.get("Name"), where), where), name

    def _default_bus(self) -> Bus:
        return Bus(logical_id="", name="default", arn=self._place.arn("events", "event-bus/default"))

    def _each(self, type_name: str) -> Iterator[tuple[str, Identities, Properties]]:
        for logical_id, resource in self.resources.items():
            if resource.get("Type") == type_name:
                yield logical_id, self._identities, self._resource(logical_id, resource).properties

    def _wanted(self, part: Mapping[str, Any], where: Where) -> bool:
        condition = part.get("Condition")
        return condition is None or self._intrinsics.holds(condition, (*where, "Condition"))

    def _resolve(self, value: Any, where: Where) -> Any:
        return self._intrinsics.resolve(value, where)
