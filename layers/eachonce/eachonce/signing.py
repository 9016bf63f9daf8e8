"""Signing: who published an event, told by an Ed25519 signature that travels in it.

What is signed is canonical: all that the envelope says, and the data by value, so that a bus may write the JSON anew.
So an event under another id or type, or altered anywhere, is not authentic.
https://www.rfc-editor.org/rfc/rfc8032
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec

from eachonce.cryptography_package import require_cryptography
from eachonce.errors import ContractError, HandlerError, UnauthenticError
from eachonce.event import PLAIN, Event, RawEvent
from eachonce.identity import canonical
from eachonce.model import encode

# A signature of this key's that was made for something else is none for an event; the number is the form of the bytes.
_DOMAIN: Final = b"eachonce event 1\0"
# Ed25519's private key is any 32 bytes: these are derived from a secret, for this use alone.
_SEED: Final = b"eachonce signing key 1"

# What is not signed as an attribute: the signature itself, what isn't sent, the data, whose digest is, and what says
# nothing of the event: whoever passes it on may add to its trace.
_NOT_SIGNED = frozenset({"signature", "data", "form", "request", "traceparent", "tracestate"})

_KEY_ID_BYTES = 12


class Signer(Protocol):
    """Signs the events of one publisher. Thread-safe; the same event and key give the same signature."""

    def sign(self, event: Event[Any]) -> Event[Any]:
        """Return the event with a signature in it.

        Raises HandlerError where it can't carry one, and AwsError when the key can't be had now.
        """


class Verifier(Protocol):
    """Tells whether events are from who they say they are."""

    def verify(self, event: RawEvent, *, received: datetime) -> None:
        """Raise UnauthenticError where an event isn't from its source, as it was signed; it was `received` by then.

        Raises any other EachonceError when that can't be told now: then the event is to come again.
        """


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, of 32 bytes that nobody else knows; its `id` follows from its public key."""

    seed: bytes

    def __post_init__(self) -> None:
        if len(self.seed) != 32:
            raise ValueError(f"a signing key has 32 bytes, not {len(self.seed)}")

    @classmethod
    def from_secret(cls, secret: str | bytes) -> SigningKey:
        """Derive the key of a secret, which is long and random: the same one each time, and none that serves elsewhere.

        https://www.rfc-editor.org/rfc/rfc5869
        """
        return cls(_seed_of(secret.encode() if isinstance(secret, str) else secret))

    @property
    def public(self) -> bytes:
        """The public key's 32 bytes."""
        return _public_of(self.seed)

    @property
    def id(self) -> str:
        """What events name the key by."""
        return key_id(self.public)

    def sign(self, event: Event[Any]) -> Event[Any]:
        """Return the event with a signature; raises HandlerError where it is plain, and so has no place for one."""
        if event.form == PLAIN:
            raise HandlerError(f"{event.type} is published plain, as data alone, and so can't be signed")
        named = msgspec.structs.replace(event, signedby=self.id, signature=None)
        signature = _private(self.seed).sign(signed_bytes(named))
        return msgspec.structs.replace(named, signature=base64.urlsafe_b64encode(signature).rstrip(b"=").decode())

    def verifying(self, *sources: str, until: datetime | None = None) -> tuple[VerifyingKey, ...]:
        """Return what tells this key's events: one key for each source that it may speak for."""
        return tuple(VerifyingKey(public=self.public, source=source, until=until) for source in sources)

    def __repr__(self) -> str:
        return "SigningKey(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """A public key, the one source that it may speak for, and until when what it signed is taken."""

    public: bytes
    source: str
    until: datetime | None = None

    @property
    def id(self) -> str:
        """What events name the key by."""
        return key_id(self.public)


class VerifyingKeys:
    """The keys that may sign events; several of a source are good at the same time, as during a rotation."""

    def __init__(
        self, keys: Iterable[VerifyingKey], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._keys = {(key.source, key.id): key for key in keys}
        self._ids = {name for _, name in self._keys}
        self._clock = clock

    def knows_signer(self, event: RawEvent) -> bool:
        """Whether the event's source has the key that signed it, or nobody has signed it at all."""
        return event.signedby is None or (event.source, event.signedby) in self._keys

    def verify(self, event: RawEvent, *, received: datetime) -> None:  # noqa: ARG002 - these keys are known
        """Raise UnauthenticError where an event isn't from its source, as it was signed, or MissingPackageError."""
        if event.signature is None or event.signedby is None:
            raise UnauthenticError("the event is not signed")
        key = self._keys.get((event.source, event.signedby))
        if key is None:
            known = event.signedby in self._ids
            raise UnauthenticError(f"the event is signed with a key that {_OF_ANOTHER if known else _OF_NOBODY}")
        if key.until is not None and self._clock() >= key.until:
            raise UnauthenticError("the event is signed with a key that has expired")
        if not _is_signed(event, key):
            raise UnauthenticError("the event is not what was signed: it was altered, or signed as another one")


_OF_ANOTHER = "may not speak for its source"
_OF_NOBODY = "nobody here knows"


def key_id(public: bytes) -> str:
    """Return what a public key is called: it follows from the key, so that nobody can claim another one's name."""
    return sha256(b"eachonce key\0" + public).hexdigest()[: 2 * _KEY_ID_BYTES]


def signed_bytes(event: Event[Any]) -> bytes:
    """Return what is signed of an event, in one form, however it is written; raises ContractError as `canonical` does.

    An attribute that is not set is left out. Each name, value and digest has its length before it, so that no two
    events have the same bytes.
    """
    data = msgspec.Raw(msgspec.json.encode(event.data, enc_hook=encode))
    digest = sha256(canonical(event.type, data)).digest()
    return _DOMAIN + b"".join(len(part).to_bytes(4, "big") + part for part in (*_attributes(event), b"data", digest))


def _attributes(event: Event[Any]) -> Iterator[bytes]:
    yield from (b"specversion", b"1.0")
    for name in sorted(_SIGNED):
        if (value := getattr(event, name)) is not None:
            yield name.encode()
            yield _text(value).encode()


_SIGNED = frozenset(Event.__struct_fields__) - _NOT_SIGNED


def _text(value: str | int | datetime) -> str:
    if isinstance(value, datetime):  # the same moment, in whichever zone it is written
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat(timespec="microseconds")
    return str(value)


def _is_signed(event: RawEvent, key: VerifyingKey) -> bool:
    require_cryptography("signing")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        signature = _signature(str(event.signature))
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed_bytes(event))
    except (InvalidSignature, ValueError, ContractError):
        return False
    return True


def _signature(text: str) -> bytes:
    """Return a signature's bytes; raises ValueError where it isn't written in the one way that it is to be."""
    signature = base64.urlsafe_b64decode(f"{text}==")
    if base64.urlsafe_b64encode(signature).rstrip(b"=").decode() != text:
        raise ValueError("no base64url")
    return signature


@lru_cache(maxsize=16)
def _seed_of(secret: bytes) -> bytes:
    require_cryptography("signing")
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_SEED).derive(secret)


@lru_cache(maxsize=16)
def _private(seed: bytes) -> Any:
    require_cryptography("signing")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(maxsize=16)
def _public_of(seed: bytes) -> bytes:
    public: bytes = _private(seed).public_key().public_bytes_raw()
    return public
