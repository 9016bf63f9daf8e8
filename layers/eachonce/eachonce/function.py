"""What every Lambda function with handlers is made of."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

from eachonce.aws import Aws
from eachonce.execution import Execution
from eachonce.handler import Handlers
from eachonce.marks import marks_of
from eachonce.report import Report
from eachonce.settings import Settings


class Function(Handlers):
    """Handlers with a name, and what they need at their first event: settings, clients, a report.

    Nothing is read or opened before that; a test gives its own `aws` and `settings`. Raises ValueError when `name`
    can't be told from what stands beside it in keys: it is empty, or has a `#` or a `/`.
    """

    def __init__(self, name: str, *, aws: Aws | None = None, settings: Settings | None = None) -> None:
        super().__init__()
        if not name or "#" in name or "/" in name:
            raise ValueError(f"a function's name is a word without # and /, not {name!r}")
        self.name = name
        self._aws = Aws() if aws is None else aws
        self._given_settings = settings

    @cached_property
    def settings(self) -> Settings:
        """What the environment says, unless it was given."""
        return Settings.read(os.environ) if self._given_settings is None else self._given_settings

    @cached_property
    def execution(self) -> Execution:
        """What runs the handlers."""
        return Execution(self.name, self._aws, self.settings)

    @cached_property
    def report(self) -> Report:
        """What operators are told."""
        contracts: tuple[Any, ...] = self.contracts
        return Report(self.name, personal=any(marks_of(contract) is not None for contract in contracts))
