"""Answers: who of the local cloud answers a call of a function's, and who stands in where nobody there does."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol
from urllib.parse import urlsplit

from eachonce_workbench.cloud.faults.answers import WEB
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.request import Request
from eachonce_workbench.cloud.store.protocol import AwsError, Response, decoded, success
from eachonce_workbench.cloud.store.services import OFFERED
from eachonce_workbench.simulator.call import Call
from eachonce_workbench.simulator.outside.effect import Effect, effect_of
from eachonce_workbench.simulator.outside.stand_in import stand_in, web_stand_in

# Offered to a person who develops; as a receiver of what functions do, others stand in, who refuse nothing.
_NOT_HERE = frozenset({"ses", "cloudformation"})
_MISSING = frozenset({"UnsupportedOperation", "UnknownOperationException"})


class Noted(Protocol):
    """Who keeps account of what others were asked."""

    effects: list[Effect]

    def announced(self, call: Call) -> None:
        """Note a call to SNS."""
        ...


class Answers:
    """Answers the calls of all functions of one simulation, and notes what they have others do."""

    def __init__(self, cloud: LocalCloud, noted: Noted) -> None:
        self._cloud = cloud
        self._noted = noted

    def __call__(self, call: Call, function: str) -> Response | Awaitable[Response]:
        """Answer one call."""
        if call.service == WEB:
            return self._stand_in(call, function)
        if call.service not in OFFERED or call.service in _NOT_HERE or _is_text_message(call):
            return self._stand_in(call, function)
        if call.service == "lambda":
            return self._invoked(call, function)
        try:
            answer = self._here(call)
        except AwsError as error:
            if error.code in _MISSING:
                return self._stand_in(call, function)
            raise
        return self._stand_in(call, function) if answer[2].find(b'"UnsupportedOperation"', 0, 200) >= 0 else answer

    def _here(self, call: Call) -> Response:
        cloud = self._cloud
        match call.service:
            case "events":
                if call.operation != "PutEvents":
                    raise AwsError("UnsupportedOperation", f"the local cloud has no {call.operation}")
                return success(cloud.bus.put_events(decoded(call.body)["Entries"]))
            case "s3":
                return cloud.sources.buckets.answer(_request(call))
            case "sns":
                self._noted.announced(call)
                return cloud.sources.calls.answer(call.body)
        return cloud.store.handle(call.service, call.headers, call.body)

    async def _invoked(self, call: Call, function: str) -> Response:
        if call.operation != "Invoke":
            return self._stand_in(call, function)
        name = call.path.removeprefix("/2015-03-31/functions/").removesuffix("/invocations")
        query = Request(method=call.method, path=call.path, query=urlsplit(call.url).query)
        try:
            return await self._cloud.invocations.answer(
                name, call.headers, call.body, qualifier=query.parameter("Qualifier")
            )
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            return self._stand_in(call, function)

    def _stand_in(self, call: Call, function: str) -> Response:
        effect = effect_of(call, function)
        if effect is not None:
            self._noted.effects.append(effect)
        return web_stand_in(call) if call.service == WEB else stand_in(call)


def _is_text_message(call: Call) -> bool:
    return call.service == "sns" and "PhoneNumber" in call.form


def _request(call: Call) -> Request:
    split = urlsplit(call.url)
    return Request(method=call.method, path=split.path, query=split.query, headers=dict(call.headers), body=call.body)
