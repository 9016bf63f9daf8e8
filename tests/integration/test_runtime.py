"""Functions run as AWS's own runtime client runs them, and fail as they fail in Lambda."""

import asyncio
import contextlib
import json
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from eachonce_workbench.cloud.functions.processes import ProcessRuntime
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.template.topology import Function

T = TypeVar("T")

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:shop-Fn"


@pytest.fixture
def function(tmp_path: Path) -> Callable[..., Function]:
    def build(source: str, **changes: Any) -> Function:
        (tmp_path / "app.py").write_text(textwrap.dedent(source))
        values: dict[str, Any] = {
            "logical_id": "Fn",
            "name": "shop-Fn",
            "arn": ARN,
            "handler": "app.handler",
            "runtime": "python3.11",
            "code": tmp_path,
            "layers": (),
            "timeout_seconds": 20,
            "memory_mb": 256,
            "environment": {},
            "reserved_concurrency": None,
        }
        return Function(**(values | changes))

    return build


@contextlib.asynccontextmanager
async def running(function: Function, history: History, **options: Any) -> AsyncIterator[ProcessRuntime]:
    runtime = ProcessRuntime([function], endpoint="http://127.0.0.1:4566", history=history, **options)
    try:
        yield runtime
    finally:
        await runtime.stop()


def with_runtime(
    function: Function, use: Callable[[ProcessRuntime], Coroutine[Any, Any, T]], **options: Any
) -> tuple[T, list[Happening]]:
    happened: list[Happening] = []
    history = History()
    history.subscribe(happened.append)

    async def main() -> T:
        async with running(function, history, **options) as runtime, asyncio.timeout(60):
            return await use(runtime)

    return asyncio.run(main()), happened


def invoke(function: Function, *events: Any) -> list[Invocation]:
    async def use(runtime: ProcessRuntime) -> list[Invocation]:
        return [await runtime.invoke("Fn", json.dumps(event).encode()) for event in events]

    return with_runtime(function, use)[0]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def assert_gone(pids: list[int]) -> None:
    """The kernel takes a moment to end a killed process that is nobody's child any more."""
    patience = time.monotonic() + 10
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < patience:
        time.sleep(0.01)
    assert not left


def test_the_result_of_a_handler_is_the_invocations_payload(function):
    """What a handler returns comes back as JSON, with a request id and a duration."""
    echo = function("def handler(event, context): return {'got': event, 'id': context.aws_request_id}")

    (invocation,) = invoke(echo, {"a": 1})

    assert invocation.status == "ok"
    assert json.loads(invocation.payload) == {"got": {"a": 1}, "id": invocation.request_id}
    assert invocation.duration_ms > 0


def test_a_worker_is_used_again(function):
    """One process serves one invocation after the other."""
    which = function("import os\ndef handler(event, context): return os.getpid()")

    first, second = invoke(which, {}, {})

    assert first.payload == second.payload


def test_invocations_at_once_have_workers_of_their_own_up_to_the_limit(function):
    """Two workers share four invocations; none is refused."""
    which = function("import os\ndef handler(event, context): return os.getpid()")

    async def use(runtime: ProcessRuntime) -> set[bytes]:
        invocations = await asyncio.gather(*(runtime.invoke("Fn", b"{}") for _ in range(4)))
        return {invocation.payload for invocation in invocations}

    pids, _ = with_runtime(which, use, workers_per_function=2)

    assert len(pids) == 2


def test_a_function_is_known_by_logical_id_name_and_arn(function):
    """All three reach the same workers, and any other name none."""
    which = function("import os\ndef handler(event, context): return os.getpid()")

    async def use(runtime: ProcessRuntime) -> set[bytes]:
        with pytest.raises(KeyError):
            await runtime.invoke("Other", b"{}")
        return {(await runtime.invoke(name, b"{}")).payload for name in ("Fn", "shop-Fn", ARN)}

    pids, _ = with_runtime(which, use)

    assert len(pids) == 1


def test_a_function_sees_lambdas_environment_and_nothing_of_this_machine(function, monkeypatch, tmp_path):
    """Its own variables, Lambda's, the local endpoint, the layers on the path, and no variable of the caller's."""
    monkeypatch.setenv("HOME_SECRET", "mine")
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "shared.py").write_text("WORD = 'from the layer'")
    source = """
        import os, shared
        def handler(event, context):
            arn = context.invoked_function_arn
            return {"env": dict(os.environ), "cwd": os.getcwd(), "word": shared.WORD, "arn": arn}
    """

    (invocation,) = invoke(function(source, environment={"TABLE": "shop-Orders"}, layers=(layer,)), {})

    seen = json.loads(invocation.payload)
    assert (
        seen["env"].items()
        >= {
            "TABLE": "shop-Orders",
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
            "AWS_LAMBDA_FUNCTION_NAME": "shop-Fn",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "LAMBDA_TASK_ROOT": str(tmp_path),
            "TZ": ":UTC",
        }.items()
    )
    assert "HOME_SECRET" not in seen["env"]
    assert (seen["cwd"], seen["word"], seen["arn"]) == (str(tmp_path), "from the layer", ARN)


def test_an_exception_is_an_error_with_its_type(function):
    """The error document is the runtime client's own, and the worker lives on."""
    source = "def handler(event, context):\n    if event: raise ValueError('no ' + event)\n    return 'fine'"

    failed, after = invoke(function(source), "way", None)

    document = json.loads(failed.payload)
    assert (failed.status, failed.error_type) == ("error", "ValueError")
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no way")
    assert after.payload == b'"fine"'


@pytest.mark.parametrize(
    ("source", "handler", "error_type"),
    [
        ("import missing", "app.handler", "Runtime.ImportModuleError"),
        ("handler = 1 +", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("other = 1", "app.handler", "Runtime.HandlerNotFound"),
        ("raise RuntimeError('no configuration')", "app.handler", "RuntimeError"),
    ],
)
def test_a_function_that_cannot_start_fails_with_the_reason(function, source, handler, error_type):
    """Each invocation tries a new process and reports what that process said."""
    invocations = invoke(function(source, handler=handler), {}, {})

    assert [(i.status, i.error_type) for i in invocations] == [("error", error_type)] * 2


def test_a_time_out_kills_the_process(function):
    """The invocation fails in Lambda's words, and the next one gets a new process."""
    source = """
        import os, time
        def handler(event, context):
            if event: print(os.getpid(), flush=True); time.sleep(60)
            return os.getpid()
    """

    late, after = invoke(function(source, timeout_seconds=1), True, False)

    document = json.loads(late.payload)
    assert (late.status, late.error_type) == ("timeout", "Sandbox.Timedout")
    assert document["errorMessage"] == f"RequestId: {late.request_id} Error: Task timed out after 1.00 seconds"
    assert after.status == "ok"
    assert not alive(int(late.log_tail))


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("ctypes.string_at(0)", "Runtime exited with error: signal: segmentation fault"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_process_that_ends_is_a_crash_with_its_reason(function, statement, reason):
    """Lambda tells an exit status from a signal, and so does this; the next invocation gets a new process."""
    source = f"import ctypes, os\ndef handler(event, context):\n    if event: {statement}\n    return 'fine'"

    crashed, after = invoke(function(source), True, False)

    assert (crashed.status, crashed.error_type) == ("crash", "Runtime.ExitError")
    assert json.loads(crashed.payload)["errorMessage"] == f"RequestId: {crashed.request_id} Error: {reason}"
    assert after.payload == b'"fine"'


def test_a_process_that_exits_while_it_loads_is_a_crash(function):
    """Not even a start that ends without a word keeps the caller waiting."""
    (invocation,) = invoke(function("import os; os._exit(7)"), {})

    assert (invocation.status, invocation.error_type) == ("crash", "Runtime.ExitError")


def test_memory_beyond_the_limit_kills_the_process(function):
    """A function can't catch it, as it could a MemoryError; the next invocation gets a new process."""
    source = """
        import time
        def handler(event, context):
            held = []
            while event:
                try: held.append(bytearray(8 * 1024 * 1024)); time.sleep(0.005)
                except BaseException: pass
            return 'fine'
    """

    hog, after = invoke(function(source, memory_mb=128), True, False)

    assert (hog.status, hog.error_type) == ("crash", "Runtime.OutOfMemory")
    assert after.payload == b'"fine"'


def test_over_its_reserved_concurrency_a_function_is_throttled(function):
    """With one reserved and one running, the second is refused without a run."""
    quick = function("def handler(event, context): pass", reserved_concurrency=1)

    async def use(runtime: ProcessRuntime) -> list[str]:
        invocations = await asyncio.gather(*(runtime.invoke("Fn", b"{}") for _ in range(2)))
        return sorted(invocation.status for invocation in invocations)

    statuses, happened = with_runtime(quick, use)

    assert statuses == ["ok", "throttled"]
    assert [happening.kind for happening in happened].count("invoked") == 1


def test_a_response_over_lambdas_limit_is_an_error(function):
    """6 MB is the most that a function may return."""
    (invocation,) = invoke(function("def handler(event, context): return 'x' * (7 * 1024 * 1024)"), {})

    assert (invocation.status, invocation.error_type) == ("error", "Function.ResponseSizeTooLarge")


def test_what_a_function_prints_is_told_before_its_invocation_ends(function):
    """Lines are log lines, embedded metrics are metrics, all in order and under the invocation's request id."""
    metric = {"_aws": {"Timestamp": 0, "CloudWatchMetrics": []}, "Done": 3}
    source = f"""
        import json, sys
        def handler(event, context):
            print("one"); print("two", file=sys.stderr); print(json.dumps({metric!r})); print('{{"_aws" is no object')
    """

    async def use(runtime: ProcessRuntime) -> Invocation:
        return await runtime.invoke("Fn", b"{}")

    invocation, happened = with_runtime(function(source), use)

    told = [
        (each.kind, each.fields.get("line", each.fields.get("document")) if each.kind in ("log", "metric") else None)
        for each in happened
    ]
    assert told == [
        ("invoked", None),
        ("log", "one"),
        ("log", "two"),
        ("metric", metric),
        ("log", '{"_aws" is no object'),
        ("attempted", None),
    ]
    assert {happening.fields["request_id"] for happening in happened} == {invocation.request_id}
    assert invocation.log_tail.startswith("one\ntwo\n")


def test_stop_ends_every_process_and_their_children(function):
    """Whether idle, working, or started by a function: nothing is left."""
    source = """
        import os, subprocess, time
        def handler(event, context):
            child = subprocess.Popen(["sleep", "600"])
            print(os.getpid(), child.pid, flush=True)
            time.sleep(event)
    """
    pids: list[int] = []

    async def use(runtime: ProcessRuntime) -> Invocation:
        idle = await runtime.invoke("Fn", b"0")
        pids.extend(map(int, idle.log_tail.split()))
        working = asyncio.create_task(runtime.invoke("Fn", b"600"))
        await asyncio.sleep(0)
        await runtime.stop()
        return await working

    ended, _ = with_runtime(function(source), use)

    assert ended.status == "crash"
    assert_gone(pids)


def test_a_cancelled_invocation_takes_its_process_with_it(function):
    """Nobody waits for its result, so nothing may go on producing it; the next invocation gets a new process."""
    source = "import os, time\ndef handler(event, context): print(os.getpid(), flush=True); time.sleep(event)"

    async def main() -> tuple[str, str]:
        history, printed = History(), asyncio.Queue()
        history.subscribe(lambda happening: happening.kind == "log" and printed.put_nowait(happening.fields["line"]))
        async with running(function(source, timeout_seconds=600), history) as runtime, asyncio.timeout(20):
            working = asyncio.create_task(runtime.invoke("Fn", b"600"))
            pid = await printed.get()
            working.cancel()
            await asyncio.wait([working])
            after = await runtime.invoke("Fn", b"0")
        return pid, after.log_tail.strip()

    first, second = asyncio.run(main())

    assert first != second
    assert not alive(int(first))


def test_nothing_of_a_worker_outlives_the_runtime(function):
    """Neither file descriptors nor tasks are left when it has stopped."""
    descriptors = len(list(Path("/proc/self/fd").iterdir()))

    invoke(function("def handler(event, context): raise SystemExit"), {}, {})

    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
