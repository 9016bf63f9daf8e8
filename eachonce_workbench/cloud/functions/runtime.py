"""What runs functions: the port, and what comes of an invocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

Status = Literal["ok", "error", "timeout", "crash", "throttled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """How one invocation ended.

    `payload` is what the function returned when `status` is "ok", and Lambda's error document otherwise. `error_type`
    is the document's `errorType`. `log_tail` is the end of what the function printed meanwhile, at most 4 KB.
    """

    status: Status
    payload: bytes
    error_type: str | None = None
    duration_ms: float = 0.0
    request_id: str = ""
    log_tail: str = ""

    @property
    def ok(self) -> bool:
        """Whether the function returned."""
        return self.status == "ok"

    @property
    def error_message(self) -> str:
        """The `errorMessage` of Lambda's error document; empty where there is none."""
        try:
            document = {} if self.ok else msgspec.json.decode(self.payload)
        except msgspec.DecodeError:
            return ""
        return str(document.get("errorMessage") or "") if isinstance(document, dict) else ""


class Runtime(Protocol):
    """Runs functions, each invocation alone in its worker, several workers a function at once."""

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        """Run `function` (its logical id, name or ARN) on `payload` (JSON), waiting for a free worker.

        `request_id` is that of an event that is tried again; by default it is a new one. A failure of the function's
        own never raises: it is the invocation's status. "throttled" means that the function did not run at all. Raises
        KeyError when there is no such function.
        """
        ...

    async def stop(self) -> None:
        """End every worker, at once and for good; invocations under way end as crashes."""
        ...
