"""AWS's SDK on this machine knows nothing of what a person has set up for AWS."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from eachonce_workbench.cloud.functions.environment import function_environment
from eachonce_workbench.cloud.sdk import DIRECT, local_session
from eachonce_workbench.local_invoke.reach import require_local_cloud
from eachonce_workbench.operations.account import Account
from tests.topologies import function

PROXY = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"), "http://127.0.0.1:9")


@pytest.fixture
def persons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a person has: a profile that isn't there, files that can't be read, and a proxy that leads nowhere."""
    broken = tmp_path / "broken"
    broken.write_text("no [config\n")
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE"), str(broken))
    for name, value in {"AWS_PROFILE": "nope", "AWS_DEFAULT_PROFILE": "nope", **files, **PROXY}.items():
        monkeypatch.setenv(name, value)
    local_session.cache_clear()


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Something on this machine that answers every request with an empty list of queues."""

    class Answers(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET = answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_command_reaches_the_local_cloud(persons: None, endpoint: str) -> None:
    """Directly, with credentials of nobody's."""
    client = Account(endpoint_url=endpoint).client("sqs")

    assert "QueueUrls" not in client.list_queues()
    client.close()


def test_a_run_reads_its_tables(persons: None, endpoint: str) -> None:
    """Through a resource of the same session."""
    resource = local_session("eu-west-1").resource("dynamodb", endpoint_url=endpoint, config=DIRECT)

    assert resource.meta.client.list_tables()["ResponseMetadata"]["HTTPStatusCode"] == 200
    resource.meta.client.close()


def test_invoke_finds_the_local_cloud(persons: None, endpoint: str) -> None:
    """And raises nothing: no proxy was asked."""
    require_local_cloud(endpoint)


def test_a_function_goes_through_no_proxy_to_the_local_cloud() -> None:
    """Its own settings may name one, and what else is not to go through it."""
    environment = function_environment(function("post"), endpoint="http://127.0.0.1:1", runtime_api="127.0.0.1:2")

    assert environment["NO_PROXY"] == environment["no_proxy"] == "127.0.0.1,localhost"
    assert not PROXY.keys() & environment.keys()


@pytest.mark.parametrize("endpoint_url", ["", None])
def test_an_empty_endpoint_is_awss_own(endpoint_url: str | None) -> None:
    """As AWS_ENDPOINT_URL is for AWS's SDK."""
    client = Account(endpoint_url=endpoint_url, region="eu-west-1").client("sqs")

    assert client.meta.endpoint_url == "https://sqs.eu-west-1.amazonaws.com"
    client.close()
