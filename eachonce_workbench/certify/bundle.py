"""The certificate of a bundle's consumers, for the bundle's own tests, which know none of them by name."""

from __future__ import annotations

from pathlib import Path

from eachonce_workbench.certify.examination import Bounds, examine
from eachonce_workbench.certify.report import summary, witnessed
from eachonce_workbench.certify.subject import of_template
from eachonce_workbench.cloud.confinement.refusals import Refusals


def consumers(template: Path) -> list[str]:
    """Return the names of the consumers and endpoints among a template's functions.

    Raises TemplateError, and SubjectError when a function that keeps a journal can't be imported.
    """
    return [subject.name for subject in of_template(template, Refusals())]


def certify(template: Path, consumer: str, *, events: int = 3, faults: int = 1) -> None:
    """Deliver made-up events to a consumer in every order and with every fault, up to `faults` in one schedule.

    Raises AssertionError with the smallest witnesses, in words, when they don't always end alike; SubjectError when
    the template has no such consumer.
    """
    (subject,) = of_template(template, Refusals(), only=consumer)
    examined = examine(subject, Bounds(events=events, faults=faults))
    if not examined.passes:
        witnesses = "\n".join(f"{pair.one} and {pair.other}: {pair.witness}" for pair in witnessed(examined))
        raise AssertionError(f"{consumer}: {summary(examined)}\n{witnesses}")
