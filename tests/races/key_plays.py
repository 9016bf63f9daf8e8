"""What is made once: clients, and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unittest.mock import patch

from eachonce import (
    Event,
    KeptSigningKey,
    Keyring,
    VerifyingKeys,
)
from eachonce import aws as aws_module
from eachonce.aws import Aws
from eachonce.event import RawEvent, decode
from eachonce.keys import read_keys

from tests.races.cloud import SETTINGS, Cloud
from tests.races.exploration import Play


class ClientsPlay(Play):
    """Two threads that need clients at once, of one service and of another."""

    def __init__(self) -> None:
        self._aws = Aws()
        self._making = self._most = 0
        self._made: list[str] = []
        self._had: list[object] = []

    def _client(self, service: str) -> object:
        self._making += 1
        self._most = max(self._most, self._making)
        self._made.append(service)
        self._making -= 1
        return object()

    def threads(self) -> Sequence[Callable[[], object]]:
        return [partial(self._ask, "kms"), partial(self._ask, "kms", "ssm")]

    def around(self) -> AbstractContextManager[object]:
        return patch.object(aws_module, "_client", self._client)

    def _ask(self, *services: str) -> None:
        self._had += [getattr(self._aws, service) for service in services]

    def broken(self) -> Iterator[str]:
        if sorted(self._made) != ["kms", "ssm"] or len(set(map(id, self._had))) != 2:
            yield f"clients are made anew: {self._made}"
        if self._most > 1:
            yield "two are made at once, and boto3's session isn't made for that"


class KeyringPlay(Play):
    """Two threads that encrypt for somebody who has no key yet."""

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._ring = Keyring(aws=self._cloud.aws, settings=SETTINGS)
        self._keys: list[Any] = []

    def threads(self) -> Sequence[Callable[[], object]]:
        return [self._ask, self._ask]

    def _ask(self) -> None:
        self._keys.append(self._ring.of_subject(None, "Ada"))

    def broken(self) -> Iterator[str]:
        rows = {row["pk"]: row for row in self._cloud.items("Keys")}
        if len(rows) != 2:
            yield f"a subject has {len(rows)} rows"
        if len({(key.id, key.secret) for key in self._keys}) != 1:
            yield "two events of a subject are encrypted by two keys"
        fresh = Keyring(aws=self._cloud.aws, settings=SETTINGS).by_id(self._keys[0].id)
        if fresh is None or fresh.secret != self._keys[0].secret:
            yield "what is encrypted can't be decrypted"


class SigningPlay(Play):
    """Two threads that sign with a key that nobody has asked for yet."""

    def __init__(self) -> None:
        self._cloud = Cloud()
        self._signer = KeptSigningKey(self._cloud.aws, "a secret", announce_below="/keys")
        self._signed: list[RawEvent] = []

    def threads(self) -> Sequence[Callable[[], object]]:
        return [partial(self._sign, name) for name in ("e-0", "e-1")]

    def _sign(self, name: str) -> None:
        event: Event[Any] = Event(id=name, source="post", type="Weighed", data={})
        self._signed.append(decode(self._signer.sign(event).encode()))

    def broken(self) -> Iterator[str]:
        if len(self._cloud.parameters) != 1:
            yield f"its key is announced as {list(self._cloud.parameters)}"
        below = {name.removeprefix("/keys/"): value for name, value in self._cloud.parameters.items()}
        known = VerifyingKeys(read_keys("/keys", below))
        for event in self._signed:
            known.verify(event, received=datetime.now(UTC))
