"""Effects outside the work: what a handler does to the world while it runs, or is imported.

What would reach beyond the limits of the confinement is refused, so that nobody is ever told of a made-up event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from eachonce_workbench.cloud.confinement import process
from eachonce_workbench.cloud.confinement.guard import Guard, guarded
from eachonce_workbench.cloud.confinement.refusals import Refusals

Changing = Callable[[str, Sequence[str]], object]


@contextmanager
def watched(noted: list[str], changing: Changing | None = None, *, programs: bool = False) -> Iterator[None]:
    """Note in `noted` what the process does to the world meanwhile, and what it tries, in words.

    Where somebody is told of what is `changing` in the file system, with the paths, that is not noted. To start a
    program is an effect, whatever becomes of it; `programs` lets it pass where the kernel confines it.
    """
    limits, programs = process.limits(), programs and process.confines_programs()
    told: Changing = (lambda words, _: noted.append(words)) if changing is None else changing
    try:
        with guarded(Guard(limits=limits, refused=noted.append, changing=told, programs=programs)):
            yield
    finally:
        noted += process.refused()


@contextmanager
def unwatched() -> Iterator[None]:
    """Note nothing meanwhile: what happens is the layer's doing, or this package's."""
    with guarded(process.standing()):
        yield


@contextmanager
def importing(name: str, refusals: Refusals) -> Iterator[None]:
    """Note what a module tries while it is imported."""
    noted: list[str] = []
    try:
        with watched(noted, programs=True):
            yield
    finally:
        refusals.note(f"{name}, while it was imported,", noted)
