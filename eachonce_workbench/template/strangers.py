"""Functions that a system sends to and doesn't run: another stack's, and those of other runtimes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from eachonce_workbench.template.system import function_name, service
from eachonce_workbench.template.topology import Rule, Topology


def without_strangers(topology: Topology) -> Topology:
    """Give a system whose rules send to functions that are run here, and tell which of their targets are not."""
    names = {function.name for function in topology.functions}
    lines = [
        f"AWS::Events::Rule {rule.logical_id}, target {target.id} ({target.arn}): not run here"
        for rule in topology.rules
        for target in rule.targets
        if _is_strange(target.arn, names)
    ]
    rules = tuple(_kept(rule, names) for rule in topology.rules)
    return replace(topology, rules=rules, passed_over=(*topology.passed_over, *lines)) if lines else topology


def _kept(rule: Rule, names: Collection[str]) -> Rule:
    return replace(rule, targets=tuple(each for each in rule.targets if not _is_strange(each.arn, names)))


def _is_strange(arn: str, names: Collection[str]) -> bool:
    return service(arn) == "lambda" and function_name(arn) not in names
