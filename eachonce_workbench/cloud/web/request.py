"""A request to an API, as API Gateway takes it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """A request, its path beginning behind the API's stage and as it was sent, its headers spelt as they were.

    `at` is when it came, in seconds since the epoch.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    source_ip: str
    protocol: str
    id: str
    at: float

    def header(self, name: str) -> str:
        """The first header of a name, whatever its case; nothing when there is none."""
        return next((value for known, value in self.headers if known.lower() == name), "")

    def with_origin(self) -> Headers:
        """The headers, and those by which API Gateway says whom a request came from, and how."""
        port = self.header("host").rpartition(":")[2]
        forwarded = {
            "X-Forwarded-For": self.source_ip,
            "X-Forwarded-Port": port if port.isdigit() else "80",
            "X-Forwarded-Proto": "http",
        }
        return [*self.headers, *((name, value) for name, value in forwarded.items() if not self.header(name.lower()))]

    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of the query string, decoded."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def content_type(self) -> str:
        """The type of the body, without its parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()
