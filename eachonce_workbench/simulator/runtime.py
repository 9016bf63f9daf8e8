"""The Runtime that runs functions in this process, one strand at a time, and lets them die as Lambda does."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from eachonce.settings import GroupCommits

from eachonce_workbench.cloud.functions.ending import exited, timed_out
from eachonce_workbench.cloud.functions.environment import function_environment
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.local_cloud import NOWHERE
from eachonce_workbench.simulator.chaos import Chaos
from eachonce_workbench.simulator.fault import DeliveryFault
from eachonce_workbench.simulator.message import detail_in
from eachonce_workbench.simulator.outage import Outages
from eachonce_workbench.simulator.patience import Patience
from eachonce_workbench.simulator.poison import is_poison
from eachonce_workbench.simulator.poisoned import Poisoned
from eachonce_workbench.simulator.worker import Killed, Worker
from eachonce_workbench.template.topology import Function, Topology

if TYPE_CHECKING:
    from eachonce_workbench.cloud.history import History
    from eachonce_workbench.simulator.watch import Watch

# An event whose worker dies under it again and again is rejected, whoever is to blame. So as not to accuse an innocent
# one, no more of its workers than these die for reasons of their own.
_MOST_DEATHS = 2
_SIGKILL = -9

# What the layer's group commit may be told: a worker's own draw, so that each run has workers of all kinds.
_GROUP_COMMITS = get_args(GroupCommits)


class Context:
    """What Lambda tells a function of its invocation."""

    memory_limit_in_mb = 512
    function_version = "$LATEST"

    def __init__(self, function: Function, request_id: str, deadline: float) -> None:
        self.function_name = function.name
        self.log_group_name = function.log_group_name
        self.log_stream_name = "simulated"
        self.identity = None
        self.client_context = None
        self.invoked_function_arn = function.arn
        self.aws_request_id = request_id
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may go on."""
        return max(0, int((self._deadline - self._loop.time()) * 1000))


class SimulatedRuntime:
    """Runs the functions of a topology, up to `workers_per_function` invocations of each at once."""

    def __init__(
        self,
        topology: Topology,
        chaos: Chaos,
        history: History,
        watch: Watch,
        *,
        environment: Mapping[str, str] = {},
        workers_per_function: int = 4,
    ) -> None:
        """`environment` is added to what the template gives each function.

        `poisoned` are the marks of messages whose bodies end or fail whoever reads them.
        """
        self._topology = topology
        self._chaos = chaos
        self._history = history
        self._watch = watch
        self._extra = dict(environment)
        self._slots = {function.logical_id: asyncio.Semaphore(workers_per_function) for function in topology.functions}
        self._idle: dict[str, list[Worker]] = defaultdict(list)
        self._deaths: Counter[str] = Counter()
        self._invocations = 0
        self._workers = 0
        self.deliveries = 0
        self.poisoned: dict[str, DeliveryFault] = {}
        self.poison_ids: set[str] = set()
        self.poisoned_in_vain = False
        self._patience = Patience(topology)
        self._readers = frozenset(mapping.function for mapping in topology.stream_mappings)
        self._relays = Outages(chaos, DeliveryFault.RELAY_DOWN, shortest=3_600.0, longest=4 * 3_600.0)

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        """Run a function in this process."""
        definition = self._topology.function(function)
        name = definition.logical_id
        if name in self._readers and self._relays.down(name):
            return exited(1).invocation("", duration_ms=0.0, log_tail="")
        event = json.loads(payload)
        batch = _event_ids(event)
        about = f"{name} {batch[0]}" if batch else name
        spared = self._patience.is_at_its_end(definition, event, request_id)
        if not spared and self._chaos.delivery(DeliveryFault.REFUSED_START, about):
            return Invocation(status="throttled", payload=b"{}", error_type="TooManyRequestsException")
        async with self._slots[name]:
            invocation = await self._run(definition, event, batch, request_id, spared=spared)
        again = DeliveryFault.STREAM_AGAIN if name in self._readers else DeliveryFault.RESULT_LOST
        if invocation.ok and not spared and self._chaos.delivery(again, about):
            return exited(1).invocation(invocation.request_id, duration_ms=0.0, log_tail="")
        return invocation

    async def stop(self) -> None:
        """Forget every worker."""
        self._idle.clear()

    async def _run(
        self, function: Function, event: Any, batch: Sequence[str], request_id: str | None, *, spared: bool
    ) -> Invocation:
        name = function.logical_id
        self._invocations += 1
        request_id = f"{name}-{self._invocations}" if request_id is None else request_id
        self.deliveries += len(batch)
        worker = self._idle[name].pop() if self._idle[name] else self._worker(function)
        worker.mortal = all(self._deaths[event_id] < _MOST_DEATHS or is_poison(event_id) for event_id in batch)
        worker.spared, worker.hindered = spared, False
        self.poison_ids.update(Poisoned.put_into(event, self.poisoned))
        self._history.record("invoked", function=name, request_id=request_id, event_ids=batch)
        deadline = asyncio.get_running_loop().time() + function.timeout_seconds
        self._watch.invoked(request_id, name, event, deadline=time.time() + function.timeout_seconds)
        result = None
        try:
            async with asyncio.timeout_at(deadline):
                result = await worker.run(request_id, event, Context(function, request_id, deadline))
        except TimeoutError:
            worker.kill()
            invocation = timed_out(function.timeout_seconds).invocation(request_id, duration_ms=0.0, log_tail="")
        except Killed:
            invocation = exited(_SIGKILL).invocation(request_id, duration_ms=0.0, log_tail="")
        except Exception as error:  # noqa: BLE001 - whatever a function raises is its result
            document = _document(error)
            invocation = Invocation(
                status="error", payload=document, error_type=type(error).__name__, request_id=request_id
            )
        else:
            invocation = Invocation(status="ok", payload=json.dumps(result).encode(), request_id=request_id)
        self._watch.ended(request_id, result, well=invocation.ok)
        if worker.alive:
            self._idle[name].append(worker)
        if worker.hindered or not worker.alive:
            self._deaths.update(batch)
        self._history.record(
            "attempted",
            function=name,
            request_id=request_id,
            status=invocation.status,
            error_type=invocation.error_type,
            error_message=invocation.error_message,
            document=b"" if invocation.ok else invocation.payload,
            duration_ms=0.0,
        )
        return invocation

    def _worker(self, function: Function) -> Worker:
        environment = function_environment(function, endpoint=NOWHERE, runtime_api="simulated")
        refused = partial(self._refused, function.logical_id)
        self._workers += 1
        groups = int(self._chaos.between(0, len(_GROUP_COMMITS), f"how worker {self._workers} commits"))
        environment = {**environment, "GROUP_COMMIT": _GROUP_COMMITS[groups]}
        return Worker(function, environment | self._extra, refused=refused)

    def _refused(self, name: str, what: str) -> None:
        self._history.record("refused", function=name, what=what)


def _document(error: Exception) -> bytes:
    """Return what Lambda makes of an exception."""
    trace = traceback.format_tb(error.__traceback__)
    document = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}
    return json.dumps(document).encode()


def _event_ids(event: Any) -> list[str]:
    """Return the ids of the events in an SQS batch; of a message that holds none, its own."""
    if not isinstance(event, dict):
        return []
    records = [each for each in event.get("Records", ()) if isinstance(each, dict)]
    return [_event_id(record) for record in records if record.get("eventSource") == "aws:sqs"]


def _event_id(record: Mapping[str, Any]) -> str:
    return str(detail_in(record["body"]).get("id", record["messageId"]))
