"""What a simulation has left when all is quiet: what could be seen of it by others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from eachonce.work import CREATED_BY, WRITTEN_BY

from eachonce_workbench.cloud.history import Happening
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.simulator.call import Call
from eachonce_workbench.simulator.message import document_in
from eachonce_workbench.simulator.outside.effect import Effect
from eachonce_workbench.simulator.poison import ROW, is_poison
from eachonce_workbench.simulator.poisoned import POISON_MARK
from eachonce_workbench.simulator.tables import scan
from eachonce_workbench.template.journal import JOURNAL_VARIABLE
from eachonce_workbench.template.topology import Topology

Key = tuple[str, ...]

DEAD_LETTERS = "dead letters in"
"""How what is said of a dead-letter queue begins."""

# The layer's own tables, by the variables that functions are told of them.
_LAYERS_TABLES = (JOURNAL_VARIABLE, "TABLE_KEYS")
_LAYERS_NOTES = frozenset({WRITTEN_BY, CREATED_BY})
_NOT_SAID = frozenset({"Action", "Version", "TopicArn", "TargetArn"})
_ENVELOPE = ("source", "detail-type", "resources", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left, by what it is called: rows by their keys, and what was sent in the order in which it was.

    `rows` are of tables and buckets, `sent` what was published, and what lies in queues that no function reads.
    """

    rows: Mapping[str, Mapping[Key, Any]] = field(default_factory=dict)
    sent: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()


class Traffic:
    """Notes what is published, and what is asked of others; subscribe it to a History."""

    def __init__(self) -> None:
        self._sent: dict[str, list[Any]] = defaultdict(list)
        self.effects: list[Effect] = []

    def __call__(self, happening: Happening) -> None:
        """Note an event that enters a bus."""
        if happening.kind in ("published", "lost"):
            event = happening.fields["event"]
            detail = event.get("detail")
            if not (isinstance(detail, dict) and is_poison(detail.get("id"))) and not _marked(event):
                self._sent[f"bus {happening.fields['bus']}"].append(
                    {name: event[name] for name in _ENVELOPE if name in event}
                )

    def announced(self, call: Call) -> None:
        """Note a message that a function gives to a topic, where that is what it asks."""
        if not call.operation.startswith("Publish"):
            return
        said = {name: value for name, value in call.form.items() if name not in _NOT_SAID}
        arn = call.form.get("TopicArn") or call.form.get("TargetArn", "")
        self._sent[f"topic {arn.rpartition(':')[2]}"].append(said)

    def left(self, cloud: LocalCloud) -> Left:
        """Return what is there now."""
        sent = {name: tuple(values) for name, values in self._sent.items()}
        return Left(rows=dict(_rows(cloud)), sent=sent | dict(_unread(cloud)), effects=tuple(self.effects))


def _rows(cloud: LocalCloud) -> Iterator[tuple[str, Mapping[Key, Any]]]:
    topology = cloud.topology
    theirs = {function.environment.get(name) for function in topology.functions for name in _LAYERS_TABLES}
    for table in topology.tables:
        if table.name not in theirs and cloud.store.table(table.name) is not None:
            keys = [name for name in (table.hash_key, table.range_key) if name is not None]
            items = scan(cloud, table.logical_id)
            yield table.logical_id, {tuple(f"{name}={item[name]}" for name in keys): _own(item) for item in items}
    for name, objects in cloud.sources.buckets.keep().items():
        yield f"bucket {_called(topology, name)}", {(each.key,): {"content": _text(each.value)} for each in objects}


def _own(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item without what the layer notes on it: who wrote last follows from the order alone."""
    return {name: value for name, value in item.items() if name not in _LAYERS_NOTES or "##" not in str(value)}


def _unread(cloud: LocalCloud) -> Iterator[tuple[str, tuple[Any, ...]]]:
    topology = cloud.topology
    read = {mapping.queue_arn for mapping in topology.queue_mappings} | {pipe.source_arn for pipe in topology.pipes}
    contents = cloud.store.messages()
    graves = {queue.dead_letter_arn for queue in topology.queues} | {
        each.dead_letter_arn for each in topology.functions
    }
    for queue in topology.queues:
        if queue.arn not in read and queue.name in contents:
            messages = contents[queue.name].kept().messages
            bodies = tuple(
                each.body for each in messages if POISON_MARK not in each.attributes and not _poisoned(each.body)
            )
            yield f"{DEAD_LETTERS if queue.arn in graves else 'queue'} {queue.logical_id or queue.name}", bodies


def _called(topology: Topology, name: str) -> str:
    return next((bucket.logical_id for bucket in topology.buckets if bucket.name == name), name)


def _text(content: bytes) -> str:
    return content.decode(errors="backslashreplace")


def _marked(event: Mapping[str, Any]) -> bool:
    return any(is_poison(each) for each in event.get("resources", ()))


def _poisoned(body: str) -> bool:
    """Whether a message is about poison, or about a batch of it."""
    match document_in(body):
        case {"detail": {"id": event_id}} if is_poison(event_id):
            return True
        case {"Keys": {"pk": {"S": key}}} if str(key).startswith(ROW):
            return True
        case {"resources": [*marks]}:
            return any(map(is_poison, marks))
    return False
