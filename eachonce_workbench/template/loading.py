"""Reads template.yaml, the only description of the system, into a topology."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.includes import included
from eachonce_workbench.template.intrinsics import Intrinsics, Unresolved
from eachonce_workbench.template.inventions import Inventions
from eachonce_workbench.template.loops import unrolled
from eachonce_workbench.template.nested import Loaded, whole
from eachonce_workbench.template.outline import check_outline
from eachonce_workbench.template.parameters import Parameters, chosen
from eachonce_workbench.template.passed_over import passed_over
from eachonce_workbench.template.place import Place
from eachonce_workbench.template.remembered import translated
from eachonce_workbench.template.source import Source, TemplateError, Where
from eachonce_workbench.template.stack import Stack
from eachonce_workbench.template.strangers import without_strangers
from eachonce_workbench.template.topology import Topology
from eachonce_workbench.template.translation import origin, owned
from eachonce_workbench.template.uncertain import Uncertain

__all__ = ["TemplateError", "declared", "load"]

_T = TypeVar("_T")


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
    local counterpart (alarms, dashboards, roles, policies, archives) is passed over, and what can't be known (a
    parameter without a value, what another stack exports, an id that AWS would give) is made up; the topology says so.
    An output that names such a thing is left out. Raises TemplateError, which names the lines, for what can't be
    resolved and for what AWS refuses.
    """
    place = Place(stack=stack, region=region, account_id=account_id, endpoint=endpoint)
    return without_strangers(_load(path, parameters or {}, place, ()).topology)


def declared(path: Path, *, parameters: Mapping[str, str] | None = None, stack: str = "eachonce") -> list[Declared]:
    """Give every resource that a SAM template declares, as AWS would translate it, with these parameters.

    Those of nested stacks are not among them. Raises TemplateError as `load` does.
    """
    place = Place(
        stack=stack, region="eu-west-1", account_id="123456789012", endpoint="https://sqs.eu-west-1.amazonaws.com"
    )
    return _read(path, parameters or {}, place, (), lambda source, made, values, _said: _declared(source, made, values))


def _declared(source: Source, stack: Stack, parameters: Parameters) -> list[Declared]:
    document = source.document["Resources"]
    uncertain = Uncertain(source.document, parameters.invented)
    found = []
    for logical_id, resource in stack.resources.items():
        made = stack.declared(logical_id, resource)
        where = owned(source, ("Resources", logical_id))
        of = str(where[1])
        found.append(
            replace(
                made,
                source=of,
                metadata=document.get(of, {}).get("Metadata", {}),
                line=source.line(("Resources", of)),
                made_at=source.line(where),
                unknown=uncertain.properties_of(of),
            )
        )
    return found


def _load(path: Path, given: Mapping[str, str], place: Place, above: tuple[Path, ...]) -> Loaded:
    return _read(path, given, place, above, _built)


def _read(
    path: Path,
    given: Mapping[str, str],
    place: Place,
    above: tuple[Path, ...],
    make: Callable[[Source, Stack, Parameters, tuple[str, ...]], _T],
) -> _T:
    """Read a template, and return what is made of it. Raises TemplateError for what can't be resolved."""
    source, said = included(Source.read(path))
    if path.resolve() in above:
        raise source.error((), "a nested stack is a part of itself")
    check_outline(source)
    try:
        parameters = chosen(source.document, given, place)
        source = unrolled(source, _Early(place, parameters, source).resolve)
        check_outline(source)
        template = translated(source, parameters.values, place.region)

        def load_nested(logical_id: str, file: Path, values: Mapping[str, str]) -> Loaded:
            child = replace(place, stack=f"{place.stack}-{logical_id}")
            return _load(file, values, child, (*above, path.resolve()))

        return make(source, Stack(place, template, parameters.values, path.parent, load_nested), parameters, said)
    except Unresolved as error:
        raise source.error(origin(source, error.where), error.reason) from error


def _shown(document: Mapping[str, Any], name: str, value: str | list[str]) -> str:
    """Give a parameter's value as a description of the stack shows it, with "NoEcho" masked."""
    if str(document["Parameters"][name].get("NoEcho", False)).lower() == "true":
        return "****"
    return ",".join(value) if isinstance(value, list) else value


def _built(source: Source, stack: Stack, parameters: Parameters, said: tuple[str, ...]) -> Loaded:
    faults, places = stack.findings()
    if faults:
        raise source.errors((origin(source, fault.where), _reason(source, fault)) for fault in faults)
    topology, web = stack.topology(), stack.web()
    apis = tuple(web.apis())
    lines = (
        *source.said,
        *parameters.made_up,
        *passed_over(source, stack.resources, places, stack.idle),
        *(f"{name}: not run here" for name in said),
        *stack.said(),
        *web.passed_over(),
    )
    shown = {name: _shown(source.document, name, value) for name, value in parameters.values.items()}
    text = source.file.read_text(encoding="utf-8")
    policies = stack.policies()
    functions = tuple(replace(each, policy=policies.get(each.logical_id)) for each in topology.functions)
    alone = replace(topology, functions=functions, apis=apis, passed_over=lines, parameters=shown, template=text)
    return Loaded(topology=whole(alone, stack.nested), outputs=stack.outputs(), layers=stack.layers)


def _reason(source: Source, fault: Unresolved) -> str:
    return f"{owned(source, fault.where)[1]}: {fault.reason}"


class _Early:
    """Values that can be known before there are resources: parameters, mappings, and what is made of them."""

    def __init__(self, place: Place, parameters: Parameters, source: Source) -> None:
        self._intrinsics = Intrinsics(
            parameters={**place.pseudo_parameters(), **parameters.values},
            conditions=source.document.get("Conditions", {}),
            mappings=source.document.get("Mappings", {}),
            references=self,
            inventions=Inventions(place),
        )

    def resolve(self, value: Any, where: Where) -> Any:
        """Resolve a value."""
        return self._intrinsics.resolve(value, where)

    def ref(self, name: str, where: Where) -> str:
        """Refuse: no resource has a name yet."""
        raise Unresolved(where, f"no parameter is called {name!r}")

    def attribute(self, logical_id: str, name: str, where: Where) -> str:
        """Refuse: no resource has an attribute yet."""
        raise Unresolved(where, f"{logical_id}.{name} is not known here")
