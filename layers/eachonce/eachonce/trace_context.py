"""The trace context: which trace an event is a part of, and which step of it came before.

An event carries it as CloudEvents' distributed tracing extension has it, in W3C's form; a queue's message, in X-Ray's.
As W3C's specification wants, what can't be read is passed over, and is no flaw of the event: then it is in no trace.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md
https://www.w3.org/TR/trace-context-2/
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import replace

SAMPLED = 1
# What a publisher may say of a trace: that it is recorded, and that its id is random. What else a version to come may
# say isn't passed on, since nobody here knows what it means.
_KNOWN_FLAGS = 0b11

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_LONGEST = 512  # characters; those of the only version that there is are 55

# https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values
_MEMBER = re.compile(r"([a-z0-9][a-z0-9_\-*/@]{0,255})=[ -+\--<>-~]{0,255}[!-+\--<>-~]")
_MOST_MEMBERS = 32
_MOST_CHARACTERS = 512
_LONG_MEMBER = 128

# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
_ROOT = re.compile("1-([0-9a-f]{8})-([0-9a-f]{24})")
_PARENT = re.compile("(?!0{16})[0-9a-f]{16}")


class TraceContext(msgspec.Struct, frozen=True, kw_only=True):
    """A trace's id, the id of the step in it that led here, and what is said of both; ids are in hexadecimal."""

    trace_id: str
    parent_id: str
    flags: int = 0

    @classmethod
    def read(cls, traceparent: object) -> TraceContext | None:
        """Return what a `traceparent` says; None where it is none, or of a version that can't be."""
        if not isinstance(traceparent, str) or len(traceparent) > _LONGEST:
            return None
        found = _TRACEPARENT.fullmatch(traceparent)
        if found is None or (found[1] == "00" and found[5] is not None):
            return None
        return cls(trace_id=found[2], parent_id=found[3], flags=int(found[4], 16) & _KNOWN_FLAGS)

    @classmethod
    def read_x_ray(cls, header: object) -> TraceContext | None:
        """Return what X-Ray's header says, `Root=1-...;Parent=...;Sampled=1`; None where it is none.

        A root that names no parent is the first step itself, under an id that follows from it.
        """
        if not isinstance(header, str) or len(header) > _LONGEST:
            return None
        said = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in header.split(";"))}
        root, parent = _ROOT.fullmatch(said.get("Root", "")), said.get("Parent", "")
        trace_id = "" if root is None else root[1] + root[2]
        if not trace_id.strip("0"):
            return None
        parent_id = parent if _PARENT.fullmatch(parent) else _derived(trace_id)
        return cls(trace_id=trace_id, parent_id=parent_id, flags=SAMPLED if said.get("Sampled") == "1" else 0)

    @property
    def traceparent(self) -> str:
        """The context in W3C's form."""
        return f"00-{self.trace_id}-{self.parent_id}-{self.flags:02x}"

    @property
    def x_ray(self) -> str:
        """The context in X-Ray's form."""
        trace_id, sampled = self.trace_id, self.flags & SAMPLED
        return f"Root=1-{trace_id[:8]}-{trace_id[8:]};Parent={self.parent_id};Sampled={sampled}"

    def step(self, name: str) -> TraceContext:
        """Return the context of a further step: its id follows from its name alone, so that it is the same again."""
        return replace(self, parent_id=_derived(name))


def readable(traceparent: object) -> str | None:
    """Return a `traceparent` as it is, where it can be read."""
    return None if TraceContext.read(traceparent) is None else str(traceparent)


def tracestate(text: Any) -> str | None:
    """Return what vendors say of a trace, cut to what has to be passed on; None where a list can't be read.

    The longest members go first, then the last ones.
    https://www.w3.org/TR/trace-context-2/#tracestate-limits
    """
    if not isinstance(text, str) or len(text) > _MOST_MEMBERS * _LONGEST:
        return None
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    keys = [found[1] for member in members if (found := _MEMBER.fullmatch(member)) is not None]
    if not len(members) == len(keys) == len(set(keys)) <= _MOST_MEMBERS:
        return None
    if len(",".join(members)) > _MOST_CHARACTERS:
        members = [member for member in members if len(member) <= _LONG_MEMBER]
    while len(",".join(members)) > _MOST_CHARACTERS:
        members.pop()
    return ",".join(members) or None


def step_of(traceparent: str | None, name: str) -> str | None:
    """Return the `traceparent` of what follows under this name; None where nothing is traced."""
    context = None if traceparent is None else TraceContext.read(traceparent)
    return None if context is None else context.step(name).traceparent


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the id of the trace that a `traceparent` names."""
    context = None if traceparent is None else TraceContext.read(traceparent)
    return None if context is None else context.trace_id


def x_ray_of(traceparent: str | None) -> str | None:
    """Return a `traceparent` in X-Ray's form."""
    context = None if traceparent is None else TraceContext.read(traceparent)
    return None if context is None else context.x_ray


def _derived(name: str) -> str:
    """Return a span's id that follows from a name; its last bit is set, as an id of zeros is none."""
    digest = blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
    return f"{int.from_bytes(digest) | 1:016x}"
