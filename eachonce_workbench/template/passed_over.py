"""What a template has that the local cloud doesn't run, a line for each part of it.

What decides who may do something, or watches, is counted by its type in one line: it is in every template, and changes
nothing that a function could notice here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from eachonce_workbench.template.encryption_keys import KEYS
from eachonce_workbench.template.limits import LIMITS
from eachonce_workbench.template.source import Source, Where
from eachonce_workbench.template.stored_values import STORED
from eachonce_workbench.template.translation import events, origin, owned
from eachonce_workbench.template.web import ANSWERED

_SAM = "AWS::Serverless-2016-10-31"
_SECTIONS = ("Rules", "Hooks")
_EVENTS = frozenset(
    {
        "Api",
        "CloudWatchEvent",
        "DynamoDB",
        "EventBridgeRule",
        "HttpApi",
        "S3",
        "SNS",
        "SQS",
        "Schedule",
        "ScheduleV2",
    }
)
_WATCHES = ("AWS::CloudWatch::", "AWS::IAM::", "AWS::Logs::", "AWS::XRay::")
_HERE = "AWS::Logs::LogGroup"  # what a function writes is told here, whatever its group is called
_PERMITS = ("Policy", "Permission")
_SHARED = "Serverless"  # SAM's name for what all functions share, such as the API of their events


def passed_over(
    source: Source, resources: Mapping[str, Mapping[str, Any]], places: Iterable[Where], idle: Mapping[str, str]
) -> tuple[str, ...]:
    """Tell what is not run.

    `resources` are those of the translated template, `places` what is passed over in them, and `idle` says of functions
    why they aren't run.
    """
    made = {name: resource for name, resource in source.document["Resources"].items() if name in resources}
    parts = [
        *_sections(source),
        *(f"{resource['Type']} {name}" for name, resource in made.items() if _is_nowhere(name, resource, resources)),
        *(f"{resources[name]['Type']} {name} ({why})" for name, why in idle.items()),
        *_generated(source, made, resources),
        *(_named(source, origin(source, place)) for place in (*_events(made), *_kept(source, made, places))),
        *_quiet(made),
    ]
    return tuple(f"{part}: not run here" for part in dict.fromkeys(parts))


def _sections(source: Source) -> Iterator[str]:
    transforms = source.document.get("Transform", [])
    for name in transforms if isinstance(transforms, list) else [transforms]:
        if name != _SAM:
            yield f"Transform {name.get('Name', name) if isinstance(name, dict) else name}"
    yield from (name for name in _SECTIONS if name in source.document)


def _is_nowhere(name: str, resource: Mapping[str, Any], resources: Mapping[str, Mapping[str, Any]]) -> bool:
    return not _is_run(resources[name]["Type"]) and not _is_quiet(resource["Type"])


def _is_run(kind: str) -> bool:
    return kind in LIMITS or kind in ANSWERED or kind in STORED or kind in KEYS


def _events(made: Mapping[str, Mapping[str, Any]]) -> Iterator[Where]:
    for name, resource in made.items():
        if resource["Type"] == "AWS::Serverless::Function":
            for event, declared in events(resource).items():
                if declared["Type"] not in _EVENTS:
                    yield ("Resources", name, "Properties", "Events", event)


def _kept(source: Source, made: Mapping[str, Mapping[str, Any]], places: Iterable[Where]) -> Iterator[Where]:
    """Give the places in the source, without those in an event that is passed over as a whole."""
    whole = set(_events(made))
    for where in places:
        place = owned(source, where)
        if place[:5] not in whole:
            yield place


def _generated(
    source: Source, made: Mapping[str, Mapping[str, Any]], resources: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Give what SAM makes beside a function, such as its address; what it makes of an event goes with the event."""
    for name, resource in resources.items():
        place, kind = owned(source, ("Resources", name)), resource["Type"]
        owner = made.get(str(place[1]), {}).get("Type")
        beside = owner == "AWS::Serverless::Function" and name not in made and len(place) == 2
        if beside and not _is_run(kind) and not _is_quiet(kind) and not name.startswith(_SHARED):
            yield f"{owner} {place[1]}, {kind}"


def _named(source: Source, place: Where) -> str:
    """Name a part of a resource (the resource, its event if it is one's, and the way from there), or one of all."""
    if place[0] == "Globals":
        return f"{' '.join(map(str, place[:2]))}, {'.'.join(str(part) for part in place[2:] if isinstance(part, str))}"
    resource = source.document["Resources"][place[1]]
    path = [str(part) for part in place[3:] if isinstance(part, str) and part != "Properties"]
    whole = f"{resource['Type']} {place[1]}"
    if path[:1] == ["Events"]:
        declared = resource["Properties"]["Events"][path[1]]
        whole, path = f"{whole}, event {path[1]} ({declared['Type']})", path[2:]
    return f"{whole}, {'.'.join(path)}" if path else whole


def _quiet(made: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    names = {resource["Type"]: name for name, resource in made.items() if _is_quiet(resource["Type"])}
    names.pop(_HERE, None)
    counts = Counter(resource["Type"] for resource in made.values())
    if names:
        yield ", ".join(
            f"{kind} {names[kind]}" if counts[kind] == 1 else f"{counts[kind]} {kind}" for kind in sorted(names)
        )


def _is_quiet(kind: str) -> bool:
    return kind.startswith(_WATCHES) or kind.endswith(_PERMITS)
