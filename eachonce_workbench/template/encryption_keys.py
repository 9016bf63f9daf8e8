"""Keys of KMS's that a template declares, with which the local cloud encrypts and decrypts.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from eachonce_workbench.template.identity import Identities
from eachonce_workbench.template.source import Where
from eachonce_workbench.template.topology import EncryptionKey

_KEY, _ALIAS = "AWS::KMS::Key", "AWS::KMS::Alias"
KEYS = frozenset({_KEY, _ALIAS})


def encryption_keys(
    resources: Mapping[str, Mapping[str, Any]], resolve: Callable[[Any, Where], Any], identities: Identities
) -> Iterator[EncryptionKey]:
    """Give each key, with the aliases that lead to it by its id or its ARN."""
    aliases = [
        resolve(resource.get("Properties", {}), ("Resources", name, "Properties"))
        for name, resource in resources.items()
        if resource["Type"] == _ALIAS
    ]
    for name, resource in resources.items():
        if resource["Type"] == _KEY:
            arn = identities.known(name, "Arn", ("Resources", name))
            named = [str(said["AliasName"]) for said in aliases if _is_of(arn, str(said.get("TargetKeyId")))]
            yield EncryptionKey(arn=arn, aliases=tuple(named))


def _is_of(arn: str, target: str) -> bool:
    return target in (arn, arn.rpartition("/")[2])
