"""A log group keeps the newest events, within bounds."""

from eachonce_workbench.cloud.logs.archive import LogGroup


def group(max_bytes: int) -> LogGroup:
    return LogGroup(name="g", arn="arn", created_ms=0, max_bytes=max_bytes)


def test_the_oldest_events_make_room_for_new_ones() -> None:
    """Whatever functions print, the group doesn't grow."""
    full = group(max_bytes=10_000)

    for number in range(10_000):
        full.write("s", number, "x" * (number % 100))

    kept = [event.number for event in full.events()]
    assert full.stored_bytes <= 10_000
    assert kept == list(range(10_001 - len(kept), 10_001))


def test_a_stream_whose_events_are_gone_is_forgotten() -> None:
    """Each process has a stream of its own: their number is bounded, too."""
    full = group(max_bytes=10_000)

    for number in range(1_000):
        full.write(f"stream {number}", number, "a line")

    assert set(full.streams) == {event.stream for event in full.events()}


def test_an_event_larger_than_the_group_is_kept_alone() -> None:
    """It is the newest."""
    full = group(max_bytes=100)
    full.write("s", 1, "a line")

    full.write("s", 2, "x" * 1_000)

    assert [event.timestamp_ms for event in full.events()] == [2]
