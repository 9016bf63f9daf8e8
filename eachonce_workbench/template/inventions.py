"""What was made up while a template was read."""

from __future__ import annotations

import re
from collections.abc import Iterable

from eachonce_workbench.template import elsewhere, made_up
from eachonce_workbench.template.place import Place
from eachonce_workbench.template.source import Where
from eachonce_workbench.template.usage import fitting, property_at

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

    def attribute(self, type_name: str, name: str, attribute: str, where: Where) -> str | list[str]:
        """Give what `Fn::GetAtt` may give, in a place, for a resource of a type that isn't run here."""
        self._count += 1
        value = elsewhere.attribute(type_name, name, attribute, self._place)
        if not elsewhere.is_anything(type_name) or isinstance(value, list) or value.startswith("arn:"):
            return value
        fit = fitting(property_at(where), attribute, self._place)
        return value if fit is None else fit

    def imported(self, export: str, where: Where) -> str:
        """Give what another stack may export under a name, for a place."""
        return self._said(f"Fn::ImportValue {export}", self._named(export, where))

    def transformed(self, name: str) -> str:
        """Give what a macro may make of a value."""
        return self._said(f"Fn::Transform {name}", made_up.words(name))

    def other_key(self, where: Where, key: str, keys: Iterable[str]) -> str:
        """Give another key of a mapping than that of this region or account, which it doesn't have."""
        return self._said(f"Fn::FindInMap in {property_at(where)}, which has no {key}", next(iter(keys)))

    def with_dynamic_references(self, string: str, where: Where) -> str:
        """Put something in the place of each dynamic reference of a string: a parameter of SSM's, a secret."""
        if "{{resolve:" not in string:
            return string
        return _DYNAMIC.sub(lambda found: self._dynamic(found, where), string)

    def _dynamic(self, found: re.Match[str], where: Where) -> str:
        service, key = found["service"], found["key"]
        if service == "secretsmanager":
            # secret-id:SecretString:json-key:version-stage:version-id, where the id may be an ARN
            secret, _, rest = key.partition(":SecretString")
            name = rest.strip(":").split(":")[0] or secret.rpartition(":")[2]
        else:
            name = re.sub(r":\d+$", "", key)
        whole = found[0] == found.string
        value = self._named(name, where) if whole else made_up.named(name, self._place)
        return self._said(f"{service} {key}", value)

    def _named(self, name: str, where: Where) -> str:
        value = made_up.named(name, self._place)
        fit = None if value.startswith("arn:") else fitting(property_at(where), name, self._place)
        return value if fit is None else fit

    def _said(self, what: str, value: str) -> str:
        self._count += 1
        self._lines[f"{what}: {value!r} is used here"] = None
        return value
