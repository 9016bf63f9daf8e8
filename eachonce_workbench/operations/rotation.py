"""A rotation: a signing secret gets another value, whose key is known before anybody signs with it.

The former key stays good for as long as an event that it signed may be on its way.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from eachonce import SigningKey
from eachonce.journal import RETENTION
from eachonce.keys import KeptKey

from eachonce_workbench.operations.keys import KnownKey, Signing
from eachonce_workbench.operations.stack import Clients

# Older copies count as new events, and nobody is to take them for signed.
GOOD_FOR = RETENTION

_SECRET_BYTES = 48


class RotationError(Exception):
    """A rotation could not begin, or nobody can say how far it came; the message says what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The key that signs from now on, for which sources, and the former keys, each with its end."""

    key_id: str
    sources: tuple[str, ...]
    former: tuple[KnownKey, ...]


def rotate(
    clients: Clients,
    signing: Signing,
    known: Sequence[KnownKey],
    *,
    now: datetime,
    make_secret: Callable[[], str] = lambda: secrets.token_urlsafe(_SECRET_BYTES),
) -> Rotated:
    """Let a new key be known for the sources that the secret's key speaks for, sign with it, and end the former one.

    A command that is given up in between leaves a key that signs nothing, and harms nobody: the next one makes another.
    Raises RotationError.
    """
    if signing.path is None:
        raise RotationError(
            "no function lets its key be known (SIGNING_KEYS): tell those who verify of a new key first"
        )
    former = [key for key in known if key.signs and key.parameter.startswith(f"{signing.path.rstrip('/')}/")]
    sources = tuple(dict.fromkeys([*signing.sources, *(key.kept.source for key in former)]))
    if not sources:
        raise RotationError("no function that signs is told of a source (EVENT_SOURCE): nothing could be verified")
    secret = make_secret()
    key = SigningKey.from_secret(secret)
    _announce(clients, signing.path, [KeptKey(source=source, public=key.public) for source in sources])
    try:
        clients("secretsmanager").put_secret_value(SecretId=signing.secret, SecretString=secret)
    except (ClientError, BotoCoreError) as error:
        raise RotationError(f"the secret may be another one, or not: `eachonce keys list` tells ({error})") from error
    try:
        ended = _end(clients, former, now)
    except (ClientError, BotoCoreError, msgspec.DecodeError) as error:
        raise RotationError(
            f"{key.id} signs from now on, but the former key has no end: give it one ({error})"
        ) from error
    return Rotated(key_id=key.id, sources=sources, former=tuple(ended))


def _announce(clients: Clients, path: str, keys: Iterable[KeptKey]) -> None:
    ssm = clients("ssm")
    for kept in keys:
        ssm.put_parameter(Name=kept.name(path), Value=_text(kept), Type="String")


def _end(clients: Clients, former: Iterable[KnownKey], now: datetime) -> list[KnownKey]:
    """Give the former keys an end; one that has an end keeps it, also where somebody gave it one just now."""
    ssm = clients("ssm")
    ended = []
    for key in former:
        text = ssm.get_parameter(Name=key.parameter)["Parameter"]["Value"]
        kept = msgspec.json.decode(text, type=KeptKey)
        if kept.until is None:
            kept = KeptKey(source=kept.source, public=kept.public, until=now + GOOD_FOR)
            ssm.put_parameter(Name=key.parameter, Value=_text(kept), Type="String", Overwrite=True)
        ended.append(replace(key, kept=kept, signs=False))
    return ended


def _text(kept: KeptKey) -> str:
    return msgspec.json.encode(kept).decode()
