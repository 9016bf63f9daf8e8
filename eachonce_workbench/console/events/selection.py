"""Which events a person wants to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from eachonce_workbench.console.known import KnownEvent


class SelectionError(ValueError):
    """What was asked for makes no sense; the message says what does."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Events that fit everything that is given; nothing given, all of them.

    `types` are wanted and `without` are not. A part of a `subject` will do, and so will a part of anything that the
    event holds as its `text`, in upper or lower case. `since` and `until` are seconds since 1970.
    """

    types: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    subject: str = ""
    consumer: str = ""
    outcome: str = ""
    since: float | None = None
    until: float | None = None
    text: str = ""

    @classmethod
    def read(cls, asked: Mapping[str, Sequence[str]]) -> Selection:
        """Read the parameters of an address, each of which may come several times. Raises SelectionError."""
        last = {name: values[-1].strip() for name, values in asked.items() if values}
        return cls(
            types=frozenset(filter(None, asked.get("type", ()))),
            without=frozenset(filter(None, asked.get("without", ()))),
            subject=last.get("subject", "").casefold(),
            consumer=last.get("consumer", ""),
            outcome=last.get("outcome", ""),
            since=_moment("since", last.get("since", "")),
            until=_moment("until", last.get("until", "")),
            text=last.get("text", "").casefold(),
        )

    def __contains__(self, event: KnownEvent) -> bool:
        """Whether an event is wanted, cheapest questions first."""
        if event.type in self.without or (self.types and event.type not in self.types):
            return False
        if (self.since is not None and event.at < self.since) or (self.until is not None and event.at > self.until):
            return False
        if self.subject and self.subject not in event.subject.casefold():
            return False
        return self._fits_outcome(event) and (not self.text or self._holds_text(event))

    def _fits_outcome(self, event: KnownEvent) -> bool:
        if not self.consumer and not self.outcome:
            return True
        if self.outcome == "lost" and not self.consumer:
            return event.lost
        outcomes = event.outcomes.items()
        return any(self.consumer in ("", consumer) and self.outcome in ("", outcome) for consumer, outcome in outcomes)

    def _holds_text(self, event: KnownEvent) -> bool:
        heads = (event.event_id, event.source, event.type, event.subject, event.tenant)
        if any(self.text in head.casefold() for head in heads):
            return True
        if any(self.text in f"{each.reason} {each.error}".casefold() for each in event.handlings):
            return True
        return self.text in event.body.decode(errors="replace").casefold()


def _moment(name: str, text: str) -> float | None:
    """Read a time as browsers write it, without a zone (UTC then), or with one.

    >>> _moment("since", "2026-01-01T00:00"), _moment("since", "")
    (1767225600.0, None)
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SelectionError(f"{name}: {text[:40]} is no time such as 2026-01-31T18:00") from error
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
