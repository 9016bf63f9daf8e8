"""Contracts: what an event's data must look like."""

from __future__ import annotations

from functools import cache
from typing import Any, Self

import msgspec

from eachonce.errors import ContractError, without_values


class Contract(msgspec.Struct, frozen=True):
    """The base of an event's data type: the class's name is the event's type.

    Decoding validates in the same pass. Unknown fields are ignored, so that a publisher may add one before
    its consumers know it; a field added later needs a default. A changed meaning is a new class.

    >>> class OrderPlaced(Contract, kw_only=True):
    ...     order_id: str
    >>> OrderPlaced.decode(b'{"order_id": "536365", "colour": "red"}')
    OrderPlaced(order_id='536365')
    """

    @property
    def subject(self) -> str | None:
        """What the event is about: events of one subject share a lane. None where each stands alone."""
        return None

    @classmethod
    def event_type(cls) -> str:
        """Return the `type` of events that carry this data."""
        return cls.__name__

    @classmethod
    def decode(cls, data: bytes | msgspec.Raw) -> Self:
        """Decode and validate JSON text.

        Raises ContractError when it isn't JSON, breaks the contract, or nests too deeply to be read.
        """
        try:
            decoded: Self = _decoder(cls).decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ContractError(cls.event_type(), without_values(error)) from error
        return decoded

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of the data."""
        return msgspec.json.schema(cls)


@cache
def _decoder(contract: type[Contract]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(contract)
