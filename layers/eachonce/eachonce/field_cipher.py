"""The field cipher: one personal field's text as a text that only its subject's data key opens.

AES-256-GCM, whose tag covers the event's source, id, type and tenant and the field's path: a text that was moved to
another event or field is as good as altered. https://csrc.nist.gov/pubs/sp/800/38/d/final

The nonce is synthetic: the first 96 bits of an HMAC over all of that and the plaintext. A handler that runs again
publishes the same bytes so, and copies have one fingerprint. GCM breaks where one nonce serves two messages under one
key; here it does so only where message and field are the same, and so is the ciphertext, or where two of a subject's
fields collide in 96 bits: of 2^32 fields with a chance of 2^-33. What it tells is that a copy is a copy.
"""

from __future__ import annotations

import base64
import hmac
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from eachonce.cryptography_package import require_cryptography
from eachonce.errors import EachonceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1

Path = tuple[str | int, ...]

_MARK = "eachonce:"
_WIRE = re.compile(rf"{_MARK}{VERSION}:([0-9a-f]{{32}}):([A-Za-z0-9_-]+)")
_NONCE_BYTES = 12
_TAG_BYTES = 16


class AlteredError(EachonceError):
    """A personal field is not as it was encrypted: altered, or another event's or field's."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a personal field {why}")


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """The event that a field belongs to."""

    source: str
    id: str
    type: str
    tenant: str | None

    def of(self, path: Path) -> bytes:
        """Return what binds the field at a path of the event's data."""
        return msgspec.json.encode([VERSION, self.source, self.id, self.type, self.tenant, path])


class DataKey(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A subject's key: its random id, which is in events, and its 32 bytes."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"DataKey(id={self.id!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("id", self.id)]

    def encrypt(self, text: str, bound: bytes) -> str:
        """Return a text encrypted: the same for the same text and binding."""
        plain = text.encode()
        nonce = self._nonce(plain, bound)
        sealed = nonce + self._cipher.encrypt(nonce, plain, bound)
        return f"{_MARK}{VERSION}:{self.id}:{_encoded(sealed)}"

    def decrypt(self, sealed: bytes, bound: bytes) -> str:
        """Return the text; raises AlteredError."""
        from cryptography.exceptions import InvalidTag

        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, bound).decode()
        except (InvalidTag, ValueError):
            raise AlteredError("is altered, or was encrypted for another event or field") from None

    def _nonce(self, plain: bytes, bound: bytes) -> bytes:
        told = len(bound).to_bytes(8, "big") + bound + plain
        return hmac.digest(self._derived(b"nonce"), told, "sha256")[:_NONCE_BYTES]

    @cached_property
    def _cipher(self) -> AESGCM:
        require_cryptography("a personal field")
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._derived(b"text"))

    def _derived(self, purpose: bytes) -> bytes:
        """Return a key for one purpose: none of them tells anything of the other."""
        return hmac.digest(self.secret, b"eachonce personal field 1 " + purpose, "sha256")


def is_encrypted(text: str) -> bool:
    """Whether a personal field's text is no plaintext; raises nothing for what is malformed."""
    return text.startswith(_MARK)


def read(text: str) -> tuple[str, bytes]:
    """Return the key's id and the sealed bytes of an encrypted text; raises AlteredError where it has no such form."""
    found = _WIRE.fullmatch(text)
    if found is None:
        raise AlteredError("has the form of no version that is known here")
    encoded = found[2]
    try:
        sealed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise AlteredError("is cut off") from None
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES or _encoded(sealed) != encoded:
        raise AlteredError("is cut off, or written in another way")
    return found[1], sealed


def _encoded(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def bound_to(event: Any, event_id: str | None = None) -> Binding:
    """Return what the fields of an event are bound to; a plain event has no tenant, and another id where it arrives."""
    if event_id is not None:
        return Binding(source=event.source, id=event_id, type=event.type, tenant=None)
    return Binding(source=event.source, id=event.id, type=event.type, tenant=event.tenant)
