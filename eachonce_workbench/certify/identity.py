"""Identities: where a contract says which data are the same event again, no two events of a crowd are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from eachonce import ContractError
from eachonce.description import Description
from eachonce.model import decode, encode

from eachonce_workbench.certify.requests import Asked, subject

_TRIES = 9


def identity_of(description: Description, data: Any) -> tuple[str, ...] | None:
    """Return what says which event it is; None where the data don't. A request is told by what it is about, too."""
    if isinstance(data, Asked):
        if (about := subject(data)) is not None:
            return (description.type, about)
        data = data.body
    if not isinstance(description.identity, tuple):
        return None
    values = []
    for path in description.identity:
        value = data
        for part in path.split("."):
            value = getattr(value, part, None)
        values.append(str(value))
    return (description.type, *values)


def distinct(described: Iterable[tuple[Description, Any]]) -> Iterator[Any]:
    """Yield data such that no two are the same event: what says so is another where it must be, and can."""
    seen: set[tuple[str, ...]] = set()
    for description, data in described:
        other, number = data, 0
        while (identity := identity_of(description, other)) is not None and identity in seen and number < _TRIES:
            number += 1
            other = _renumbered(description, data, number)
        if identity is not None:
            seen.add(identity)
        yield other


def _renumbered(description: Description, data: Any, number: int) -> Any:
    """Return data with another number where their identity lies; the same where their contract allows no other."""
    made: Any = msgspec.json.decode(msgspec.json.encode(data, enc_hook=encode))
    place = made["body"] if isinstance(data, Asked) else made
    *folders, last = _where(description, data, place)
    for folder in folders:
        place = place.get(folder, {})
    known = place.get(last)
    place[last] = known + number if isinstance(known, int) else f"{known}{number}"
    try:
        return decode(type(data), msgspec.json.encode(made))
    except (ContractError, TypeError):
        return data


def _where(description: Description, data: Any, body: Mapping[str, Any]) -> Sequence[str]:
    """Return the path of a field that tells the identity: one that says what a request is about, where that tells."""
    about = subject(data) if isinstance(data, Asked) else None
    if about is not None:
        return [next((name for name, value in body.items() if str(value) == about), "")]
    return description.identity[0].split(".") if isinstance(description.identity, tuple) else [""]
