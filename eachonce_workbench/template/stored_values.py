"""Parameters of SSM's and secrets that a template declares, with the values that it gives them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from eachonce_workbench.template.identity import Identities
from eachonce_workbench.template.made_up import letters
from eachonce_workbench.template.source import Where
from eachonce_workbench.template.topology import StoredValue

PARAMETER = "AWS::SSM::Parameter"
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type's name
STORED = frozenset({PARAMETER, SECRET})

_PASSWORD_LENGTH = 32


def stored_values(
    resources: Mapping[str, Mapping[str, Any]], resolve: Callable[[Any, Where], Any], identities: Identities
) -> Iterator[StoredValue]:
    """Give each of them; a secret that AWS would generate is the same each time that the template is read."""
    for logical_id, resource in resources.items():
        where = ("Resources", logical_id)
        if resource["Type"] in STORED:
            said = resolve(resource.get("Properties", {}), (*where, "Properties"))
            name = identities.ref(logical_id, where)
            if resource["Type"] == PARAMETER:
                kind = str(said.get("Type", "String"))
                yield StoredValue(service="ssm", name=name, value=str(said.get("Value", "")), kind=kind)
            else:
                # An ARN ends with a hyphen, and six characters of AWS's own.
                called = name.partition(":secret:")[2][:-7]
                yield StoredValue(service="secretsmanager", name=called, arn=name, value=_secret(said, name))


def _secret(said: Mapping[str, Any], name: str) -> str:
    generated = said.get("GenerateSecretString")
    if not isinstance(generated, dict):
        return str(said.get("SecretString", ""))
    password = letters(name, int(generated.get("PasswordLength", _PASSWORD_LENGTH)))
    if "GenerateStringKey" not in generated:
        return password
    around = json.loads(str(generated.get("SecretStringTemplate", "{}")))
    return json.dumps({**around, str(generated["GenerateStringKey"]): password})
