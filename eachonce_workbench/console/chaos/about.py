"""Which events a call is about, as far as its request tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

_MOST = 100  # of a group commit
_TEXTS = re.compile(rb'"([^"\\]*)": ?\{"S": ?("(?:[^"\\]|\\.)*")\}')
_FINGERPRINT = re.compile("[0-9a-f]{24}")


class _Entry(msgspec.Struct):
    detail: str = msgspec.field(name="Detail", default="")


class _Entries(msgspec.Struct):
    entries: list[_Entry] = msgspec.field(name="Entries", default_factory=list)


class _Published(msgspec.Struct):
    source: str
    id: str


def events_of(body: bytes) -> list[tuple[str | None, str]]:
    """Return the sources and ids of the events whose rows or marks are written, or that are published, each once.

    The source is None where a row is from before sources counted.
    """
    return list(dict.fromkeys(islice(_found(body), _MOST)))


def _found(body: bytes) -> Iterator[tuple[str | None, str]]:
    from eachonce.journal import read_key  # the layer, which is loaded when it is needed

    for name, quoted in _TEXTS.findall(body):
        text = _decoded(quoted, str, "")
        if name == b"pk":
            yield read_key(text)[1:]
        elif "##" in text and _FINGERPRINT.fullmatch(text[text.rindex("#") + 1 :]):
            _, source, event_id = read_key(text[: text.rindex("#")])
            yield source, event_id.replace("%23", "#").replace("%25", "%")
    yield from _published(body)


def _published(body: bytes) -> Iterator[tuple[str, str]]:
    for entry in _decoded(body, _Entries, _Entries()).entries:
        event = _decoded(entry.detail, _Published, None)
        if event is not None:
            yield event.source, event.id


def _decoded(text: bytes | str, kind: Any, otherwise: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeError):
        return otherwise
