"""From the Serverless Application Model to plain CloudFormation, as AWS translates it."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from eachonce_workbench.template.code import BUCKET
from eachonce_workbench.template.source import Source, TemplateError, Where

# What `sam package` would upload: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html
_FILES = {
    "AWS::Serverless::Api": "DefinitionUri",
    "AWS::Serverless::HttpApi": "DefinitionUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}
_BUILT_IMAGE = "local:latest"
_REPOSITORY = "https://serverlessrepo.amazonaws.com"
_GLOBALS = ("Globals", "Function")
_RENAMED = {
    "Code": ("CodeUri",),
    "Content": ("ContentUri",),
    "DeadLetterConfig": ("DeadLetterQueue",),
    "EventPattern": ("Pattern",),
    "EventSourceArn": ("Queue", "Stream"),
    "ScheduleExpression": ("Schedule",),
    "TracingConfig": ("Tracing",),
}
_NO_LOG = logging.NullHandler()  # the translator logs what it raises, and which of its features it could not look up
_BRACKETS = re.compile(r"\[([A-Za-z0-9]+)\]")


def translate(source: Source, parameters: dict[str, Any], region: str) -> dict[str, Any]:
    """Give the CloudFormation template of a SAM template, in which `code_path` finds the code.

    Raises TemplateError for what SAM refuses.
    """
    # Imported here: a third of a second that programs which only import this module should not pay for.
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    logging.getLogger("samtranslator").addHandler(_NO_LOG)
    document = copy.deepcopy(source.document)
    _place_local_files(document)
    translator = Translator(None, Parser(), boto_session=_Session(region))
    try:
        # Without a map of managed policies their names stay as they are: roles have no local counterpart.
        translated: dict[str, Any] = translator.translate(document, dict(parameters), get_managed_policy_map=dict)
    except InvalidDocumentException as error:
        raise _refusal(source, (cause.message for cause in error.causes)) from error
    finally:
        translator.metrics.publish()  # to nobody; unpublished, they would complain on standard error as Python ends
    return translated


def origin(source: Source, where: Where) -> Where:
    """Lead back from a value of the translated template to the part of the source that it was made of."""
    return _global(source, _renamed(source, owned(source, where)))


def owned(source: Source, where: Where) -> Where:
    """Lead back from a resource of the translated template to that of the source which it was made for.

    SAM names what it makes of a resource after it: the mapping of an event E of the function F is called FE.
    """
    if len(where) < 2 or where[0] != "Resources" or where[1] in source.document["Resources"]:
        return where
    generated = str(where[1])
    owner = _longest(generated, source.document["Resources"])
    rest = generated.removeprefix(owner)
    properties = ("Resources", owner, "Properties")
    if event := _longest(rest, events(source.document["Resources"].get(owner, {}))):
        return (*properties, "Events", event, *where[2:])
    if (*properties, rest) in source.lines:
        return (*properties, rest, *where[3:])
    if len(where) > 3 and (*properties, where[3]) in source.lines:
        return (*properties, *where[3:])
    return ("Resources", owner)


def events(function: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the events of a function of SAM's, none where they are no mapping."""
    found = function.get("Properties", {}).get("Events")
    return found if isinstance(found, dict) else {}


def _longest(name: str, beginnings: Iterable[str]) -> str:
    return max((each for each in beginnings if name.startswith(each)), key=len, default="")


def _renamed(source: Source, where: Where) -> Where:
    for place, name in enumerate(where):
        for former in _RENAMED.get(str(name), ()):
            if (*where[:place], former) in source.lines:
                return (*where[:place], former, *where[place + 1 :])
    return where


def _global(source: Source, where: Where) -> Where:
    """Lead on to Globals where a function has a property from there."""
    if len(where) > 3 and where[:4] not in source.lines:
        for name in (where[3], *_RENAMED.get(str(where[3]), ())):
            if (*_GLOBALS, name) in source.lines:
                return (*_GLOBALS, name, *where[4:])
    return where


def _place_local_files(document: dict[str, Any]) -> None:
    """Write what is on this machine as objects of a bucket, the only form in which the translator takes it."""
    default = document.get("Globals", {}).get("Function", {}).pop("CodeUri", ".")
    for resource in document["Resources"].values():
        properties = resource.setdefault("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            _place_code(properties, default)
        elif resource["Type"] == "AWS::Serverless::Application":
            _place_application(resource, properties)
        elif name := _FILES.get(resource["Type"]):
            _place(properties, name)


def _place_code(properties: dict[str, Any], default: Any) -> None:
    if properties.get("PackageType") == "Image":
        properties.setdefault("ImageUri", _BUILT_IMAGE)
    if not {"InlineCode", "ImageUri"} & properties.keys():
        properties.setdefault("CodeUri", default)
        _place(properties, "CodeUri")


def _place_application(resource: dict[str, Any], properties: dict[str, Any]) -> None:
    """Make a nested stack of an application of the Serverless Application Repository, which only AWS can look up."""
    location = properties.get("Location")
    if isinstance(location, dict) and "ApplicationId" in location:
        kept = {name: value for name, value in properties.items() if name in ("Parameters", "Tags")}
        resource |= {"Type": "AWS::CloudFormation::Stack", "Properties": {**kept, "TemplateURL": _REPOSITORY}}


def _place(properties: dict[str, Any], name: str) -> None:
    path = properties.get(name)
    if isinstance(path, str) and "://" not in path:
        properties[name] = f"s3://{BUCKET}/{quote(path, safe='')}"


def _refusal(source: Source, messages: Iterable[str]) -> TemplateError:
    """Point at the resource that each of the translator's messages names, which it does in brackets."""
    named = ((_BRACKETS.search(message), message) for message in messages)
    return source.errors((owned(source, ("Resources", name[1] if name else "")), message) for name, message in named)


class _Session:
    """All that the translator asks of a boto3 session, without its search for credentials."""

    def __init__(self, region: str) -> None:
        self.region_name = region
