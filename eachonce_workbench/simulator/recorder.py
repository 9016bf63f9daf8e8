"""The recorder: whoever wants to hear of all that happens in a simulation. This one keeps nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.cloud.local_cloud import LocalCloud
    from eachonce_workbench.cloud.store.protocol import Response
    from eachonce_workbench.run.books import Input
    from eachonce_workbench.simulator.call import Call
    from eachonce_workbench.simulator.watch import Violation


class Recorder:
    """Hears, on the simulation's one thread, of each thing when it happens; changes nothing."""

    def follow(self, history: History) -> None:
        """Hear of what a history tells."""

    def seeing(self, cloud: LocalCloud) -> AbstractContextManager[None]:  # noqa: ARG002 - for those who look
        """See what is in a cloud for as long as this lasts."""
        return nullcontext()

    def sent(self, given: Input) -> None:
        """An input is sent."""

    def fault(self, name: str) -> None:
        """A fault happens, by its name."""

    def broken(self, violation: Violation) -> None:
        """A promise is broken."""

    def arrives(self, call: Call) -> None:
        """A call arrives: what is written next it has written."""

    def answered(self, response: Response) -> None:
        """The call that arrived last is answered."""
