"""What the console looks at: the local cloud that it is a part of, or a stack on AWS."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from eachonce_workbench.cloud.faults.faults import Faults
from eachonce_workbench.console.record import Record
from eachonce_workbench.operations.account import Account
from eachonce_workbench.operations.journal import Journal, NoJournal
from eachonce_workbench.operations.stack import Stack, find
from eachonce_workbench.template.topology import Topology

if TYPE_CHECKING:
    from eachonce_workbench.cloud.local_cloud import LocalCloud

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Place:
    """A local cloud (`cloud` gives the one that runs now), or a stack on AWS.

    `record` is what the local cloud told, and `faults` are those that its functions meet: None on AWS. `topology` is
    what the template at hand describes, None where there is none. Where it may not be changed, or payloads not be
    shown, somebody has to say so when it is started. `folder` is the bundle's.
    """

    account: Account
    stack_name: str | None = None
    region: str | None = None
    record: Record | None = None
    cloud: Callable[[], LocalCloud] | None = None
    faults: Faults | None = None
    topology: Callable[[], Topology | None] = field(default=lambda: None)
    folder: Path | None = None
    may_change: bool = True
    shows_payloads: bool = True

    @property
    def local(self) -> bool:
        """Whether it is the local cloud."""
        return self.account.local

    @property
    def name(self) -> str:
        """Say where it is."""
        if self.account.endpoint_url is not None:
            return f"local cloud, {self.account.endpoint_url}"
        return f"AWS, {self.stack_name}" + ("" if self.region is None else f" in {self.region}")

    def stack(self) -> Stack:
        """Ask for the stack as it is now. Raises UnknownStackError, AccountError and botocore's errors; blocks."""
        return find(self.account.client, self.stack_name)

    def journal(self, stack: Stack) -> Journal | NoJournal:
        """Return the stack's journal."""
        if stack.journal_table is None:
            return NoJournal()
        return Journal(self.account.client("dynamodb"), stack.journal_table, clock=lambda: datetime.now(UTC))

    def command(self, *words: str) -> str:
        """Return the command line that does what a page does."""
        return " ".join(["eachonce", *map(shlex.quote, words), *self._whereabouts()])

    def _whereabouts(self) -> list[str]:
        if self.account.endpoint_url is not None:
            return ["--endpoint-url", self.account.endpoint_url]
        stack = [] if self.stack_name is None else ["--stack", shlex.quote(self.stack_name)]
        return stack if self.region is None else [*stack, "--region", self.region]


async def aside(call: Callable[[], T]) -> T:
    """Make a call that blocks, in a thread: the local cloud answers it on this one."""
    return await asyncio.to_thread(call)
