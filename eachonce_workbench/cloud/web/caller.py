"""What an event says of the API that it comes from, and of the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote

from eachonce_workbench.template.topology import Api, Stage, Topology

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An API's stage, by the names that it would have on AWS."""

    kind: Literal["http", "rest", "url"]
    account_id: str
    api_id: str
    domain: str
    stage: str
    stage_variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, topology: Topology, api: Api, stage: Stage) -> Place:
        """Give the place of a stage. Its domain is AWS's own: clients can't tell whether it is a custom one."""
        api_id = api.logical_id
        domain = "lambda-url.{}.on.aws" if api.kind == "url" else "execute-api.{}.amazonaws.com"
        return cls(
            kind=api.kind,
            account_id="anonymous" if api.kind == "url" else topology.account_id,
            api_id=api_id,
            domain=f"{api_id.lower()}.{domain.format(topology.region)}",
            stage=stage.name,
            stage_variables=stage.variables,
        )

    def whole_path(self, path: str) -> str:
        """The path with its stage, as the context has it; an HTTP API decodes it, the others leave it as it was sent.

        An HTTP API puts the stage before every path that it tells, but for the default one, which is in no address.
        """
        whole = path if self.stage == "$default" else f"/{self.stage}{path}"
        return unquote(whole) if self.kind == "http" else whole


def clock_time(at: float) -> str:
    """A time as access logs write it.

    >>> clock_time(0)
    '01/Jan/1970:00:00:00 +0000'
    """
    when = datetime.fromtimestamp(at, UTC)
    return f"{when:%d}/{_MONTHS[when.month - 1]}/{when:%Y:%H:%M:%S} +0000"
