"""The contracts of a bundle, asked in a process that imports its code; what is asked and said can be pickled."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from eachonce_workbench.template.topology import Function

Json = dict[str, Any]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a contract: of the events of a type, or of the requests to one function.

    `functions` handle it, `sample` is JSON of data that the contract allows, empty where none could be made up.
    `source` is whose events are taken, None where anybody's are. `alone` says that the data travel without an envelope.
    """

    kind: Literal["event", "request"]
    type: str
    functions: tuple[str, ...]
    schema: Json
    sample: str = ""
    source: str | None = None
    alone: bool = False


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """All contracts, the functions that have the layer, and what could not be imported."""

    known: tuple[Known, ...] = ()
    layered: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract says of some data: why not, if it doesn't take them; else what the event is about."""

    reason: str | None = None
    subject: str | None = None


# In that process alone.
_contracts: dict[tuple[str, str], type[Any]] = {}


def alone() -> None:
    """Let this process be ended by the one that has started it alone, and with it."""
    import os

    from eachonce_workbench.cloud.functions.bootstrap import die_with

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with(os.getppid())


def told(functions: Sequence[Function]) -> Told:
    """Import functions, and say which contracts they have."""
    from eachonce import Consumer, Endpoint, Relay

    from eachonce_workbench.certify.subject import handler_of
    from eachonce_workbench.cloud.confinement.refusals import Refusals

    known: dict[tuple[str, str], Known] = {}
    layered: list[str] = []
    unknown: list[str] = []
    for function in functions:
        try:
            found = handler_of(function, Refusals())
        except Exception as error:  # noqa: BLE001 - whatever a function's code raises is told
            unknown.append(f"{function.logical_id} can't be imported: {type(error).__name__}: {error}")
            continue
        if isinstance(found, Consumer | Endpoint | Relay):
            layered.append(function.logical_id)
        if isinstance(found, Consumer):
            for handler in found.handlers:
                _add(known, _of_handler(handler, function.logical_id), handler.contract)
        elif isinstance(found, Endpoint):
            for contract in found.contracts:
                _add(known, _of_request(contract, function.logical_id), contract)
    return Told(known=tuple(known.values()), layered=frozenset(layered), unknown=tuple(unknown))


def check(kind: str, name: str, data: bytes) -> Checked:
    """Say what a contract makes of data; what nobody knows is not refused."""
    from eachonce.errors import ContractError
    from eachonce.model import decode, subject_of

    contract = _contracts.get((kind, name))
    if contract is None:
        return Checked()
    try:
        decoded = decode(contract, data)
    except ContractError as error:
        return Checked(reason=error.reason)
    try:
        return Checked(subject=subject_of(decoded))
    except Exception:  # noqa: BLE001 - the contract's own code
        return Checked()


def _add(known: dict[tuple[str, str], Known], one: Known, contract: type[Any]) -> None:
    key = one.kind, one.type
    if (same := known.get(key)) is not None:
        known[key] = msgspec.structs.replace(same, functions=(*same.functions, *one.functions))
    else:
        known[key] = one
        _contracts[key] = contract


def _of_handler(handler: Any, function: str) -> Known:
    description = handler.description
    return Known(
        kind="event",
        type=description.type,
        functions=(function,),
        schema=_schema(handler.contract),
        sample=_sample(handler),
        source=description.source,
        alone=description.identity is not None,
    )


def _of_request(contract: type[Any], function: str) -> Known:
    return Known(
        kind="request",
        type=f"{function} {contract.__name__}",
        functions=(function,),
        schema=_schema(contract),
        sample=_sample(contract),
    )


def _schema(contract: type[Any]) -> Json:
    from eachonce.model import json_schema

    try:
        return json_schema(contract)
    except TypeError:  # a type of its own that has no schema
        return {}


def _sample(told: Any) -> str:
    from eachonce.model import encode

    from eachonce_workbench.certify.crowd import crowds
    from eachonce_workbench.certify.sample import NoSampleError

    try:
        ((event, *_), *_) = crowds([told], size=1, count=1, chosen_by=0)
    except NoSampleError:
        return ""
    return msgspec.json.format(msgspec.json.encode(event.data, enc_hook=encode), indent=2).decode()
