"""The judgement: what did not hold in the end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from eachonce_workbench.run.reconciliation import Reconciliation
from eachonce_workbench.simulator.buried import Buried
from eachonce_workbench.simulator.watch import Watch
from eachonce_workbench.template.topology import Topology


def missing_poison(watch: Watch, topology: Topology, dead: Collection[Buried], *, rows: Collection[str]) -> None:
    """Note the poison that should lie in a dead-letter queue and doesn't: events at each consumer, and journal rows."""
    there = {(each.id, each.queue_arn) for each in dead}
    for event_id in sorted(watch.poisonous):
        for arn in sorted(watch.delivered[event_id]):
            dead_letter_arn = topology.queue(arn).dead_letter_arn
            if dead_letter_arn is not None and (event_id, dead_letter_arn) not in there:
                watch.violated("no event lost", f"{event_id} is in no dead-letter queue of {arn}")
    for row in sorted(set(rows) - {each.id for each in dead}):
        watch.violated("no event lost", f"nobody was told of the row {row}")
    told = {(each.id, each.queue_arn) for each in dead if not each.innocent}
    for event_id, function in watch.conduct.reused(watch.reused):
        for mapping in topology.queue_mappings:
            dead_letter_arn = topology.queue(mapping.queue_arn).dead_letter_arn
            if mapping.function == function and dead_letter_arn is not None and (event_id, dead_letter_arn) not in told:
                watch.violated("an id used again is rejected", f"{event_id} with other content is not, at {function}")


def conclude(
    watch: Watch, reconciliation: Reconciliation | None, neighbours: Iterable[str], missing: Iterable[str]
) -> None:
    """Note what the books and the dead-letter queues show, and what never happened."""
    if reconciliation is not None:
        for row in reconciliation.lost:
            watch.violated("no event lost", row)
        for row in (*reconciliation.doubled, *reconciliation.different):
            watch.violated("the books agree with the inputs", row)
    for event in missing:
        watch.violated("no event lost", event)
    for neighbour in neighbours:
        watch.violated("no innocent neighbour in a dead-letter queue", neighbour)
    for event_id in watch.unpublished():
        watch.violated("every committed event is published", f"{event_id} of {watch.committed[event_id]}")


def inconclusive(watch: Watch, reconciliation: Reconciliation | None, *, journal: bool, poison: bool) -> Iterator[str]:
    """Say what could not be checked."""
    if reconciliation is None:
        yield "the bundle has no books: whether the right thing came of its inputs, nobody can say"
        if journal and (unsettled := watch.unsettled()):
            few = ", ".join(unsettled[:3])
            yield f"{len(unsettled)} events have no final row at some consumer that got them: {few}"
    if not journal:
        yield "no function has a journal (TABLE_JOURNAL): whether an effect was lost, or applied twice, nobody can say"
    if not poison:
        yield "no input holds an event: no poison was made of one"
