"""Contracts: what an event's data must look like."""

from __future__ import annotations

from functools import cache
from typing import Any, Self

import msgspec

from eachonce.depth import shallow
from eachonce.description import type_name
from eachonce.errors import ContractError
from eachonce.reason import reason_of


class Contract(msgspec.Struct, frozen=True):
    """The base of an event's data type: the class's name is the event's type, unless `describe` says another.

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
        return type_name(cls)

    @classmethod
    def decode(cls, data: bytes | msgspec.Raw) -> Self:
        """Decode and validate JSON text.

        Raises ContractError when it isn't JSON, nests too deeply, breaks the contract, or a check of the contract's own
        (a `__post_init__`) raises anything. The reason has the check's words where its code has them as they are, as in
        `ValueError("a price is not negative")`, or where it raises a Reject; else it names the exception and the place.
        """
        decoder = decoder_of(cls)
        try:
            decoded: Self = decoder.decode(shallow(data))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the contract runs its user's code
            raise ContractError(cls.event_type(), reason_of(error)) from None
        return decoded

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of the data."""
        return msgspec.json.schema(cls)


@cache
def decoder_of(contract: type[Any]) -> msgspec.json.Decoder[Any]:
    """Return what decodes JSON text into a class; it is made once."""
    return msgspec.json.Decoder(contract)
