"""What a function's events come by: whether one may come again, and after how long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eachonce_workbench.check.deliveries import STREAMS, Mapped, function, mapped, targets
from eachonce_workbench.check.functions import asynchronous
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.template.declared import Declared
from eachonce_workbench.template.system import service


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
        return any(
            service(str(target.get("Arn"))) == "lambda" and function(self.resources, target.get("Arn")) is function_
            for _, target in targets(self.resources)
        )

    def again(self, function_: Declared) -> bool:
        """Whether AWS may bring a function an event more than once."""
        return bool(self.batches(function_)) or any(each is function_ for each, _ in asynchronous(self.resources))
