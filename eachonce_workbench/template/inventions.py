"""What was made up while a template was read."""

from __future__ import annotations

import re

from eachonce_workbench.template import elsewhere, made_up
from eachonce_workbench.template.place import Place

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
_DYNAMIC = re.compile(r"\{\{resolve:(?P<service>ssm|ssm-secure|secretsmanager):(?P<key>[^{}]+)\}\}")


class Inventions:
    """Makes up what can't be known, and remembers that it did: `lines` are to be shown to a person."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lines: dict[str, None] = {}
        self._count = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """What was made up, a line each; what a resource is called goes without one."""
        return tuple(self._lines)

    @property
    def count(self) -> int:
        """How often something was made up."""
        return self._count

    def ref(self, type_name: str, name: str) -> str:
        """Give what `Ref` may give for a resource of a type that isn't run here."""
        self._count += 1
        return elsewhere.ref(type_name, name, self._place)

    def attribute(self, type_name: str, name: str, attribute: str) -> str | list[str]:
        """Give what `Fn::GetAtt` may give for a resource of a type that isn't run here."""
        self._count += 1
        return elsewhere.attribute(type_name, name, attribute, self._place)

    def imported(self, export: str) -> str:
        """Give what another stack may export under a name."""
        return self._said(f"Fn::ImportValue {export}", made_up.named(export, self._place))

    def transformed(self, name: str) -> str:
        """Give what a macro may make of a value."""
        return self._said(f"Fn::Transform {name}", made_up.words(name))

    def with_dynamic_references(self, string: str) -> str:
        """Put something in the place of each dynamic reference of a string: a parameter of SSM's, a secret."""
        return _DYNAMIC.sub(self._dynamic, string) if "{{resolve:" in string else string

    def _dynamic(self, found: re.Match[str]) -> str:
        service, key = found["service"], found["key"]
        if service == "secretsmanager":
            # secret-id:SecretString:json-key:version-stage:version-id, where the id may be an ARN
            secret, _, rest = key.partition(":SecretString")
            name = rest.strip(":").split(":")[0] or secret.rpartition(":")[2]
        else:
            name = re.sub(r":\d+$", "", key)
        value = made_up.named(name, self._place)
        return self._said(f"{service} {key}", value)

    def _said(self, what: str, value: str) -> str:
        self._count += 1
        self._lines[f"{what}: {value!r} is used here"] = None
        return value
