"""Gathering: a message that holds several events has one fate, and each of its events an outcome.

The message leaves its queue when all of its events are finished, and comes again with the last of them; those that are
done are duplicates then. Which of them are rejected is told when the message leaves, each in a dead letter of its own:
else each time that the message comes they would be told again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from eachonce.lanes import Settled
from eachonce.listener import Delivery
from eachonce.outcome import Outcome, Verdict

_AGAIN = "not yet in the dead-letter queue: another event of its message comes again"

# The worst last: where one of several has failed, the message comes again as that one should.
_SEVERITY = (Verdict.ABANDONED, Verdict.WAIT, Verdict.RETRY)


class Gathering:
    """Holds the events of a message until each has its outcome; an event that is alone in its message isn't held."""

    def __init__(self, deliveries: Iterable[Delivery]) -> None:
        self._awaited = Counter(one.part_of for one in deliveries if one.part_of is not None)
        self._held: dict[str, list[Settled]] = {}

    def ready(self, settled: Iterable[Settled]) -> list[Settled]:
        """Return what has its outcome, as far as all of its message has; the rest is returned with the last of it."""
        ready: list[Settled] = []
        for one in settled:
            whole = one[0].part_of
            if whole is None:
                ready.append(one)
                continue
            held = self._held.setdefault(whole, [])
            held.append(one)
            if len(held) == self._awaited[whole]:
                ready += _of_one_fate(held)
        return ready


def messages(settled: Sequence[Settled]) -> list[Settled]:
    """Return each message, once, with the worst outcome of its events."""
    worst: dict[str, Settled] = {}
    for delivery, outcome in settled:
        whole = delivery.whole
        if whole not in worst or _severity(outcome) > _severity(worst[whole][1]):
            one = delivery if delivery.part_of is None else replace(delivery, message_id=whole, part_of=None)
            worst[whole] = one, outcome
    return list(worst.values())


def finished(settled: Sequence[Settled]) -> list[Settled]:
    """Return the events of the messages that may leave their queue."""
    left = {delivery.whole for delivery, outcome in messages(settled) if outcome.final}
    return [one for one in settled if one[0].whole in left]


def _of_one_fate(parts: Sequence[Settled]) -> Sequence[Settled]:
    if all(outcome.final for _, outcome in parts):
        return parts
    return [(delivery, _put_off(outcome)) for delivery, outcome in parts]


def _put_off(outcome: Outcome) -> Outcome:
    if outcome.verdict is not Verdict.REJECT:
        return outcome
    return replace(outcome, verdict=Verdict.RETRY, reason=f"{outcome.reason} ({_AGAIN})", counted=False)


def _severity(outcome: Outcome) -> tuple[int, float, int]:
    rank = 0 if outcome.final else 1 + _SEVERITY.index(outcome.verdict)
    seconds = 0.0 if outcome.after is None else outcome.after.total_seconds()
    return rank, seconds, 0 if outcome.attempts is None else outcome.attempts
