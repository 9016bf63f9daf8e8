"""Subjects: the consumers to certify, and where their code is."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import eachonce
from eachonce import Consumer, Endpoint
from eachonce.handler import Handler

from eachonce_workbench import template
from eachonce_workbench.certify.effect import importing
from eachonce_workbench.certify.requests import Routed
from eachonce_workbench.cloud.confinement.refusals import Refusals
from eachonce_workbench.cloud.functions.code import imported
from eachonce_workbench.cloud.functions.environment import function_environment
from eachonce_workbench.template.journal import JOURNAL_VARIABLE
from eachonce_workbench.template.topology import Function, Topology

_REGION = "eu-west-1"
_LAYER = Path(eachonce.__file__).parent


class SubjectError(Exception):
    """What was to be certified is not there, or is no consumer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A consumer or an endpoint, the files of its own code, its environment, and the keys of tables that it may use.

    `path` are the folders in which its modules are found, before Python's own.
    """

    consumer: Consumer | Endpoint
    sources: tuple[Path, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    path: tuple[str, ...] = ()

    @classmethod
    def of(cls, consumer: Consumer | Endpoint) -> Subject:
        """Return a consumer or an endpoint as it is, in the process's own environment."""
        code = [
            part for handler in handlers_of(consumer) for part in (inspect.unwrap(handler.handle), handler.contract)
        ]
        return cls(consumer=consumer, sources=tuple(sorted(set(filter(None, map(_file, code))))))

    @property
    def name(self) -> str:
        """The consumer's name."""
        return self.consumer.name

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """Its handlers, each with a type of events of its own: those of an endpoint are called as their routes."""
        return handlers_of(self.consumer)

    @property
    def ordered(self) -> bool:
        """Whether the consumer asks for the order of each subject's events."""
        return isinstance(self.consumer, Consumer) and self.consumer._ordered  # noqa: SLF001 - which nobody else asks

    @property
    def isolated_by(self) -> str | None:
        """By which part of keys the consumer keeps tenants apart, if it does."""
        isolation = self.consumer._isolation if isinstance(self.consumer, Consumer) else None  # noqa: SLF001 - likewise
        return None if isolation is None else isolation.attribute

    @property
    def has_tenants(self) -> bool:
        """Whether its events are somebody's: those of an endpoint that is told whose, or of a consumer that asks."""
        asked = isinstance(self.consumer, Endpoint) and self.consumer._tenant is not None  # noqa: SLF001 - likewise
        return asked or self.isolated_by is not None

    @property
    def code(self) -> str:
        """A digest of the source of the handlers, their contracts and the layer."""
        digest = hashlib.blake2b(digest_size=12)
        for path in sorted({*self.sources, *_LAYER.glob("*.py")}, key=lambda path: (path.name, str(path))):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()


def handlers_of(consumer: Consumer | Endpoint) -> tuple[Handler, ...]:
    """Return the handlers of a consumer, or those of an endpoint with their routes."""
    if isinstance(consumer, Consumer):
        return consumer.handlers
    plain = [Routed.of(None, handler) for handler in consumer.handlers]
    return (*plain, *(Routed.of(route, route.handler) for route in consumer._routes))  # noqa: SLF001 - likewise


def of_template(
    path: Path, refusals: Refusals, *, only: str | None = None, parameters: Mapping[str, str] = {}
) -> list[Subject]:
    """Return the consumers and endpoints among a template's functions, imported as Lambda imports them.

    `only` is the name of the one that is wanted. What they try meanwhile and may not is noted in `refusals`. Raises
    SubjectError when there is no such consumer, or a function that keeps a journal can't be imported, and
    TemplateError when the template can't be read.
    """
    topology = template.load(path, parameters=parameters)
    handlers = [(function, _imported(function, refusals)) for function in topology.functions]
    subjects = [
        _subject(handler, function, topology)
        for function, handler in handlers
        if isinstance(handler, Consumer | Endpoint)
    ]
    names = ", ".join(sorted(subject.name for subject in subjects))
    if only is not None and only not in [subject.name for subject in subjects]:
        raise SubjectError(f"there is no consumer {only}; there are {names or 'none'}")
    return [subject for subject in subjects if only in (None, subject.name)]


def _imported(function: Function, refusals: Refusals) -> Any:
    try:
        return handler_of(function, refusals)
    except Exception as error:  # whatever a function raises when it is imported
        if JOURNAL_VARIABLE not in function.environment:
            return None  # it is no consumer, and may need what isn't installed here
        raise SubjectError(f"{function.logical_id} can't be imported: {type(error).__name__}: {error}") from error


def of_object(name: str, refusals: Refusals) -> Subject:
    """Return the consumer or endpoint that `module:object` names; what its module tries is noted.

    Raises SubjectError.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise SubjectError(f"{name} names no consumer: write module:object, such as app:consumer")
    try:
        with (
            patch.object(sys, "path", [str(Path.cwd()), *sys.path]),
            patch.dict(os.environ, {"AWS_DEFAULT_REGION": _REGION, **os.environ}),  # as it is wherever Lambda runs
            importing(module, refusals),
        ):
            found = getattr(importlib.import_module(module), attribute, None)
    except ModuleNotFoundError as error:
        raise SubjectError(f"there is no module {error.name}") from error
    except Exception as error:  # whatever a module raises, it is the one that was named
        raise SubjectError(f"{module} can't be imported: {type(error).__name__}: {error}") from error
    if found is None:
        raise SubjectError(f"{module} has no {attribute}; {_here(module)}")
    if not isinstance(found, Consumer | Endpoint):
        raise SubjectError(f"{name} is a {type(found).__name__} and no Consumer; {_here(module)}")
    return replace(Subject.of(found), path=(str(Path.cwd()),))


def _here(module: str) -> str:
    """Say which consumers a module has."""
    named = vars(sys.modules[module]).items()
    names = sorted(name for name, value in named if isinstance(value, Consumer | Endpoint))
    return f"its consumers are {', '.join(names)}" if names else "it has no consumer"


def _subject(consumer: Consumer | Endpoint, function: Function, topology: Topology) -> Subject:
    return Subject(
        consumer=consumer,
        sources=tuple(path for folder in (function.code, *function.layers) for path in folder.glob("**/*.py")),
        environment=function_environment(function, endpoint="http://localhost", runtime_api="certified"),
        path=(str(function.code), *map(str, function.layers)),
        keys={
            table.logical_id: [key for key in (table.hash_key, table.range_key) if key is not None]
            for table in topology.tables
        },
    )


def handler_of(function: Function, refusals: Refusals) -> Any:
    """Import a function's module as Lambda does, and return its handler; what the module tries is noted."""
    environment = function_environment(function, endpoint="http://localhost", runtime_api="certified")
    with (
        patch.dict(os.environ, environment),
        importing(function.logical_id, refusals),
        imported(function) as handler,
    ):
        return handler


def _file(code: Any) -> Path | None:
    """Return the file that something is written in; None where there is none, as for a partial."""
    try:
        return Path(inspect.getfile(code))
    except TypeError:
        return None
