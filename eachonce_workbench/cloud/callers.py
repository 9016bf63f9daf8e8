"""Who may call the local cloud: programs that address this machine, and no page of a browser that has wandered here.

A page of any site can have its name resolve to 127.0.0.1 (DNS rebinding) and then send what it likes; but its requests
still say the site's name. https://owasp.org/www-community/attacks/DNS_Rebinding
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

from eachonce_workbench.cloud.loopback import is_loopback
from eachonce_workbench.cloud.store.protocol import AwsError

# Nearly all requests are for one and the same.
_REMEMBERED = 16


class Callers:
    """The hosts that a request may be for, and that a page which sends one may be from."""

    def __init__(self, hosts: Collection[str] = ()) -> None:
        """Take the names and addresses that are allowed beside those of the loopback interface."""
        self._hosts = {host.lower() for host in hosts}
        self._allowed = lru_cache(maxsize=_REMEMBERED)(self._is_allowed)

    def check(self, headers: Collection[tuple[str, str]]) -> None:
        """Raise `AwsError` AccessDeniedException unless a request's headers (names in lower case) name allowed ones."""
        hosts = [value for name, value in headers if name == "host"]
        if len(hosts) != 1 or not self._allowed(f"//{hosts[0]}"):
            raise _denied(f"The local cloud is not {', '.join(hosts) or 'without a name'}: say 127.0.0.1 or localhost")
        for origin in (value for name, value in headers if name == "origin"):
            if not self._allowed(origin):
                raise _denied(f"No page of {origin} may call the local cloud")

    def _is_allowed(self, url: str) -> bool:
        try:
            host = urlsplit(url).hostname or ""
        except ValueError:
            return False
        # S3's clients put a bucket's name before the host's; what ends in localhost is this machine (RFC 6761).
        return host in self._hosts or is_loopback(host) or host.lower().endswith(".localhost")


def _denied(message: str) -> AwsError:
    return AwsError("AccessDeniedException", message[:300], status=403)
