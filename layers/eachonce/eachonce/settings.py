"""What a function is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from eachonce.errors import MissingSettingError

_TABLE = "TABLE_"

# Whose metrics they are where nobody says which stack's.
NAMESPACE = "Eachonce"

GroupCommits = Literal["write units", "calls", "off"]
_GROUP_COMMITS: Mapping[str, GroupCommits] = {name: name for name in get_args(GroupCommits)}

# What PERSONAL_KEY says where personal fields are published as they are.
IN_CLEAR = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The function's environment as a value.

    - `tables`: the physical name of each table by its logical name in upper case, from TABLE_<NAME>
    - `source`: the CloudEvents source of the events that it publishes, from EVENT_SOURCE
    - `queue_url`: the queue that it consumes, from QUEUE_URL
    - `dead_letter_queue_url`: where its rejected messages go, from DEAD_LETTER_QUEUE_URL
    - `bus`: the event bus that it may publish to, from EVENT_BUS
    - `former_rows`: whether the journal may hold rows from before an event's source, and a request's caller, were parts
      of its identity; they are asked for, unless JOURNAL_FORMER_ROWS is "none"
    - `tenant`: whose an endpoint's requests are where it isn't told by them, from EVENT_TENANT
    - `maximum_concurrency`: how many workers there may be, the MaximumConcurrency of the mapping on its queue, from
      MAXIMUM_CONCURRENCY; what is no whole number over 0 counts as not set
    - `personal_key`: the KMS key that wraps the keys of personal fields, from PERSONAL_KEY; "none" where these fields
      are published as they are
    - `signing_secret`: the secret by which it signs what it publishes, from SIGNING_SECRET
    - `signing_keys`: the path below which it lets its public key be known, from SIGNING_KEYS
    - `verifying_keys`: the path of the public keys by which it verifies what it is sent, from VERIFYING_KEYS
    - `metrics_namespace`: where its metrics are told from others', from POWERTOOLS_METRICS_NAMESPACE
    - `group_commit`: what the works of a batch are committed together for, from GROUP_COMMIT: "write units", "calls" or
      "off"; the first where it says anything else
    - `code_version`: which code ran, from AWS_LAMBDA_FUNCTION_VERSION
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    queue_url: str | None = None
    dead_letter_queue_url: str | None = None
    bus: str | None = None
    tenant: str | None = None
    former_rows: bool = True
    maximum_concurrency: int | None = None
    personal_key: str | None = None
    signing_secret: str | None = None
    signing_keys: str | None = None
    verifying_keys: str | None = None
    metrics_namespace: str = NAMESPACE
    group_commit: GroupCommits = "write units"
    code_version: str = "$LATEST"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables; an empty one counts as not set."""
        return cls(
            tables={name[len(_TABLE) :]: value for name, value in environment.items() if name.startswith(_TABLE)},
            source=environment.get("EVENT_SOURCE") or None,
            queue_url=environment.get("QUEUE_URL") or None,
            dead_letter_queue_url=environment.get("DEAD_LETTER_QUEUE_URL") or None,
            bus=environment.get("EVENT_BUS") or None,
            tenant=environment.get("EVENT_TENANT") or None,
            former_rows=environment.get("JOURNAL_FORMER_ROWS") != "none",
            maximum_concurrency=_whole(environment.get("MAXIMUM_CONCURRENCY", "")),
            personal_key=environment.get("PERSONAL_KEY") or None,
            signing_secret=environment.get("SIGNING_SECRET") or None,
            signing_keys=environment.get("SIGNING_KEYS") or None,
            verifying_keys=environment.get("VERIFYING_KEYS") or None,
            metrics_namespace=environment.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE,
            group_commit=_GROUP_COMMITS.get(environment.get("GROUP_COMMIT", ""), "write units"),
            code_version=environment.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        )

    def table(self, name: str) -> str:
        """Return the physical name of a table; raises MissingSettingError."""
        try:
            return self.tables[name.upper()]
        except KeyError:
            raise MissingSettingError(_TABLE + name.upper(), f"it holds the name of the table {name}") from None

    def required_source(self) -> str:
        """Return the source of published events; raises MissingSettingError."""
        if self.source is None:
            raise MissingSettingError("EVENT_SOURCE", "a function that publishes needs the source of its events")
        return self.source

    def required_maximum_concurrency(self) -> int:
        """Return how many workers there may be; raises MissingSettingError."""
        if self.maximum_concurrency is None:
            purpose = "a consumer with a Rate needs to know how many workers share it, or Rate(workers=)"
            raise MissingSettingError("MAXIMUM_CONCURRENCY", purpose)
        return self.maximum_concurrency

    def required_bus(self) -> str:
        """Return the name of the bus; raises MissingSettingError."""
        if self.bus is None:
            raise MissingSettingError("EVENT_BUS", "a function that relays events needs the name of their bus")
        return self.bus

    def required_personal_key(self) -> str:
        """Return the KMS key of personal fields; raises MissingSettingError."""
        if self.personal_key is None:
            raise MissingSettingError("PERSONAL_KEY", "personal fields are encrypted under a key of KMS")
        return self.personal_key


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None
