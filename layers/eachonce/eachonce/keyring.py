"""The keyring: a data key for each subject, wrapped by KMS, in a table of its own.

A subject has two items. `subject#<digest>` leads whoever encrypts to the key; `key#<id>` leads whoever decrypts there,
by the random id that events carry, which tells nothing of the subject. Erasing the subject deletes the first, and the
wrapped key of the second: that this id was erased is left, so that an id that nobody made is another thing.

https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self

import msgspec

from eachonce.aws import Aws, aws_errors
from eachonce.errors import AwsError, Retry, WorkError
from eachonce.field_cipher import AlteredError, DataKey
from eachonce.plan import Guard, Operation
from eachonce.refusal import code_of
from eachonce.settings import IN_CLEAR, Settings
from eachonce.work import Address, Item
from eachonce.writer import RefusedError, Writer

TABLE = "Keys"
PURPOSE = "eachonce-personal-fields"

# An erasure is complete when the last process has forgotten the key: after this time at most.
MAX_AGE = timedelta(minutes=5)
# Of both kinds together, a few hundred bytes each.
MAX_KEPT = 2_000

_GONE = Guard.CREATE  # the only condition there is: the item isn't there yet


class Keyring:
    """The keys of the subjects whose personal fields a function encrypts or decrypts. Thread-safe.

    Unless they are given, clients and settings are the function's that uses it. What KMS or DynamoDB did not do is an
    AwsError: it is nobody's event's fault.
    """

    def __init__(
        self,
        *,
        aws: Aws | None = None,
        settings: Settings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._given_aws = aws
        self._given_settings = settings
        self._kept = _Kept(clock)

    @cached_property
    def settings(self) -> Settings:
        """What the environment says, unless it was given."""
        return Settings.read(os.environ) if self._given_settings is None else self._given_settings

    @cached_property
    def _aws(self) -> Aws:
        return Aws() if self._given_aws is None else self._given_aws

    def within(self, aws: Aws, settings: Settings) -> Self:
        """Return this ring, which has the clients and settings of a function now, unless it was given others."""
        self._given_aws = aws if self._given_aws is None else self._given_aws
        self._given_settings = settings if self._given_settings is None else self._given_settings
        return self

    def of_subject(self, tenant: str | None, subject: str) -> DataKey:
        """Return a subject's key; it is made, once, where there is none."""
        pk = subject_key(tenant, subject)
        kept = self._kept.get(pk)
        if kept is None:
            item = self._fetch(pk)
            kept = self._unwrapped(item) if item is not None else self._made(pk, tenant)
            self._kept.put(pk, kept)
            self._kept.put(kept.id, kept)
        return kept

    def by_id(self, key_id: str) -> DataKey | None:
        """Return the key of this id, or None where it was erased; raises AlteredError where there never was one."""
        kept = self._kept.get(key_id)
        if kept is None:
            item = self._fetch(f"key#{key_id}")
            if item is None:
                raise AlteredError("names a key that there never was")
            if "wrapped_key" not in item:
                return None
            kept = self._unwrapped(item)
            self._kept.put(key_id, kept)
        return kept

    def erase(self, tenant: str | None, subject: str) -> bool:
        """Erase a subject's key; returns whether there was one. What was encrypted with it is ERASED from then on.

        A process that has the key forgets it after MAX_AGE. An erasure whose answer was lost may be asked for
        again; a key that somebody makes for the subject later is another one.
        """
        pk = subject_key(tenant, subject)
        item = self._fetch(pk)
        if item is None:
            return False
        with suppress(RefusedError):  # somebody else has erased it meanwhile
            self._writer.write((self._deleted(pk, item["key_id"]), self._emptied(item["key_id"])))
        return True

    def _made(self, pk: str, tenant: str | None) -> DataKey:
        """Make a subject's key; whoever loses the race has the winner's."""
        key_id = uuid.uuid4().hex
        answer = self._kms(
            "generate_data_key",
            KeyId=self.settings.required_personal_key(),
            KeySpec="AES_256",
            EncryptionContext=_context(key_id, tenant),
        )
        key = {
            "key_id": key_id,
            "wrapped_key": bytes(answer["CiphertextBlob"]),
            **({} if tenant is None else {"tenant": tenant}),
        }
        try:
            self._create(pk, key)
        except RefusedError:
            winner = self._fetch(pk)
            if winner is None:  # it was erased at once
                raise Retry("the key of its subject was just erased", counted=False) from None
            return self._unwrapped(winner)
        return DataKey(id=key_id, secret=bytes(answer["Plaintext"]))

    def _create(self, pk: str, key: Item) -> None:
        rows: tuple[Mapping[str, Any], ...] = ({"pk": pk, **key}, {"pk": f"key#{key['key_id']}", **key})
        with _whoever_asks():
            self._writer.write(tuple(self._put(row) for row in rows))

    def _put(self, row: Mapping[str, Any]) -> Operation:
        request = {
            "TableName": self._writer.table(TABLE),
            "Item": {name: self._writer.codec.encode(value) for name, value in row.items()},
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return Operation(verb="Put", request=request, guard=_GONE, address=Address.of(TABLE, {"pk": row["pk"]}))

    def _deleted(self, pk: str, key_id: str) -> Operation:
        request = {
            **self._item(pk),
            "ConditionExpression": "key_id = :id",
            "ExpressionAttributeValues": {":id": self._writer.codec.encode(key_id)},
        }
        return Operation(verb="Delete", request=request, guard=_GONE, address=Address.of(TABLE, {"pk": pk}))

    def _emptied(self, key_id: str) -> Operation:
        pk = f"key#{key_id}"
        request = {**self._item(pk), "UpdateExpression": "REMOVE wrapped_key"}
        return Operation(verb="Update", request=request, guard=Guard.NONE, address=Address.of(TABLE, {"pk": pk}))

    def _item(self, pk: str) -> dict[str, Any]:
        return {"TableName": self._writer.table(TABLE), "Key": {"pk": self._writer.codec.encode(pk)}}

    def _fetch(self, pk: str) -> Item | None:
        with _whoever_asks():
            return self._writer.fetch(Address.of(TABLE, {"pk": pk}))

    def _unwrapped(self, item: Item) -> DataKey:
        context = _context(item["key_id"], item.get("tenant"))
        known = self.settings.personal_key
        key = {} if known is None or known == IN_CLEAR else {"KeyId": known}
        answer = self._kms("decrypt", CiphertextBlob=item["wrapped_key"], EncryptionContext=context, **key)
        return DataKey(id=item["key_id"], secret=bytes(answer["Plaintext"]))

    def _kms(self, operation: str, **request: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._aws.kms, operation)(**request)
        except aws_errors() as error:
            code = code_of(error)
            raise AwsError(f"KMS refuses a data key, whatever the event: {code}", code=code) from error
        return answer

    @cached_property
    def _writer(self) -> Writer:
        self.settings.table(TABLE)
        return Writer(self._aws, self.settings)


@contextmanager
def _whoever_asks() -> Iterator[None]:
    """What DynamoDB has against such a request lies in the table, and in no event."""
    try:
        yield
    except WorkError as error:
        raise AwsError(str(error), code="Keys") from error


def subject_key(tenant: str | None, subject: str) -> str:
    """Return the `pk` of a subject's item: a digest, so that the table is no list of people."""
    return f"subject#{blake2b(msgspec.json.encode([tenant, subject]), digest_size=32).hexdigest()}"


def _context(key_id: str, tenant: str | None) -> dict[str, str]:
    """Return what KMS binds a wrapped key to, and writes into CloudTrail as it is: so it names no subject."""
    return {"purpose": PURPOSE, "key": key_id, **({"tenant": tenant} if tenant else {})}


class _Kept:
    """The keys that were used last, for a while."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._keys: OrderedDict[Hashable, tuple[float, DataKey]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> DataKey | None:
        with self._lock:
            since, key = self._keys.get(name, (0.0, None))
            if key is not None and self._clock() - since >= MAX_AGE.total_seconds():
                del self._keys[name]
                return None
            if key is not None:
                self._keys.move_to_end(name)
            return key

    def put(self, name: str, key: DataKey) -> None:
        with self._lock:
            self._keys[name] = (self._clock(), key)
            self._keys.move_to_end(name)
            while len(self._keys) > MAX_KEPT:
                self._keys.popitem(last=False)
