"""What of an event a rule's target is sent: all of it, a part, a constant, or a text made from it.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eachonce_workbench.matching.input_template import Template
from eachonce_workbench.matching.json_path import JsonPath, Missing
from eachonce_workbench.matching.reading import read_json, to_json

LONGEST_INPUT = 8192
"""Characters of an Input (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html)."""

MOST_PATHS = 100
"""Entries in an InputPathsMap (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html)."""

_WHOLE_EVENT = JsonPath(())
_EVENT_JSON = "aws.events.event.json"
_RESERVED = frozenset(
    {"aws.events.event", _EVENT_JSON, "aws.events.event.ingestion-time", "aws.events.rule-arn", "aws.events.rule-name"}
)


class InvalidInput(ValueError):  # noqa: N818 - a fact about the target, the twin of InvalidPattern
    """EventBridge would refuse this target's Input, InputPath or InputTransformer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInput:
    """What a target gets: the constant, if there is one; else the filled template; else what `path` reaches."""

    constant: str | None = None
    path: JsonPath = _WHOLE_EVENT
    template: Template | None = None
    paths: Mapping[str, JsonPath] = field(default_factory=dict)

    @classmethod
    def of(cls, target: Mapping[str, Any]) -> TargetInput:
        """Read it from a target's properties. Raises InvalidInput."""
        given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name) is not None]
        if len(given) > 1:
            raise InvalidInput(
                f"only one of Input, InputPath or InputTransformer may be given, not {' and '.join(given)}"
            )
        if "Input" in given:
            return cls(constant=_constant(target["Input"]))
        if "InputPath" in given:
            return cls(path=_path(target["InputPath"], "InputPath"))
        return _transformer(target["InputTransformer"]) if given else cls()

    def render(self, event: Mapping[str, Any], *, rule_arn: str, rule_name: str) -> str:
        """The text for the target, which for a queue is the message's body."""
        if self.constant is not None:
            return self.constant
        if self.template is not None:
            values = {name: path.find(event) for name, path in self.paths.items()}
            return self.template.fill(values | _reserved(event, rule_arn, rule_name))
        found = self.path.find(event)
        return to_json(None if found is Missing.MISSING else found)


def _constant(text: Any) -> str:
    try:
        read_json(text)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"Input must be JSON text: {error}") from error
    if len(text) > LONGEST_INPUT:
        raise InvalidInput(f"Input has {len(text)} characters, more than {LONGEST_INPUT}")
    return str(text)


def _path(text: Any, where: str) -> JsonPath:
    try:
        return JsonPath.of(text)
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{where}: {error}") from error


def _transformer(transformer: Mapping[str, Any]) -> TargetInput:
    try:
        template = Template.of(transformer["InputTemplate"])
    except KeyError as error:
        raise InvalidInput("InputTransformer needs an InputTemplate") from error
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"InputTemplate: {error}") from error
    paths = _paths(transformer.get("InputPathsMap") or {})
    _check_variables(template, frozenset(paths))
    return TargetInput(template=template, paths=paths)


def _paths(texts: Mapping[str, Any]) -> dict[str, JsonPath]:
    if not isinstance(texts, Mapping):
        raise InvalidInput("InputPathsMap must be an object")
    if len(texts) > MOST_PATHS:
        raise InvalidInput(f"InputPathsMap has {len(texts)} entries, more than {MOST_PATHS}")
    if reserved := _RESERVED & texts.keys():
        raise InvalidInput(f"InputPathsMap: {', '.join(sorted(reserved))} is reserved")
    return {name: _path(text, f"InputPathsMap.{name}") for name, text in texts.items()}


def _check_variables(template: Template, known: frozenset[str]) -> None:
    if unknown := template.variables - known - _RESERVED:
        raise InvalidInput(f"InputTemplate contains invalid placeholder {', '.join(sorted(unknown))}")
    if _EVENT_JSON in template.variables and not template.is_object:
        raise InvalidInput(f"InputTemplate contains placeholder {_EVENT_JSON} valid only for JSON template")


def _reserved(event: Mapping[str, Any], rule_arn: str, rule_name: str) -> dict[str, Any]:
    # <aws.events.event> leaves out the detail (the AWS page) and, as seen on AWS, says detailType for detail-type.
    outline = {"detailType" if key == "detail-type" else key: event[key] for key in event if key != "detail"}
    return {
        "aws.events.event": outline,
        _EVENT_JSON: event,
        "aws.events.event.ingestion-time": event.get("time", Missing.MISSING),
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
    }
