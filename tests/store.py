"""The tables, queues and bus of a test, held by moto."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Self

import boto3
from botocore.config import Config
from eachonce import Aws, Settings
from eachonce.aws import Codec
from eachonce.journal import row_key
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb import dynamodb_backends
from moto.kms.models import kms_backends

Item = dict[str, Any]

BUS = "post-bus"
SERVICES = ("dynamodb", "sqs", "events", "kms", "secretsmanager", "ssm")


@cache
def clients(*, tries: int = 1) -> Aws:
    """Return clients of AWS's own SDK, which tries each call so many times."""
    session = boto3.Session()
    config = Config(retries={"mode": "standard", "total_max_attempts": tries})
    return Aws(**{service: session.client(service, config=config) for service in SERVICES})


class Store:
    """What the layer's clients talk to, and a look inside."""

    def __init__(self, aws: Aws, settings: Settings) -> None:
        self.aws = aws
        self.settings = settings
        self._codec = Codec()

    @classmethod
    def create(cls, aws: Aws, tables: Mapping[str, Sequence[str]]) -> Self:
        """Make tables, given by the names of their string keys, and a dead-letter queue."""
        for name, keys in tables.items():
            make_table(aws, f"post-{name}", keys)
        dead_letters = aws.sqs.create_queue(QueueName="post-dead-letters")["QueueUrl"]
        settings = Settings(
            tables={name.upper(): f"post-{name}" for name in tables},
            source="post",
            dead_letter_queue_url=dead_letters,
            bus=BUS,
            former_rows=False,
            code_version="7",
        )
        return cls(aws, settings)

    def items(self, table: str) -> list[Item]:
        """Return all of a table, as Python values, in no order."""
        encoded = self.aws.dynamodb.scan(TableName=self.settings.table(table), ConsistentRead=True)["Items"]
        return [self._codec.item(item) for item in encoded]

    def item(self, table: str, **key: Any) -> Item | None:
        """Return one item as Python values."""
        encoded = self.stored(table, **key)
        return None if encoded is None else self._codec.item(encoded)

    def stored(self, table: str, **key: Any) -> Item | None:
        """Return one item as botocore gives it."""
        encoded = {name: self._codec.encode(value) for name, value in key.items()}
        return self.aws.dynamodb.get_item(TableName=self.settings.table(table), Key=encoded).get("Item")

    def put(self, table: str, **attributes: Any) -> None:
        """Write an item as someone who doesn't know the layer."""
        encoded = {name: self._codec.encode(value) for name, value in attributes.items()}
        self.aws.dynamodb.put_item(TableName=self.settings.table(table), Item=encoded)

    def delete(self, table: str, **key: Any) -> None:
        """Delete an item, which the layer never does."""
        encoded = {name: self._codec.encode(value) for name, value in key.items()}
        self.aws.dynamodb.delete_item(TableName=self.settings.table(table), Key=encoded)

    def journal(self, consumer: str, event_id: str = "e-1", *, source: str = "post") -> Item | None:
        """Return what the journal says of an event."""
        return self.item("Journal", pk=row_key(consumer, source, event_id))

    def dead_letters(self) -> list[Item]:
        """Return the messages in the dead-letter queue, with `notes`, the text of their attributes."""
        return self.messages(str(self.settings.dead_letter_queue_url))

    def messages(self, url: str) -> list[Item]:
        """Return the messages of a queue, which are gone from it then."""
        taken: list[Item] = []
        while True:
            answer = self.aws.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
            )
            if not answer.get("Messages"):
                return taken
            taken += [{**message, "notes": _notes(message)} for message in answer["Messages"]]

    def listen_to_bus(self) -> str:
        """Make the bus, and return the queue that gets everything on it."""
        self.aws.events.create_event_bus(Name=BUS)
        url = self.aws.sqs.create_queue(QueueName="all-of-the-bus")["QueueUrl"]
        arn = self.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = json.dumps({"account": ["123456789012"]})
        self.aws.events.put_rule(Name="all", EventBusName=BUS, EventPattern=pattern)
        self.aws.events.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "all", "Arn": arn}])
        return url

    def on_the_bus(self, url: str) -> list[Item]:
        """Return the events that the bus delivered, as CloudEvents objects."""
        return [json.loads(message["Body"])["detail"] for message in self.messages(url)]


def make_table(aws: Aws, name: str, keys: Sequence[str]) -> None:
    """Make a table inside moto: by way of botocore the tables would take longer than most tests."""
    dynamodb_backends[DEFAULT_ACCOUNT_ID][aws.dynamodb.meta.region_name].create_table(
        name,
        schema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
        throughput=None,
        attr=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        global_indexes=None,
        indexes=None,
        streams=None,
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )


def make_key(aws: Aws) -> str:
    """Make a symmetric key inside moto, and return its ARN: by KMS's own call it would get a pair of RSA's, too."""
    key = kms_backends[DEFAULT_ACCOUNT_ID][aws.dynamodb.meta.region_name].create_key(
        None, "ENCRYPT_DECRYPT", "ECC_NIST_P256", "", []
    )
    key.key_spec = "SYMMETRIC_DEFAULT"
    return str(key.arn)


def _notes(message: Mapping[str, Any]) -> dict[str, str]:
    return {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
