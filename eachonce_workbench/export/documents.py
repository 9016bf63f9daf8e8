"""The documents that are derived from a bundle, by their paths in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec
from eachonce import Consumer, Endpoint, Relay
from eachonce.model import json_schema

from eachonce_workbench.certify.sample import NoSampleError
from eachonce_workbench.certify.subject import handler_of
from eachonce_workbench.cloud.confinement.refusals import Refusals
from eachonce_workbench.export.examples import Examples, Shown
from eachonce_workbench.export.payloads import Payloads
from eachonce_workbench.run.samples import folders_of
from eachonce_workbench.template.source import Source
from eachonce_workbench.template.topology import Function, Topology

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """`derived` follow from contracts, and are written anew; `first` are for functions that nobody has samples of.

    `unknown` says of which functions, or events, nothing could be made.
    """

    derived: Mapping[str, str]
    first: Mapping[str, str]
    unknown: tuple[str, ...] = field(default=())

    def write(self, folder: Path, *, again: bool = True) -> list[str]:
        """Write them into a bundle's folder, the first ones where a function has none; return their paths in it.

        What is there already is written again, unless that is not wanted.
        """
        first = {path: text for path, text in self.first.items() if not any((folder / path).parent.glob("*.json"))}
        wanted = {**self.derived, **first}
        written = {path: text for path, text in wanted.items() if again or not (folder / path).exists()}
        for path, text in written.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return list(written)


def documents(template: Path, topology: Topology, examples: Examples | None) -> Documents:
    """Derive all documents of a bundle; its functions are imported."""
    return _Deriving(template, topology, examples).documents()


class _Deriving:
    def __init__(self, template: Path, topology: Topology, examples: Examples | None) -> None:
        self._resources: Mapping[str, Any] = Source.read(template).document["Resources"]
        self._topology = topology
        self._shown = Shown(examples)
        self._payloads = Payloads(region=topology.region, account_id=topology.account_id)
        self._unknown: list[str] = []

    def documents(self) -> Documents:
        handlers = [(function, self._handler(function)) for function in self._topology.functions]
        derived: dict[str, Json] = {}
        first: dict[str, Json] = {}
        # The relay carries what the others handle.
        for function, handler in sorted(handlers, key=lambda each: isinstance(each[1], Relay)):
            known = isinstance(handler, Consumer | Endpoint | Relay)
            samples = self._of_contracts(function, handler) if known else self._of_template(function)
            folder = folders_of(function)[0]
            (derived if known else first).update({f"events/{folder}/{name}.json": each for name, each in samples})
        schemas = {
            f"docs/events/{contract.__name__}.json": _tidy(json_schema(contract))
            for contract in self._shown.contracts()
        }
        return Documents(derived=_texts(schemas | derived), first=_texts(first), unknown=tuple(self._unknown))

    def _handler(self, function: Function) -> Any:
        try:
            return handler_of(function, Refusals())
        except Exception as error:  # noqa: BLE001 - whatever a function's code raises is told
            self._unknown.append(f"{function.logical_id} can't be imported: {type(error).__name__}: {error}")
            return None

    def _of_contracts(self, function: Function, handler: Any) -> Iterator[tuple[str, Json]]:
        try:
            match handler:
                case Consumer():
                    yield from self._of_consumer(function, handler)
                case Endpoint():
                    yield from self._of_endpoint(function, handler)
                case Relay() if self._shown.events:
                    yield from self._of_relay(function)
        except NoSampleError as error:
            self._unknown.append(f"{function.logical_id}: {error}")

    def _of_consumer(self, function: Function, consumer: Consumer) -> Iterator[tuple[str, Json]]:
        arn = self._queue(function) or self._arn("sqs", function.name)
        events = {handler.description.type: self._shown.event(handler) for handler in consumer.handlers}
        for name, event in events.items():
            yield name, self._payloads.batch(arn, [event])
        several = list(events.values())
        yield "batch", self._payloads.batch(arn, [*several, *several[:1]])  # the last one is a copy
        yield "malformed", self._payloads.message(arn, '{"not": "an event"')

    def _of_endpoint(self, function: Function, endpoint: Endpoint) -> Iterator[tuple[str, Json]]:
        for contract in endpoint.contracts[:1]:
            request = self._shown.request(contract)
            yield "direct", msgspec.to_builtins(request)
            for method, path in self._routes(function):
                yield "http", self._payloads.http_request(method, path, request)

    def _of_relay(self, function: Function) -> Iterator[tuple[str, Json]]:
        for mapping in self._topology.stream_mappings:
            if mapping.function == function.logical_id:
                yield "batch", self._payloads.published(mapping.stream_arn, list(self._shown.events.values()))

    def _of_template(self, function: Function) -> Iterator[tuple[str, Json]]:
        """Yield what a function without the layer may get, as far as the template tells."""
        if (queue := self._queue(function)) is not None:
            yield "message", self._payloads.message(queue, "{}")
        for mapping in self._topology.stream_mappings:
            if mapping.function == function.logical_id:
                table = self._topology.table(mapping.table_name)
                keys = (key for key in (table.hash_key, table.range_key) if key is not None)
                item = {key: _SHOWN[table.key_types[key]] for key in keys}
                yield "change", self._payloads.change(mapping.stream_arn, item, item)
        for rule in self._topology.rules:
            if any(target.arn == function.arn for target in rule.targets):
                yield rule.logical_id, self._payloads.from_bus("a.source", "A type", {})
                return
        if queue is None and not any(each.function == function.logical_id for each in self._topology.stream_mappings):
            yield "event", {}

    def _queue(self, function: Function) -> str | None:
        arns = (each.queue_arn for each in self._topology.queue_mappings if each.function == function.logical_id)
        return next(arns, None)

    def _routes(self, function: Function) -> Iterator[tuple[str, str]]:
        """Yield the method and path of the first HTTP API event of a function."""
        events = self._resources.get(function.logical_id, {}).get("Properties", {}).get("Events", {})
        for event in events.values():
            match event:
                case {"Type": "HttpApi", "Properties": {"Method": str(method), "Path": str(path)}}:
                    yield method.upper(), path
                    return

    def _arn(self, service: str, name: str) -> str:
        return f"arn:aws:{service}:{self._topology.region}:{self._topology.account_id}:{name}"


_SHOWN: Mapping[str, Json] = {"S": {"S": "a"}, "N": {"N": "1"}, "B": {"B": "YQ=="}}


def _texts(documents: Mapping[str, Json]) -> dict[str, str]:
    return {path: json.dumps(document, indent=2) + "\n" for path, document in documents.items()}


def _tidy(schema: Any) -> Any:
    """Return the schema with its descriptions, which are docstrings, as every version of Python would have them."""
    if isinstance(schema, dict):
        return {name: cleandoc(value) if name == "description" else _tidy(value) for name, value in schema.items()}
    return [_tidy(item) for item in schema] if isinstance(schema, list) else schema
