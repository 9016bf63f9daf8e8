"""Log groups: events in the order in which they came, the newest of them, within bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

# What a group may hold; the oldest events make room for new ones. AWS keeps them as long as the group's retention says.
MAX_GROUP_BYTES = 4 * 1024 * 1024
_EVENT_BYTES = 256  # about what an event takes beside its text


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One event of one stream; `number` counts up within the group."""

    number: int
    stream: str
    timestamp_ms: int
    message: str


@dataclass(slots=True, kw_only=True)
class LogStream:
    """A stream, and how much of it there is."""

    name: str
    created_ms: int
    events: int = 0
    first_ms: int = 0
    last_ms: int = 0


@dataclass(slots=True, kw_only=True)
class LogGroup:
    """A group of streams; one whose events are all gone is forgotten."""

    name: str
    arn: str
    created_ms: int
    max_bytes: int = MAX_GROUP_BYTES
    stored_bytes: int = 0
    streams: dict[str, LogStream] = field(default_factory=dict)
    _events: deque[LogEvent] = field(default_factory=deque)
    _next: int = 1

    def write(self, stream_name: str, timestamp_ms: int, message: str) -> None:
        """Add an event, and let go of the oldest where there is no room for it."""
        stream = self.streams.get(stream_name)
        if stream is None:
            stream = LogStream(name=stream_name, created_ms=timestamp_ms, first_ms=timestamp_ms)
            self.streams[stream_name] = stream
        stream.events += 1
        stream.last_ms = max(stream.last_ms, timestamp_ms)
        self._events.append(LogEvent(number=self._next, stream=stream_name, timestamp_ms=timestamp_ms, message=message))
        self._next += 1
        self.stored_bytes += _size(message)
        while self.stored_bytes > self.max_bytes and len(self._events) > 1:
            self._forget_oldest()

    def events(self, *, after: int = 0) -> Iterator[LogEvent]:
        """Yield the events that there are, in order, from the one after a number on."""
        return (event for event in self._events if event.number > after)

    def _forget_oldest(self) -> None:
        event = self._events.popleft()
        self.stored_bytes -= _size(event.message)
        stream = self.streams[event.stream]
        stream.events -= 1
        if not stream.events:
            del self.streams[event.stream]


def _size(message: str) -> int:
    return len(message) + _EVENT_BYTES
