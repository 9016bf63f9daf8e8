"""The keys of a stack: which sign and verify, and what wraps those of personal fields; a secret is never shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from eachonce import SigningKey
from eachonce.keys import KeptKey
from eachonce.settings import IN_CLEAR

from eachonce_workbench.operations.stack import Clients, Stack

_REFUSED = frozenset({"AccessDenied", "AccessDeniedException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """A secret that functions sign with, by name or ARN, for which sources, and below which path its key is known."""

    secret: str
    path: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A public key by which events of a source are verified; `signs` is None where nobody can say."""

    parameter: str
    kept: KeptKey
    written: datetime
    signs: bool | None

    def state(self, now: datetime) -> str:
        """Say in a word what the key is good for."""
        if self.kept.until is not None and self.kept.until <= now:
            return "ended"
        return "signs" if self.signs else "good"

    @property
    def until(self) -> str | None:
        """When it ends, in ISO 8601."""
        return None if self.kept.until is None else self.kept.until.isoformat(timespec="seconds")

    def told(self, now: datetime) -> dict[str, Any]:
        """Return what a program is told of it."""
        return {
            "id": self.kept.key.id,
            "source": self.kept.source,
            "state": self.state(now),
            "signs": self.signs,
            "written": self.written.isoformat(),
            "until": self.until,
            "parameter": self.parameter,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalKeys:
    """The KMS key that wraps subjects' keys, and their table, with about how many items: two a subject."""

    key: str
    state: str
    created: datetime
    table: str | None
    items: int

    def told(self) -> dict[str, Any]:
        """Return what a program is told of it."""
        return {
            "key": self.key,
            "state": self.state,
            "created": self.created.isoformat(),
            "table": self.table,
            "items": self.items,
        }


def signing_of(stack: Stack) -> tuple[Signing, ...]:
    """Return the secrets that a stack's functions sign with."""
    sources: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for each in stack.settings:
        if each.signing_secret is not None:
            sources[each.signing_secret, each.signing_keys] += [] if each.source is None else [each.source]
    return tuple(
        Signing(secret=secret, path=path, sources=tuple(dict.fromkeys(named)))
        for (secret, path), named in sources.items()
    )


def known_keys(clients: Clients, stack: Stack) -> list[KnownKey]:
    """Return the keys below the paths that a stack's functions know, by source, the newest first.

    A secret is read to tell its key's id, where that is allowed, and let go of.
    """
    named = [path for each in stack.settings for path in (each.signing_keys, each.verifying_keys) if path is not None]
    paths = dict.fromkeys(path.rstrip("/") for path in named)
    ids = [_id_of(clients("secretsmanager"), each.secret) for each in signing_of(stack)] if paths else []
    found = [key for path in paths for key in _below(clients("ssm"), path, ids)]
    return sorted(found, key=lambda key: (key.kept.source, -key.written.timestamp()))


def personal_keys(clients: Clients, stack: Stack) -> PersonalKeys | None:
    """Return what a stack's personal fields are encrypted with; None where it has no key for them."""
    keys = [each.personal_key for each in stack.settings if each.personal_key not in (None, IN_CLEAR)]
    if not keys:
        return None
    metadata = clients("kms").describe_key(KeyId=keys[0])["KeyMetadata"]
    table = stack.keys_table
    described: Mapping[str, Any] = {}
    if table is not None:
        described = clients("dynamodb").describe_table(TableName=table)["Table"]
    return PersonalKeys(
        key=metadata["Arn"],
        state=metadata["KeyState"],
        created=metadata["CreationDate"],
        table=table,
        items=int(described.get("ItemCount", 0)),
    )


def _id_of(secretsmanager: Any, secret: str) -> str | None:
    """Return the id of a secret's key; None where the secret may not be read."""
    try:
        answer = secretsmanager.get_secret_value(SecretId=secret)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _REFUSED:
            raise
        return None
    return SigningKey.from_secret(answer["SecretString"] if "SecretString" in answer else answer["SecretBinary"]).id


def _below(ssm: Any, path: str, ids: Sequence[str | None]) -> Iterator[KnownKey]:
    """Yield the keys below a path; a parameter that isn't what its name says is none, as for who verifies."""
    for page in ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True):
        for parameter in page["Parameters"]:
            try:
                kept = msgspec.json.decode(parameter["Value"], type=KeptKey)
            except msgspec.DecodeError:
                continue
            if kept.name(path) == parameter["Name"]:
                signs = True if kept.key.id in ids else None if None in ids else False
                yield KnownKey(
                    parameter=parameter["Name"], kept=kept, written=parameter["LastModifiedDate"], signs=signs
                )
