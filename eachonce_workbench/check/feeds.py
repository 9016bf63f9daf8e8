"""What a function's events come by: whether one may come again, and after how long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eachonce_workbench.check.deliveries import STREAMS, Mapped, mapped
from eachonce_workbench.check.functions import asynchronous
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.template.declared import Declared


@dataclass(frozen=True, slots=True)
class Feeds:
    """What brings events to the functions of a template."""

    resources: Resources

    def mappings(self, function_: Declared, *sources: str) -> Iterator[Mapped]:
        """Give a function's mappings of these services."""
        return (each for each in mapped(self.resources, *sources) if each.function is function_)

    def batches(self, function_: Declared) -> list[Mapped]:
        """Give the mappings that bring a function batches."""
        return list(self.mappings(function_, "sqs", *STREAMS))

    def by_rule(self, function_: Declared) -> bool:
        """Whether a rule invokes a function itself."""
        return any(each is function_ and by.type == "AWS::Events::Rule" for each, by in asynchronous(self.resources))

    def again(self, function_: Declared) -> bool:
        """Whether AWS may bring a function an event more than once."""
        return bool(self.batches(function_)) or any(each is function_ for each, _ in asynchronous(self.resources))
