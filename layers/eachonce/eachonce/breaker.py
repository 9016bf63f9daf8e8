"""The breaker: what handlers need beyond AWS's own services, and when so much of it fails that nobody should ask.

What is here is pure. A worker counts what its own handlers saw, so that what goes well costs nobody a write; that a
breaker is open is for all workers to know, and `circuit.py` tells them.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import Literal

import msgspec

from eachonce.errors import EachonceError, HandlerError, duration
from eachonce.outcome import Outcome, Verdict

# How old the state may be by which a worker goes on.
CACHE_SECONDS = 5

_MAX_NAME = 128


class _Named(msgspec.Struct, frozen=True):
    """What stands first, and needn't be named."""

    name: str


class Breaker(_Named, frozen=True, kw_only=True):
    """What handlers need, by name; while it is open, their events are put off without being handled.

    - `failures`: it opens after so many failures in a row, in one worker
    - `share`, `of`: ... or when at least this share of the last `of` tries there have failed
    - `open_for`: after this long one event is tried, over all workers; if it is done the breaker closes, and if its
      handler fails it stays open for as long again
    - `errors`: what the handler raises of it; anything that isn't the layer's own, unless it is said
    - `by`: "tenant", where each tenant has one of its own
    - `patience`: how old an event's message may be for a failure while the breaker is open not to count as the event's;
      after that it counts, so that an event whose own fault it is ends
    """

    failures: int = 5
    share: float = 0.5
    of: int = 20
    open_for: timedelta | float = timedelta(seconds=30)
    errors: type[Exception] | tuple[type[Exception], ...] = Exception
    by: Literal["tenant"] | None = None
    patience: timedelta | float = timedelta(days=1)

    def __post_init__(self) -> None:
        """Refuse what can't be meant, where it is said."""
        if not isinstance(self.name, str) or not 0 < len(self.name) <= _MAX_NAME or not self.name.isprintable():
            raise HandlerError(f"a Breaker's name is a text of 1 to {_MAX_NAME} printable characters")
        for name in ("failures", "of"):
            if type(getattr(self, name)) is not int or getattr(self, name) < 1:
                raise HandlerError(f"a Breaker's {name} is a whole number of 1 or more")
        if not isinstance(self.share, int | float) or not 0 < self.share <= 1:
            raise HandlerError("a Breaker's share is over 0, up to 1")
        for name in ("open_for", "patience"):
            msgspec.structs.force_setattr(self, name, duration(f"a Breaker's {name}", getattr(self, name)))
        if self.open_for < timedelta(seconds=1):  # type: ignore[operator]
            raise HandlerError("a Breaker is open for a second or longer")
        kinds = self.errors if isinstance(self.errors, tuple) else (self.errors,)
        if not kinds or not all(isinstance(kind, type) and issubclass(kind, Exception) for kind in kinds):
            raise HandlerError("a Breaker's errors are an exception type, or several in a tuple")
        if self.by not in (None, "tenant"):
            raise HandlerError('a Breaker is by "tenant", or one for all events')

    @property
    def pause(self) -> timedelta:
        """For how long it is open before the next try."""
        return self.open_for  # type: ignore[return-value]  # it was made a timedelta

    def spares(self, age: timedelta) -> bool:
        """Whether a failure while it is open is not the event's, whose message was first received `age` ago."""
        return age < self.patience  # type: ignore[operator]

    def judge(self, outcome: Outcome) -> bool | None:
        """Return whether what it stands for did what the handler asked; None where the outcome doesn't tell.

        What the handler decides (Reject, Retry, Wait), what lies in the event, and what the layer or AWS's services did
        not do for it say nothing of it.
        """
        if outcome.verdict in (Verdict.DONE, Verdict.STALE):
            return True
        cause = outcome.cause
        failed = cause is not None and isinstance(cause, self.errors) and not isinstance(cause, EachonceError)
        return False if failed else None


class Health:
    """What one worker has seen of a breaker since it was last closed. Not thread-safe."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._seen: deque[bool] = deque(maxlen=breaker.of)
        self.failures = 0  # in a row

    def saw(self, *, well: bool) -> bool:
        """Note a try; return whether the breaker is to open."""
        self.failures = 0 if well else self.failures + 1
        self._seen.append(well)
        whole = len(self._seen) == self._breaker.of
        often = whole and self._seen.count(False) >= self._breaker.share * self._breaker.of
        return not well and (often or self.failures >= self._breaker.failures)

    def forget(self) -> None:
        """Begin anew: the breaker was open meanwhile."""
        self._seen.clear()
        self.failures = 0
