"""The handling: what a simulation does to handlers, and what the watch hears of them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from eachonce import Event, Reject, Wait, Work, committer
from eachonce.errors import AwsError, ContractError, WorkError
from eachonce.handler import Handler
from eachonce.journal import Mark
from eachonce.plan import Guard, Plan, plan
from eachonce.task import Try

from eachonce_workbench.simulator import strand
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.outage import Outages
from eachonce_workbench.simulator.poison import FAILS, KILLS, is_poison
from eachonce_workbench.simulator.watch import Watch
from eachonce_workbench.simulator.worker import Killed, Worker

Show = Callable[[str, str], None]

# A handler's effect takes up to so long, and so much of its function's time is left for the rest: nobody dies of it.
_SLOWEST_SECONDS = 6.0
_SPARED_SECONDS = 2.0

# What a handler may raise that never counts as its failure.
_NO_FAILURES = (Reject, Wait, WorkError, ContractError, AwsError)


class SimulatedError(RuntimeError):
    """A handler's failure that the simulator made up."""


@contextlib.contextmanager
def handled(chaos: Chaos, watch: Watch, show: Show) -> Iterator[None]:
    """Let handlers fail, take their time, and die, and let the watch know of them.

    `show` lets a queue (by ARN) show a message (by receipt handle) to whoever asks next.
    """
    handling = _Handling(chaos, watch, show)
    with (
        patch.object(Event, "with_data", handling.with_data()),
        patch.object(Handler, "run", _run(watch)),
        patch.object(committer, "plan", _planning(watch)),
    ):
        yield


class _Handling:
    def __init__(self, chaos: Chaos, watch: Watch, show: Show) -> None:
        self._chaos = chaos
        self._watch = watch
        self._show = show
        self._needs = Outages(chaos, DeliveryFault.NEED_DOWN, shortest=60.0, longest=300.0)

    def with_data(self) -> Callable[[Event[Any], Any], Event[Any]]:
        """Return an Event.with_data that does it: the layer calls it between an event's decoding and its handler."""
        plain = Event.with_data

        def with_data(event: Event[Any], data: Any) -> Event[Any]:
            if strand.in_strand():
                caller = sys._getframe(1).f_locals  # noqa: SLF001 - whose event it is, nobody else knows here
                self._before(event, strand.current().owner, caller)
            return plain(event, data)

        return with_data

    def _before(self, event: Event[Any], worker: Worker, caller: dict[str, Any]) -> None:
        """Let happen what happens before a handler of the layer's; `caller` are the names that its execution has."""
        handler, pk, who = caller["handler"], caller["mark"].pk, worker.request_id
        self._begin(event, who, caller)
        about = f"{worker.function} {event.type} {event.id}"
        # Where it needs something with a breaker, it fails for as long as this is down.
        down = handler.needs is not None and self._needs.down(worker.function)
        fails = down or event.id.startswith(FAILS) or self._chaos.delivery(DeliveryFault.HANDLER_FAILED, about)
        self._take_time(event, who, about, caller, down=down)
        if event.id.startswith(KILLS):
            worker.kill()
            raise Killed
        if fails:
            self._watch.failed(who, pk, counts=_counts(handler, caller["attempt"]))
            raise SimulatedError(f"simulated: {worker.function} fails")
        if handler.external:
            self._watch.conduct.has_effect(who, pk)

    def _begin(self, event: Event[Any], who: str, caller: dict[str, Any]) -> None:
        execution = caller["self"]
        buries = execution._settings.dead_letter_queue_url is not None  # noqa: SLF001 - the consumer's own limits
        self._watch.conduct.begins(
            who,
            event.id,
            caller["mark"].pk,
            consumer=caller["mark"].consumer,
            most_attempts=execution._max_attempts if buries else None,  # noqa: SLF001 - likewise
            most_starts=execution._max_starts if buries else None,  # noqa: SLF001 - likewise
            external=caller["handler"].external,
        )

    def _take_time(self, event: Event[Any], who: str, about: str, caller: dict[str, Any], *, down: bool) -> None:
        # Whoever has noted its start is to be met by others: there are few, and of others a slow one hinders a group.
        noted = caller["handler"].external or caller["begun"] is not None
        share = self._chaos.profile.slow if noted else self._chaos.profile.rare
        if not self._chaos.happens(DeliveryFault.HANDLER_SLOW, about, share):
            return
        left = caller["deadline"].remaining().total_seconds() - _SPARED_SECONDS
        seconds = min(self._chaos.between(0.1, _SLOWEST_SECONDS, self._chaos.last), max(0.0, left))
        # What an outage lets fail comes again when its pause is over: else it would fail as often as it may in no time.
        shown = not down or is_poison(event.id)
        if shown and self._chaos.happens(DeliveryFault.SHOWN_AGAIN, about, self._chaos.profile.unmet * (1 + noted)):
            for copy in self._watch.conduct.copies(who, event.id):
                self._show(copy.queue_arn, copy.receipt_handle)
        strand.wait(asyncio.sleep(seconds))


def _counts(handler: Handler, attempt: Try) -> bool:
    """Whether a failure counts: where a breaker spares its event, it doesn't, for as long as the breaker is patient."""
    return handler.needs is None or attempt.id is not None or not handler.needs.spares(attempt.age)


def _run(watch: Watch) -> Any:
    """Return a Handler.run that tells of a handler's own failures: whether they count is the layer's to say."""
    plain = Handler.run

    def run(handler: Handler, event: Event[Any], work: Work) -> None:
        try:
            plain(handler, event, work)
        except Exception as error:
            if strand.in_strand() and not isinstance(error, _NO_FAILURES):
                pk = sys._getframe(1).f_locals["task"].mark.pk  # noqa: SLF001 - as above
                watch.failed(strand.current().owner.request_id, pk, counts=False)
            raise

    return run


def _planning(watch: Watch) -> Any:
    """Return a `plan` that tells whether an event will have a row of the journal."""

    def planning(work: Work, mark: Mark, *arguments: Any, **options: Any) -> Plan:
        planned = plan(work, mark, *arguments, **options)
        watch.conduct.plans(mark.pk, journaled=bool(planned) and planned[0].guard is Guard.JOURNAL)
        return planned

    return planning
