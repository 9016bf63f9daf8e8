"""Lambda's reading calls, and the one that turns a mapping on and off: functions, versions, aliases and mappings.

https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from eachonce_workbench.cloud.control.mappings import Flags, Switches, asked, mappings, update
from eachonce_workbench.cloud.request import Request, form_of
from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.template import reference
from eachonce_workbench.template.topology import Api, EventInvoke, Function, Topology
from eachonce_workbench.template.web.addresses import address

_NEVER_CHANGED = "1970-01-01T00:00:00.000+0000"
_NAME = r"functions/([^/]+)"
_MAPPING = re.compile(r"/2015-03-31/event-source-mappings/([^/]+)/?")

ACCEPTED = 202
"""The status of an answer to a call that changes something."""

Told = Mapping[str, Any]
Params = Mapping[str, str]


class Functions:
    """Tells of the functions of one topology."""

    def __init__(self, topology: Topology, switches: Switches | None = None) -> None:
        self._topology = topology
        self._switches = Flags(topology) if switches is None else switches
        calls: Mapping[str, Callable[..., Told]] = {
            "2015-03-31/functions": self._list,
            f"2015-03-31/{_NAME}": self._get,
            f"2015-03-31/{_NAME}/configuration": self._get_configuration,
            f"2015-03-31/{_NAME}/aliases": self._list_aliases,
            f"2015-03-31/{_NAME}/aliases/([^/]+)": self._get_alias,
            f"2015-03-31/{_NAME}/versions": self._list_versions,
            f"2015-03-31/{_NAME}/policy": self._get_policy,
            f"2019-09-30/{_NAME}/concurrency": self._get_concurrency,
            f"2019-09-25/{_NAME}/event-invoke-config": self._get_event_invoke,
            f"2019-09-25/{_NAME}/event-invoke-config/list": self._list_event_invokes,
            f"2021-10-31/{_NAME}/url": self._get_url,
            "2015-03-31/event-source-mappings": self._list_mappings,
            "2015-03-31/event-source-mappings/([^/]+)": self._get_mapping,
        }
        self._calls = [(re.compile(f"/{path}/?"), call) for path, call in calls.items()]

    def answer(self, request: Request) -> Told | None:
        """Give the result of a call; None for a request that is none of these.

        Raises `AwsError` ResourceNotFoundException, and what `update` of a mapping raises.
        """
        if request.method == "PUT" and (found := _MAPPING.fullmatch(request.path)):
            if (on := asked(request)) is None:
                return None
            return update(dict(self._get_mapping({}, unquote(found[1]))), on=on, switches=self._switches)
        if request.method != "GET":
            return None
        for path, call in self._calls:
            if found := path.fullmatch(request.path):
                return call(form_of(request.query.encode("latin-1")), *map(unquote, found.groups()))
        return None

    def _list(self, params: Params) -> Told:
        functions = self._topology.functions
        told = [_configuration(function) for function in functions]
        if params.get("FunctionVersion") == "ALL":
            told += [_configuration(function, version) for function in functions for version in _versions(function)]
        return {"Functions": told}

    def _get(self, params: Params, name: str) -> Told:
        function = self._function(name)
        told: dict[str, Any] = {
            "Configuration": self._get_configuration(params, name),
            "Code": {"RepositoryType": "local", "Location": function.code.as_uri()},
        }
        return told | _concurrency(function)

    def _get_configuration(self, params: Params, name: str) -> Told:
        function, qualifier = self._function(name), self._qualifier(name, params)
        if qualifier == reference.LATEST:
            return _configuration(function)
        if qualifier not in function.published:
            raise self._missing(f"Function not found: {function.arn}:{qualifier}")
        return _configuration(function, function.published[qualifier], qualifier)

    def _list_versions(self, _params: Params, name: str) -> Told:
        function = self._function(name)
        return {"Versions": [_configuration(function), *(_configuration(function, v) for v in _versions(function))]}

    def _list_aliases(self, _params: Params, name: str) -> Told:
        function = self._function(name)
        return {"Aliases": [_alias(function, alias) for alias in _aliases(function)]}

    def _get_alias(self, _params: Params, name: str, alias: str) -> Told:
        function = self._function(name)
        if alias not in _aliases(function):
            raise self._missing(f"Cannot find alias arn: {function.arn}:{alias}")
        return _alias(function, alias)

    def _get_policy(self, _params: Params, name: str) -> Told:
        self._function(name)
        raise self._missing("The resource you requested does not exist: the local cloud enforces no policies")

    def _get_concurrency(self, _params: Params, name: str) -> Told:
        told: Told = _concurrency(self._function(name)).get("Concurrency", {})
        return told

    def _list_event_invokes(self, _params: Params, name: str) -> Told:
        function = self._function(name)
        settings = function.event_invokes.items()
        return {"FunctionEventInvokeConfigs": [_event_invoke(function, *each) for each in settings]}

    def _get_event_invoke(self, params: Params, name: str) -> Told:
        function, qualifier = self._function(name), self._qualifier(name, params)
        if qualifier not in function.event_invokes:
            raise self._missing(f"The function {function.arn}:{qualifier} doesn't have an EventInvokeConfig")
        return _event_invoke(function, qualifier, function.event_invokes[qualifier])

    def _get_url(self, params: Params, name: str) -> Told:
        function, qualifier = self._function(name), self._qualifier(name, params)
        for api in self._topology.apis:
            (route, *_) = api.routes
            if api.kind == "url" and (route.function, route.qualifier) == (function.logical_id, qualifier):
                return _url(function, qualifier, api, self._topology.endpoint)
        raise self._missing("The resource you requested does not exist.")

    def _list_mappings(self, params: Params) -> Told:
        return {"EventSourceMappings": list(self._chosen(params))}

    def _chosen(self, params: Params) -> Iterator[Told]:
        name, source = params.get("FunctionName"), params.get("EventSourceArn")
        wanted = None if name is None else self._function(name).arn
        for mapping in mappings(self._topology, self._switches):
            if wanted in (None, mapping["FunctionArn"]) and source in (None, mapping["EventSourceArn"]):
                yield mapping

    def _get_mapping(self, _params: Params, uuid: str) -> Told:
        for mapping in mappings(self._topology, self._switches):
            if mapping["UUID"] == uuid:
                return mapping
        raise self._missing("The resource you requested does not exist.")

    def _function(self, name: str) -> Function:
        bare, _ = reference.parse(name)
        try:
            return self._topology.function(bare)
        except KeyError:
            place = f"{self._topology.region}:{self._topology.account_id}"
            raise self._missing(f"Function not found: arn:aws:lambda:{place}:function:{bare}") from None

    def _qualifier(self, name: str, params: Params) -> str:
        return params.get("Qualifier") or reference.parse(name)[1]

    def _missing(self, message: str) -> AwsError:
        return AwsError("ResourceNotFoundException", message, status=404, Type="User")


def _configuration(function: Function, version: str = reference.LATEST, qualifier: str | None = None) -> Told:
    named = version if qualifier is None else qualifier
    told: dict[str, Any] = {
        "FunctionName": function.name,
        "FunctionArn": function.arn if named == reference.LATEST else f"{function.arn}:{named}",
        "Runtime": function.runtime,
        "Handler": function.handler,
        "Timeout": function.timeout_seconds,
        "MemorySize": function.memory_mb,
        "LastModified": _NEVER_CHANGED,
        "Version": version,
        "Environment": {"Variables": dict(function.environment)},
        "PackageType": "Zip",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": function.log_group_name},
    }
    if function.dead_letter_arn is not None:
        told["DeadLetterConfig"] = {"TargetArn": function.dead_letter_arn}
    return told


def _concurrency(function: Function) -> dict[str, Any]:
    reserved = function.reserved_concurrency
    return {} if reserved is None else {"Concurrency": {"ReservedConcurrentExecutions": reserved}}


def _versions(function: Function) -> Iterable[str]:
    return [name for name, version in function.published.items() if name == version]


def _aliases(function: Function) -> Iterable[str]:
    return [name for name, version in function.published.items() if name != version]


def _alias(function: Function, alias: str) -> Told:
    version = function.published[alias]
    return {"AliasArn": f"{function.arn}:{alias}", "Name": alias, "FunctionVersion": version, "Description": ""}


def _url(function: Function, qualifier: str, api: Api, endpoint: str) -> Told:
    arn = function.arn if qualifier == reference.LATEST else f"{function.arn}:{qualifier}"
    told: dict[str, Any] = {
        "FunctionUrl": f"{address(endpoint, api.logical_id, '$default')}/",
        "FunctionArn": arn,
        "AuthType": "AWS_IAM" if api.protected else "NONE",
        "InvokeMode": "BUFFERED",
        "CreationTime": _NEVER_CHANGED,
        "LastModifiedTime": _NEVER_CHANGED,
    }
    if (cors := api.cors) is not None:
        told["Cors"] = {
            "AllowCredentials": cors.allow_credentials,
            "AllowHeaders": cors.allow_headers,
            "AllowMethods": cors.allow_methods,
            "AllowOrigins": cors.allow_origins,
            "ExposeHeaders": cors.expose_headers,
        }
    return told


def _event_invoke(function: Function, qualifier: str, settings: EventInvoke) -> Told:
    ends = {"OnSuccess": settings.on_success_arn, "OnFailure": settings.on_failure_arn}
    return {
        "FunctionArn": f"{function.arn}:{qualifier}",
        "MaximumRetryAttempts": settings.max_retries,
        "MaximumEventAgeInSeconds": settings.max_age_seconds,
        "DestinationConfig": {end: {"Destination": arn} for end, arn in ends.items() if arn is not None},
        "LastModified": 0.0,
    }
