"""The door: the console answers its own pages, in the browser of whoever was given its address, and nobody else."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.console.served import Served, served

PATHS = ["", "events", "events/stream", "events/rows", "stream", "static/page.js", "static/console.css", "nowhere"]


@pytest.fixture(scope="module")
def here() -> Iterator[Served]:
    with served() as console:
        yield console


def asked(
    here: Served, path: str, *, method: str = "GET", headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    """Ask without any of a browser's doing; the answer's body is read."""
    connection = http.client.HTTPConnection(urlsplit(here.endpoint).netloc, timeout=30)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        if answer.headers.get_content_type() != "text/event-stream":
            answer.read()
        return answer
    finally:
        connection.close()


def cookie(here: Served) -> str:
    port = urlsplit(here.endpoint).port
    return f"eachonce-{port}=sesame"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("brought", [{}, {"cookie": "eachonce=sesame"}, {"authorization": "Bearer sesame"}], ids=str)
def test_without_the_token_nothing_is_answered(here: Served, path: str, brought: dict[str, str]) -> None:
    """Not even whether there is such a page."""
    assert asked(here, f"/_eachonce/{path}", headers=brought).status == 403


def test_a_wrong_token_is_none(here: Served) -> None:
    """However long it is, and whatever it is made of."""
    for token in ("", "sesame2", "Sesame", "%00", "s%C3%A9same", "x" * 10_000):
        assert asked(here, f"/_eachonce/?token={token}").status == 403


def test_the_token_becomes_a_cookie(here: Served) -> None:
    """Which no script reads and no other site's page sends, and the address is without it from then on."""
    answer = asked(here, "/_eachonce/events?token=sesame&text=a%26b")

    assert (answer.status, answer.headers["location"]) == (303, "/_eachonce/events?text=a%26b")
    given = answer.headers["set-cookie"].lower()
    assert all(each in given for each in ("httponly", "samesite=strict", "path=/_eachonce/"))


def test_who_has_the_cookie_is_answered(here: Served) -> None:
    """With a page that runs nothing but its own scripts."""
    answer = asked(here, "/_eachonce/", headers={"cookie": cookie(here)})

    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_a_site_whose_name_leads_here_is_turned_away(here: Served, host: str) -> None:
    """DNS can say that any name is this machine's."""
    assert asked(here, "/_eachonce/", headers={"cookie": cookie(here), "host": host}).status == 403


def test_a_page_of_another_port_changes_nothing(here: Served) -> None:
    """A browser sends it the cookie, since ports are one site; its origin says whose it is."""
    for origin in ("http://127.0.0.1:1", "http://localhost:3000", "null", "http://evil.example"):
        answer = asked(here, "/_eachonce/", method="POST", headers={"cookie": cookie(here), "origin": origin})

        assert answer.status == 403
    assert asked(here, "/_eachonce/", method="POST", headers={"cookie": cookie(here)}).status == 403


def test_a_page_that_is_not_there_says_so(here: Served) -> None:
    """As a page, from which one can go on."""
    answer = asked(here, "/_eachonce/nowhere", headers={"cookie": cookie(here)})

    assert (answer.status, answer.headers.get_content_type()) == (404, "text/html")
