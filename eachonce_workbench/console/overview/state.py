"""How it stands: each consumer's outcomes, its queue and its dead letters, and the one sentence on top."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from eachonce_workbench.console.record import Record
from eachonce_workbench.operations.stack import Stack
from eachonce_workbench.template.topology import Topology

# Of a bus's types, in its box.
_MOST_TYPES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How many messages a queue holds: those that can be seen, those that somebody has, and those that wait."""

    visible: int = 0
    in_flight: int = 0
    delayed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerState:
    """A consumer and its queue, by the queue's ARN; what nobody knows is None.

    `dead_letters` are counted. `oldest_at` is when its oldest event that isn't settled was published, in seconds since
    1970. `outcomes` are those that its function told, here, since the console began to listen.
    """

    name: str
    queue_arn: str
    depth: Depth
    dead_letters: int | None
    paused: bool = False
    outcomes: Mapping[str, int] = field(default_factory=dict)
    oldest_at: float | None = None

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self.queue_arn.rpartition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What is to be said first, and whether it is good news."""

    tone: Literal["good", "bad", "quiet"]
    text: str


def local_consumers(
    topology: Topology, depth: Callable[[str], Depth | None], record: Record
) -> Iterator[ConsumerState]:
    """Yield the consumers of the local cloud's queues; `depth` is what a queue (an ARN) holds, None if it is gone."""
    oldest = record.oldest_under_way()
    outcomes = outcomes_by_consumer(record)
    for mapping in topology.queue_mappings:
        dead = next((queue.dead_letter_arn for queue in topology.queues if queue.arn == mapping.queue_arn), None)
        buried = None if dead is None else depth(dead)
        yield ConsumerState(
            name=mapping.function,
            queue_arn=mapping.queue_arn,
            depth=depth(mapping.queue_arn) or Depth(),
            dead_letters=None if buried is None else buried.total,
            paused=record.paused.get(mapping.function, not mapping.enabled),
            outcomes=outcomes.get(mapping.function, {}),
            oldest_at=oldest.get(mapping.function),
        )


def deployed_consumers(stack: Stack, sqs: Any) -> Iterator[ConsumerState]:
    """Yield the consumers of a stack's queues, as SQS tells of these; it blocks, two calls a consumer."""
    dead = {queues.url: queues.dead_letters_url for queues in stack.consumers if queues.url is not None}
    for mapping in stack.mappings:
        url = sqs.get_queue_url(QueueName=mapping.queue_arn.rpartition(":")[2])["QueueUrl"]
        yield ConsumerState(
            name=mapping.consumer,
            queue_arn=mapping.queue_arn,
            depth=_asked(sqs, url),
            dead_letters=_asked(sqs, dead[url]).total if url in dead else None,
            paused=mapping.paused,
        )


def outcomes_by_consumer(record: Record) -> dict[str, Counter[str]]:
    """Return how often each function came to which outcome."""
    found: dict[str, Counter[str]] = {}
    for key, count in record.counts.items():
        if key[0] == "outcome":
            found.setdefault(key[1], Counter())[key[2]] += count
    return found


def faults_by_function(record: Record) -> Counter[str]:
    """Return how often the calls of each function met a fault that is turned on."""
    found: Counter[str] = Counter()
    for key, count in record.counts.items():
        if key[0] == "faulted":
            found[key[1]] += count
    return found


def sentence(record: Record, consumers: Sequence[ConsumerState]) -> Sentence:
    """Say whether anything is lost or doubled, and what."""
    published = _sum(record, "published")
    wrong = [
        _count(_sum(record, "lost"), "event", "named a bus that isn't there, and {is_} lost"),
        _count(_sum(record, "dropped"), "delivery", "failed for good, and {is_} kept nowhere", "deliveries"),
        _count(_sum(record, "handled again"), "copy", "went through a function that tells no copies apart", "copies"),
        _count(sum(each.dead_letters or 0 for each in consumers), "dead letter", "{waits} for somebody"),
    ]
    if told := [each for each in wrong if each]:
        return Sentence(tone="bad", text=f"{'; '.join(told)}.")
    if record.under_way:
        return Sentence(tone="quiet", text=f"Nothing lost, nothing doubled; {record.under_way:,} under way.")
    if not published and not record.events:
        return Sentence(tone="quiet", text="Nothing has been published yet.")
    return Sentence(tone="good", text=f"Nothing lost, nothing doubled, of {published:,} published.")


def _sum(record: Record, kind: str) -> int:
    return sum(count for key, count in record.counts.items() if key[0] == kind)


_ONE = {"is_": "is", "has": "has", "waits": "waits"}
_MANY = {"is_": "are", "has": "have", "waits": "wait"}


def _count(count: int, thing: str, told: str, things: str | None = None) -> str:
    if not count:
        return ""
    named = thing if count == 1 else things or f"{thing}s"
    return f"{count:,} {named} {told.format(**(_ONE if count == 1 else _MANY))}"


def _asked(sqs: Any, url: str) -> Depth:
    names = (
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    )
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
    visible, in_flight, delayed = (int(told.get(name, 0)) for name in names)
    return Depth(visible=visible, in_flight=in_flight, delayed=delayed)


def lines_of(topology: Topology, consumers: Iterable[ConsumerState], record: Record) -> dict[str, list[str]]:
    """Return what the parts of a drawing say beside their names, by their ARNs."""
    arns = {function.logical_id: function.arn for function in topology.functions}
    lines: dict[str, list[str]] = {}
    for name, outcomes in outcomes_by_consumer(record).items():
        if name in arns:
            lines[arns[name]] = [f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items())]
    for name, count in faults_by_function(record).items():
        if name in arns:
            lines.setdefault(arns[name], []).append(f"{count:,} fault{'' if count == 1 else 's'} met")
    for each in consumers:
        told = [f"{each.depth.visible + each.depth.delayed:,} waiting, {each.depth.in_flight:,} in flight"]
        if each.paused:
            told.append("paused")
        if each.dead_letters:
            told.append(f"{each.dead_letters:,} dead letter{'' if each.dead_letters == 1 else 's'}")
        lines[each.queue_arn] = told
    for bus in topology.buses:
        types = Counter({key[2]: number for key, number in record.counts.items() if key[:2] == ("published", bus.name)})
        if types:
            lines[bus.arn] = [f"{types.total():,} published", *_most(types)]
    return lines


def _most(types: Counter[str]) -> Iterator[str]:
    """Yield the types that are published most, and how many there are beside them."""
    yield from (f"{count:,} {name}" for name, count in types.most_common(_MOST_TYPES))
    if len(types) > _MOST_TYPES:
        yield f"and {len(types) - _MOST_TYPES:,} types more"
