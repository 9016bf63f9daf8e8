"""What functions did and may not do, as far as their template says what they may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from eachonce_workbench.cloud.rights import Right
from eachonce_workbench.template.topology import Topology


def denied(topology: Topology, used: Mapping[str, Set[Right]]) -> Iterator[str]:
    """Yield in words what AWS would refuse of what functions (by logical id) needed a right to."""
    arns = dict(_arns(topology))
    for function in sorted(used):
        policy = topology.function(function).policy
        for action, name in sorted(used[function]):
            arn = _parameter(topology, name) if action.startswith("ssm:") else arns.get(name)
            if policy is not None and arn is not None and policy.allows(action, arn) is False:
                yield f"{function} needs {action} on {name}, which its role doesn't allow"


def together(runs: Iterable[Mapping[str, Set[Right]]]) -> dict[str, set[Right]]:
    """Return the rights that functions needed in any of several runs."""
    needed: dict[str, set[Right]] = {}
    for run in runs:
        for function, rights in run.items():
            needed.setdefault(function, set()).update(rights)
    return needed


def _arns(topology: Topology) -> Iterator[tuple[str, str]]:
    for kind in (topology.tables, topology.queues, topology.buses):
        yield from ((each.name, each.arn) for each in kind)
    yield from ((each.id, each.arn) for each in topology.encryption_keys)
    for stored in topology.stored_values:
        if stored.arn:
            yield from ((stored.name, stored.arn), (stored.arn, stored.arn))


def _parameter(topology: Topology, name: str) -> str:
    partition = topology.buses[0].arn.split(":")[1] if topology.buses else "aws"
    return f"arn:{partition}:ssm:{topology.region}:{topology.account_id}:parameter/{name.removeprefix('/')}"
