"""What a request may look like: checked by AWS's own model of it, as botocore carries it.

A member of a wrong type can't be read at all (SerializationException); members that are missing, too long, too small or
none of the words that they may be are told together (ValidationException). Attribute values are left to who reads them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from eachonce_workbench.cloud.store.tables.refusals import invalid_members, malformed

_TOLD = 10  # AWS tells no more flaws than that

_ARN = "arn:"
_TABLE_NAME = "[a-zA-Z0-9_.-]+"
_TABLE_NAME_LENGTH = 255


class Flaw(NamedTuple):
    """A member that breaks a constraint: where it is, and what it is if it can be shown in a word."""

    path: tuple[str, ...]
    shown: str | None
    constraint: str

    def below(self, *path: str) -> Flaw:
        """The same flaw, seen from further outside."""
        return self._replace(path=(*path, *self.path))

    def __str__(self) -> str:
        if self.shown is None:
            return f"Value at '{'.'.join(self.path)}' failed to satisfy constraint: {self.constraint}"
        path = ".".join(part[:1].lower() + part[1:] for part in self.path)
        return f"Value {self.shown} at '{path}' failed to satisfy constraint: {self.constraint}"


Check = Callable[[Any], "tuple[Flaw, ...]"]
"""The flaws of a value; raises `AwsError` SerializationException when it is not of the type at all."""


def check_request(operation: str, params: dict[str, Any]) -> None:
    """Raise `AwsError` when the parameters of an operation are not as its shape wants them.

    What the shape doesn't know, and what is null, is taken out of them: AWS doesn't see it.
    """
    check = _operation(operation)
    if check is not None and (flaws := check(params)):
        raise invalid_members([str(flaw) for flaw in flaws[:_TOLD]])


def table_name(given: str) -> str:
    """The name of the table that a request names, or gives the ARN of."""
    return given.partition(":table/")[2] if given.startswith(_ARN) else given


@lru_cache(maxsize=1)
def _model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("dynamodb", "service-2"), "dynamodb")


@lru_cache
def _operation(name: str) -> Check | None:
    model = _model()
    if name not in model.operation_names:
        return None
    shape = model.operation_model(name).input_shape
    return None if shape is None else _check_of(shape)


def _check_of(shape: Shape) -> Check:
    if shape.name == "AttributeValue":
        return _anything
    if shape.name == "TableArn":
        return _table_name
    if shape.name == "AttributeName":
        return _text  # as long as it is, `checked_name` tells it
    made: Check = _MAKERS.get(shape.type_name, lambda _: _anything)(shape)
    return made


def _anything(_: Any) -> tuple[Flaw, ...]:
    return ()


def _structure(shape: Any) -> Check:
    members: dict[str, Check] = {}  # filled when first met: shapes may contain themselves
    required = tuple(shape.required_members)

    def check(value: Any) -> tuple[Flaw, ...]:
        _require(dict, value)
        flaws: tuple[Flaw, ...] = ()
        for name in required:
            if value.get(name) is None:
                flaws += (Flaw((name,), "null", "Member must not be null"),)
        for name, member in list(value.items()):
            if member is None or name not in shape.members:
                del value[name]
                continue
            if name not in members:
                members[name] = _check_of(shape.members[name])
            if found := members[name](member):
                flaws += tuple(flaw.below(name) for flaw in found)
        return flaws

    return check


def _map(shape: Any) -> Check:
    check_key, check_value = _check_of(shape.key), _check_of(shape.value)
    length = _length(shape)
    members_matter = not (check_key is _text and check_value in (_anything, _text))

    def check(value: Any) -> tuple[Flaw, ...]:
        flaws = length(_require(dict, value))
        if not members_matter and (check_value is _anything or all(type(member) is str for member in value.values())):
            return flaws
        for name, member in value.items():
            if found := (*check_key(name), *check_value(member)):
                flaws += tuple(flaw.below(name, "member") for flaw in found)
        return flaws

    return check


def _list(shape: Any) -> Check:
    check_member = _check_of(shape.member)
    length = _length(shape)

    def check(value: Any) -> tuple[Flaw, ...]:
        flaws = length(_require(list, value))
        for place, member in enumerate(value, 1):
            if found := check_member(member):
                flaws += tuple(flaw.below(str(place), "member") for flaw in found)
        return flaws

    return check


def _length(shape: Any) -> Check:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: Any) -> tuple[Flaw, ...]:
        if least is not None and len(value) < least:
            return (Flaw((), None, f"Member must have length greater than or equal to {least}"),)
        if most is not None and len(value) > most:
            return (Flaw((), None, f"Member must have length less than or equal to {most}"),)
        return ()

    return check


def _text(value: Any) -> tuple[Flaw, ...]:
    _require(str, value)
    return ()


def _string(shape: Any) -> Check:
    if not shape.metadata.keys() & {"enum", "min", "max", "pattern"}:
        return _text
    words = frozenset(shape.metadata.get("enum", ()))
    length = _length(shape)
    pattern = re.compile(shape.metadata["pattern"]) if "pattern" in shape.metadata else None

    def check(value: Any) -> tuple[Flaw, ...]:
        _require(str, value)
        shown = f"'{value}'"
        if words and value not in words:
            listed = ", ".join(shape.metadata["enum"])
            return (Flaw((), shown, f"Member must satisfy enum value set: [{listed}]"),)
        if pattern is not None and not pattern.fullmatch(value):
            return (Flaw((), shown, f"Member must satisfy regular expression pattern: {pattern.pattern}"),)
        return tuple(flaw._replace(shown=shown) for flaw in length(value))

    return check


def _integer(shape: Any) -> Check:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: Any) -> tuple[Flaw, ...]:
        if isinstance(value, bool) or not isinstance(value, int):
            raise malformed(f"{_word(value)} cannot be converted to Integer")
        if least is not None and value < least:
            return (Flaw((), f"'{value}'", f"Member must have value greater than or equal to {least}"),)
        if most is not None and value > most:
            return (Flaw((), f"'{value}'", f"Member must have value less than or equal to {most}"),)
        return ()

    return check


def _boolean(_: Any) -> Check:
    def check(value: Any) -> tuple[Flaw, ...]:
        _require(bool, value)
        return ()

    return check


def _table_name(value: Any) -> tuple[Flaw, ...]:
    return _flaws_of_table_name(_require(str, value))


@lru_cache
def _flaws_of_table_name(value: str) -> tuple[Flaw, ...]:
    shown, name = f"'{value}'", table_name(value)
    if not name:
        return (Flaw((), shown, "Member must have length greater than or equal to 1"),)
    if not re.fullmatch(_TABLE_NAME, name):
        return (Flaw((), shown, f"Member must satisfy regular expression pattern: {_TABLE_NAME}"),)
    if len(name) > _TABLE_NAME_LENGTH:
        return (Flaw((), shown, f"Member must have length less than or equal to {_TABLE_NAME_LENGTH}"),)
    return ()


_MAKERS: dict[str, Callable[[Any], Check]] = {
    "structure": _structure,
    "map": _map,
    "list": _list,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "boolean": _boolean,
}


def _require(wanted: type, value: Any) -> Any:
    if isinstance(value, wanted):
        return value
    if wanted is dict or wanted is list or isinstance(value, dict | list):
        raise malformed(
            "Start of structure or map found where not expected" if isinstance(value, dict) else "Unexpected field type"
        )
    raise malformed(f"{_word(value)} cannot be converted to {'Boolean' if wanted is bool else 'String'}")


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    return {int: "NUMBER_VALUE", float: "DECIMAL_VALUE", str: "STRING_VALUE"}.get(type(value), "NULL_VALUE")
