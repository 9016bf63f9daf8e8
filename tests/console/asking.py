"""A page of the console is asked for, or a form of its own sent, as a browser would that is let in."""

from __future__ import annotations

import http.client
from urllib.parse import urlencode, urlsplit

TOKEN = "sesame"


def ask(endpoint: str, path: str, **form: str) -> tuple[int, str]:
    """Get a page, or send a form; return the status, and where the answer leads, else its text."""
    netloc = urlsplit(endpoint).netloc
    headers = {"cookie": f"eachonce-{netloc.partition(':')[2]}={TOKEN}", "origin": endpoint}
    connection = http.client.HTTPConnection(netloc, timeout=60)
    try:
        method, body = ("POST", urlencode(form)) if form else ("GET", None)
        connection.request(method, f"/_eachonce/{path}", body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, answer.headers.get("location", text)
    finally:
        connection.close()
