"""Where a command's calls go: an AWS account, or the local cloud."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from eachonce_workbench.cloud.loopback import is_loopback
from eachonce_workbench.cloud.sdk import DIRECT, local_session

# Several threads read queues and write rows at once, each over a connection of its own.
CONNECTIONS = 16

_LOCAL_REGION = "eu-west-1"


class AccountError(Exception):
    """The account can't be used; the message says what to do about it."""


class Account:
    """Makes clients of AWS's SDK; a loopback endpoint is the local cloud, which takes any credentials and region.

    An empty endpoint is none, as it is for AWS's SDK.
    """

    def __init__(self, *, endpoint_url: str | None = None, region: str | None = None) -> None:
        """Take where to send calls, AWS's own endpoints and the environment's region by default."""
        self.endpoint_url = endpoint_url or None
        self.local = is_local(endpoint_url)
        self._region = _LOCAL_REGION if self.local and region is None else region
        self._session: boto3.session.Session | None = None
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return the client of a service. Raises AccountError when no client can be made."""
        if service not in self._clients:
            self._clients[service] = self._made(service)
        return self._clients[service]

    def close(self) -> None:
        """Close every client's connections."""
        for client in self._clients.values():
            client.close()

    def _made(self, service: str) -> Any:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 5},
            max_pool_connections=CONNECTIONS,
            connect_timeout=5,
            read_timeout=60,
        )
        with explained(self.endpoint_url):
            try:
                if self._session is None:
                    self._session = self._opened()
                merged = config.merge(DIRECT) if self.local else config
                return self._session.client(service, endpoint_url=self.endpoint_url, config=merged)
            except ValueError as error:
                raise AccountError(str(error)) from error

    def _opened(self) -> boto3.session.Session:
        # What a person has for AWS is not for the local cloud, and looking it up can take seconds.
        return local_session(self._region) if self.local else boto3.session.Session(region_name=self._region)


def is_local(endpoint_url: str | None) -> bool:
    """Whether an endpoint is on this machine.

    >>> is_local("http://127.0.0.1:4566"), is_local("https://sqs.eu-west-1.amazonaws.com"), is_local(None)
    (True, False, False)
    """
    return is_loopback(urlsplit(endpoint_url or "").hostname or "")


@contextmanager
def explained(endpoint_url: str | None = None) -> Iterator[None]:
    """Turn what AWS's SDK raises into an AccountError that a person can act on."""
    try:
        yield
    except NoCredentialsError as error:
        raise AccountError(
            "no AWS credentials: sign in (`aws configure`, `aws sso login`), "
            "or name the local cloud with --endpoint-url http://127.0.0.1:4566"
        ) from error
    except NoRegionError as error:
        raise AccountError(
            "no region: say --region, or set AWS_REGION; for the local cloud, say --endpoint-url http://127.0.0.1:4566"
        ) from error
    except (EndpointConnectionError, ConnectTimeoutError) as error:
        start = ": start the local cloud with `make serve`" if is_local(endpoint_url) else ""
        raise AccountError(f"nothing answers at {error.kwargs['endpoint_url']}{start}") from error
    except (ClientError, BotoCoreError) as error:
        raise AccountError(str(error)) from error
