"""Requests to the new process: which functions to run there, on what, and when they are to believe that it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

Said = tuple[str, ...]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A function, by its module and its name there, and an event's attributes and its reads, pickled."""

    module: str
    name: str
    key: str
    given: bytes


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Some cases, where their modules are found, and the moments at which these are imported and then run."""

    path: Sequence[str]
    environment: Mapping[str, str]
    imported_at: str
    now: str
    cases: Sequence[Case]
