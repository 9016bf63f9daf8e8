"""Where events come from beside functions and buses: the topics, buckets and schedules of one local cloud, together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from eachonce_workbench.cloud.buckets.buckets import Buckets
from eachonce_workbench.cloud.buckets.notifier import Notifier
from eachonce_workbench.cloud.history import History
from eachonce_workbench.cloud.post import After, Post, Start
from eachonce_workbench.cloud.schedules.schedules import Schedules
from eachonce_workbench.cloud.store.queues.queues import Queues
from eachonce_workbench.cloud.topics.calls import TopicCalls
from eachonce_workbench.cloud.topics.topics import Topics
from eachonce_workbench.template.topology import Topology

if TYPE_CHECKING:
    from eachonce_workbench.cloud.bus.bus import Bus
    from eachonce_workbench.cloud.store.kept import KeptObject


class EventSources:
    """Topics are there at once, since the bus publishes on them; `join` makes what sends to the bus."""

    buckets: Buckets
    schedules: Schedules
    post: Post

    def __init__(self, topology: Topology, queues: Queues, history: History, *, after: After, start: Start) -> None:
        """Take what reaches queues and functions, and what calls something later."""
        self._topology = topology
        self._queues = queues
        self._history = history
        self._start = start
        self.topics = Topics(topology, queues, history, after=after, start=start, clock=time.time)
        self.calls = TopicCalls(topology, self.topics)

    def join(self, bus: Bus, kept: Mapping[str, list[KeptObject]]) -> None:
        """Make the buckets, which begin with what was kept, and schedules: both send to the bus."""
        self.post = Post(self._queues, start=self._start, publish=self.topics.publish, put_events=bus.put_events)
        named = {bucket.name: bucket for bucket in self._topology.buckets}
        notify = Notifier(named, post=self.post, announce=bus.announce, history=self._history)
        self.buckets = Buckets(self._topology, notify=notify, clock=time.time, kept=kept)
        self.schedules = Schedules(
            self._topology,
            post=self.post,
            fire_rule=bus.fire,
            history=self._history,
            clock=lambda: datetime.now(UTC),
        )

    @property
    def pending(self) -> int:
        """How many messages wait to be tried again."""
        return self.topics.pending
