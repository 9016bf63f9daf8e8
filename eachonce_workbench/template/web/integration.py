"""Where an API sends the requests of a route: to a function, or nowhere but back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eachonce_workbench.template import reference
from eachonce_workbench.template.topology import MockAnswer, Route
from eachonce_workbench.template.web.values import group

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
HTTP_SECONDS = 30.0
REST_SECONDS = 29.0

_INVOKED = re.compile(r"functions/(?P<arn>[^/]+)/invocations")
_HEADER = "method.response.header."


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """Where requests go; `payload_format` is None where it isn't said."""

    function: str | None = None
    qualifier: str = reference.LATEST
    payload_format: str | None = None
    timeout_seconds: float | None = None
    mock: MockAnswer | None = None

    @classmethod
    def of(cls, said: Mapping[str, Any], functions: Mapping[str, str]) -> Integration | None:
        """Read one, its names in lower case at their beginning; None where it leads to no function of the template.

        `functions` are logical ids by name.
        """
        timeout = said.get("timeoutInMillis")
        seconds = float(timeout) / 1000 if timeout is not None else None
        if str(said.get("type", "")).lower() == "mock":
            return cls(mock=_mock(said), timeout_seconds=seconds)
        name, qualifier = invoked(str(said.get("uri", "")))
        if str(said.get("type", "")).lower() != "aws_proxy" or name not in functions:
            return None
        version = said.get("payloadFormatVersion")
        return cls(
            function=functions[name],
            qualifier=qualifier,
            payload_format=None if version is None else str(version),
            timeout_seconds=seconds,
        )

    def route(self, method: str, path: str, *, payload_format: str, timeout_seconds: float) -> Route:
        """Give the route of a method and a path that leads here; its format and time-out where none are said."""
        return Route(
            method=method,
            path=path,
            function=self.function,
            qualifier=self.qualifier,
            payload_format=payload_format if self.payload_format is None else self.payload_format,
            timeout_seconds=timeout_seconds if self.timeout_seconds is None else self.timeout_seconds,
            mock=self.mock,
        )


def invoked(uri: str) -> tuple[str, str]:
    """Return the name and the qualifier of the function that an integration's address is.

    >>> path = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions"
    >>> invoked(f"{path}/arn:aws:lambda:eu-west-1:123456789012:function:worker:live/invocations")
    ('worker', 'live')
    >>> invoked("arn:aws:lambda:eu-west-1:123456789012:function:worker")
    ('worker', '$LATEST')
    """
    found = _INVOKED.search(uri)
    return reference.parse(uri if found is None else found["arn"])


def _mock(said: Mapping[str, Any]) -> MockAnswer:
    answers = group(said, "responses")
    answer: Mapping[str, Any] = answers.get("default") or next(iter(answers.values()), {})
    parameters = group(answer, "responseParameters")
    return MockAnswer(
        status=int(answer.get("statusCode", 200)),
        headers={
            name.removeprefix(_HEADER): str(value).strip("'")
            for name, value in parameters.items()
            if name.startswith(_HEADER)
        },
        body=str(group(answer, "responseTemplates").get("application/json", "")).strip(),
    )
