"""The APIs of a topology: a request to one of them becomes an event, and what the function returns its answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec

from eachonce_workbench.cloud.functions.invocations import MAX_PAYLOAD_BYTES
from eachonce_workbench.cloud.functions.runtime import Invocation, Runtime
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.web import cors, failures, format_1, format_2
from eachonce_workbench.cloud.web.answers import MalformedError, WebAnswer, answer_1, answer_2, answer_rest
from eachonce_workbench.cloud.web.bodies import is_binary
from eachonce_workbench.cloud.web.caller import Place
from eachonce_workbench.cloud.web.request import WebRequest
from eachonce_workbench.cloud.web.routing import Match, find
from eachonce_workbench.template.topology import Api, Route, Stage, Topology
from eachonce_workbench.template.web.addresses import PREFIX

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html, and the same for REST APIs
_MAX_BODY_BYTES = 10 * 1024 * 1024


class Apis:
    """Answers the requests whose path begins with /_apis/ and the logical id of an API."""

    def __init__(self, topology: Topology, runtime: Runtime, history: History) -> None:
        self._topology = topology
        self._runtime = runtime
        self._history = history
        self._apis = {api.logical_id: api for api in topology.apis}
        # A nested stack knows its own by their names alone, and so do the addresses that it makes of them.
        for api in topology.apis:
            self._apis.setdefault(api.logical_id.rpartition("/")[2], api)
        self._running: set[asyncio.Task[Invocation]] = set()

    async def answer(self, request: WebRequest) -> WebAnswer:
        """Answer a request, whose path still begins with the API's."""
        whole = request.path.removeprefix(PREFIX)
        logical_id = max((name for name in self._apis if f"{whole}/".startswith(f"{name}/")), key=len, default=None)
        if logical_id is None:
            return failures.no_api(whole.partition("/")[0], self._apis)
        api = self._apis[logical_id]
        found = _stage(api, whole.removeprefix(logical_id) or "/")
        if found is None:
            return failures.no_stage(api)
        stage, path = found
        return await self._answer(api, stage, replace(request, path=path))

    async def _answer(self, api: Api, stage: Stage, request: WebRequest) -> WebAnswer:
        if api.cors is not None and (asked := cors.preflight(api.cors, request)) is not None:
            return asked
        answer = await self._routed(api, stage, request)
        return answer if api.cors is None else cors.shared(api.cors, request, answer)

    async def _routed(self, api: Api, stage: Stage, request: WebRequest) -> WebAnswer:
        if len(request.body) > (MAX_PAYLOAD_BYTES if api.kind == "url" else _MAX_BODY_BYTES):
            return failures.too_large(api)
        match = find(api, request.method, request.path)
        if match is None:
            return failures.no_route(api)
        if match.route.mock is not None:
            mock = match.route.mock
            return WebAnswer(status=mock.status, headers=list(mock.headers.items()), body=mock.body.encode())
        payload = msgspec.json.encode(self._event(api, stage, request, match))
        if len(payload) > MAX_PAYLOAD_BYTES:
            return failures.too_large(api)
        ended = await self._invoke(match.route, payload)
        if ended is None:
            return failures.took_too_long(api)
        return self._ended(api, match.route, request, ended)

    def _event(self, api: Api, stage: Stage, request: WebRequest, match: Match) -> object:
        place = Place.of(self._topology, api, stage)
        if api.kind == "rest":
            binary = is_binary(request.content_type, api.binary_media_types)
            return format_1.event(request, match, place, binary=binary)
        if match.route.payload_format == "1.0":
            return format_1.event(request, match, place, binary=format_2.is_encoded(request))
        return format_2.event(request, match, place)

    async def _invoke(self, route: Route, payload: bytes) -> Invocation | None:
        """Wait for the function as long as the API does; it goes on when that is over, as on AWS."""
        task = asyncio.create_task(self._runtime.invoke(str(route.function), payload))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait([task], timeout=route.timeout_seconds)
        return task.result() if done else None

    def _ended(self, api: Api, route: Route, request: WebRequest, ended: Invocation) -> WebAnswer:
        if not ended.ok:
            return failures.failed(api, ended)
        try:
            if api.kind == "rest":
                accept = request.header("accept")
                return answer_rest(ended.payload, accept=accept, binary_media_types=api.binary_media_types)
            return answer_1(ended.payload) if route.payload_format == "1.0" else answer_2(ended.payload)
        except MalformedError as error:
            where = f"{route.method} {route.path} of {api.logical_id}"
            self._history.record("malformed", function=route.function, route=where, reason=str(error))
            return failures.malformed(api)


def _stage(api: Api, path: str) -> tuple[Stage, str] | None:
    """Find the stage that a path begins with, and the rest of the path."""
    stages = {stage.name: stage for stage in api.stages}
    _, first, *rest = path.split("/", 2)
    if first in stages and first != "$default":
        return stages[first], f"/{rest[0] if rest else ''}"
    return (stages["$default"], path) if "$default" in stages else None
