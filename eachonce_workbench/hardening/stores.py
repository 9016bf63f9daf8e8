"""A rule for what is kept: nothing in the clear.

What AWS encrypts without being asked, and lets nobody switch off, needs no rule: DynamoDB's tables, S3's buckets, event
buses and archives, log groups, and Lambda's environment variables.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/EncryptionAtRest.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-at-rest.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/data-protection.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.declared import Declared


def _says(name: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda properties: str(properties.get(name, "")).lower() not in ("", "false")


def _queue(properties: Mapping[str, Any]) -> bool:
    """Whether a queue is encrypted: by SQS's own keys, unless it says otherwise.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
    """
    return bool(properties.get("KmsMasterKeyId")) or str(properties.get("SqsManagedSseEnabled", True)).lower() == "true"


_ENCRYPTED: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "AWS::EFS::FileSystem": _says("Encrypted"),
    "AWS::Kinesis::Stream": _says("StreamEncryption"),
    "AWS::RDS::DBCluster": _says("StorageEncrypted"),
    "AWS::RDS::DBInstance": _says("StorageEncrypted"),
    "AWS::SNS::Topic": _says("KmsMasterKeyId"),
    "AWS::SQS::Queue": _queue,
}


def unencrypted(resources: Resources) -> Iterator[Breach]:
    """Give stores that keep what they are given as it is."""
    return (
        Breach(by=each, what="it keeps data in the clear") for each in resources.of_type(*_ENCRYPTED) if _clear(each)
    )


def _clear(store: Declared) -> bool:
    return not _ENCRYPTED[store.type](store.properties)


RULES = (
    Rule(
        id="unencrypted",
        number=105,
        reason="who gets at the disk, or at a backup of it, reads all of it",
        mend="switch its encryption on, with AWS's own key or yours",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html",
        breaches=unencrypted,
    ),
)
