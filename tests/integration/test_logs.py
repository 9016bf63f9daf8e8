"""What functions write can be read as on AWS, whatever they are written with and however they end."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.local_cloud import LocalCloud

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {CodeUri: code, Handler: app.handler, Runtime: python3.11, MemorySize: 256, Timeout: 60}
Resources:
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /shop/own}}
  Plain: {Type: AWS::Serverless::Function, Properties: {FunctionName: plain}}
  Hasty: {Type: AWS::Serverless::Function, Properties: {FunctionName: hasty, Timeout: 1}}
  Own: {Type: AWS::Serverless::Function, Properties: {FunctionName: own, LoggingConfig: {LogGroup: !Ref Group}}}
"""

SOURCE = """
    import ctypes, json, logging, os, sys, time
    print("loaded")
    def handler(event, context):
        logging.getLogger().setLevel("INFO")
        exec(event)
        return "fine"
"""

PLAIN = "/aws/lambda/plain"


def used(
    tmp_path: Path, use: Callable[[Any, LocalCloud], Any], *statements: str, function: str = "Plain"
) -> tuple[Any, list[Invocation]]:
    """Run statements in a function, and use CloudWatch Logs' client afterwards."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text(textwrap.dedent(SOURCE))
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    async def main() -> tuple[Any, list[Invocation]]:
        async with LocalCloud(tmp_path / "template.yaml") as cloud:
            ended = [await cloud.invoke(function, json.dumps(each).encode()) for each in statements]
            client = boto3.client("logs", endpoint_url=cloud.endpoint, region_name="eu-west-1")
            return await asyncio.to_thread(use, client, cloud), ended

    return asyncio.run(main())


def messages(client: Any, group: str = PLAIN, **params: Any) -> list[str]:
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, interleaved=True, **params)
    return [event["message"] for page in pages for event in page["events"]]


def own_lines(told: list[str]) -> Iterator[str]:
    """All but what Lambda itself writes around an invocation."""
    return (line.rstrip("\n") for line in told if not line.startswith(("START ", "END ", "REPORT ")))


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("print('hello')", ["hello"]),
        ("print('one\\ntwo')", ["one", "two"]),
        ("print('no end', end='')", ["no end"]),
        ("print('to standard error', file=sys.stderr)", ["to standard error"]),
        ("os.write(1, b'from C: \\xff\\n')", ["from C: \ufffd"]),
        ("print(json.dumps({'_aws': {}, 'Done': 1}))", ['{"_aws":{},"Done":1}']),
        ("print()", [""]),
    ],
    ids=["a line", "two", "without an end", "standard error", "no text", "a metric", "an empty line"],
)
def test_what_a_plain_function_prints_is_read(tmp_path: Path, statement: str, says: list[str]) -> None:
    """Line by line, by FilterLogEvents, which `aws logs tail` uses."""
    told, _ = used(tmp_path, lambda client, _: messages(client), statement)

    assert list(own_lines(told)) == ["loaded", *says]


def test_a_record_of_logging_is_read(tmp_path: Path) -> None:
    """In the form that Lambda gives it."""
    told, (ended,) = used(tmp_path, lambda client, _: messages(client), "logging.warning('careful')")

    (_, line) = own_lines(told)
    assert line.startswith("[WARNING]\t")
    assert line.endswith(f"\t{ended.request_id}\tcareful")


def test_a_traceback_is_one_event(tmp_path: Path) -> None:
    """Of as many lines as it has."""
    told, _ = used(tmp_path, lambda client, _: messages(client), "raise ValueError('no way')")

    (_, traceback) = own_lines(told)
    first, second, *_ = traceback.splitlines()
    assert (first, second) == ("[ERROR] ValueError: no way", "Traceback (most recent call last):")
    assert "in handler" in traceback


@pytest.mark.parametrize(
    ("statement", "says", "status"),
    [
        ("print('busy'); os._exit(3)", "Runtime exited with error: exit status 3", "Status: error"),
        ("print('busy', end=''); ctypes.string_at(0)", "signal: segmentation fault", "Status: error"),
        ("print('busy'); held = b'x' * 2**30", "signal: killed", "Error Type: Runtime.OutOfMemory"),
    ],
    ids=["an exit", "a crash", "too much memory"],
)
def test_an_end_without_a_word_is_told(tmp_path: Path, statement: str, says: str, status: str) -> None:
    """After all that the function has written, and before Lambda's report."""
    told, (ended,) = used(tmp_path, lambda client, _: messages(client), statement)

    begun, *printed, last, end, report = told[1:]
    assert begun == f"START RequestId: {ended.request_id} Version: $LATEST\n"
    assert printed == ["busy\n"]
    assert says in last
    assert end == f"END RequestId: {ended.request_id}\n"
    assert report.startswith(f"REPORT RequestId: {ended.request_id}\tDuration: ")
    assert status in report


def test_a_time_out_is_told(tmp_path: Path) -> None:
    """In Lambda's words."""
    told, (ended,) = used(
        tmp_path, lambda client, _: messages(client, "/aws/lambda/hasty"), "time.sleep(600)", function="Hasty"
    )

    _, _, last, _, report = told
    assert last.endswith(f" {ended.request_id} Task timed out after 1.00 seconds\n")
    assert "Status: timeout" in report


def test_a_silent_invocation_is_reported(tmp_path: Path) -> None:
    """By Lambda's own lines."""
    told, (first, second) = used(tmp_path, lambda client, _: messages(client), "pass", "pass")

    ids = [line.split("RequestId: ")[1].split()[0] for line in told[1:]]
    assert [line.split()[0] for line in told[1:]] == ["START", "END", "REPORT"] * 2
    assert ids == [first.request_id] * 3 + [second.request_id] * 3


def test_a_function_that_cannot_start_says_why(tmp_path: Path) -> None:
    """Its process has printed it, before any invocation."""

    async def main() -> list[str]:
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "app.py").write_text("import missing")
        (tmp_path / "template.yaml").write_text(TEMPLATE)
        async with LocalCloud(tmp_path / "template.yaml") as cloud:
            await cloud.invoke("Plain", b"{}")
            client = boto3.client("logs", endpoint_url=cloud.endpoint, region_name="eu-west-1")
            return await asyncio.to_thread(messages, client)

    told = "".join(asyncio.run(main()))

    assert "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'missing'" in told


def test_groups_and_streams_are_described(tmp_path: Path) -> None:
    """A group for each function from the start, a stream for each of its processes, others' groups beside."""

    def look(client: Any, _: LocalCloud) -> Any:
        client.create_log_group(logGroupName="/somebody/else")
        groups = [each["logGroupName"] for each in client.describe_log_groups()["logGroups"]]
        some = [each["logGroupName"] for each in client.describe_log_groups(logGroupNamePrefix="/aws")["logGroups"]]
        streams = client.describe_log_streams(logGroupName=PLAIN, orderBy="LastEventTime", descending=True)
        return groups, some, streams["logStreams"]

    (groups, some, streams), _ = used(tmp_path, look, "print('a')", "os._exit(1)", "print('b')")

    assert groups == ["/aws/lambda/hasty", PLAIN, "/shop/own", "/somebody/else"]
    assert some == ["/aws/lambda/hasty", PLAIN]
    assert len(streams) == 2
    assert all("/[$LATEST]" in stream["logStreamName"] for stream in streams)


def test_a_function_writes_to_the_group_that_its_template_names(tmp_path: Path) -> None:
    """And is told so by its environment."""
    statement = "print(os.environ['AWS_LAMBDA_LOG_GROUP_NAME'], os.environ['AWS_LAMBDA_LOG_STREAM_NAME'])"

    def look(client: Any, _: LocalCloud) -> Any:
        (stream,) = client.describe_log_streams(logGroupName="/shop/own")["logStreams"]
        return messages(client, "/shop/own"), stream["logStreamName"]

    (told, stream), _ = used(tmp_path, look, statement, function="Own")

    assert f"/shop/own {stream}\n" in told


def test_a_stream_is_read_forwards_and_backwards(tmp_path: Path) -> None:
    """GetLogEvents gives the newest by default, and tokens for both ways that never end."""

    def look(client: Any, _: LocalCloud) -> Any:
        (stream,) = client.describe_log_streams(logGroupName=PLAIN)["logStreams"]
        where = {"logGroupName": PLAIN, "logStreamName": stream["logStreamName"], "limit": 3}
        newest = client.get_log_events(**where)
        older = client.get_log_events(**where, nextToken=newest["nextBackwardToken"])
        newer = client.get_log_events(**where, nextToken=older["nextForwardToken"])
        after = client.get_log_events(**where, nextToken=newest["nextForwardToken"])
        oldest = client.get_log_events(**where, startFromHead=True)
        return newest, older, newer, after, oldest

    answers, _ = used(tmp_path, look, "for number in range(8): print(number)")

    newest, older, newer, after, oldest = ([e["message"].split()[0] for e in each["events"]] for each in answers)
    assert (newest, older, newer, after) == (["7", "END", "REPORT"], ["4", "5", "6"], ["7", "END", "REPORT"], [])
    assert oldest == ["loaded", "START", "0"]
    assert answers[3]["nextForwardToken"] == answers[0]["nextForwardToken"]


def test_events_are_filtered_by_time_stream_and_pattern(tmp_path: Path) -> None:
    """And paged, each event once."""

    def look(client: Any, _: LocalCloud) -> Any:
        events = client.filter_log_events(logGroupName=PLAIN)["events"]
        (four,) = [event for event in events if event["message"] == "line 4\n"]
        return {
            "terms": messages(client, filterPattern="line -3"),
            "pages": messages(client, filterPattern="line", PaginationConfig={"PageSize": 2}),
            "times": messages(client, filterPattern="line", startTime=four["timestamp"] + 60_000),
            "stream": messages(client, logStreamNames=[four["logStreamName"]], filterPattern='"line 4"'),
            "others": messages(client, logStreamNamePrefix="none"),
            "ids": len({event["eventId"] for event in events}) == len(events),
        }

    found, _ = used(tmp_path, look, "for number in range(5): print('line', number)")

    assert found == {
        "terms": ["line 0\n", "line 1\n", "line 2\n", "line 4\n"],
        "pages": [f"line {number}\n" for number in range(5)],
        "times": [],
        "stream": ["line 4\n"],
        "others": [],
        "ids": True,
    }


@pytest.mark.parametrize(
    ("call", "params", "code"),
    [
        ("filter_log_events", {"logGroupName": "nobody"}, "ResourceNotFoundException"),
        ("describe_log_streams", {"logGroupName": "nobody"}, "ResourceNotFoundException"),
        ("get_log_events", {"logGroupName": PLAIN, "logStreamName": "none"}, "ResourceNotFoundException"),
        ("filter_log_events", {"logGroupName": PLAIN, "filterPattern": '"open'}, "InvalidParameterException"),
        ("filter_log_events", {"logGroupName": PLAIN, "nextToken": "x"}, "InvalidParameterException"),
        (
            "describe_log_streams",
            {"logGroupName": PLAIN, "logStreamNamePrefix": "2", "orderBy": "LastEventTime"},
            "InvalidParameterException",
        ),
    ],
)
def test_what_aws_refuses_is_refused(tmp_path: Path, call: str, params: dict[str, Any], code: str) -> None:
    """By its name."""

    def look(client: Any, _: LocalCloud) -> str:
        with pytest.raises(ClientError) as caught:
            getattr(client, call)(**params)
        return str(caught.value.response["Error"]["Code"])

    assert used(tmp_path, look)[0] == code
