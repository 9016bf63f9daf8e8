"""Patience: a handler that never returns ends the examination, and not the other way round."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# As long as a run may last here, where no call to AWS takes any time; a busy machine may take its own.
SECONDS = 30.0
_AGAIN_SECONDS = 1.0  # where what is raised was caught, as by a destructor


class EndlessError(BaseException):
    """A handler did not return; it is no Exception, which a handler might take for its own affair."""

    def __init__(self, event_type: str) -> None:
        super().__init__(event_type)
        self.event_type = event_type


class _Run:
    """Whose run it is that must end; none where nobody can interrupt it."""

    armed = False
    event_type = ""


@contextmanager
def patience() -> Iterator[None]:
    """Let runs be interrupted meanwhile: by the system's alarm, which comes to the main thread only."""
    free = threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGALRM")
    if not free or signal.getsignal(signal.SIGALRM) not in {signal.SIG_DFL, signal.SIG_IGN, None}:
        yield  # somebody else has set an alarm
        return
    before = signal.signal(signal.SIGALRM, _interrupt)
    _Run.armed = True
    try:
        yield
    finally:
        _Run.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def ending(event_type: str) -> Iterator[None]:
    """Raise EndlessError in what happens meanwhile when it lasts too long."""
    if not _Run.armed:
        yield
        return
    outer, left = _Run.event_type, signal.setitimer(signal.ITIMER_REAL, SECONDS, _AGAIN_SECONDS)[0]
    _Run.event_type = event_type
    try:
        yield
    finally:
        _Run.event_type = outer
        signal.setitimer(signal.ITIMER_REAL, left, _AGAIN_SECONDS if left else 0)


def _interrupt(_number: int, frame: FrameType | None) -> None:
    if not _collects_garbage(frame):  # where what is raised is lost, and printed; it comes again soon
        raise EndlessError(_Run.event_type)


def _collects_garbage(frame: FrameType | None) -> bool:
    """Whether a frame is in what somebody, such as hypothesis, has the garbage collector call."""
    called = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None:
        if frame.f_code in called:
            return True
        frame = frame.f_back
    return False
