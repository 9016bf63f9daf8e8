"""EventBridge's reading calls: the buses, rules and targets of a topology.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.template.topology import Bus, Rule, Target, Topology

Params = Mapping[str, Any]


class Rules:
    """Tells of the buses and rules of one topology."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._calls: Mapping[str, Callable[[Params], Params]] = {
            "DescribeEventBus": self._describe_bus,
            "DescribeRule": self._describe_rule,
            "ListEventBuses": self._list_buses,
            "ListRuleNamesByTarget": self._list_names,
            "ListRules": self._list_rules,
            "ListTargetsByRule": self._list_targets,
        }

    def answers(self, operation: str) -> bool:
        """Whether an operation is one of these."""
        return operation in self._calls

    def answer(self, operation: str, params: Params) -> Params:
        """Give the operation's result. Raises `AwsError` ResourceNotFoundException."""
        return self._calls[operation](params)

    def _list_buses(self, params: Params) -> Params:
        prefix = params.get("NamePrefix") or ""
        return {"EventBuses": [_bus(bus) for bus in self._topology.buses if bus.name.startswith(prefix)]}

    def _describe_bus(self, params: Params) -> Params:
        return _bus(self._bus(params.get("Name")))

    def _list_rules(self, params: Params) -> Params:
        prefix = params.get("NamePrefix") or ""
        return {"Rules": [_rule(rule) for rule in self._rules(params) if rule.name.startswith(prefix)]}

    def _describe_rule(self, params: Params) -> Params:
        return _rule(self._rule(params, "Name"))

    def _list_targets(self, params: Params) -> Params:
        return {"Targets": [_target(target) for target in self._rule(params, "Rule").targets]}

    def _list_names(self, params: Params) -> Params:
        wanted = params.get("TargetArn")
        rules = self._rules(params)
        return {"RuleNames": [rule.name for rule in rules if wanted in [target.arn for target in rule.targets]]}

    def _bus(self, given: Any) -> Bus:
        name = str(given or "default").rpartition("/")[2]
        found = next((bus for bus in self._topology.buses if bus.name == name), None)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")
        return found

    def _rules(self, params: Params) -> Iterable[Rule]:
        bus = self._bus(params.get("EventBusName"))
        return (rule for rule in self._topology.rules if rule.bus_name == bus.name)

    def _rule(self, params: Params, by: str) -> Rule:
        name = params.get(by)
        found = next((rule for rule in self._rules(params) if rule.name == name), None)
        if found is None:
            bus = self._bus(params.get("EventBusName")).name
            raise AwsError("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {bus}.")
        return found


def _bus(bus: Bus) -> Params:
    return {"Name": bus.name, "Arn": bus.arn}


def _rule(rule: Rule) -> Params:
    told = {
        "Name": rule.name,
        "Arn": rule.arn,
        **_wanted(rule),
        "State": "ENABLED" if rule.enabled else "DISABLED",
        "EventBusName": rule.bus_name,
    }
    return told | {name: rule.properties[name] for name in ("Description",) if name in rule.properties}


def _wanted(rule: Rule) -> Params:
    """Give what a rule follows: a pattern, a schedule or both."""
    wanted = {name: rule.properties[name] for name in ("ScheduleExpression",) if name in rule.properties}
    if rule.pattern is not None:
        wanted["EventPattern"] = json.dumps(rule.pattern.document, separators=(",", ":"))
    return wanted


def _target(target: Target) -> Params:
    """Give a target as the template writes it: CloudFormation's names are the API's."""
    return {**target.properties, "Id": target.id, "Arn": target.arn}
