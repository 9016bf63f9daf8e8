"""What the local cloud stores: moto's tables, queues and keys, in this process and without a server of moto's.

moto keeps one state a process, in its `*_backends`; a `Store` replaces what is there for its account and region. So a
process has one store at a time, and creating the next one forgets the one before.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from moto.core import base_backend, utils
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.request import Request
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table as MotoTable
from moto.sqs.models import sqs_backends

from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.sdk import local_session
from eachonce_workbench.cloud.store.encryption_keys import create_keys
from eachonce_workbench.cloud.store.forgetting import remember_no_instances
from eachonce_workbench.cloud.store.protocol import AwsError, Response, decoded, success
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.cloud.store.queues.json_protocol import JsonProtocol
from eachonce_workbench.cloud.store.queues.messages import Messages
from eachonce_workbench.cloud.store.queues.queues import Queues
from eachonce_workbench.cloud.store.queues.sqs import Sqs
from eachonce_workbench.cloud.store.services import perform
from eachonce_workbench.cloud.store.tables.dynamodb import DynamoDB
from eachonce_workbench.cloud.store.tables.streams import Streams
from eachonce_workbench.cloud.store.tables.tables import Tables
from eachonce_workbench.template.topology import Queue, StoredValue, Table, Topology

_QUEUE_PROPERTIES = (
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
)


# What moto reads of a request; with fewer headers it is quicker, and the account and the region are given.
_HEADERS = ("content-type", "x-amz-target", "x-amzn-query-mode")


class Store:
    """The tables, queues and other services of one topology. Not for threads: moto has no locks."""

    def __init__(self, topology: Topology, *, disorder: Disorder | None = None, history: History | None = None) -> None:
        self.topology = topology
        account, region = topology.account_id, topology.region
        self._tables = Tables(region, account)
        self._sqs = Sqs(
            region,
            account,
            disorder=Disorder(0) if disorder is None else disorder,
            history=History() if history is None else history,
        )
        self._dynamodb = DynamoDB(self._tables)
        self._messages = JsonProtocol(self._sqs)
        self._place = {
            "x-moto-account-id": account,
            "authorization": f"AWS4-HMAC-SHA256 Credential=local/20000101/{region}/any/aws4_request",
        }
        self.queues = Queues(self._sqs)
        self.streams = Streams(self._tables.get_table)
        self._unasked: dict[str, list[StoredValue]] = {}

    def create(self) -> None:
        """Make everything that the topology stores in, empty; whatever moto held before is forgotten."""
        for backends in (dynamodb_backends, sqs_backends):
            for regions in backends.values():
                regions.clear()  # moto keeps the account's mapping in a cache, and all that is in it
        BackendDict.reset()
        remember_no_instances()
        account, region = self.topology.account_id, self.topology.region
        _know_region(dynamodb_backends, account, region)[region] = self._tables
        _know_region(sqs_backends, account, region)[region] = self._sqs
        for table in self.topology.tables:
            self._create_table(table)
        for queue in _dead_letter_queues_first(self.topology.queues):
            self._create_queue(queue)
        self._unasked.clear()
        for stored in self.topology.stored_values:
            self.keep_value(stored)
        create_keys(self.topology)

    def handle(self, service: str, headers: Mapping[str, str], body: bytes, path: str = "/") -> Response:
        """Answer one request of an AWS protocol; `service` is the name that the request was signed for.

        `headers` have lower-case names. Never raises for a request that AWS would refuse.
        """
        for stored in self._unasked.pop(service, ()):
            self._keep(stored)
        try:
            if service == "dynamodb" and (answer := self._item_operation(headers, body)) is not None:
                return answer
            if service == "sqs" and (answer := self._messages.answer(headers, body, path)) is not None:
                return answer
            return self._by_moto(service, headers, body, path)
        except AwsError as error:
            return error.response()

    def table(self, name: str) -> MotoTable | None:
        """The table of a name as moto holds it; None when there is none, as when a client deleted it."""
        return self._tables.tables.get(name)

    def messages(self) -> Mapping[str, Messages]:
        """What each queue holds, by its name."""
        return self._sqs.contents

    def keep_value(self, stored: StoredValue) -> None:
        """Keep a parameter or a secret, unless there is one of its name.

        moto's part for it is imported when somebody asks for the first one: most runs don't, and it takes a third of
        a second.
        """
        self._unasked.setdefault(stored.service, []).append(stored)

    def _keep(self, stored: StoredValue) -> None:
        target, params = (
            ("AmazonSSM.PutParameter", {"Name": stored.name, "Value": stored.value, "Type": stored.kind})
            if stored.service == "ssm"
            else ("secretsmanager.CreateSecret", {"Name": stored.name, "SecretString": stored.value})
        )
        headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
        self.handle(stored.service, headers, msgspec.json.encode(params))
        if stored.service == "secretsmanager":
            self._call_secret(stored)

    def expire(self) -> int:
        """Delete the items whose time to live has passed; returns how many. DynamoDB does so within a few days."""
        expired = 0
        for table in self.topology.tables:
            if table.ttl_attribute is not None:
                expired += self._tables.expire(table.name, table.ttl_attribute, time.time())
        return expired

    def _item_operation(self, headers: Mapping[str, str], body: bytes) -> Response | None:
        target = headers.get("x-amz-target", "")
        if not target.startswith("DynamoDB_"):
            return None  # the streams are signed for the same service
        operation = target.rpartition(".")[2]
        params = decoded(body)
        self._dynamodb.check(operation, params)
        if not self._dynamodb.answers(operation):
            return None
        return success(self._dynamodb.answer(operation, params))

    def _by_moto(self, service: str, headers: Mapping[str, str], body: bytes, path: str) -> Response:
        if headers.get("x-amz-target", "").startswith("DynamoDBStreams_"):
            service = "streams"
        url = f"http://{headers.get('host', 'localhost')}{path}"
        known = {name: headers[name] for name in _HEADERS if name in headers} | self._place
        return perform(service, Request.from_primitives("POST", url, known, body))

    def _call_secret(self, stored: StoredValue) -> None:
        """Give a secret the ARN that the template knows it by; moto ends it with letters of its own."""
        from moto.secretsmanager.models import secretsmanager_backends

        made: Any = secretsmanager_backends[self.topology.account_id][self.topology.region].secrets[stored.name]
        made.arn = stored.arn

    def _create_table(self, table: Table) -> None:
        properties = copy.deepcopy(dict(table.properties))  # moto keeps and changes what it is given
        self._tables.create_table(
            table.name,
            schema=properties["KeySchema"],
            throughput=properties.get("ProvisionedThroughput"),
            attr=properties["AttributeDefinitions"],
            global_indexes=properties.get("GlobalSecondaryIndexes", []),
            indexes=properties.get("LocalSecondaryIndexes", []),
            streams=properties.get("StreamSpecification"),
            billing_mode=properties.get("BillingMode", "PROVISIONED"),
            sse_specification=None,
            tags=properties.get("Tags", []),
            deletion_protection_enabled=properties.get("DeletionProtectionEnabled", False),
            warm_throughput=None,
        )
        if table.stream_arn is not None:
            self._tables.label_stream(table.name, table.stream_arn.rpartition("/")[2])
        if table.ttl_attribute is not None:
            self._tables.update_time_to_live(table.name, {"Enabled": True, "AttributeName": table.ttl_attribute})
        if table.point_in_time_recovery:
            self._tables.update_continuous_backups(table.name, {"PointInTimeRecoveryEnabled": True})

    def _create_queue(self, queue: Queue) -> None:
        properties = copy.deepcopy(dict(queue.properties))
        attributes = {name: properties[name] for name in _QUEUE_PROPERTIES if properties.get(name) is not None}
        attributes |= {
            "VisibilityTimeout": queue.visibility_timeout_seconds,
            "MessageRetentionPeriod": queue.retention_seconds,
        }
        if queue.fifo:
            attributes["FifoQueue"] = True
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        self._sqs.create_queue(queue.name, tags, **attributes)


# moto asks the SDK what services and regions there are, and the SDK insists on the person's profile.
for _module in (base_backend, utils):
    _module.Session = local_session  # type: ignore[attr-defined]


def _know_region(backends: BackendDict[Any], account: str, region: str) -> AccountSpecificBackend[Any]:
    """Give an account its one region; by itself moto would ask botocore for all that there are, which takes long."""
    backends[account] = AccountSpecificBackend(
        backends.service_name, account, backends.backend, use_boto3_regions=False, additional_regions=[region]
    )
    return backends[account]


def _dead_letter_queues_first(queues: Iterable[Queue]) -> list[Queue]:
    """The queues, each after the one that its dead letters go to, as SQS wants that one to be there."""
    waiting = {queue.arn: queue for queue in queues}
    ordered: list[Queue] = []
    while waiting:
        ready = [queue for queue in waiting.values() if queue.dead_letter_arn not in waiting]
        ordered += ready or waiting.values()  # a ring of them: SQS will say so
        waiting = {arn: queue for arn, queue in waiting.items() if queue not in ordered}
    return ordered
