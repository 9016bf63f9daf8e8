"""The seal: what a bundle takes only when it is signed, and what nobody but this tool has made, is signed here.

Samples, drawn events and poison have no publisher. So the local cloud has a key of its own, which is known to the
functions of this machine alone: what has a signature already keeps it.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from eachonce import EachonceError, SigningKey, binary
from eachonce.event import decode
from eachonce.journal import unpack_outbox
from eachonce.keys import KeptKey

from eachonce_workbench.template.topology import StoredValue, Topology

_VERIFYING_KEYS: Final = "VERIFYING_KEYS"
_SIGNING_SECRET, _SIGNING_KEYS, _SOURCE = "SIGNING_SECRET", "SIGNING_KEYS", "EVENT_SOURCE"
_KEY: Final = "the local cloud's own"

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_records = msgspec.json.Decoder(list[dict[str, Any]])


class Seal:
    """Signs events on their way to functions that verify, and lets its key be known by `store` first."""

    def __init__(self, topology: Topology, store: Callable[[StoredValue], object]) -> None:
        self._topology = topology
        self._paths = {path for each in topology.functions if (path := each.environment.get(_VERIFYING_KEYS))}
        self._store = store
        self._sources: set[str] = set()

    def body(self, text: str) -> str:
        """Return a message's body, or a function's payload, in whichever wrapping, with its unsigned events signed."""
        return self._sealed(text.encode()).decode() if self._paths else text

    def payload(self, function: str, payload: bytes) -> bytes:
        """Return what a function is invoked with, likewise, if it verifies."""
        verifies = self._topology.function(function).environment.get(_VERIFYING_KEYS)
        return self._sealed(payload) if verifies else payload

    def attributes(self, attributes: Mapping[str, str], body: str) -> dict[str, str]:
        """Return a message's attributes, with a signature more where they make an event of its body."""
        named = {name: {"stringValue": value} for name, value in attributes.items()}
        prefix = next((name[: -len("specversion")] for name in named if name.lower().endswith("specversion")), None)
        if not self._paths or prefix is None or not binary.is_event(named) or f"{prefix}signature" in named:
            return dict(attributes)
        try:
            signature = self._signature(binary.decode(named, msgspec.Raw(body.encode())))
        except EachonceError:
            return dict(attributes)
        return {**attributes, **{f"{prefix}{name}": value for name, value in signature.items()}}

    def make_known(self) -> None:
        """Let the keys be known that events of an earlier cloud were signed with: its parameters are gone."""
        secrets = {name: each.value for each in self._topology.stored_values for name in (each.name, each.arn)}
        for function in self._topology.functions:
            said = function.environment
            secret, path, source = (said.get(name) for name in (_SIGNING_SECRET, _SIGNING_KEYS, _SOURCE))
            if secret in secrets and path and source:
                self._tell(SigningKey.from_secret(secrets[secret]), source, [path])
                self._tell(SigningKey.from_secret(_KEY), source, self._paths)

    def _sealed(self, text: bytes) -> bytes:
        try:
            if text.lstrip().startswith(b"["):
                return msgspec.json.encode([msgspec.Raw(self._sealed(bytes(each))) for each in _elements.decode(text)])
            members = _members.decode(text)
            changed = dict(self._changed(text, members))
        except (msgspec.DecodeError, EachonceError, UnicodeError):
            return text  # it holds no event, and so nothing to sign
        return msgspec.json.encode({**members, **changed}) if changed else text

    def _changed(self, text: bytes, members: Mapping[str, msgspec.Raw]) -> Iterator[tuple[str, Any]]:
        if "specversion" in members:
            if "signature" not in members:
                yield from self._signature(decode(text)).items()
        elif "detail" in members:
            yield "detail", msgspec.Raw(self._sealed(bytes(members["detail"])))
        elif "Message" in members:
            message = msgspec.json.decode(members["Message"], type=str)
            yield "Message", self._sealed(message.encode()).decode()
        elif "Records" in members:
            yield "Records", [self._record(each) for each in _records.decode(members["Records"])]

    def _record(self, record: dict[str, Any]) -> dict[str, Any]:
        match record:
            case {"body": str(body)}:
                return {**record, "body": self.body(body)}
            case {"dynamodb": {"NewImage": {"outbox": {"B": str(packed)}} as image} as change}:
                outbox = {"B": self._outbox(packed)}
                return {**record, "dynamodb": {**change, "NewImage": {**image, "outbox": outbox}}}
        return record

    def _outbox(self, packed: str) -> str:
        """Return a journal's outbox, as a stream has it, with its events signed."""
        try:
            events = unpack_outbox(base64.b64decode(packed, validate=True))
        except (ValueError, zlib.error):
            return packed
        return base64.b64encode(
            msgspec.json.encode([msgspec.Raw(self._sealed(bytes(each))) for each in events])
        ).decode()

    def _signature(self, event: Any) -> dict[str, str]:
        key = SigningKey.from_secret(_KEY)
        if event.source not in self._sources:
            self._tell(key, event.source, self._paths)
            self._sources.add(event.source)
        signed = key.sign(event)
        return {"signature": str(signed.signature), "signedby": str(signed.signedby)}

    def _tell(self, key: SigningKey, source: str, paths: Iterable[str]) -> None:
        kept = KeptKey(source=source, public=key.public)
        for path in paths:
            value = msgspec.json.encode(kept).decode()
            self._store(StoredValue(service="ssm", name=kept.name(path), value=value))
