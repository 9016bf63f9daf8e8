"""Turns: the threads of a run, of which one goes on at a time, and which gives way where a schedule says so.

As in the simulator each thread is a greenlet, since threads of the operating system that hand each other a lock would
take milliseconds for it on a busy machine. One gives way before each statement of what is watched (`statements.py`),
where it waits for a lock or for another thread, and when it ends. A schedule says at which of these steps another one
has the turn; at all others the one that has it keeps it. So a schedule is a run, and the same one every time.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from greenlet import getcurrent, greenlet

Schedule = Mapping[int, int]
"""By the number of a step, the thread that has the turn from there on."""

# A run takes hundreds; one that never ends is a finding.
MOST_STEPS = 5_000


class TurnsError(Exception):
    """The run itself went wrong: what is explored can't be explored like this."""


class Over(BaseException):
    """Nobody can go on, or nobody would ever stop: each thread ends where it is."""


class Step(NamedTuple):
    """A moment at which another thread could have the turn: who would have it, and who else could.

    - `free`: those for whom the one before had to make place anyway
    - `others`: those for whom it would have been stopped
    - `place`: where the one before was
    """

    thread: int
    free: tuple[int, ...]
    others: tuple[int, ...]
    place: str


class _Thread(greenlet):  # type: ignore[misc]
    """A thread of the run, and until when it waits."""

    def __init__(self, number: int, live: Callable[[], None], hub: greenlet) -> None:
        super().__init__(live, hub)
        self.gr_context = contextvars.copy_context()
        self.number = number
        self.until: Callable[[], bool] | None = None
        self.impatient = False  # it goes on anyway when nobody else does

    @property
    def ready(self) -> bool:
        return not self.dead and (self.until is None or self.until())


class Turns:
    """One run of some threads under a schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self.steps: list[Step] = []
        self.raised: list[BaseException] = []
        self.stuck: str | None = None
        self._schedule = schedule
        self._threads: list[_Thread] = []
        self._running: _Thread | None = None
        self._hub = getcurrent()

    def run(self, functions: Sequence[Callable[[], object]]) -> None:
        """Run functions side by side to their end, each in a thread; raises TurnsError when that can't be done."""
        for function in functions:
            self.begin(function)
        try:
            following = self._decide(None, "the beginning")
            while following is not None:
                self._running = following
                following = following.switch()
                if following is None and self.stuck is None and not all(thread.dead for thread in self._threads):
                    following = self._decide(None, "the end")
        except Over:
            pass
        finally:
            self._running = None
            for thread in self._threads:
                if thread:  # it has begun, and not ended
                    thread.throw(Over)

    def begin(self, function: Callable[[], object]) -> None:
        """Begin one more thread, which has its turn when the schedule says so."""

        def live() -> None:
            try:
                function()
            except TurnsError:
                raise
            except Over:
                pass
            except BaseException as error:  # noqa: BLE001 - whatever it is, whoever looks at the run is to see it
                self.raised.append(error)

        self._threads.append(_Thread(len(self._threads), live, self._hub))

    def pause(self, place: str) -> None:
        """Let another thread go on, where the schedule says so; outside of the run's threads this does nothing."""
        thread = self._running
        if thread is None:
            return
        following = self._decide(thread, place)
        if following is not thread:
            self._hub.switch(following)

    def wait_until(self, holds: Callable[[], bool], what: str, *, impatient: bool = False) -> bool:
        """Let others go on until something holds; return whether it does. Who is `impatient` may go on before."""
        thread = self._running
        if thread is None:
            raise TurnsError(f"nobody else goes on, and {what} is waited for")
        if holds():
            return True
        thread.until, thread.impatient = holds, impatient
        following = self._decide(None, what)
        if following is not thread:
            self._hub.switch(following)
        thread.until, thread.impatient = None, False
        return holds()

    def _decide(self, thread: _Thread | None, place: str) -> _Thread:
        """Return who has the turn now; the `thread` keeps it that needn't give it up."""
        number = len(self.steps)
        if number >= MOST_STEPS:
            self.stuck = f"it doesn't end within {MOST_STEPS:,} steps"
            raise Over
        free: tuple[int, ...] = ()
        if thread is not None:
            usual = thread
            others = [one.number for one in self._threads if one is not thread and (one.ready or _is_hasty(one))]
        else:
            ready = [one for one in self._threads if one.ready]
            hasty = [one for one in self._threads if one not in ready and _is_hasty(one)]
            if not ready and not hasty:
                self.stuck = "they wait for each other"
                raise Over
            usual = (ready or hasty)[0]
            free = tuple(one.number for one in ready if one is not usual)
            others = [one.number for one in hasty if one is not usual]
        chosen = self._schedule.get(number, usual.number)
        if chosen != usual.number and chosen not in (*free, *others):
            raise TurnsError(f"step {number} isn't what it was: thread {chosen} can't go on at {place}")
        self.steps.append(Step(usual.number, free, tuple(others), place))
        return self._threads[chosen]


def _is_hasty(thread: _Thread) -> bool:
    return thread.impatient and not thread.dead


class TurnLock:
    """A lock of a run: who waits for it lets the others go on."""

    _reentrant = False

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._holder: object = None
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it, as one of threading's."""
        me = getcurrent()
        if not (self._reentrant and self._holder is me):
            while self._holder is not None:
                if not blocking or not self._turns.wait_until(self._is_free, "a lock", impatient=timeout >= 0):
                    return False
            self._holder = me
        self._depth += 1
        return True

    def release(self) -> None:
        """Give it back."""
        self._depth -= 1
        if self._depth == 0:
            self._holder = None

    def locked(self) -> bool:
        """Whether anybody has it."""
        return self._holder is not None

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _is_free(self) -> bool:
        return self._holder is None


class TurnRLock(TurnLock):
    """One that its holder may take again."""

    _reentrant = True

    def _is_owned(self) -> bool:  # a condition of threading's asks for it
        return self._holder is getcurrent()
