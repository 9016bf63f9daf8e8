"""What every Lambda function with handlers is made of."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from eachonce.aws import Aws
from eachonce.execution import Execution
from eachonce.handler import Handlers
from eachonce.marks import marks_of
from eachonce.report import Report
from eachonce.settings import Settings

if TYPE_CHECKING:
    from eachonce.signing import Signer


class Function(Handlers):
    """Handlers with a name, and what they need at their first event: settings, clients, a report.

    Nothing is read or opened before that; a test gives its own `aws` and `settings`. What the handlers publish is
    signed by `sign_with`, or else with the key of the secret that the settings name. Raises ValueError when `name`
    can't be told from what stands beside it in keys: it is empty, or has a `#` or a `/`.
    """

    def __init__(
        self, name: str, *, sign_with: Signer | None = None, aws: Aws | None = None, settings: Settings | None = None
    ) -> None:
        super().__init__()
        if not name or "#" in name or "/" in name:
            raise ValueError(f"a function's name is a word without # and /, not {name!r}")
        self.name = name
        self._aws = Aws() if aws is None else aws
        self._given_settings = settings
        self._sign_with = sign_with

    @cached_property
    def settings(self) -> Settings:
        """What the environment says, unless it was given."""
        return Settings.read(os.environ) if self._given_settings is None else self._given_settings

    @cached_property
    def execution(self) -> Execution:
        """What runs the handlers."""
        return Execution(self.name, self._aws, self.settings, signer=self.signer)

    @cached_property
    def signer(self) -> Signer | None:
        """What signs the events that handlers publish, if anything does."""
        secret, path = self.settings.signing_secret, self.settings.signing_keys
        if self._sign_with is not None or secret is None:
            return self._sign_with
        from eachonce.keys import KeptSigningKey  # only where there is something to sign with

        return KeptSigningKey(self._aws, secret, announce_below=path)

    @cached_property
    def report(self) -> Report:
        """What operators are told."""
        contracts: tuple[Any, ...] = self.contracts
        personal = any(marks_of(contract) is not None for contract in contracts)
        return Report(self.name, personal=personal, namespace=self.settings.metrics_namespace)
