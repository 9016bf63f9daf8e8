"""Identity: which event is which, and whether two of them are copies of one.

CloudEvents makes `source` and `id` together unique. What else an event says of itself is its content, of which the
fingerprint is a digest: the same identity with other content is no copy.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#id
"""

from __future__ import annotations

import uuid
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, DecimalException
from functools import cache
from hashlib import blake2b
from itertools import permutations
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from eachonce.errors import ContractError, HandlerError
from eachonce.reason import reason_of

if TYPE_CHECKING:
    from eachonce.event import RawEvent

# The namespace of derived event ids: any constant does, as long as it never changes.
_DERIVED = uuid.UUID("5d2f2a52-3f0c-5a0e-9d6e-0e7f3c1b8a41")

_FINGERPRINT_BYTES = 12

# What is longer is told by a digest: it is in keys, and read by people.
MAX_ID = 256
_LONG_ID_BYTES = 16

_Key = Annotated[str, msgspec.Meta(min_length=1)] | int

# Nothing is rounded: a digit that doesn't count would make two events copies of each other.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
# Integers of fewer digits are `int`, however they are written, and larger ones Decimal: 1e4000 is not to become digits.
_MANY_DIGITS = 19
_ALL_DIGITS_0 = bytes.maketrans(b"123456789", b"000000000")


def derived_id(source: str, event_id: str, *, by: str, place: int) -> str:
    """Return the id of the event that the consumer `by` publishes as its `place`-th answer to this one.

    It follows from the cause alone, so a handler that runs again publishes the same ids.
    """
    cause = msgspec.json.encode([source, event_id, by, place])
    return str(uuid.uuid5(_DERIVED, cause.decode()))


def fingerprint(event: RawEvent) -> str:
    """Return 24 hex digits that tell an event's type, tenant, subject, data and route from any other's.

    Key order, white space and the way a number is written don't count, since a bus may write the same JSON anew; every
    digit of a number does. Raises ContractError when the data can't be read: JSON has numbers too large and nesting too
    deep for any reader.
    """
    named: list[Any] = [event.type, event.tenant, event.subject]
    if event.request.route:  # what the same body means depends on its path
        named += event.request.content
    content = msgspec.json.encode(named) + canonical(event.type, event.data)
    return blake2b(content, digest_size=_FINGERPRINT_BYTES).hexdigest()


def canonical(event_type: str, data: msgspec.Raw) -> bytes:
    """Return an event's data in the one form that its value has, however it is written; raises ContractError."""
    try:
        return _canonical(data)
    except (msgspec.DecodeError, UnicodeError, DecimalException, RecursionError) as error:
        raise ContractError(event_type, reason_of(error)) from None


class Fields(msgspec.Struct, frozen=True):
    """The fields of an event's data that tell it from any other of its source and type, by their paths in the JSON.

    Raises HandlerError when there are none, or one lies inside another.
    """

    paths: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.paths or not all(isinstance(path, str) and all(path.split(".")) for path in self.paths):
            raise HandlerError("a contract's identity is the paths of its fields, such as `order.id`")
        if any(path == other or path.startswith(f"{other}.") for path, other in permutations(self.paths, 2)):
            raise HandlerError("a contract's identity names each field once")

    def id_of(self, event_type: str, data: msgspec.Raw) -> str:
        """Return the id of an event: `order.placed|536365`; a digest, where that is longer than an id may be.

        Raises msgspec.DecodeError when a field isn't there, or is neither a text nor an integer.
        """
        found = _reader(self.paths).decode(data)
        told = [event_type, *(_at(found, path) for path in self.paths)]
        text = "|".join(part.replace("%", "%25").replace("|", "%7C") for part in told)
        return text if len(text) <= MAX_ID else blake2b(text.encode(), digest_size=_LONG_ID_BYTES).hexdigest()


def text_at(path: str, data: msgspec.Raw) -> str | None:
    """Return a field of JSON data as text; None where there is none of that kind."""
    try:
        return _at(_reader((path,)).decode(data), path)
    except (msgspec.DecodeError, UnicodeError):
        return None


def _at(found: Any, path: str) -> str:
    for name in path.split("."):
        found = getattr(found, _attribute(name))
    return str(found)


@cache
def _reader(paths: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Return a decoder that reads these fields alone, and refuses what has no such ones."""
    tree: dict[str, Any] = {}
    for path in paths:
        *outer, last = path.split(".")
        inner = tree
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = _Key
    return msgspec.json.Decoder(_struct(tree))


def _struct(tree: dict[str, Any]) -> Any:
    fields = [
        (_attribute(name), _struct(inner) if isinstance(inner, dict) else inner, msgspec.field(name=name))
        for name, inner in tree.items()
    ]
    return msgspec.defstruct("Fields", fields, frozen=True)


def _attribute(name: str) -> str:
    """Return an attribute's name: a field's may be any text."""
    return f"_{name.encode().hex()}"


def _canonical(data: msgspec.Raw) -> bytes:
    value = _decoder.decode(data)
    has_large = b"0" * _MANY_DIGITS in bytes(data).translate(_ALL_DIGITS_0)  # eight times as fast as a regex
    return _encoder.encode(_in_one_form(value) if has_large else value)


def _number(text: str) -> int | Decimal:
    """Read a number with a point or an exponent in it, in the one form that its value has."""
    number = Decimal(text).normalize(_EXACT)
    return int(number) if number.adjusted() < _MANY_DIGITS - 1 and number == int(number) else number


def _in_one_form(value: Any) -> Any:
    """Return JSON whose large integers are written as those with an exponent are."""
    match value:
        case dict():
            return {name: _in_one_form(inner) for name, inner in value.items()}
        case list():
            return [_in_one_form(inner) for inner in value]
        case int() if abs(value) >= 10 ** (_MANY_DIGITS - 1):
            return Decimal(value).normalize(_EXACT)
    return value


_decoder = msgspec.json.Decoder(float_hook=_number)
_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")
