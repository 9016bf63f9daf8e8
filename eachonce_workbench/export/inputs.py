"""The inputs of any bundle: files that a person names, the bundle's samples, or drawn from contracts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from eachonce import Consumer, Endpoint

from eachonce_workbench.certify.crowd import crowds
from eachonce_workbench.certify.sample import NoSampleError
from eachonce_workbench.certify.subject import handler_of
from eachonce_workbench.cloud.confinement.refusals import Refusals
from eachonce_workbench.export.payloads import Payloads
from eachonce_workbench.run.books import BooksError, Input
from eachonce_workbench.run.samples import Samples, folders_of
from eachonce_workbench.template.journal import journal_of
from eachonce_workbench.template.topology import Function, Topology

# Enough for events to meet in rows, as a certificate's crowds do, and few enough that each fault is tried at each.
_CROWD = 3


class Inputs:
    """Finds inputs; `passed_over` says what was not taken, and why."""

    def __init__(self, folder: Path, topology: Topology) -> None:
        """Take the bundle's folder, and its system."""
        self._folder = folder
        self._topology = topology
        self._samples = Samples(folder, topology)
        self.passed_over: list[str] = []

    def of(self, source: Path | None, limit: int | None) -> list[Input]:
        """Return the first `limit` inputs. Raises BooksError where there are none, or a file can't be read."""
        if source is not None:
            found = list(self._of_path(source))
        else:
            found = list(self._of_samples())
            found += self._drawn({given.name.partition("/")[0] for given in found})
        self.passed_over += self._samples.passed_over
        found = [given for given in found if not self._is_of_journal(given)]
        if not found:
            raise BooksError(
                f"there is nothing to send: no sample in {self._folder / 'events'}/FUNCTION/*.json, and no function "
                "whose contracts events could be drawn from; name files of your own by --events"
            )
        return list(islice(self._once(found), limit))

    def _is_of_journal(self, given: Input) -> bool:
        """Whether it tells a relay of a change of the journal: none that nobody made has a cause."""
        journal = journal_of(self._topology)
        readers = {
            each.function
            for each in self._topology.stream_mappings
            if journal is not None and each.table_name == journal.name
        }
        if given.kind != "function" or given.target not in readers:
            return False
        self.passed_over.append(f"{given.name}: a change of the journal that nobody made; not sent")
        return True

    def _once(self, found: Sequence[Input]) -> Iterator[Input]:
        """Yield each thing that comes from outside once: samples show copies, which are for the simulator to make."""
        seen: dict[tuple[str, str, bytes], str] = {}
        for given in found:
            first = seen.setdefault((given.kind, given.target, given.payload), given.name)
            if first == given.name:
                yield given
            else:
                self.passed_over.append(f"{given.name} is word for word {first}: sent once")

    def _of_samples(self) -> Sequence[Input]:
        try:
            return self._samples.inputs(None, None)
        except BooksError:
            if any((self._folder / "events").glob("*/*.json")):
                raise
            return ()

    def _of_path(self, source: Path) -> Iterator[Input]:
        """Yield the inputs in a file, in a folder of a function's, or in a folder of such folders."""
        if source.is_dir() and any(source.glob("*/*.json")):
            yield from self._samples.inputs(source, None)
            return
        for path in sorted(source.glob("*.json")) if source.is_dir() else [source]:
            sample = _read(path)
            yield from self._samples.of(path.name, self._function(path, sample), sample)

    def _function(self, path: Path, sample: Any) -> Function:
        """Return whom a file is for: by the folder's name, by what is in it, or since there is only one."""
        named = self._samples.function_of(path.resolve().parent.name)
        if named is not None:
            return named
        meant = list(self._meant(sample))
        if len(meant) == 1:
            return meant[0]
        names = ", ".join(each.logical_id for each in self._topology.functions)
        raise BooksError(f"{path}: which function is it for? Put it into a folder of its name; there are {names}")

    def _meant(self, sample: Any) -> Iterator[Function]:
        """Yield the functions that may get such a thing, as far as it says so itself."""
        topology = self._topology
        if len(topology.functions) == 1:
            yield topology.functions[0]
            return
        match sample:
            case {"Records": [{"eventSourceARN": str(arn)}, *_]}:
                read = [(each.queue_arn, each.function) for each in topology.queue_mappings]
                read += [(each.stream_arn, each.function) for each in topology.stream_mappings]
                names = {function for source, function in read if _named(source) == _named(arn)}
                yield from (topology.function(name) for name in sorted(names))
            case {"detail-type": _, "source": _, "detail": _}:
                yield from self._reached(sample)
            case {"routeKey": str(route)} if " " in route:
                yield from self._routed(*route.split(" ", 1))
            case {"httpMethod": str(method), "resource": str(path)}:
                yield from self._routed(method, path)

    def _reached(self, event: Mapping[str, Any]) -> Iterator[Function]:
        """Yield a function to which some rule leads an event: whichever it is, the event goes to the rule's bus."""
        topology = self._topology
        readers = {each.queue_arn: topology.function(each.function) for each in topology.queue_mappings}
        readers |= {each.arn: each for each in topology.functions}
        for rule in topology.rules:
            if rule.pattern is not None and rule.pattern.matches(dict(event)):
                yield from islice((readers[target.arn] for target in rule.targets if target.arn in readers), 1)
                return

    def _routed(self, method: str, path: str) -> Iterator[Function]:
        wanted = method.upper(), path
        for api in self._topology.apis:
            for route in api.routes:
                if (route.method, route.path) == wanted and route.function is not None:
                    yield self._topology.function(route.function)

    def _drawn(self, known: set[str]) -> Iterator[Input]:
        """Yield events drawn from the contracts of functions that nobody has samples of."""
        for function in self._topology.functions:
            if known & set(folders_of(function)):
                continue
            try:
                handler = handler_of(function, Refusals())
            except Exception as error:  # noqa: BLE001 - whatever a function's code raises is told
                self.passed_over.append(f"{function.logical_id} can't be imported: {type(error).__name__}: {error}")
                continue
            try:
                yield from self._of_contracts(function, handler)
            except NoSampleError as error:
                self.passed_over.append(f"{function.logical_id}: {error}")

    def _of_contracts(self, function: Function, handler: Any) -> Iterator[Input]:
        name, topology = folders_of(function)[0], self._topology
        match handler:
            case Consumer():
                queues = (each.queue_arn for each in topology.queue_mappings if each.function == function.logical_id)
                payloads = Payloads(region=topology.region, account_id=topology.account_id)
                size = max(_CROWD, len(handler.handlers))
                first, *_ = crowds(handler.handlers, size=size, count=1, chosen_by=0)
                yield from self._samples.of(f"{name}/drawn", function, payloads.batch(next(queues, ""), first))
            case Endpoint():
                for number, contract in enumerate(handler.contracts, start=1):
                    ((event, *_), *_) = crowds([contract], size=1, count=1, chosen_by=0)
                    drawn, payload = f"{name}/drawn#{number}", msgspec.json.encode(event.data)
                    yield Input(name=drawn, kind="function", target=function.logical_id, payload=payload)


def _named(arn: str) -> str:
    """Return what a queue, or a stream's table, is called in an ARN."""
    return arn.partition("/stream/")[0].split(":")[-1].rpartition("/")[2]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BooksError(f"{path}: {error}") from error
