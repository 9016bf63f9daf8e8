"""Trials: what a bundle's books may add to a simulation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from eachonce_workbench.run.books import Input, Scan
from eachonce_workbench.template.topology import Topology


class Observer(Protocol):
    """Sees one simulation's events; books of its own, beside the tables that all runs compare."""

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Look at an event (a CloudEvents object) that was published; the same one may be published twice."""
        ...

    def missing(self) -> Iterable[str]:
        """Say what the events so far should have led to on the bus, and didn't."""
        ...

    def misbooked(self, scan: Scan) -> Iterable[str]:
        """Say what of the trial's own tables is wrong when all is quiet."""
        ...


@runtime_checkable
class Trial(Protocol):
    """Books (`run.books.Books`) that add to a simulation."""

    def adapt(self, topology: Topology) -> Topology:
        """Return the topology with whatever the simulation is to meet beside the bundle itself."""
        ...

    def model(self) -> Input | None:
        """Return an input for a bus or a queue with an event of which poison can be made; None if there is none."""
        ...

    def observer(self) -> Observer:
        """Return what sees one simulation."""
        ...


class NoTrial:
    """What is added where books add nothing: of the inputs themselves, the first with an event is the model."""

    def __init__(self, inputs: Iterable[Input]) -> None:
        self._inputs = inputs

    def adapt(self, topology: Topology) -> Topology:
        """Return it as it is."""
        return topology

    def model(self) -> Input | None:
        """Return the first input for a bus or a queue that holds an event."""
        from eachonce_workbench.simulator.poison import event_in

        return next((each for each in self._inputs if event_in(each) is not None), None)

    def observer(self) -> Observer:
        """Return one that looks at nothing."""
        return _NoObserver()


class _NoObserver:
    def __call__(self, event: Mapping[str, Any]) -> None:
        pass

    def missing(self) -> Iterable[str]:
        return ()

    def misbooked(self, scan: Scan) -> Iterable[str]:  # noqa: ARG002 - as an Observer
        return ()
