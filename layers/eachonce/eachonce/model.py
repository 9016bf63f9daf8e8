"""Models: the classes that an event's data may be of, and how each kind is read and written.

A Contract is one, and so is a class that a bundle has already: a dataclass, a struct, a pydantic model.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any, TypeVar

import msgspec

from eachonce import pydantic_model
from eachonce.contract import Contract, decoder_of
from eachonce.depth import shallow
from eachonce.description import description_of
from eachonce.errors import ContractError
from eachonce.identity import text_at
from eachonce.personal import Unreadable
from eachonce.reason import reason_of

T = TypeVar("T")


def is_model(contract: Any) -> bool:
    """Whether an event's data may be of this class."""
    return isinstance(contract, type) and (
        issubclass(contract, msgspec.Struct) or is_dataclass(contract) or pydantic_model.is_one(contract)
    )


def decode(contract: type[T], data: bytes | msgspec.Raw) -> T:
    """Decode and validate JSON text; raises ContractError as `Contract.decode` does."""
    if issubclass(contract, Contract):
        return contract.decode(data)
    try:
        decoded: T = _read(contract, shallow(data))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a model runs its user's code
        reason = pydantic_model.reason_of(contract, error) or reason_of(error)
        raise ContractError(description_of(contract).type, reason) from None
    return decoded


def encode(data: Any) -> Any:
    """Return data as msgspec can write it: a pydantic model writes itself, and HIDDEN and ERASED are their texts."""
    if isinstance(data, Unreadable):
        return str(data)
    return pydantic_model.encode(data) if pydantic_model.is_one(type(data)) else data


def json_schema(contract: type[Any]) -> dict[str, Any]:
    """Return the JSON Schema of a contract's data."""
    if issubclass(contract, Contract):
        return contract.json_schema()
    return pydantic_model.json_schema(contract) if pydantic_model.is_one(contract) else msgspec.json.schema(contract)


def subject_of(data: Any) -> str | None:
    """Return what an event of this data is about, where its contract says so; raises what the contract's code raises.

    A field of that name may be anything, such as an e-mail's, in a class that is no Contract.
    """
    if isinstance(data, Contract) and data.subject is not None:
        return data.subject
    path = description_of(type(data)).subject
    return None if path is None else text_at(path, msgspec.Raw(msgspec.json.encode(encode(data), enc_hook=encode)))


def _read(contract: Any, text: bytes | msgspec.Raw) -> Any:
    if pydantic_model.is_one(contract):
        return pydantic_model.decode(contract, bytes(text))
    return decoder_of(contract).decode(text)
