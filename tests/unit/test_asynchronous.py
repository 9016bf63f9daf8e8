"""Asynchronous invocations are tried again as Lambda does, and told of where the function's settings say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from eachonce_workbench.cloud.functions.asynchronous import Asynchronous
from eachonce_workbench.cloud.functions.destinations import DestinationError, Message
from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.simulator import clock
from eachonce_workbench.template.topology import EventInvoke, Function
from tests.topologies import arn, function

FAILURES = arn("sqs", "failures")
SUCCESSES = arn("sqs", "successes")
DEAD_LETTERS = arn("sqs", "dead-letters")

OK = Invocation(status="ok", payload=b'{"answer":1.50}')
FAILED = Invocation(
    status="error", payload=b'{"errorMessage":"no way","errorType":"ValueError"}', error_type="ValueError"
)
TIMED_OUT = Invocation(status="timeout", payload=b'{"errorMessage":"Task timed out"}', error_type="Sandbox.Timedout")
CRASHED = Invocation(status="crash", payload=b'{"errorMessage":"exited"}', error_type="Runtime.ExitError")
THROTTLED = Invocation(status="throttled", payload=b"{}", error_type="TooManyRequestsException")


class Script:
    """A Runtime that ends its invocations as it is told, the last way for ever; and destinations that keep all."""

    def __init__(self, *endings: Invocation, refuses: str | None = None, minute_seconds: float = 60.0) -> None:
        self._endings = list(endings)
        self._refuses = refuses
        self._minute_seconds = minute_seconds
        self.times: list[float] = []
        self.request_ids: set[str | None] = set()
        self.sent: list[tuple[str, Message]] = []
        self.happened: list[Happening] = []

    async def invoke(self, name: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        self.times.append(asyncio.get_running_loop().time())
        self.request_ids.add(request_id)
        return self._endings.pop(0) if len(self._endings) > 1 else self._endings[0]

    async def stop(self) -> None:
        """Nothing was started."""

    def send(self, to: str, message: Message) -> None:
        if to == self._refuses:
            raise DestinationError("it is full")
        self.sent.append((to, message))

    def play(self, of: Function, qualifier: str = "$LATEST", payload: bytes = b'{"n":0.10}') -> Script:
        """Invoke a function, and let all the time pass that it takes."""

        async def main() -> None:
            history = History()
            history.subscribe(self.happened.append)
            asynchronous = Asynchronous(self, send=self.send, history=history, minute_seconds=self._minute_seconds)
            self.request_id = asynchronous.begin(of, qualifier, payload)
            while asynchronous.running:
                await asyncio.sleep(1)

        clock.run(main())
        return self

    def documents(self) -> Iterator[Any]:
        for _, message in self.sent:
            yield json.loads(message.body)


@pytest.fixture
def settled() -> Callable[..., Function]:
    """Make a function with settings, and nothing else of its own."""

    def make(*, qualifier: str = "$LATEST", dead_letters: str | None = None, **settings: Any) -> Function:
        return replace(
            function("Mail"), dead_letter_arn=dead_letters, event_invokes={qualifier: EventInvoke(**settings)}
        )

    return make


@pytest.mark.parametrize("ending", [FAILED, TIMED_OUT, CRASHED], ids=lambda ending: ending.status)
def test_a_failure_is_tried_again_after_one_minute_and_after_two(ending: Invocation) -> None:
    """Whichever way a function fails, it runs three times under one request id."""
    script = Script(ending).play(function("Mail"))

    assert script.times == [0, 60, 180]
    assert script.request_ids == {script.request_id}


@pytest.mark.parametrize(("retries", "times"), [(0, [0]), (1, [0, 60]), (2, [0, 60, 180])])
def test_the_settings_say_how_often(settled: Any, retries: int, times: list[float]) -> None:
    """MaximumRetryAttempts counts the tries after the first."""
    assert Script(FAILED).play(settled(max_retries=retries)).times == times


def test_a_success_ends_it(settled: Any) -> None:
    """What failed once and then succeeds is no failure."""
    script = Script(FAILED, OK).play(settled(on_failure_arn=FAILURES, dead_letters=DEAD_LETTERS))

    assert script.times == [0, 60]
    assert script.sent == []


def test_a_failure_is_not_tried_again_when_the_event_would_be_too_old(settled: Any) -> None:
    """Its next try would come at the age of 60 seconds: it is given up at once."""
    script = Script(FAILED).play(settled(max_age_seconds=60, on_failure_arn=FAILURES))

    (document,) = script.documents()
    assert script.times == [0]
    assert document["requestContext"]["condition"] == "EventAgeExceeded"
    assert document["requestContext"]["approximateInvokeCount"] == 1


def test_a_throttle_is_tried_again_until_the_event_is_too_old(settled: Any) -> None:
    """After one second, then twice as long each time; it costs no retry."""
    script = Script(THROTTLED).play(settled(max_age_seconds=60, max_retries=0, on_failure_arn=FAILURES))

    (document,) = script.documents()
    assert script.times == [0, 1, 3, 7, 15, 31, 60]
    assert document["requestContext"]["condition"] == "EventAgeExceeded"
    assert document["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in document


def test_a_throttle_waits_five_minutes_at_most(settled: Any) -> None:
    """And an event is six hours old at most, by default."""
    times = Script(THROTTLED).play(settled()).times

    assert max(after - before for before, after in pairwise(times)) == 300
    assert times[-1] == 6 * 3600


def test_a_function_of_no_concurrency_is_not_tried(settled: Any) -> None:
    """Its events go where failures go, without any retry."""
    stopped = replace(settled(on_failure_arn=FAILURES, dead_letters=DEAD_LETTERS), reserved_concurrency=0)

    script = Script(OK).play(stopped)

    (_, told), (_, dead) = script.sent
    assert script.times == []
    assert json.loads(told.body)["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert dead.attributes.keys() == {"RequestID", "ErrorMessage"}


def test_the_record_of_a_failure_says_what_was_asked_and_what_came_of_it(settled: Any) -> None:
    """In Lambda's shape, numbers digit by digit."""
    script = Script(FAILED).play(settled(on_failure_arn=FAILURES))

    ((to, message),) = script.sent
    document = json.loads(message.body)
    assert to == FAILURES
    assert document == {
        "version": "1.0",
        "timestamp": "2026-01-01T00:03:00.000Z",
        "requestContext": {
            "requestId": script.request_id,
            "functionArn": arn("lambda", "function:test-Mail:$LATEST"),
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"n": 0.1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "no way", "errorType": "ValueError"},
    }
    assert '"requestPayload":{"n":0.10}' in message.body


def test_a_success_is_told_to_its_destination(settled: Any) -> None:
    """With what the function returned, and no error."""
    script = Script(OK).play(settled(on_success_arn=SUCCESSES, on_failure_arn=FAILURES, dead_letters=DEAD_LETTERS))

    ((to, message),) = script.sent
    document = json.loads(message.body)
    assert (to, message.result) == (SUCCESSES, "Success")
    assert document["requestContext"]["condition"] == "Success"
    assert document["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert '"responsePayload":{"answer":1.50}' in message.body


def test_a_dead_letter_is_the_event_itself(settled: Any) -> None:
    """As it came, with the error in its attributes; the destination gets its record, too."""
    script = Script(FAILED).play(settled(on_failure_arn=FAILURES, dead_letters=DEAD_LETTERS))

    (first, _), (second, dead) = script.sent
    assert (first, second) == (FAILURES, DEAD_LETTERS)
    assert dead.body == '{"n":0.10}'
    assert dead.attributes == {"RequestID": script.request_id, "ErrorCode": 200, "ErrorMessage": "no way"}


def test_a_dead_letter_that_was_throttled_says_so(settled: Any) -> None:
    """Nothing ran that could have said anything."""
    ((_, dead),) = Script(THROTTLED).play(settled(max_age_seconds=60, dead_letters=DEAD_LETTERS)).sent

    assert (dead.attributes["ErrorCode"], dead.attributes["ErrorMessage"]) == (429, "Rate Exceeded.")


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b'{"errorMessage":"' + "é".encode() * 600 + b'"}', "é" * 512),
        (b'{"errorMessage":"' + b"x" * 1025 + b'"}', "x" * 1024),
        (b'{"errorMessage":""}', None),
        (b'{"errorMessage":null}', None),
        (b"[]", None),
        (b"no JSON", None),
    ],
    ids=["whole characters", "1 KB", "empty", "null", "no object", "no JSON"],
)
def test_a_dead_letters_error_message_has_1_kb_at_most(settled: Any, payload: bytes, message: str | None) -> None:
    """And an empty one is left out, since SQS refuses it."""
    failed = Invocation(status="error", payload=payload, error_type="E")

    ((_, dead),) = Script(failed).play(settled(max_retries=0, dead_letters=DEAD_LETTERS)).sent

    assert dead.attributes.get("ErrorMessage") == message


def test_an_answer_that_is_no_json_is_told_as_text(settled: Any) -> None:
    """The record is JSON whatever the function returned."""
    script = Script(Invocation(status="ok", payload=b"\xff{")).play(settled(on_success_arn=SUCCESSES))

    (document,) = script.documents()
    assert document["responsePayload"] == "\ufffd{"


def test_settings_are_those_of_the_alias_that_was_invoked(settled: Any) -> None:
    """Those of another qualifier don't count, but the dead-letter queue is the function's."""
    live = settled(qualifier="live", max_retries=0, on_failure_arn=FAILURES, dead_letters=DEAD_LETTERS)

    by_alias, by_name = Script(FAILED).play(live, "live"), Script(FAILED).play(live)

    assert by_alias.times == [0]
    assert next(by_alias.documents())["requestContext"]["functionArn"].endswith(":test-Mail:live")
    assert (by_name.times, [to for to, _ in by_name.sent]) == ([0, 60, 180], [DEAD_LETTERS])


def test_a_minute_may_be_shorter_and_still_count_as_one(settled: Any) -> None:
    """At a second a minute the retries take three seconds; their age is that on AWS."""
    soon = Script(FAILED, minute_seconds=1.0).play(settled())
    old = Script(FAILED, minute_seconds=1.0).play(settled(max_age_seconds=170, on_failure_arn=FAILURES))

    assert soon.times == [0, 1, 3]
    assert old.times == [0, 1]
    assert next(old.documents())["requestContext"]["condition"] == "EventAgeExceeded"


def test_a_destination_that_refuses_keeps_nothing_from_the_other(settled: Any) -> None:
    """What could not be sent is told with the reason."""
    script = Script(FAILED, refuses=FAILURES).play(settled(on_failure_arn=FAILURES, dead_letters=DEAD_LETTERS))

    assert [to for to, _ in script.sent] == [DEAD_LETTERS]
    assert script.happened[-1] == Happening(
        "concluded",
        {
            "function": "Mail",
            "request_id": script.request_id,
            "condition": "RetriesExhausted",
            "told": [DEAD_LETTERS],
            "refused": {FAILURES: "it is full"},
        },
    )


def test_stopping_forgets_what_waits() -> None:
    """Neither a retry nor a destination follows."""
    script = Script(FAILED)

    async def main() -> int:
        asynchronous = Asynchronous(script, send=script.send)
        asynchronous.begin(function("Mail"), "$LATEST", b"{}")
        await asyncio.sleep(0.5)
        await asynchronous.stop()
        await asyncio.sleep(600)
        return asynchronous.running

    assert clock.run(main()) == 0
    assert (script.times, script.sent) == ([0], [])
