"""A log line by which the layer tells what became of an event, among all that functions print."""

from __future__ import annotations

from functools import cache

import msgspec

from eachonce_workbench.console.known import Handling

_MOST_OF_A_TRACE = 16 * 1024


class OutcomeLine(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome as `eachonce.report` logs it; what it lacks is empty."""

    verdict: str = msgspec.field(name="message", default="")
    event_id: str = ""
    event_type: str = ""
    subject: str = ""
    causationid: str = ""
    trace_id: str = ""
    reason: str = ""
    error: str = ""
    attempts: int = 0
    exception: str = ""

    @classmethod
    def read(cls, line: str) -> OutcomeLine | None:
        """Read a line; None for one that tells no outcome."""
        if not line.startswith("{"):
            return None
        try:
            found = _decoder.decode(line)
        except msgspec.MsgspecError:
            return None
        return found if found.verdict in _verdicts() else None

    def handling(self) -> Handling:
        """Return what it tells of a handling; whose and when, the record knows."""
        return Handling(
            consumer="",
            request_id=None,
            began=0.0,
            ended=0.0,
            outcome=self.verdict,
            reason=self.reason,
            error=self.error,
            attempts=self.attempts,
            trace=self.exception[:_MOST_OF_A_TRACE],
        )


_decoder = msgspec.json.Decoder(OutcomeLine)


@cache
def _verdicts() -> frozenset[str]:
    from eachonce.outcome import Verdict  # which imports the whole layer: when it is needed, and not before

    return frozenset(Verdict)
