"""The AWS clients that the layer talks to: made on first use, once a process.

boto3 is imported here and nowhere else, and only when a client is needed: importing the layer costs nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from threading import RLock
from typing import Any, Protocol, TypeVar

from eachonce.errors import WorkError


class DynamoDB(Protocol):
    """What the layer calls of DynamoDB; botocore's client, thread-safe.

    Each write is atomic and conditional. None is retried blindly: a response that never came may belong to a write
    that happened, and the condition of the next try finds that out.
    """

    exceptions: Any

    def get_item(self, **request: Any) -> dict[str, Any]:
        """Return an item as it is now (strongly consistent)."""

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """Return up to 100 items as they are now, or say which are left."""

    def put_item(self, **request: Any) -> dict[str, Any]:
        """Write one item under a condition."""

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Change one item under a condition."""

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """Write up to 100 items together, or none."""


class SQS(Protocol):
    """What the layer calls of SQS."""

    exceptions: Any

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """Send up to 10 messages, each with its own outcome."""

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        """Delete up to 10 received messages."""

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        """Let up to 10 received messages come again after a time of their own."""


class EventBridge(Protocol):
    """What the layer calls of EventBridge."""

    exceptions: Any

    def put_events(self, **request: Any) -> dict[str, Any]:
        """Publish up to 10 entries, each with its own outcome."""


class KMS(Protocol):
    """What the layer calls of KMS, where fields are personal."""

    exceptions: Any

    def generate_data_key(self, **request: Any) -> dict[str, Any]:
        """Return a new key, plain and wrapped."""

    def decrypt(self, **request: Any) -> dict[str, Any]:
        """Return the key that was wrapped, in the very same context."""


class SecretsManager(Protocol):
    """What the layer calls of Secrets Manager."""

    def get_secret_value(self, **request: Any) -> dict[str, Any]:
        """Return a secret."""


class SSM(Protocol):
    """What the layer calls of Systems Manager's parameters."""

    exceptions: Any

    def get_parameter(self, **request: Any) -> dict[str, Any]:
        """Return a parameter."""

    def put_parameter(self, **request: Any) -> dict[str, Any]:
        """Write a parameter, unless there is one."""

    def get_paginator(self, operation_name: str) -> Any:
        """Return what asks page by page, such as for the parameters below a path."""


T = TypeVar("T")

# boto3's session, of which a process has one, is not made for two threads that make clients at once.
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html#multithreading-or-multiprocessing-with-sessions
_making = RLock()


class _Once(cached_property[T]):
    """A property that one thread makes for all: since Python 3.12 a cached one is made by each that comes first."""

    def __get__(self, owner: Any, owners: type | None = None) -> Any:  # type: ignore[override]  # who asks knows its type
        """Return it, made now; later it is found before this is asked."""
        if owner is None:
            return self
        with _making:
            return super().__get__(owner, owners)


class Aws:
    """The clients, and DynamoDB's form of values; a test gives its own clients by name."""

    def __init__(self, **clients: Any) -> None:
        self.__dict__.update(clients)

    @_Once
    def dynamodb(self) -> DynamoDB:
        """The DynamoDB client."""
        client: DynamoDB = _asking_once(_client("dynamodb"))
        return client

    @_Once
    def sqs(self) -> SQS:
        """The SQS client."""
        client: SQS = _client("sqs")
        return client

    @_Once
    def events(self) -> EventBridge:
        """The EventBridge client."""
        client: EventBridge = _client("events")
        return client

    @_Once
    def kms(self) -> KMS:
        """The KMS client."""
        client: KMS = _client("kms")
        return client

    @_Once
    def secretsmanager(self) -> SecretsManager:
        """The Secrets Manager client."""
        client: SecretsManager = _client("secretsmanager")
        return client

    @_Once
    def ssm(self) -> SSM:
        """The Systems Manager client."""
        client: SSM = _client("ssm")
        return client


# A number of fewer digits needs nobody to count them: DynamoDB holds 38.
_MANY = 10**38


class Codec:
    """DynamoDB's form of Python values, and back; numbers are Decimal, never float."""

    def __init__(self) -> None:
        from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

        self._encode = TypeSerializer().serialize
        self._decode = TypeDeserializer().deserialize

    def encode(self, value: Any) -> Mapping[str, Any]:
        """Return a value in DynamoDB's form; raises WorkError when there is none, without repeating the value."""
        if isinstance(value, str):  # nearly all values are one of these two, and boto3 looks for each other kind first
            return {"S": value}
        if type(value) is int and -_MANY < value < _MANY:
            return {"N": str(value)}
        try:
            encoded: Mapping[str, Any] = self._encode(value)
        except (TypeError, ArithmeticError) as error:
            raise WorkError(
                f"DynamoDB has no form for a {type(value).__name__} of the work: "
                "numbers are int or finite Decimal of up to 38 digits, never float"
            ) from error
        return encoded

    def item(self, encoded: Mapping[str, Any]) -> dict[str, Any]:
        """Return an item's attributes as Python values."""
        return {name: _plain(self._decode(value)) for name, value in encoded.items()}


def _plain(value: Any) -> Any:
    """Binary comes wrapped in boto3's own type, which is no bytes."""
    return bytes(value) if hasattr(value, "value") and isinstance(value.value, bytes) else value


def aws_errors() -> tuple[type[Exception], type[Exception]]:
    """Return what an AWS call raises: ClientError has AWS's answer, BotoCoreError means that none came."""
    from botocore.exceptions import BotoCoreError, ClientError

    return ClientError, BotoCoreError


def _asking_once(client: Any) -> Any:
    """Return a DynamoDB client whose transactions ask for one table alone whether its name is an ARN, not for each.

    By the endpoint's rules the first one's account decides; looking at a hundred is a tenth of the call's time.
    """
    model = client.meta.service_model.operation_model("TransactWriteItems")
    asked = dict(model.operation_context_parameters)
    path = asked.get("ResourceArnList", {}).get("path", "")
    if path.startswith("TransactItems[*]."):
        asked["ResourceArnList"] = {"path": path.replace("[*]", "[:1]", 1)}
        model.operation_context_parameters = asked
    return client


def _client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    # An invocation is short: better to fail soon and be delivered again than to hang until the time-out. Checking the
    # shape of each request on this side is a third of a call's processor time, and AWS checks it anyway.
    config = Config(
        connect_timeout=2,
        read_timeout=10,
        tcp_keepalive=True,
        parameter_validation=False,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    return boto3.client(service, config=config)
