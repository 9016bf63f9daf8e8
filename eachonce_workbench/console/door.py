"""Who may come in: whoever has the token, from a browser that this machine's user has in front of them.

The token comes once, in the address that the command prints, and stays in a cookie from then on, so that it is neither
in the browser's history nor in what is copied from its address bar. The cookie is of this page's port alone, since
browsers give those of one port to all others of the same host.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eachonce_workbench.cloud.callers import Callers
from eachonce_workbench.cloud.request import headers_of
from eachonce_workbench.cloud.store.protocol import AwsError

ROOT = "/_eachonce/"

_READS = frozenset({"GET", "HEAD"})
# Nothing from elsewhere is loaded, and nothing that stands in a page runs: what an event holds is text.
# https://developer.mozilla.org/en-US/docs/Web/HTTP/Headers/Content-Security-Policy
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # With "no-referrer" a browser would call the origin of the page's own forms "null":
    # https://fetch.spec.whatwg.org/#append-a-request-origin-header
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Door:
    """Lets requests through to an ASGI app that have the token."""

    def __init__(
        self, app: ASGIApp, *, port: int, token: str | None = None, end: Callable[[], None] = lambda: None
    ) -> None:
        """Take the app, the port that it is served on, and its token: a new one by default.

        `end` ends what the app streams, and is to be called before its server stops.
        """
        self._app = app
        self._cookie = f"eachonce-{port}"
        self._callers = Callers()
        self.end = end
        self.token = secrets.token_urlsafe(24) if token is None else token

    def address(self, endpoint: str) -> str:
        """Return the address by which a person comes in."""
        return f"{endpoint}{ROOT}?{urlencode({'token': self.token})}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or turn it away (ASGI)."""
        answer = self._turned_away(scope) or self._let_in(scope)
        if answer is None:
            await self._app(scope, receive, _hardened(send))
        else:
            await answer(scope, receive, _hardened(send))

    def _turned_away(self, scope: Scope) -> Response | None:
        """Answer a page of another site, or of another port of this machine."""
        try:
            self._callers.check(headers_of(scope))
        except AwsError as error:
            return PlainTextResponse(f"{error.message}\n", status_code=403)
        headers = HTTPConnection(scope).headers
        origin = headers.get("origin")
        if scope["method"] not in _READS and (origin is None or urlsplit(origin).netloc != headers.get("host")):
            return PlainTextResponse("Only the console's own pages may do that.\n", status_code=403)
        return None

    def _let_in(self, scope: Scope) -> Response | None:
        """Answer who has no token, and who brings it for the first time."""
        connection = HTTPConnection(scope)
        brought = connection.query_params.get("token", "")
        if secrets.compare_digest(brought.encode(), self.token.encode()):
            return self._welcome(scope)
        kept = connection.cookies.get(self._cookie, "")
        if secrets.compare_digest(kept.encode(), self.token.encode()):
            return None
        return PlainTextResponse("The address of the console has a token: open it as it was printed.\n", 403)

    def _welcome(self, scope: Scope) -> Response:
        others = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1")) if pair[0] != "token"]
        answer = RedirectResponse(scope["path"] + (f"?{urlencode(others)}" if others else ""), status_code=303)
        answer.set_cookie(self._cookie, self.token, path=ROOT, httponly=True, samesite="strict")
        return answer


def _hardened(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name for name, _ in message["headers"]}
            added = [(name.encode(), value.encode()) for name, value in _HEADERS.items() if name.encode() not in given]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return sending
