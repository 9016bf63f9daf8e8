"""What a person's commands work with: one stack, the clients for it, and its dead letters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from eachonce_workbench.cli.screens.dead_letters import counting, show_tally
from eachonce_workbench.cli.screens.pause import watching
from eachonce_workbench.operations.account import Account, AccountError, explained
from eachonce_workbench.operations.dead_letter import DeadLetter, Selection
from eachonce_workbench.operations.dead_letters import Found
from eachonce_workbench.operations.journal import Journal, NoJournal
from eachonce_workbench.operations.letters import Letters, Rounds
from eachonce_workbench.operations.pace import Pace
from eachonce_workbench.operations.pause import Backlog, Switching
from eachonce_workbench.operations.redrive import Keep, Tally
from eachonce_workbench.operations.replay import Archive, ArchiveReplay, Replayed, ReplayError, Span, from_journal
from eachonce_workbench.operations.route import QueueBus, routes
from eachonce_workbench.operations.samconfig import deployed_stack
from eachonce_workbench.operations.stack import (
    NoDeadLetterQueueError,
    SourceMapping,
    UnknownConsumerError,
    UnknownStackError,
    find,
    url_of,
)


class Session:
    """A stack on AWS or in the local cloud; shows on a terminal how far it is."""

    def __init__(self, stack: str | None, account: Account) -> None:
        """Find the stack. Raises UnknownStackError, AccountError, and botocore's errors as they come."""
        self.account = account
        self.local = account.local
        self._account = account
        self.stack = find(account.client, stack)
        self.journal = self._journal(account)
        self._sqs = account.client("sqs")
        self._letters = Letters(self.stack, self.journal, self._sqs)
        self._progress = Console(stderr=True)

    def _journal(self, account: Account) -> Journal | NoJournal:
        if self.stack.journal_table is None:
            return NoJournal()
        return Journal(account.client("dynamodb"), self.stack.journal_table, clock=lambda: datetime.now(UTC))

    def look(self, selection: Selection, *, consumer: str | None = None, with_bodies: bool = False) -> Found:
        """Find dead letters, of one consumer or of all. Raises UnknownConsumerError."""
        with counting(self._progress, "reading dead letters", None) as seen:
            return self._letters.look(selection, consumer=consumer, with_bodies=with_bodies, seen=seen)

    def redrive(self, letters: Sequence[DeadLetter], *, pace: Pace | None = None) -> Tally:
        """Send letters back to their consumers, as fast as it goes or at a pace."""
        return self._work(letters, lambda tally: self._letters.redrive(letters, tally, pace=pace), "redrove")

    def foresee(self, letters: Sequence[DeadLetter]) -> Tally:
        """Return what redriving the letters would come to now; changes nothing."""
        with counting(self._progress, "reading the journal", len(letters)) as passed:
            return self._letters.foresee(letters, passed)

    def archive(self, letters: Sequence[DeadLetter], keep: Keep) -> Tally:
        """Delete letters once `keep` has them."""
        return self._work(letters, lambda tally: self._letters.archive(letters, tally, keep=keep), "archived")

    def drop(self, letters: Sequence[DeadLetter]) -> Tally:
        """Delete letters for good."""
        return self._work(letters, lambda tally: self._letters.drop(letters, tally), "dropped")

    def switch(self, mappings: Sequence[SourceMapping], *, on: bool) -> list[Backlog]:
        """Enable or disable a consumer's mappings, and return what their queues hold then. Raises StillMovingError."""
        description = "waiting for it to go on" if on else "waiting for what it is at"
        with watching(self._progress, description) as seen:
            Switching(self._account.client("lambda"), seen=seen)(mappings, on=on)
        return [Backlog.ask(self._sqs, mapping.queue_arn) for mapping in mappings]

    def replay_journal(self, mappings: Sequence[SourceMapping], span: Span) -> tuple[dict[str, int], bool]:
        """Put what the journal's rows of a span published into a consumer's queues; say how much, and whether all went.

        Raises ReplayError.
        """
        done = Replayed()
        try:
            with counting(self._progress, "reading the journal", None) as passed:
                for mapping in mappings:
                    for count in from_journal(self.journal, span, self._bus_to(mapping), done, sleep=time.sleep):
                        passed(count)
        except BaseException:
            self._progress.print(f"{done.found:,} events were found, {done.sent:,} sent", soft_wrap=True)
            raise
        return {"found": done.found, "sent": done.sent, "failed": done.failed}, done.failed == 0

    def _bus_to(self, mapping: SourceMapping) -> QueueBus:
        events = self._account.client("events")
        found = [route for bus in self.stack.buses for route in routes(events, bus, mapping.queue_arn)]
        if not found:
            raise ReplayError(f"no rule of a bus that the stack publishes to leads to {mapping.queue_arn}")
        url = url_of(self._sqs, mapping.queue_arn)
        return QueueBus(self._sqs, url, found, place=self.stack.arn, now=lambda: datetime.now(UTC))

    def replay_archive(
        self, mappings: Sequence[SourceMapping], span: Span, archive: str, *, name: str
    ) -> tuple[dict[str, Any], bool]:
        """Let EventBridge replay an archive to a consumer's rules alone; say how it ended. Raises ReplayError."""
        events = self._account.client("events")
        source = Archive.ask(events, archive)
        arns = [route.rule_arn for each in mappings for route in routes(events, source.bus_arn, each.queue_arn)]
        if not arns:
            raise ReplayError(f"no rule of the bus {source.bus_arn} leads to a queue of the consumer's")
        progress = None
        try:
            with (
                watching(self._progress, "replaying") as seen,
                closing(ArchiveReplay(events, source, name=name)(span, arns)) as replaying,
            ):
                for progress in replaying:
                    seen(progress.state if progress.last is None else f"{progress.state}, at {progress.last}")
        except BaseException:
            self._progress.print(f"{name} is cancelled: what it replayed by then stays replayed", soft_wrap=True)
            raise
        state = "FAILED" if progress is None else progress.state
        reason = None if progress is None else progress.reason
        return {"replay": name, "state": state, "reason": reason}, state == "COMPLETED"

    def _work(self, letters: Sequence[DeadLetter], work: Callable[[Tally], Rounds], did: str) -> Tally:
        """Work in rounds; say how far it came if it doesn't come to the end."""
        tally = Tally(chosen=len(letters))
        try:
            with counting(self._progress, "working", len(letters)) as passed, closing(work(tally)) as rounds:
                for count in rounds:
                    passed(count)
        except BaseException:
            show_tally(self._progress, tally, did)
            raise
        return tally


def _named(stack: str | None, account: Account) -> str | None:
    if stack is not None or account.local:
        return stack
    named = deployed_stack(Path.cwd())
    if named is None:
        raise UnknownStackError("which stack? Say --stack, or write stack_name into samconfig.toml")
    return named


@contextmanager
def session(
    stack: str | None, endpoint_url: str | None, region: str | None, *, tells_paused: bool = True
) -> Iterator[Session]:
    """Give a command its session, and turn what goes wrong into a line and an exit status.

    What the stack lacks is said, and which of its consumers are paused. A stack that isn't named is the local cloud's
    only one, or the one in samconfig.toml.
    """
    try:
        with explained(endpoint_url):
            account = Account(endpoint_url=endpoint_url, region=region)
            here = Session(_named(stack, account), account)
            for line in here.stack.lacking:
                typer.echo(line, err=True)
            for consumer in here.stack.paused if tells_paused else ():
                typer.echo(f"{consumer} is paused: `eachonce resume {consumer}` lets it go on", err=True)
            yield here
    except UnknownStackError as error:
        raise typer.BadParameter(str(error), param_hint="--stack") from error
    except NoDeadLetterQueueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except UnknownConsumerError as error:
        raise typer.BadParameter(str(error), param_hint="--consumer") from error
    except AccountError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
